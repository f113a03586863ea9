"""Deliver: what is published goes to every declared sink. A sink that fails changes nothing but itself."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hva_ml import publication
from hva_ml.config import PipelineConfig
from hva_ml.delivery import Current, Parcel, opened, setup_sql
from hva_ml.errors import HvaError, UsageError, nearest
from hva_ml.jobs.progress import LoggedProgress, Progress
from hva_ml.jobs.published import current_run, find_run
from hva_ml.publication import reading
from hva_ml.workspace import Workspace

_log = logging.getLogger(__name__)
Outcome = Literal["delivered", "unchanged", "due", "failed"]


@dataclass(frozen=True)
class Handover:
    """What became of one sink.

    Attributes
    ----------
    sink, kind : str
        Its name and kind.
    outcome : {"delivered", "unchanged", "due", "failed"}
        ``unchanged``: it had this run already; ``due``: it has not, and nothing was to be done.
    run_id, as_of : str
        The run that its readers see now, and its day; empty for none, or where it could not be asked.
    rows : mapping of str to int
        Rows of each of its tables.
    error : HvaError or None
        Why it failed.
    """

    sink: str
    kind: str
    outcome: Outcome
    run_id: str = ""
    as_of: str = ""
    rows: Mapping[str, int] | None = None
    error: HvaError | None = None

    def record(self) -> dict[str, object]:
        """Return it as a JSON-ready record."""
        return {
            "sink": self.sink,
            "kind": self.kind,
            "outcome": self.outcome,
            "run_id": self.run_id,
            "as_of": self.as_of,
            "rows": dict(self.rows or {}),
            "error": self.error.record() if self.error else None,
        }


@dataclass(frozen=True)
class Delivery:
    """What became of a run at all sinks.

    Attributes
    ----------
    pipeline, run_id, as_of : str
        Which run.
    manifest : str
        sha256 of its manifest: the same in every sink.
    sinks : tuple of Handover
        One for each sink, in the order of the file; none if none is declared.
    """

    pipeline: str
    run_id: str
    as_of: str
    manifest: str
    sinks: tuple[Handover, ...]

    @property
    def failed(self) -> tuple[Handover, ...]:
        """The sinks that failed."""
        return tuple(s for s in self.sinks if s.outcome == "failed")

    def record(self) -> dict[str, object]:
        """Return it as a JSON-ready record."""
        return {
            "pipeline": self.pipeline,
            "run_id": self.run_id,
            "as_of": self.as_of,
            "manifest_sha256": self.manifest,
            "sinks": [s.record() for s in self.sinks],
        }


def deliver(
    ws: Workspace,
    pipeline: str,
    *,
    run: str | None = None,
    sink: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Delivery:
    """Bring a published run to the sinks of its pipeline.

    Each sink lets its readers see the whole run or the one before, and is read back before it does. A sink
    that has the run already is left alone; one that fails is told, and the others are served all the same.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.
    run : str, optional
        Beginning of a run id, or a day; by default the run that counts.
    sink : str, optional
        Only this one.
    dry_run : bool
        Only say what each sink holds.
    progress : Progress, optional
        Where stages are told.

    Returns
    -------
    Delivery
        `Delivery.failed` is empty if all is well.

    Raises
    ------
    RefusedError
        If nothing has been published.
    UsageError
        If there is no such run or sink.
    IntegrityError
        If the published run is damaged.
    BusyError
        If another delivery of the pipeline is at work.
    """
    config = ws.config(pipeline)
    names = _names(config, sink)
    progress = progress or LoggedProgress()
    with publication.lock(ws.lock(f"{config.name}.delivery")):
        parcel = _parcel(ws, config, run)
        handed = []
        for name in names:
            progress.stage(f"Delivering to {name}")
            handed.append(_handed(ws, config, name, parcel, dry_run=dry_run))
    told = parcel.current
    return Delivery(config.name, told.run_id, told.as_of.isoformat(), told.manifest, tuple(handed))


def setup(ws: Workspace, pipeline: str, sink: str | None = None) -> str:
    """Return the SQL that sets up the databases of a pipeline, or of one sink, with their least rights.

    Raises
    ------
    UsageError
        If there is no such sink.
    DeliveryError
        If a sink is no database.
    """
    config = ws.config(pipeline)
    names = _names(config, sink)
    if sink is None:
        names = tuple(n for n in names if config.sinks[n].url_env)
    return "\n".join(f"-- [sinks.{n}] of {config.name}\n{setup_sql(config, n)}" for n in names)


def _names(config: PipelineConfig, sink: str | None) -> tuple[str, ...]:
    if sink is None:
        return tuple(config.sinks)
    if sink not in config.sinks:
        known = ", ".join(config.sinks) or "none yet; docs/sinks.md says how to declare one"
        raise UsageError(
            f"There is no sink '{sink[:40]}'.{nearest(sink, config.sinks)}",
            where=f"pipelines/{config.name}.toml",
            fix=f"Use one of: {known}.",
        )
    return (sink,)


def _parcel(ws: Workspace, config: PipelineConfig, run: str | None) -> Parcel:
    folder = ws.scores(config.name)
    shown = current_run(ws, config.name)
    wanted = shown if run is None else find_run(ws, config.name, run)
    # Whether the run that counts is stale stands beside its pointer.
    found = publication.current(folder) if wanted == shown else None
    return Parcel(
        folder, found or reading.published(folder / reading.RUNS / wanted), config.name,
        config.pipeline.currency,
    )  # fmt: skip


def _handed(ws: Workspace, config: PipelineConfig, name: str, parcel: Parcel, *, dry_run: bool) -> Handover:
    kind, shown = config.sinks[name].kind, None
    try:
        where = opened(ws, config, name)
        shown = where.current()
        if shown is not None and where.holds(parcel, shown):
            return _told(name, kind, "unchanged", shown)
        if dry_run:
            return _told(name, kind, "due", shown)
        return _told(name, kind, "delivered", where.deliver(parcel))
    except HvaError as error:
        failure = error
    except OSError as error:
        failure = HvaError(
            f"The system refused: {error.strerror or type(error).__name__}.",
            where=str(Path(str(error.filename))) if error.filename else name,
            fix="Check free space and permissions, then hva deliver again.",
        )
    handed = _told(name, kind, "failed", shown, failure)
    _log.error("Sink %s of %s failed: %s", name, config.name, failure.what)
    return handed


def _told(
    name: str, kind: str, outcome: Outcome, shown: Current | None, error: HvaError | None = None
) -> Handover:
    if outcome != "failed":
        _log.info("Sink %s: %s, run %s.", name, outcome, shown.run_id if shown else "none")
    rows = {str(table): found.rows for table, found in shown.contents.items()} if shown else {}
    run_id, as_of = (shown.run_id, shown.as_of.isoformat()) if shown else ("", "")
    return Handover(name, kind, outcome, run_id, as_of, rows, error)
