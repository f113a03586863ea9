"""What monitoring says: rows with a stable code, numbers instead of words, and whether each is an alarm."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

VOLUME = "HVM001"
FEATURE = "HVM002"
SCORE = "HVM003"
ESTIMATED = "HVM004"
UNDER_WAY = "HVM005"
RANKING = "HVM006"
TOTALS = "HVM007"
FEEDBACK = "HVM008"
AGE = "HVM009"
HOLES = "HVM010"

Outcome = Literal["alarm", "warning", "passed", "not applicable"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at over the nights.

    Attributes
    ----------
    code : str
        Stable code; docs/checks.md has a paragraph for each.
    outcome : str
        ``alarm``, ``warning`` (something to know), ``passed``, or ``not applicable`` (`reason` says why).
    where : str
        Feature, score, source, metric, or part of the accounts.
    segment : str
        Segment, empty for all accounts.
    since : str
        Since when it has been so, as ISO; empty where it is no matter of a day.
    nights : int
        How many nights were looked at.
    measured, low, high : float or None
        What was measured, with its 95 % interval where there is one.
    bound : float or None
        What is tolerated.
    beside : float or None
        What it is held against: the promise, what was due, the age that was recommended.
    reason : str
        Why it is not applicable, or more about what was found: a word of `hva_ml.reports.monitoring_words`.
    """

    code: str
    outcome: Outcome
    where: str = ""
    segment: str = ""
    since: str = ""
    nights: int = 0
    measured: float | None = None
    low: float | None = None
    high: float | None = None
    bound: float | None = None
    beside: float | None = None
    reason: str = ""

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        return asdict(self)
