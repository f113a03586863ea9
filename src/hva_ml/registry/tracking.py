"""Runs in MLflow: one per training, one registered version per run, the aliases, and backtests.

Only counts, hashes, metrics and plain model files go there: never a row about an account.
"""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as installed
from math import isfinite
from pathlib import Path
from typing import Any

from hva_ml.errors import UsageError
from hva_ml.features.definition import FeatureDefinition
from hva_ml.registry.connection import available, connected
from hva_ml.registry.promotion import point, release_folder, verified
from hva_ml.workspace import Workspace

CHALLENGER = "challenger"
CHAMPION = "champion"
REQUIREMENTS = ("hva-ml", "mlflow", "lightgbm", "numpy", "pandas", "pyarrow")

_SERVING = Path(__file__).with_name("serving.py")
_AT_ONCE = 1000


@dataclass(frozen=True)
class RunRecord:
    """One finished training run as MLflow keeps it.

    Attributes
    ----------
    run_id, name, version : str
        MLflow's id, the readable name, and the registered model version (empty if there is none).
    started : datetime.datetime
        UTC, as MLflow noted it.
    metrics : dict of str to float
        ``test.*`` of the model, ``baseline.<name>.*`` of the rules beside it, counts by side.
    params, tags : dict of str to str
        What was set, and data hashes.
    aliases : tuple of str
        ``champion``, ``challenger``; empty for most.
    """

    run_id: str
    name: str
    version: str
    started: datetime
    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]
    aliases: tuple[str, ...] = ()

    def record(self) -> dict[str, object]:
        """Return the run as a JSON-ready record."""
        return {
            "run_id": self.run_id,
            "name": self.name,
            "version": self.version,
            "started": self.started.isoformat(),
            "metrics": self.metrics,
            "params": self.params,
            "tags": self.tags,
            "aliases": list(self.aliases),
        }


def log_run(
    ws: Workspace,
    pipeline: str,
    *,
    name: str,
    params: Mapping[str, object],
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    artifacts: Mapping[str, Path | str | bytes],
    bundle_folder: Path,
) -> RunRecord:
    """Log one training, register its model, and make it the challenger.

    Parameters
    ----------
    ws : Workspace
        The workspace; its database is made here if it is not there yet (some seconds, once).
    pipeline : str
        Name of the pipeline: of the experiment and of the registered model.
    name : str
        Readable name of the run.
    params, metrics, tags : mapping
        Plain values; metrics that are not finite are left out.
    artifacts : mapping of str to Path, str or bytes
        Files, texts or bytes by the name under which MLflow shows them.
    bundle_folder : Path
        The model, as written by ``Bundle.write``.

    Returns
    -------
    RunRecord

    Raises
    ------
    HvaError
        If MLflow cannot be reached or refuses.
    """
    # Only whoever logs a model loads the models' libraries: aliases are asked for in a hurry.
    from hva_ml.registry.bundle import Bundle

    bundle = Bundle.read(bundle_folder)
    with connected(ws) as (mlflow, client):
        if mlflow.active_run() is not None:
            raise UsageError(
                "Another MLflow run is active in this session.", where="mlflow", fix="mlflow.end_run()"
            )
        experiment = _experiment(client, ws, pipeline)
        run_tags = {**tags, "mlflow.source.name": f"hva train {pipeline}"}
        run_id = client.create_run(experiment, run_name=name, tags=run_tags).info.run_id
        with mlflow.start_run(run_id=run_id):
            mlflow.log_params({k: str(v) for k, v in params.items()})
            mlflow.log_metrics({k: float(v) for k, v in metrics.items() if isfinite(v)})
            with tempfile.TemporaryDirectory() as folder:
                _spread(Path(folder), artifacts)
                mlflow.log_artifacts(folder)
            info = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(_SERVING),
                artifacts={"bundle": str(bundle_folder)},
                signature=_signature(bundle.definitions),
                pip_requirements=[f"{package}=={installed(package)}" for package in REQUIREMENTS],
                registered_model_name=pipeline,
            )
        version = str(info.registered_model_version)
        client.set_model_version_tag(pipeline, version, "release", bundle.release)
        client.set_registered_model_alias(pipeline, CHALLENGER, version)
        return _record(client.get_run(run_id), version, _aliases(client, pipeline))


