"""Whether a run may go out: tonight against the run that counts, and the refusal if it does not hold."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hva_ml.errors import IntegrityError
from hva_ml.publication.comparison import compared
from hva_ml.publication.nights import Night, Tonight, of_published
from hva_ml.publication.reading import Published, current
from hva_ml.publication.rows import AuditError, AuditRow

Counting = Callable[[Path], Published | None]
FORCE = '--force "the reason"'


@dataclass(frozen=True)
class Verdict:
    """A run may go out.

    Attributes
    ----------
    rows : tuple of AuditRow
        What was looked at.
    against : str
        Id of the run that it was compared with, empty for none.
    forced : str
        The reason, if something was found all the same.
    """

    rows: tuple[AuditRow, ...]
    against: str
    forced: str

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        return {"audit": [r.record() for r in self.rows], "against": self.against, "forced": self.forced}


def judge(folder: Path, tonight: Tonight, asked: Counting = current) -> Verdict:
    """Hold tonight against the run that counts.

    Parameters
    ----------
    folder : pathlib.Path
        ``data/scores/<pipeline>``.
    tonight : Tonight
        The run that is to be published.
    asked : callable
        Which run counts in a folder, None for none; `current`, but for days of the past.

    Raises
    ------
    AuditError
        If anything is found and there is no reason to publish all the same.
    """
    run, last, why_not = _last(folder, tonight, asked)
    days = _days_since(run, last, tonight) if run and last else None
    rows = (*tonight.arrivals, *compared(tonight, last, why_not, folder, days))
    found = [r for r in rows if r.outcome == "found"]
    if found and not tonight.force:
        stay = f"The scores as of {run.identity['as_of']} stay and are marked stale." if run else (
            "Nothing is published."
        )  # fmt: skip
        raise AuditError(
            rows,
            where=f"{folder.name} as of {tonight.night.as_of}, {', '.join(r.where for r in found)}",
            why=f"{stay} Sales would act on numbers that nobody has understood.",
            fix=f"{found[0].fix} To publish all the same: hva score {folder.name} "
            f"--as-of {tonight.night.as_of} {FORCE}",
        )
    against = run.run_id if run and last and not why_not else ""
    return Verdict(rows, against, tonight.force if found else "")


def _last(folder: Path, tonight: Tonight, asked: Counting) -> tuple[Published | None, Night | None, str]:
    """Return the run to compare with, its night, and why it is no comparison."""
    try:
        run = asked(folder)
        if run is None:
            return None, None, "This is the first run of the pipeline."
        if not {"as_of", "release", "model_version", "scoring"} <= set(run.identity):
            return run, None, "Last night's run does not say what made it."
        last = of_published(folder, run)
    except IntegrityError:
        return None, None, "Last night's run is damaged and cannot be compared with."
    return run, last, _too_far(run, last, tonight)


def _days_since(run: Published, last: Night, tonight: Tonight) -> int:
    """Return how many days ago there was a night, be it refused: a bad state does not pass by lasting."""
    days = [last.as_of]
    if run.stale and run.stale.missing:
        days.append(run.stale.missing)
    return min(abs((tonight.night.as_of - day).days) for day in days)


def _too_far(run: Published, last: Night, tonight: Tonight) -> str:
    """Say so if the nights are too far apart; nights that were refused in between bridge the gap."""
    apart = _days_since(run, last, tonight)
    if apart <= tonight.limits.within_days:
        return ""
    return (
        f"The run before is as of {last.as_of}, {apart} days from {tonight.night.as_of}; runs more than "
        f"{tonight.limits.within_days} days apart are not compared."
    )
