"""Whether a model learns from its own list: accounts worked because it said so, beside those just below.

Accounts on the list are worked, and convert also because of that. A model trained on their outcomes takes its
own doing for a property of the accounts.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from scipy.stats import beta

from hva_ml.monitoring import findings as codes
from hva_ml.monitoring.findings import Finding
from hva_ml.monitoring.outcomes import Outcome

LEVEL = 0.95
LEAST = 10


@dataclass(frozen=True)
class Feedback:
    """What complete nights tell about the list, nights that do not overlap added up.

    Attributes
    ----------
    nights : int
        Nights that were added.
    conversions, from_list : int
        Conversions of all accounts, and of those on the list.
    listed, listed_promised, listed_seen : int, float, int
        The lower half of the list: accounts, conversions promised and seen.
    missed, missed_promised, missed_seen : int, float, int
        As many accounts that just missed it.
    effect, low, high : float or None
        How many times as often as promised the listed converted, over the same of those who just missed it,
        with its 95 % interval; None with too few conversions.
    """

    nights: int
    conversions: int
    from_list: int
    listed: int
    listed_promised: float
    listed_seen: int
    missed: int
    missed_promised: float
    missed_seen: int
    effect: float | None
    low: float | None
    high: float | None

    @property
    def share(self) -> float:
        """Share of conversions that come from the list."""
        return self.from_list / self.conversions if self.conversions else 0.0

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        return {**asdict(self), "share": self.share}


def feedback(outcomes: Sequence[Outcome], window_days: int) -> Feedback | None:
    """Add up complete nights, the latest and those that lie at least a horizon before it; None without any.

    The ratio of two Poisson numbers, given their sum, is a binomial share; its exact interval (Clopper and
    Pearson 1934) becomes that of the ratio.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of one release or several.
    window_days : int
        Gap and horizon.
    """
    chosen: list[Outcome] = []
    last: date | None = None
    for outcome in sorted(outcomes, key=lambda o: o.as_of, reverse=True):
        if last is None or (last - outcome.day).days >= window_days:
            chosen.append(outcome)
            last = outcome.day
    if not chosen:
        return None
    parts = [o.worked for o in chosen]
    listed_seen, missed_seen = sum(p.listed_seen for p in parts), sum(p.missed_seen for p in parts)
    listed_promised = sum(p.listed_promised for p in parts)
    missed_promised = sum(p.missed_promised for p in parts)
    effect = low = high = None
    total = listed_seen + missed_seen
    if total >= LEAST and listed_promised > 0 and missed_promised > 0:
        fair = missed_promised / listed_promised
        tail = (1 - LEVEL) / 2
        least = float(beta.ppf(tail, listed_seen, missed_seen + 1)) if listed_seen else 0.0
        most = float(beta.ppf(1 - tail, listed_seen + 1, missed_seen)) if missed_seen else 1.0
        low = least / (1 - least) * fair
        high = most / (1 - most) * fair if most < 1 else None
        effect = listed_seen / missed_seen * fair if missed_seen else None
    return Feedback(
        len(chosen), sum(p.conversions for p in parts), sum(p.from_list for p in parts),
        sum(p.listed for p in parts), listed_promised, listed_seen, sum(p.missed for p in parts),
        missed_promised, missed_seen, effect, low, high,
    )  # fmt: skip


def about(found: Feedback | None, max_worked: float) -> Finding:
    """Return the finding: a warning if the list works on the labels, or most labels come from it."""
    if found is None:
        return Finding(codes.FEEDBACK, "not applicable", reason="no_horizon")
    if found.low is not None and found.low > 1:
        return Finding(
            codes.FEEDBACK, "warning", "effect", "", "", found.nights, found.effect, found.low, found.high,
            1.0, found.share, "worked",
        )  # fmt: skip
    much = found.share > max_worked and found.conversions >= LEAST
    return Finding(
        codes.FEEDBACK, "warning" if much else "passed", "share", "", "", found.nights, found.share,
        bound=max_worked, beside=found.effect, reason="from_list" if much else "",
    )  # fmt: skip