def log_evidence(
    ws: Workspace,
    experiment: str,
    *,
    name: str,
    params: Mapping[str, object],
    metrics: Mapping[str, float],
    series: Sequence[tuple[int, str, float]],
    tags: Mapping[str, str],
    artifacts: Mapping[str, Path],
    source: str,
) -> str:
    """Log a run without a model, e.g. a backtest, in an experiment of its own.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    experiment, name : str
        Name of the experiment, readable name of the run.
    params, metrics, tags, artifacts : mapping
        As for `log_run`.
    series : sequence of (int, str, float)
        Step, name and value of metrics that MLflow draws as lines.
    source : str
        The command.

    Returns
    -------
    str
        MLflow's id of the run.

    Raises
    ------
    HvaError
        If MLflow cannot be reached or refuses.
    """
    with connected(ws) as (_, client):
        from mlflow.entities import Metric, Param

        home = _experiment(client, ws, experiment)
        run = client.create_run(home, run_name=name, tags={**tags, "mlflow.source.name": source}).info
        points = [(0, k, v) for k, v in metrics.items()] + list(series)
        told = [Metric(k, float(v), run.start_time, step) for step, k, v in points if isfinite(v)]
        client.log_batch(run.run_id, params=[Param(k, str(v)) for k, v in params.items()])
        for first in range(0, len(told), _AT_ONCE):
            client.log_batch(run.run_id, metrics=told[first : first + _AT_ONCE])
        with tempfile.TemporaryDirectory() as folder:
            _spread(Path(folder), artifacts)
            client.log_artifacts(run.run_id, folder)
        client.set_terminated(run.run_id)
        return str(run.run_id)


def runs(ws: Workspace, pipeline: str) -> list[RunRecord]:
    """Return the finished runs of a pipeline, newest first; empty if there is no store yet."""
    if not available(ws):
        return []
    with connected(ws) as (_, client):
        experiment = client.get_experiment_by_name(pipeline)
        if experiment is None:
            return []
        aliases = _aliases(client, pipeline)
        pages = _pages(client.search_model_versions, f"name = '{pipeline}'")
        versions = {v.run_id: str(v.version) for v in sorted(pages, key=lambda v: int(v.version))}
        done = _pages(client.search_runs, [experiment.experiment_id], "attributes.status = 'FINISHED'")
        found = [_record(r, versions.get(r.info.run_id, ""), aliases) for r in done]
    return sorted(found, key=lambda r: (r.started, int(r.version or 0), r.run_id), reverse=True)


def find(ws: Workspace, pipeline: str, name: str | None = None) -> RunRecord | None:
    """Return a registered run by its id, the beginning of its id, its version, or its name; else the latest.

    Of several runs of one name (the same training done again) the latest.

    Raises
    ------
    UsageError
        If the beginning fits several runs.
    """
    known = [r for r in runs(ws, pipeline) if r.version]
    if name is None:
        return known[0] if known else None
    exact = [r for r in known if name in (r.run_id, r.name, r.version)]
    if exact:
        return exact[0]
    begun = [r for r in known if len(name) >= 4 and r.run_id.startswith(name)]
    if len(begun) > 1:
        raise UsageError(
            f"'{name[:40]}' is the beginning of {len(begun)} runs.",
            where=f"runs of {pipeline}",
            fix="Write more of the id.",
            ids=[r.run_id for r in begun],
        )
    return begun[0] if begun else None


def champion(ws: Workspace, pipeline: str) -> RunRecord | None:
    """Return the run behind the alias ``champion``, or None."""
    version = champion_version(ws, pipeline)
    if version is None:
        return None
    with connected(ws) as (_, client):
        run_id = client.get_model_version(pipeline, version).run_id
        return _record(client.get_run(run_id), version, _aliases(client, pipeline))


def champion_version(ws: Workspace, pipeline: str) -> str | None:
    """Return the version behind the alias ``champion``, or None if there is no alias or no store."""
    if not available(ws):
        return None
    with connected(ws) as (_, client):
        return _aliases(client, pipeline).get(CHAMPION)


def release_tag(ws: Workspace, pipeline: str, version: str) -> str | None:
    """Return the release hash that was registered with a version."""
    with connected(ws) as (_, client):
        tag: str | None = client.get_model_version(pipeline, version).tags.get("release")
        return tag


