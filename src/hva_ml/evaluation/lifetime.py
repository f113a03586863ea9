"""How well the value of existing customers over a long horizon was known, on cohorts that came later."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hva_ml.evaluation import ranking, scoring
from hva_ml.evaluation.bootstrap import group_codes, interval, weightings
from hva_ml.evaluation.metrics import MODEL
from hva_ml.evaluation.ranking import Floats, Order

Span = tuple[float, float] | None


@dataclass(frozen=True)
class LifetimeFigures:
    """One rule on the rows of one horizon, with 95 % intervals drawn by group.

    Attributes
    ----------
    rule : str
        ``model`` or the name of a plain rule.
    total_ratio, total_span : float, (float, float) or None
        Predicted over actual total.
    spearman, spearman_span : float, (float, float) or None
        Rank correlation of predicted and actual value; NaN where one side does not vary.
    mae, mae_ahead : float, (float, float) or None
        Mean absolute error in currency units, and by how much less that of the model is.
    """

    rule: str
    total_ratio: float
    total_span: Span
    spearman: float
    spearman_span: Span
    mae: float
    mae_ahead: Span

    def record(self) -> dict[str, Any]:
        """Return a JSON-ready record."""
        return {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in asdict(self).items()}


def lifetime_figures(
    predicted: Mapping[str, Floats], actual: Floats, groups: npt.ArrayLike, *, resamples: int, seed: int
) -> tuple[LifetimeFigures, ...]:
    """Measure what several rules said of the value of rows.

    Parameters
    ----------
    predicted : mapping of str to ndarray, shape (n_rows,)
        Value over the horizon, undiscounted, by rule; `MODEL` among them.
    actual : ndarray, shape (n_rows,)
        What came.
    groups : array-like of str, shape (n_rows,)
        What is drawn again as a whole.
    resamples, seed : int
        Number of bootstrap draws, and their seed.
    """
    one = np.ones((1, len(actual)))
    points = {name: _measures(said, actual, one) for name, said in predicted.items()}
    drawn: dict[str, list[Floats]] = {name: [] for name in predicted}
    for weight in weightings(group_codes(groups), resamples, seed):
        for name, said in predicted.items():
            drawn[name].append(_measures(said, actual, weight))
    draws = {
        name: np.concatenate(found, axis=1) if found else np.empty((3, 0)) for name, found in drawn.items()
    }

    def span(values: Floats) -> Span:
        return interval(values) if len(values) else None

    told = []
    for name, point in points.items():
        total, rank, error = (float(p[0]) for p in point)
        ahead = None if name == MODEL else span(draws[name][2] - draws[MODEL][2])
        told.append(
            LifetimeFigures(name, total, span(draws[name][0]), rank, span(draws[name][1]), error, ahead)
        )
    return tuple(told)


def activity(probability: Floats, came: npt.NDArray[np.int8]) -> dict[str, float | None]:
    """Return promised and actual share of rows, ROC AUC and calibration error; None where undefined."""
    y, one = came.astype(np.float64), np.ones((1, len(came)))
    error = scoring.calibration_error(probability, y, scoring.equal_mass_bins(probability), one)[0]
    auc = float(ranking.roc_auc(Order.of(probability), y, one)[0]) if 0 < y.sum() < len(y) else None
    return {
        "promised": float(probability.mean()),
        "rate": float(y.mean()),
        "roc_auc": auc,
        "calibration_error": float(error),
    }


def _measures(said: Floats, actual: Floats, weight: Floats) -> Floats:
    """Return ratio of totals, Spearman and MAE under weights, shape (3, n_weightings)."""
    rank = (
        ranking.spearman(Order.of(said), Order.of(actual), weight)
        if np.ptp(said) > 0 and np.ptp(actual) > 0
        else np.full(len(weight), np.nan)
    )
    error = weight @ np.abs(said - actual) / weight.sum(axis=1)
    return np.stack([ranking.ratio(weight @ said, weight @ actual), rank, error])
