"""What became of a night's promises once its horizon is over: performance, money by tier, and who was worked.

The scores are those that were published then, the outcomes those that are known now.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from hva_ml.evaluation.backtest import Cohort, measured
from hva_ml.evaluation.bootstrap import interval, named_weights
from hva_ml.evaluation.metrics import MODEL, ModelPrediction
from hva_ml.evaluation.ranking import ratio

Floats = npt.NDArray[np.float64]
METRICS = (
    "roc_auc", "lift_top_10", "captured_revenue_top_20", "brier", "calibration_slope", "calibration_error",
    "total_ratio",
)  # fmt: skip
TIERS = ("A", "B", "C")


@dataclass(frozen=True)
class Realised:
    """One measure of a complete night.

    Attributes
    ----------
    metric : str
        As in `hva_ml.evaluation.metrics`.
    value, low, high : float or None
        With its 95 % interval, whole groups of accounts drawn again; None where it is undefined.
    error : float or None
        Standard deviation over the draws.
    reason : str
        Why it is undefined.
    """

    metric: str
    value: float | None
    low: float | None
    high: float | None
    error: float | None
    reason: str = ""


@dataclass(frozen=True)
class Kept:
    """What was promised of some accounts, and what came.

    Attributes
    ----------
    name : str
        Tier, or ``all``.
    accounts : int
    promised, seen : float
        Conversions.
    promised_value, seen_value : float
        Currency units.
    low, high : float or None
        95 % interval of seen over promised conversions.
    low_value, high_value : float or None
        95 % interval of seen over promised value.
    """

    name: str
    accounts: int
    promised: float
    seen: float
    promised_value: float
    seen_value: float
    low: float | None
    high: float | None
    low_value: float | None
    high_value: float | None


@dataclass(frozen=True)
class Worked:
    """Accounts that the list told sales to work, beside the next ones that just missed it.

    Attributes
    ----------
    listed, listed_promised, listed_seen : int, float, int
        The lower half of the list: accounts, conversions promised, seen.
    missed, missed_promised, missed_seen : int, float, int
        As many accounts that followed.
    conversions, from_list : int
        Conversions of all accounts, and of those on the whole list.
    """

    listed: int
    listed_promised: float
    listed_seen: int
    missed: int
    missed_promised: float
    missed_seen: int
    conversions: int
    from_list: int


@dataclass(frozen=True)
class Outcome:
    """What became of one night.

    Attributes
    ----------
    as_of, run_id, release : str
        Which night, and the release that scored it.
    known : str
        The day as of which outcomes were known, as ISO.
    mark : tuple of int
        Rows and cents of the outcomes: as long as they are the same, so is everything here.
    metrics : tuple of Realised
    kept : tuple of Kept
        All accounts, then each tier.
    worked : Worked
    """

    as_of: str
    run_id: str
    release: str
    known: str
    mark: tuple[int, ...]
    metrics: tuple[Realised, ...]
    kept: tuple[Kept, ...]
    worked: Worked

    @property
    def day(self) -> date:
        """The night's day."""
        return date.fromisoformat(self.as_of)

    def metric(self, name: str) -> Realised | None:
        """Return a measure, None where it is undefined."""
        return next((m for m in self.metrics if m.metric == name and m.value is not None), None)

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        return {**asdict(self), "mark": list(self.mark)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Outcome":
        """Rebuild from `record`."""
        return cls(
            record["as_of"], record["run_id"], record["release"], record["known"], tuple(record["mark"]),
            tuple(Realised(**m) for m in record["metrics"]), tuple(Kept(**k) for k in record["kept"]),
            Worked(**record["worked"]),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Promised:
    """The scores of a night, one row an account.

    Attributes
    ----------
    probability, value : numpy.ndarray of float64, shape (n_accounts,)
        Conversion probability, value if converted.
    tier : numpy.ndarray of str, shape (n_accounts,)
    rank : numpy.ndarray of int64, shape (n_accounts,)
        1 is best.
    listed : numpy.ndarray of bool, shape (n_accounts,)
        Whether the account was within capacity.
    groups : numpy.ndarray of str, shape (n_accounts,)
        What is drawn again as a whole.
    """

    probability: Floats
    value: Floats
    tier: npt.NDArray[Any]
    rank: npt.NDArray[np.int64]
    listed: npt.NDArray[np.bool_]
    groups: npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Came:
    """What became of these accounts, in the same order: 1 or 0, and value in currency units."""

    converted: Floats
    value: Floats


def realised(
    promised: Promised, came: Came, day: date, *, resamples: int, seed: int
) -> tuple[tuple[Realised, ...], tuple[Kept, ...], Worked]:
    """Hold a night's scores against the outcomes of its complete horizon.

    Parameters
    ----------
    promised : Promised
        The scores.
    came : Came
        The outcomes.
    day : datetime.date
        The night's day.
    resamples, seed : int
        Number of bootstrap draws of whole groups, and their seed.
    """
    cohort = Cohort(day, came.converted, came.value, promised.groups, max(1, int(promised.listed.sum())))
    expected = promised.probability * promised.value
    prediction = ModelPrediction(promised.probability, promised.value, expected)
    found = measured(day, MODEL, prediction, cohort, resamples=resamples, seed=seed, names=METRICS)
    metrics = tuple(_realised(m, found.points[m], found.draws[m], found.reasons.get(m, "")) for m in METRICS)
    names, codes = cohort.coded
    weights = named_weights(names, resamples, seed).astype(np.float64)
    parts = {"all": np.ones(len(codes), dtype=np.bool_)} | {t: promised.tier == t for t in TIERS}
    kept = tuple(
        _kept(name, mask, (promised.probability, came.converted, expected, came.value), codes, weights)
        for name, mask in parts.items()
    )
    return metrics, kept, worked(promised, came)


def worked(promised: Promised, came: Came) -> Worked:
    """Count the lower half of the list and as many accounts just below it.

    They are alike but for the list; the best of the list are not, for nobody like them was left out.
    """
    length = int(promised.listed.sum())
    last = int(promised.rank[promised.listed].max(initial=0))
    half = max(1, length // 2)
    near = promised.listed & (promised.rank > last - half)
    below = ~promised.listed & (promised.rank > last) & (promised.rank <= last + half)

    def told(mask: npt.NDArray[np.bool_]) -> tuple[int, float, int]:
        return int(mask.sum()), float(promised.probability[mask].sum()), int(came.converted[mask].sum())

    won = came.converted > 0
    return Worked(*told(near), *told(below), int(won.sum()), int((won & promised.listed).sum()))


def _realised(metric: str, point: float, draws: Floats, reason: str) -> Realised:
    if not np.isfinite(point):
        return Realised(metric, None, None, None, None, reason)
    known, between = draws[np.isfinite(draws)], interval(draws)
    low, high = between if between else (None, None)
    return Realised(metric, float(point), low, high, float(known.std()) if len(known) > 1 else None)


def _kept(
    name: str, mask: npt.NDArray[np.bool_], columns: tuple[Floats, ...], codes: Any, weights: Floats
) -> Kept:
    total = [float(c[mask].sum()) for c in columns]
    by_group = [np.bincount(codes[mask], c[mask], minlength=weights.shape[1]) for c in columns]
    promised, seen, promised_value, seen_value = (weights @ g for g in by_group)
    low, high = interval(ratio(seen, promised)) or (None, None)
    low_value, high_value = interval(ratio(seen_value, promised_value)) or (None, None)
    return Kept(
        name, int(mask.sum()), total[0], total[1], total[2], total[3], low, high, low_value, high_value
    )