def set_champion(ws: Workspace, pipeline: str, version: str, *, forced: str = "") -> None:
    """Make a released version the champion: the alias in MLflow, then the pointer file beside the releases.

    Parameters
    ----------
    ws, pipeline, version
        The version must lie under ``models/<pipeline>/<version>/``.
    forced : str
        The reason, if a gate did not hold; noted at the version.

    Raises
    ------
    HvaError
        If MLflow does not know the version, or cannot be reached.
    IntegrityError
        If the version has not been released.
    """
    tags = {"gates": "forced", "force_reason": forced} if forced else {"gates": "held"}
    _crown(ws, pipeline, version, {version: tags})


def restore_champion(ws: Workspace, pipeline: str, version: str, *, instead_of: str, reason: str) -> None:
    """Make an earlier champion the champion again, and note the reason at both versions.

    Parameters
    ----------
    ws, pipeline, version
        As `set_champion`.
    instead_of : str
        The version that is withdrawn.
    reason : str
        Why; may be empty.

    Raises
    ------
    HvaError, IntegrityError
        As `set_champion`.
    """
    told = reason or "no reason given"
    withdrawn = {instead_of: {"withdrawn": told}} if instead_of != version else {}
    restored = {version: {"restored": told, "restored_from": instead_of}}
    _crown(ws, pipeline, version, restored | withdrawn)


def _crown(ws: Workspace, pipeline: str, version: str, tags: Mapping[str, Mapping[str, str]]) -> None:
    verified(release_folder(ws.models(pipeline), version))
    with connected(ws) as (_, client):
        for of, told in tags.items():
            for name, value in told.items():
                client.set_model_version_tag(pipeline, of, name, value)
        client.set_registered_model_alias(pipeline, CHAMPION, version)
        if _aliases(client, pipeline).get(CHALLENGER) == version:
            client.delete_registered_model_alias(pipeline, CHALLENGER)
    point(ws.models(pipeline), version)


def _experiment(client: Any, ws: Workspace, pipeline: str) -> str:
    found = client.get_experiment_by_name(pipeline)
    if found is not None and found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    if found is not None:
        return str(found.experiment_id)
    # A server decides itself where files go; a bare database must be told.
    served = re.match(r"https?:|databricks", ws.tracking_uri) is not None
    location = None if served else (ws.mlruns / "artifacts").resolve().as_uri()
    return str(client.create_experiment(pipeline, artifact_location=location))


def _spread(folder: Path, artifacts: Mapping[str, Path | str | bytes]) -> None:
    for name, content in sorted(artifacts.items()):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            content = content.read_bytes()
        place.write_bytes(content.encode() if isinstance(content, str) else content)


def _signature(definitions: tuple[FeatureDefinition, ...]) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    from hva_ml.registry.bundle import NUMBERS

    inputs: list[Any] = [ColSpec("string", "account_id", required=False)]
    for d in definitions:
        inputs.append(ColSpec("double" if d.kind == "number" else "string", d.name, required=False))
    names = [name for name, _ in NUMBERS]
    asked = ParamSchema([ParamSpec("reasons", "long", 0), ParamSpec("reference", "string", "")])
    return ModelSignature(Schema(inputs), Schema([ColSpec("double", n) for n in names]), asked)


def _aliases(client: Any, pipeline: str) -> dict[str, str]:
    from mlflow.exceptions import MlflowException

    try:
        return {a: str(v) for a, v in sorted(client.get_registered_model(pipeline).aliases.items())}
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return {}
        raise


def _pages(search: Any, *query: Any) -> list[Any]:
    found: list[Any] = []
    token = None
    while True:
        page = search(*query, page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _record(run: Any, version: str, aliases: Mapping[str, str]) -> RunRecord:
    return RunRecord(
        run_id=run.info.run_id,
        name=run.info.run_name,
        version=version,
        started=datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        metrics=dict(sorted(run.data.metrics.items())),
        params=dict(sorted(run.data.params.items())),
        tags={k: v for k, v in sorted(run.data.tags.items()) if not k.startswith("mlflow.")},
        aliases=tuple(a for a, v in aliases.items() if v == version),
    )
