"""The list of metrics: their names, which way is better, and their values for one model on given rows."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from hva_ml.errors import HvaError
from hva_ml.evaluation import ranking, scoring
from hva_ml.evaluation.ranking import Floats, Gains, Order

SHARES = (1, 5, 10, 20)

MODEL = "hva_ml"

Need = Literal[
    "", "conversion", "both_classes", "spread", "positive_value", "value_spread", "ranks", "bounds"
]


@dataclass(frozen=True)
class ModelPrediction:
    """What a model says of each row.

    Attributes
    ----------
    probability : numpy.ndarray of float64, shape (n_rows,)
        Likelihood of conversion within the horizon, in [0, 1].
    value_if_converted : numpy.ndarray of float64, shape (n_rows,)
        Value within the horizon given conversion, in currency units.
    expected_value : numpy.ndarray of float64, shape (n_rows,)
        Their product, in currency units.
    value_bounds : tuple of numpy.ndarray of float64, each of shape (n_rows,), optional
        Between what the value of a row comes out if it converts, in currency units.
    high_value : numpy.ndarray of float64, shape (n_rows,), optional
        Likelihood of ending among the accounts of highest value.
    """

    probability: Floats
    value_if_converted: Floats
    expected_value: Floats
    value_bounds: tuple[Floats, Floats] | None = None
    high_value: Floats | None = None

    def take(self, rows: npt.NDArray[Any]) -> "ModelPrediction":
        """Return what is said of some rows, by their places or a mask."""
        bounds = self.value_bounds
        return ModelPrediction(
            self.probability[rows], self.value_if_converted[rows], self.expected_value[rows],
            None if bounds is None else (bounds[0][rows], bounds[1][rows]),
            None if self.high_value is None else self.high_value[rows],
        )  # fmt: skip


@dataclass(frozen=True)
class Metric:
    """One line of the results table.

    Attributes
    ----------
    name : str
        Stable name, e.g. ``roc_auc``.
    meaning : str
        What it says, in words for the report.
    higher_is_better : bool or None
        None where neither direction is better.
    target : float or None
        The right value where there is one (1 for a ratio of totals): nearer is better.
    need : str
        What the data must show for the metric to be defined; empty for nothing.
    """

    name: str
    meaning: str
    higher_is_better: bool | None
    target: float | None = None
    need: Need = ""

    def goodness(self, values: Floats) -> Floats:
        """Return how good values are in units of the metric, more is better; NaN if no way is better.

        Examples
        --------
        >>> BY_NAME["total_ratio"].goodness(np.array([0.5, 1.5])).tolist()
        [-0.5, -0.5]
        """
        if self.target is not None:
            return -np.abs(values - self.target)
        return values * {True: 1.0, False: -1.0, None: np.nan}[self.higher_is_better]


def _tops() -> tuple[Metric, ...]:
    lifts = tuple(
        Metric(f"lift_top_{k}", f"conversion rate among the {k} % likeliest rows / overall rate", True,
               need="conversion") for k in SHARES
    )  # fmt: skip
    captures = tuple(
        Metric(f"captured_revenue_top_{k}", f"share of all value in the {k} % of highest expected value",
               True, need="positive_value") for k in SHARES
    )  # fmt: skip
    return lifts + captures


METRICS: tuple[Metric, ...] = (
    Metric("roc_auc", "chance that of two rows the converting one is likelier", True, need="both_classes"),
    Metric("pr_auc", "average precision of the probabilities", True, need="conversion"),
    *_tops(),
    Metric("precision_at_capacity", "conversion rate of the top rows by expected value", True),
    Metric("normalized_gini", "order by expected value: 1 as good as hindsight, 0 random", True,
           need="value_spread"),
    Metric("spearman", "rank correlation of expected and actual value", True, need="ranks"),
    Metric("log_loss", "mean negative log likelihood", False),
    Metric("brier", "mean squared error of the probability", False),
    Metric("brier_reliability", "part of the Brier score due to wrong probabilities", False),
    Metric("brier_resolution", "part of the Brier score won by telling rows apart", True),
    Metric("brier_uncertainty", "part of the Brier score that lies in the data", None),
    Metric("calibration_slope", "factor on the log odds that would fit best", None, 1.0, "spread"),
    Metric("calibration_intercept", "shift of the log odds that would make totals agree", None, 0.0,
           "both_classes"),
    Metric("calibration_error", "mean gap between promised and seen rate, ten bins of equal size", False),
    Metric("mae", "mean absolute error of the expected value, currency units", False),
    Metric("total_ratio", "total expected value / total actual value", None, 1.0, "positive_value"),
    Metric("value_coverage", "share of the conversions whose value lay between the bounds told before", None,
           need="bounds"),
)  # fmt: skip

BY_NAME = {m.name: m for m in METRICS}


@dataclass(frozen=True)
class Case:
    """One model's predictions beside what happened; what can be sorted once is kept.

    Attributes
    ----------
    prediction : ModelPrediction
    converted, value : numpy.ndarray of float64, shape (n_rows,)
        1 or 0, and the actual value in currency units.
    capacity : int
        Rows that can be worked, for ``precision_at_capacity``.
    """

    prediction: ModelPrediction
    converted: Floats
    value: Floats
    capacity: int

    @cached_property
    def by_probability(self) -> Order:
        """Rows by falling probability."""
        return Order.of(self.prediction.probability)

    @cached_property
    def by_expected_value(self) -> Order:
        """Rows by falling expected value."""
        return Order.of(self.prediction.expected_value)

    @cached_property
    def by_value(self) -> Order:
        """Rows by falling actual value."""
        return Order.of(self.value)

    @cached_property
    def bins(self) -> npt.NDArray[np.int64]:
        """Equal-mass bin of each row's probability."""
        return scoring.equal_mass_bins(self.prediction.probability)

    def measure(self, weight: Floats, names: Collection[str] | None = None) -> dict[str, Floats]:
        """Return metrics under weights (n_weightings, n_rows), each of shape (n_weightings,).

        All of them, or only those of `names`. Undefined ones are NaN; `reason` says why.
        """
        under = _Weighted(self, weight)
        return {m.name: _MEASURES[m.name](under) for m in METRICS if names is None or m.name in names}

    def reason(self, metric: Metric) -> str:
        """Return why `metric` is undefined on these rows."""
        need = metric.need
        if need == "bounds" and self.prediction.value_bounds is None:
            return "no bounds of the value are given"
        if need in ("conversion", "both_classes", "spread", "bounds") and not self.converted.any():
            return "no row converted"
        if need in ("both_classes", "spread") and self.converted.all():
            return "every row converted"
        if need in ("positive_value", "value_spread") and self.value.sum() <= 0:
            return "the total actual value is not positive"
        if need in ("ranks", "value_spread") and np.ptp(self.value) == 0:
            return "all actual values are equal"
        if need == "ranks" and np.ptp(self.prediction.expected_value) == 0:
            return "all expected values are equal"
        if need == "spread" and np.ptp(self.prediction.probability) == 0:
            return "all probabilities are equal"
        if need == "spread":
            return "the probabilities part the outcomes perfectly, no finite slope fits"
        return "not defined on these rows"


