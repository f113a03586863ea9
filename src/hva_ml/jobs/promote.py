"""From runs to the champion: side by side, gates, an immutable release, the alias."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from hva_ml.contracts.records import Violation
from hva_ml.errors import RefusedError, UsageError
from hva_ml.jobs import evidence
from hva_ml.jobs.continued import continued
from hva_ml.jobs.train import Run
from hva_ml.publication import lock
from hva_ml.registry import history, promotion, tracking
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.card import card
from hva_ml.registry.gates import GateResult, gates
from hva_ml.registry.promotion import pointed
from hva_ml.workspace import Workspace


@dataclass(frozen=True)
class Release:
    """A champion: the files that score from now on."""

    pipeline: str
    version: str
    run_id: str
    path: Path
    release: str
    gates: tuple[GateResult, ...]
    forced: str
    notes: tuple[str, ...] = ()

    def record(self) -> dict[str, object]:
        """Return the release as a JSON-ready record."""
        return {
            "pipeline": self.pipeline,
            "version": self.version,
            "run_id": self.run_id,
            "path": str(self.path),
            "release": self.release,
            "forced": self.forced,
            "gates": [g.record() for g in self.gates],
            "notes": list(self.notes),
        }


def find_run(ws: Workspace, pipeline: str, name: str | None = None) -> Run:
    """Return a run by its id, the beginning of its id, or its name; without one the latest.

    Raises
    ------
    UsageError
        If there is no such run, or the beginning fits several.
    """
    config = ws.config(pipeline)
    found = tracking.find(ws, config.name, name)
    if found is None:
        raise UsageError(
            f"The pipeline '{config.name}' has no finished run{f' {name[:40]!r}' if name else ''}.",
            where=ws.tracking_uri.split("@")[-1],
            fix=f"hva train {config.name}   (hva compare {config.name} lists the runs)",
        )
    kept = evidence.recall(ws, config.name, found.run_id)
    bundle = Bundle.read(kept.bundle)
    return Run(
        ws,
        config.name,
        found.run_id,
        found.name,
        found.version,
        bundle.release,
        kept.table,
        kept.report,
        tuple(Violation(**{**f, "ids": tuple(f["ids"])}) for f in kept.summary["findings"]),
    )


def promote(run: Run, *, force: str | None = None) -> Release:
    """Release a run as the champion if every gate holds.

    Parameters
    ----------
    run : Run
        As returned by ``train``.
    force : str, optional
        A reason to promote although a gate fails; it is recorded in the release, its card and MLflow.

    Raises
    ------
    RefusedError
        If a gate fails and no reason is given; champion and releases stay as they are.
    """
    ws, config = run.workspace, run.workspace.config(run.pipeline)
    if force is not None and not force.strip():
        raise UsageError("A forced promotion needs a reason.", where="--force", fix='--force "why"')
    with lock(ws.lock(config.name)):
        kept = evidence.recall(ws, config.name, run.run_id)
        champion = tracking.champion(ws, config.name)
        results = gates(
            config.gates, run.metrics, kept.summary,
            challenger=kept.predictions, champion=measured(ws, config.name, champion),
            resamples=config.split.bootstrap, seed=config.models.seed,
        )  # fmt: skip
        failed = [g for g in results if not g.passed]
        if failed and force is None:
            raise RefusedError(
                f"{len(failed)} of {len(results)} gates do not hold: "
                + "; ".join(g.sentence() for g in failed),
                where=f"run {run.name} of {run.pipeline}",
                why="A model that does not beat plain rules on later data would cost sales its trust.",
                fix=f'hva compare {run.pipeline}, or promote all the same: --force "the reason"',
            )
        bundle = Bundle.read(kept.bundle)
        reason = force.strip() if failed and force else ""
        goes_on, notes = continued(ws, config, bundle, run.version)
        path = promotion.release(
            kept.bundle, ws.models(config.name), run.version,
            card=card(bundle, results, forced=reason), gates=results, run_id=run.run_id, forced=reason,
            goes_on=goes_on,
        )  # fmt: skip
        last = champion.version if champion else pointed(ws.models(config.name)) or ""
        tracking.set_champion(ws, config.name, run.version, forced=reason)
        if last != run.version:
            history.note(ws.models(config.name), history.Step("promoted", run.version, last, reason))
    return Release(config.name, run.version, run.run_id, path, bundle.release, tuple(results), reason, notes)


def measured(
    ws: Workspace, pipeline: str, champion: tracking.RunRecord | None
) -> pa.Table | Mapping[str, float] | None:
    """Return the champion's test rows, or, where they are in another workspace, its metrics."""
    if champion is None:
        return None
    try:
        return evidence.recall(ws, pipeline, champion.run_id).predictions
    except UsageError:
        return champion.metrics
