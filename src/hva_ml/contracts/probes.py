"""What a probe of the check came to: passed, found something, or had nothing to work on, and why."""

from dataclasses import dataclass
from typing import Literal

from hva_ml.contracts.records import Violation

Outcome = Literal["passed", "found", "not applicable"]


@dataclass(frozen=True)
class Probed:
    """One probe that was asked, with its answer.

    Attributes
    ----------
    code : str
        Code under which it reports, e.g. ``HVL001``.
    name : str
        Its name, e.g. ``truncation``.
    what : str
        What was done, with counts: a probe that moved nothing proves nothing.
    violations : tuple of Violation
        What it found; an ``info`` is a limit of the proof or a count to know, never an alarm.
    not_applicable : str
        Why it could not be asked at all; empty where it could.
    """

    code: str
    name: str
    what: str
    violations: tuple[Violation, ...] = ()
    not_applicable: str = ""

    @property
    def alarms(self) -> tuple[Violation, ...]:
        """Errors and warnings."""
        return tuple(v for v in self.violations if v.severity != "info")

    @property
    def outcome(self) -> Outcome:
        """``found`` with an alarm, ``not applicable`` with a reason, else ``passed``.

        Examples
        --------
        >>> Probed("HVL001", "truncation", "…", not_applicable="no row lies after a cutoff").outcome
        'not applicable'
        """
        if self.alarms:
            return "found"
        return "not applicable" if self.not_applicable else "passed"

    def record(self) -> dict[str, str]:
        """Return the answer as a JSON-ready record; its violations stand in the report."""
        return {
            "code": self.code,
            "name": self.name,
            "outcome": self.outcome,
            "what": self.what,
            "why": self.not_applicable,
        }
