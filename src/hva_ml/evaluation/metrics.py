"""The list of metrics: their names, which way is better, and their values for one model on given rows."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from hva_ml.errors import HvaError
from hva_ml.evaluation import ranking, scoring
from hva_ml.evaluation.ranking import Floats, Gains, Order

SHARES = (1, 5, 10, 20)

MODEL = "hva_ml"

Need = Literal["", "conversion", "both_classes", "spread", "positive_value", "value_spread", "ranks"]


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
    """

    probability: Floats
    value_if_converted: Floats
    expected_value: Floats


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

    def measure(self, weight: Floats) -> dict[str, Floats]:
        """Return every metric under weights (n_weightings, n_rows), each of shape (n_weightings,).

        Undefined ones are NaN; `reason` says why.
        """
        p, v = self.prediction.probability, self.prediction.expected_value
        y, won = self.value, self.converted
        likely = Gains.of(self.by_probability, won, weight)
        valued = Gains.of(self.by_expected_value, y, weight)
        found = {
            "roc_auc": ranking.roc_auc(self.by_probability, won, weight),
            "pr_auc": ranking.average_precision(likely),
        }
        found |= {f"lift_top_{k}": ranking.lift(likely, k / 100) for k in SHARES}
        found |= {f"captured_revenue_top_{k}": ranking.captured(valued, k / 100) for k in SHARES}
        found["precision_at_capacity"] = ranking.precision_at(
            Gains.of(self.by_expected_value, won, weight), self.capacity
        )
        found["normalized_gini"] = ranking.normalized_gini(valued, Gains.of(self.by_value, y, weight))
        found["spearman"] = ranking.spearman(self.by_expected_value, self.by_value, weight)
        found["log_loss"] = scoring.log_loss(p, won, weight)
        found["brier"] = scoring.brier(p, won, weight)
        parts = scoring.murphy(p, won, self.bins, weight)
        found["brier_reliability"], found["brier_resolution"], found["brier_uncertainty"] = parts
        found["calibration_slope"] = scoring.calibration_line(p, won, weight)
        found["calibration_intercept"] = scoring.calibration_shift(p, won, weight)
        found["calibration_error"] = scoring.calibration_error(p, won, self.bins, weight)
        found["mae"] = scoring.mean(np.abs(v - y), weight)
        found["total_ratio"] = ranking.ratio(weight @ v, weight @ y)
        return found

    def reason(self, metric: Metric) -> str:
        """Return why `metric` is undefined on these rows."""
        need = metric.need
        if need in ("conversion", "both_classes", "spread") and not self.converted.any():
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