@dataclass(frozen=True)
class _Weighted:
    """A case under weights of shape (n_weightings, n_rows); what several metrics need is made once."""

    case: Case
    weight: Floats

    @cached_property
    def likely(self) -> Gains:
        return Gains.of(self.case.by_probability, self.case.converted, self.weight)

    @cached_property
    def valued(self) -> Gains:
        return Gains.of(self.case.by_expected_value, self.case.value, self.weight)

    @cached_property
    def murphy(self) -> tuple[Floats, Floats, Floats]:
        return scoring.murphy(self.p, self.won, self.case.bins, self.weight)

    @property
    def p(self) -> Floats:
        return self.case.prediction.probability

    @property
    def v(self) -> Floats:
        return self.case.prediction.expected_value

    @property
    def won(self) -> Floats:
        return self.case.converted

    @property
    def y(self) -> Floats:
        return self.case.value

    def lift(self, k: int) -> Floats:
        return ranking.lift(self.likely, k / 100)

    def captured(self, k: int) -> Floats:
        return ranking.captured(self.valued, k / 100)

    def precision(self) -> Floats:
        gains = Gains.of(self.case.by_expected_value, self.won, self.weight)
        return ranking.precision_at(gains, self.case.capacity)

    def coverage(self) -> Floats:
        if self.case.prediction.value_bounds is None:
            return np.full(len(self.weight), np.nan)
        low, high = self.case.prediction.value_bounds
        inside = self.won * ((low <= self.y) & (self.y <= high))
        return ranking.ratio(self.weight @ inside, self.weight @ self.won)

    def gini(self) -> Floats:
        return ranking.normalized_gini(self.valued, Gains.of(self.case.by_value, self.y, self.weight))


