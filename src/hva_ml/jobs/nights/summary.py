"""What is kept of a night, whatever became of it: one file a day beside the runs, without any account."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from hva_ml.contracts.records import Violation
from hva_ml.errors import HvaError
from hva_ml.folders import pretty, replace_file
from hva_ml.jobs.nights.stages import Stage, peak
from hva_ml.jobs.nights.watch import Watch
from hva_ml.publication import AuditRow

FOLDER = "nights"
FORMAT = "hva-night-1"
Outcome = Literal["published", "unchanged", "beside", "rehearsed", "refused", "failed", "stopped"]
_log = logging.getLogger("hva_ml.night")


@dataclass(frozen=True)
class Nightly:
    """What became of one night.

    Attributes
    ----------
    pipeline, as_of : str, datetime.date
        Which night.
    attempt : str
        Eight hex digits for this attempt at it; every line of the log bears them.
    outcome : str
        ``published``; ``unchanged``: it was already; ``beside``: written, but a later day stays current;
        ``rehearsed``: nothing was to be written; ``refused`` by an audit, gate or contract; ``failed``;
        ``stopped`` from outside.
    began, ended : datetime.datetime
        UTC, by the clock of the machine.
    run_id, model_version : str
        The run and the release that made it; empty if it did not come so far.
    accounts, taken_up : int
        Accounts scored; of those, how many had been explained before by an attempt that was stopped.
    expected_value : float or None
        Sum over all accounts, in the pipeline's currency.
    tiers : mapping of str to int
        Accounts by tier.
    stages : tuple of Stage
        What was done.
    audit : tuple of AuditRow
        What the run was held to.
    findings : tuple of Violation
        What to know about the data.
    watch : Watch or None
        What monitoring said; None where it did not look.
    error : HvaError or None
        Why it did not come out.
    died : int or None
        The process whose lock was taken over.
    hindsight : bool
        True if the model was trained on what came after the day: such scores prove nothing.
    """

    pipeline: str
    as_of: date
    attempt: str
    outcome: Outcome
    began: datetime
    ended: datetime
    run_id: str = ""
    model_version: str = ""
    accounts: int = 0
    taken_up: int = 0
    expected_value: float | None = None
    tiers: Mapping[str, int] = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()
    audit: tuple[AuditRow, ...] = ()
    findings: tuple[Violation, ...] = ()
    watch: Watch | None = None
    error: HvaError | None = None
    died: int | None = None
    hindsight: bool = False

    @property
    def undone(self) -> tuple[Stage, ...]:
        """Stages that failed although the scores are published."""
        return tuple(s for s in self.stages if s.outcome == "failed") if self.error is None else ()

    @property
    def exit_code(self) -> int:
        """What the command exits with: 0 if all is well, 1 failed, 3 refused."""
        if self.error is not None:
            return self.error.exit_code
        return 1 if self.undone or self.outcome == "stopped" else 0

    @property
    def seconds(self) -> float:
        """From begin to end."""
        return (self.ended - self.began).total_seconds()

    def sentence(self) -> str:
        """Return in one sentence what became of it."""
        night = f"The night of {self.pipeline} as of {self.as_of}"
        if self.error is not None:
            return f"{night} did not come out: {self.error.what}"
        if self.undone:
            return (
                f"{night} is published, but not all that follows: {', '.join(s.name for s in self.undone)}."
            )
        told = {
            "published": f"is published: {self.accounts:,} accounts, run {self.run_id}.",
            "unchanged": f"was published already: run {self.run_id}.",
            "beside": f"is written as run {self.run_id}; the scores of a later day stay current.",
            "rehearsed": f"could be published: {self.accounts:,} accounts, run {self.run_id}.",
            "stopped": "was stopped; the scores before it stay.",
        }
        return f"{night} {told.get(self.outcome, self.outcome)}"

    def record(self) -> dict[str, object]:
        """Return the night as a JSON-ready record. No account is named in it."""
        return {
            "format": FORMAT,
            "pipeline": self.pipeline,
            "as_of": self.as_of.isoformat(),
            "attempt": self.attempt,
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "run_id": self.run_id,
            "model_version": self.model_version,
            "hindsight": self.hindsight,
            "accounts": self.accounts,
            "taken_up": self.taken_up,
            "expected_value": self.expected_value,
            "tiers": dict(sorted(self.tiers.items())),
            "began": self.began.isoformat(timespec="seconds"),
            "ended": self.ended.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
            "peak_bytes": peak(),
            "died_before": self.died,
            "stages": [s.record() for s in self.stages],
            "audit": [r.record() for r in self.audit],
            "findings": [_counted(v) for v in self.findings],
            "watch": self.watch.record() if self.watch else None,
            "error": self.error.told() if self.error else None,
        }


def write(folder: Path, night: Nightly) -> Path | None:
    """Write the summary of a night, replacing that of an earlier attempt; a night must not fail for it.

    Parameters
    ----------
    folder : pathlib.Path
        ``data/scores/<pipeline>``.

    Returns
    -------
    pathlib.Path or None
        The file; None if it could not be written, which is logged.
    """
    path = folder / FOLDER / f"{night.as_of.isoformat()}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, pretty(night.record()))
    except OSError as error:
        _log.warning("The summary of the night was not written: %s", error.strerror)
        return None
    return path


def _counted(found: Violation) -> dict[str, object]:
    return {"code": found.code, "severity": found.severity, "where": found.where, "count": found.count}
