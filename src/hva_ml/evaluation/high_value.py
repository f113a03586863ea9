"""How well it was known who would be among the accounts of highest value, on untouched rows."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hva_ml.evaluation import ranking, scoring
from hva_ml.evaluation.bootstrap import group_codes, interval, weightings
from hva_ml.evaluation.ranking import Floats, Order


@dataclass(frozen=True)
class HighValueResult:
    """The likelihood of being among the best, beside the expected value as an order of the same rows.

    Attributes
    ----------
    share : float
        Which share of the accounts of a cutoff counts as best.
    rows, best : int
        Rows, and how many of them were among the best.
    promised : float
        How many the likelihoods add up to.
    roc_auc, by_expected_value, by_probability : float
        Chance that of two rows the one among the best is ranked higher: by this likelihood, by the expected
        value, by the probability of a conversion.
    low, high, ahead_low, ahead_high : float or None
        95 % intervals, drawn by group, of `roc_auc`, and of by how much it is above `by_expected_value`.
    calibration_error : float
        Mean gap between promised and seen share, ten bins of equal size.
    brier, brier_of_rate : float
        Mean squared error of the likelihood, and of the share itself told to all.
    """

    share: float
    rows: int
    best: int
    promised: float
    roc_auc: float
    low: float | None
    high: float | None
    by_expected_value: float
    by_probability: float
    ahead_low: float | None
    ahead_high: float | None
    calibration_error: float
    brier: float
    brier_of_rate: float

    def record(self) -> dict[str, Any]:
        """Return a JSON-ready record."""
        return asdict(self)


def high_value_result(
    likelihood: Floats,
    expected_value: Floats,
    probability: Floats,
    best: npt.NDArray[np.int8],
    groups: npt.ArrayLike,
    *,
    share: float,
    resamples: int,
    seed: int,
) -> HighValueResult | None:
    """Measure the likelihood of being among the best; None if all rows or none are.

    Parameters
    ----------
    likelihood, expected_value, probability : ndarray, shape (n_rows,)
        What was said of each row.
    best : ndarray of int8, shape (n_rows,)
        Whether it was among the best, see `among_the_best`.
    groups : array-like of str, shape (n_rows,)
        What is drawn again as a whole.
    share : float
        As in `among_the_best`.
    resamples, seed : int
        Number of bootstrap draws, and their seed.
    """
    y = best.astype(np.float64)
    if not 0 < y.sum() < len(y):
        return None
    orders = [Order.of(score) for score in (likelihood, expected_value, probability)]
    one = np.ones((1, len(y)))
    points = [float(ranking.roc_auc(order, y, one)[0]) for order in orders]
    draws: list[Floats] = []
    for weight in weightings(group_codes(groups), resamples, seed):
        draws.append(np.stack([ranking.roc_auc(order, y, weight) for order in orders[:2]]))
    drawn = np.concatenate(draws, axis=1) if draws else np.full((2, 0), np.nan)
    spans = [interval(d) if len(d) else None for d in (drawn[0], drawn[0] - drawn[1])]
    (low, high), (ahead_low, ahead_high) = (s or (None, None) for s in spans)
    bins = scoring.equal_mass_bins(likelihood)
    rate = np.full(len(y), y.mean())
    return HighValueResult(
        share, len(y), int(y.sum()), float(likelihood.sum()), points[0], low, high, points[1], points[2],
        ahead_low, ahead_high, float(scoring.calibration_error(likelihood, y, bins, one)[0]),
        float(scoring.brier(likelihood, y, one)[0]), float(scoring.brier(rate, y, one)[0]),
    )  # fmt: skip