_MEASURES: dict[str, Callable[[_Weighted], Floats]] = {
    "roc_auc": lambda u: ranking.roc_auc(u.case.by_probability, u.won, u.weight),
    "pr_auc": lambda u: ranking.average_precision(u.likely),
    **{f"lift_top_{k}": partial(_Weighted.lift, k=k) for k in SHARES},
    **{f"captured_revenue_top_{k}": partial(_Weighted.captured, k=k) for k in SHARES},
    "precision_at_capacity": _Weighted.precision,
    "normalized_gini": _Weighted.gini,
    "spearman": lambda u: ranking.spearman(u.case.by_expected_value, u.case.by_value, u.weight),
    "log_loss": lambda u: scoring.log_loss(u.p, u.won, u.weight),
    "brier": lambda u: scoring.brier(u.p, u.won, u.weight),
    "brier_reliability": lambda u: u.murphy[0],
    "brier_resolution": lambda u: u.murphy[1],
    "brier_uncertainty": lambda u: u.murphy[2],
    "calibration_slope": lambda u: scoring.calibration_line(u.p, u.won, u.weight),
    "calibration_intercept": lambda u: scoring.calibration_shift(u.p, u.won, u.weight),
    "calibration_error": lambda u: scoring.calibration_error(u.p, u.won, u.case.bins, u.weight),
    "mae": lambda u: scoring.mean(np.abs(u.v - u.y), u.weight),
    "total_ratio": lambda u: ranking.ratio(u.weight @ u.v, u.weight @ u.y),
    "value_coverage": _Weighted.coverage,
}


def case(prediction: ModelPrediction, converted: Floats, value: Floats, capacity: int, name: str) -> Case:
    """Check the lengths and the numbers of one model's predictions.

    Raises
    ------
    HvaError
        If there are no rows, lengths differ, a number is missing or infinite, or a probability lies outside
        [0, 1].
    """
    converted = np.asarray(converted, dtype=np.float64)
    value = np.asarray(value, dtype=np.float64)
    rows = len(converted)
    columns = {
        "probability": prediction.probability,
        "value_if_converted": prediction.value_if_converted,
        "expected_value": prediction.expected_value,
        "actual value": value,
    }
    for column, numbers in columns.items():
        if rows == 0 or len(numbers) != rows:
            _refuse(f"{len(numbers)} numbers for {rows} rows", name, column)
        if not np.isfinite(numbers).all():
            _refuse(f"{int((~np.isfinite(numbers)).sum())} numbers are missing or infinite", name, column)
    if ((prediction.probability < 0) | (prediction.probability > 1)).any():
        _refuse("A probability lies outside [0, 1]", name, "probability")
    return Case(prediction, converted, value, capacity)


def _refuse(what: str, model: str, column: str) -> None:
    raise HvaError(
        f"{what}: nothing can be measured.",
        where=f"model {model}, {column}",
        why="A metric over broken predictions would look like a result.",
        fix="Give one finite number a row, in the order of the outcomes, and at least one row.",
    )
