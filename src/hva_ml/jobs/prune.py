"""Prune: old runs of scores go; the current one, and those that a way back needs, never."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from hva_ml import publication
from hva_ml.config import PipelineConfig
from hva_ml.errors import IntegrityError, UsageError
from hva_ml.monitoring.history import History
from hva_ml.monitoring.under_way import followed
from hva_ml.publication.retention import Old, remove, retention
from hva_ml.publication.runs import latest_of
from hva_ml.registry import promotion
from hva_ml.workspace import Workspace

COMPLETE_APART_DAYS = 28
FOLLOWED_AT_ONCE = 2


@dataclass(frozen=True)
class Pruned:
    """What went, or would go.

    Attributes
    ----------
    pipeline : str
        Whose runs.
    goes : tuple of Old
        Run, day, version and bytes of each, oldest day first.
    stays : mapping of str to str
        Why each other run stays, by its id.
    size : int
        Bytes in all.
    dry_run : bool
        True if nothing was removed.
    """

    pipeline: str
    goes: tuple[Old, ...]
    stays: Mapping[str, str]
    size: int
    dry_run: bool

    def record(self) -> dict[str, object]:
        """Return it as a JSON-ready record."""
        return {
            "pipeline": self.pipeline,
            "dry_run": self.dry_run,
            "bytes": self.size,
            "goes": [
                {"run_id": o.run_id, "as_of": o.as_of, "version": o.version, "bytes": o.size}
                for o in self.goes
            ],
            "stays": dict(self.stays),
        }


def prune(
    ws: Workspace,
    pipeline: str,
    *,
    keep: int | None = None,
    keep_days: int | None = None,
    dry_run: bool = False,
) -> Pruned:
    """Remove old runs of scores.

    The current run stays, and the latest whole run of every version that is still released, so that
    ``hva rollback`` finds it; so does a run whose manifest cannot be read, and, where nights are monitored,
    one run in four weeks until its outcomes are known. What was set aside as damaged goes.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.
    keep, keep_days : int, optional
        How many of the latest runs stay; or how many days, counted back from the latest run. One of the two,
        at least 1.
    dry_run : bool
        Only say what would go.

    Returns
    -------
    Pruned

    Raises
    ------
    UsageError
        If none or both of `keep` and `keep_days` are given, or one below 1.
    IntegrityError
        If the pointer to the current run is damaged: then nobody knows what must stay.
    """
    config = ws.config(pipeline)
    given = [n for n in (keep, keep_days) if n is not None]
    if len(given) != 1 or given[0] < 1:
        raise UsageError(
            "How many runs stay must be said in one way, and at least one stays.",
            where="--keep, --keep-days",
            fix=f"hva prune {config.name} --keep 30 --dry-run",
        )
    folder = ws.scores(config.name)
    with publication.lock(ws.lock(config.name)):
        needed = _awaited(ws, config) | _needed(folder, ws.models(config.name))
        found = retention(folder, needed, keep=keep, keep_days=keep_days)
        if not dry_run:
            for old in found.goes:
                remove(old)
    return Pruned(config.name, found.goes, found.stays, found.size, dry_run)


def _awaited(ws: Workspace, config: PipelineConfig) -> dict[str, str]:
    """Return the runs whose outcomes monitoring still waits for.

    Of each release one in four weeks until its horizon is over, and the two that are followed day by day: the
    last one, and the one before it, for the days until conversions of the last one count.
    """
    nights = History(ws.history(config.name)).nights(date.max)
    if not nights:
        return {}
    wait = timedelta(days=config.wait_days)
    awaited = {}
    for release in dict.fromkeys(n.release for n in nights):
        mine = {n.day: n for n in nights if n.release == release}
        for day in (*followed(tuple(mine), COMPLETE_APART_DAYS), *followed(tuple(mine))[-FOLLOWED_AT_ONCE:]):
            if day + wait > nights[-1].day:
                awaited[mine[day].run_id] = "its outcomes are not known yet, hva monitor waits for them"
    return awaited


def _needed(folder: Path, models: Path) -> dict[str, str]:
    """Return the runs that must stay, and why."""
    needed: dict[str, str] = {}
    if (run := publication.current(folder)) is not None:
        needed[run.run_id] = "it is the current run"
    for version in promotion.released(models):
        try:
            release = promotion.verified(models / version)["release"]
        except IntegrityError:
            # Restored from a copy it may be gone back to: any run of that version may be the one.
            release = None
        last, _ = latest_of(folder, version, release)
        if last is not None:
            needed.setdefault(last.run_id, f"the way back to version {version} needs it")
    return needed
