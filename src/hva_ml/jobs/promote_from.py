"""Promote by files alone: a release of another workspace, verified, judged by the gates of this one."""

import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import pyarrow as pa

from hva_ml.config import PipelineConfig
from hva_ml.errors import IntegrityError, RefusedError, UsageError
from hva_ml.evaluation.table import MODEL
from hva_ml.folders import MANIFEST, read_json
from hva_ml.jobs.continued import continued
from hva_ml.jobs.promote import Release, measured
from hva_ml.jobs.rollback import drift
from hva_ml.publication import lock
from hva_ml.registry import history, promotion, tracking
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.card import card
from hva_ml.registry.gates import GateResult, gates
from hva_ml.registry.identity import FIX
from hva_ml.workspace import Workspace

_LEAST_HEX = 12


def promote_from(
    ws: Workspace, pipeline: str, folder: str | Path, *, expect: str = "", force: str | None = None
) -> Release:
    """Make a release of another workspace the champion of this one, from its files alone.

    Every byte is held to the release's hashes. The gates of this workspace are measured on what the release
    was measured at where it was trained, which is in its files; against a champion of this workspace, each
    on its own test rows. The model is registered in the MLflow of this workspace, under its next version.

    Parameters
    ----------
    ws : Workspace
        The workspace that is to score with it; the pipeline file must be here.
    pipeline : str
        Name of the pipeline.
    folder : str or pathlib.Path
        A copy of ``models/<pipeline>/<version>`` of the other workspace.
    expect : str
        The release's hash, or its first 12 or more hex digits, as told there and brought on another way.
    force : str, optional
        A reason to promote although a gate does not hold.

    Returns
    -------
    Release

    Raises
    ------
    IntegrityError
        If anything in the folder is missing, changed or foreign.
    RefusedError
        If it is another release than expected, of another pipeline, or a gate does not hold.
    UsageError
        If there is no such folder, or `expect` is too short.
    """
    config = ws.config(pipeline)
    if force is not None and not force.strip():
        raise UsageError("A forced promotion needs a reason.", where="--force", fix='--force "why"')
    source = Path(folder).expanduser()
    if not source.is_dir():
        raise UsageError(
            "There is no such folder.", where=str(source),
            fix="Copy models/PIPELINE/VERSION of the other workspace here, whole.",
        )  # fmt: skip
    with lock(ws.lock(config.name)), tempfile.TemporaryDirectory(prefix="hva-release-") as name:
        origin = promotion.verified(source)
        _expected(origin["release"], expect, source)
        bundle_folder = _copied(source, Path(name) / "bundle")
        bundle = Bundle.read(bundle_folder)
        _this_pipeline(bundle, config, source)
        return _promoted(ws, config, bundle_folder, bundle, origin, source, force)


def _expected(release: str, expect: str, source: Path) -> None:
    if expect and (len(expect) < _LEAST_HEX or not set(expect) <= set("0123456789abcdef")):
        raise UsageError(
            "This is no beginning of a release's hash.", where="--expect",
            fix=f"At least {_LEAST_HEX} of its 64 hex digits, as hva promote --json tells them there.",
        )  # fmt: skip
    if not release.startswith(expect):
        raise RefusedError(
            f"This is the release {release[:16]}, not the one that was expected.",
            where=str(source),
            why="Files that are whole may still be other files than those that were released.",
            fix="Copy the folder again from where it was released.",
        )


def _copied(source: Path, target: Path) -> Path:
    """Copy the model's files, so that what is read is what is released, whoever writes to the source."""
    target.mkdir()
    for name in (*read_json(source / MANIFEST, FIX)["files"], MANIFEST):
        shutil.copyfile(source / name, target / name)
    return target


def _this_pipeline(bundle: Bundle, config: PipelineConfig, source: Path) -> None:
    if bundle.pipeline != config.name:
        raise RefusedError(
            f"This is a release of the pipeline '{bundle.pipeline[:60]}', not of '{config.name}'.",
            where=str(source),
            why="A model reads the features of its own pipeline.",
            fix=f"hva promote {bundle.pipeline[:60]} --from {source}",
        )


