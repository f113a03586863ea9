"""What monitoring says: rows with a stable code, numbers instead of words, and whether each is an alarm."""

from dataclasses import asdict, dataclass
from math import inf
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

    @property
    def nearness(self) -> float:
        """How near a drift is to its bound, whatever its unit: 1 is at it.

        Examples
        --------
        >>> Finding(VOLUME, "alarm", measured=0.25, bound=2.0).nearness
        2.0
        """
        measured = self.measured or 0.0
        if self.code == VOLUME:
            measured = max(measured, 1 / measured) if measured > 0 else inf
        return measured / self.bound if self.bound else measured

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        return asdict(self)