def _promoted(
    ws: Workspace,
    config: PipelineConfig,
    bundle_folder: Path,
    bundle: Bundle,
    origin: Mapping[str, Any],
    source: Path,
    force: str | None,
) -> Release:
    results = _gates(ws, config, bundle)
    failed = [g for g in results if not g.passed]
    if failed and force is None:
        raise RefusedError(
            f"{len(failed)} of {len(results)} gates do not hold: " + "; ".join(g.sentence() for g in failed),
            where=str(source),
            why="The gates of this workspace decide here, whatever was decided where it was trained.",
            fix=f'hva promote {config.name} --from {source} --force "the reason"',
        )
    reason = force.strip() if failed and force else ""
    champion = tracking.champion(ws, config.name)
    last = champion.version if champion else promotion.pointed(ws.models(config.name)) or ""
    run = _registered(ws, config.name, bundle_folder, bundle, origin, source)
    told = f"version {origin['version']} there, trained as run {origin['run_id']}"
    goes_on, said = continued(ws, config, bundle, run.version)
    path = promotion.release(
        bundle_folder, ws.models(config.name), run.version,
        card=card(bundle, results, forced=reason, origin=told), gates=results, run_id=run.run_id,
        forced=reason, origin=origin, goes_on=goes_on,
    )  # fmt: skip
    tracking.set_champion(ws, config.name, run.version, forced=reason)
    if last != run.version:
        history.note(ws.models(config.name), history.Step("promoted", run.version, last, reason))
    notes = (*said, *drift(ws, config.name, run.version))
    return Release(config.name, run.version, run.run_id, path, bundle.release, results, reason, notes)


def _gates(ws: Workspace, config: PipelineConfig, bundle: Bundle) -> tuple[GateResult, ...]:
    """Measure the gates on what the release itself tells of its test rows, which stay where they are."""
    told = bundle.metadata
    champion = tracking.champion(ws, config.name)
    if champion is not None and champion.tags.get("release") == bundle.release:
        champion = None
    try:
        return gates(
            config.gates, pa.Table.from_pylist(told["metrics"]), told,
            challenger=None, champion=measured(ws, config.name, champion),
            resamples=config.split.bootstrap, seed=config.models.seed,
        )  # fmt: skip
    except (KeyError, TypeError) as error:
        raise IntegrityError(
            "The release does not tell what it was measured at.",
            where="metadata.json",
            why="Without that no gate can be held.",
            fix="Train and promote it again with this version, where it comes from.",
        ) from error


def _registered(
    ws: Workspace,
    pipeline: str,
    bundle_folder: Path,
    bundle: Bundle,
    origin: Mapping[str, Any],
    source: Path,
) -> tracking.RunRecord:
    """Return the version under which MLflow has this model; register it if it has none that is released."""
    for run in tracking.runs(ws, pipeline):
        here = run.version and promotion.release_folder(ws.models(pipeline), run.version).is_dir()
        if here and run.tags.get("release") == bundle.release:
            return run
    metrics = {
        f"{'test' if r['model'] == MODEL else 'baseline.' + r['model']}.{r['metric']}": float(r["value"])
        for r in bundle.metadata["metrics"]
        if r["value"] is not None
    }
    return tracking.log_run(
        ws, pipeline, name=f"{pipeline}-{bundle.metadata.get('key', bundle.release[:12])}",
        params={"origin.version": origin["version"], "origin.run_id": origin["run_id"]},
        metrics=metrics,
        tags={"release": bundle.release, "origin": "files", "hva_ml": installed("hva-ml")},
        artifacts={name: source / name for name in (promotion.CARD, promotion.RECORD)},
        bundle_folder=bundle_folder,
    )  # fmt: skip
