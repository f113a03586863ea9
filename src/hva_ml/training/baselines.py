"""The plain rules every model must beat: average, RFM table, past revenue; `linear` holds the linear one.

Each learns only from the rows it is given, and says probability, value if converted and their product.
"""

from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from hva_ml.features.definition import FeatureSet
from hva_ml.training.linear import LinearModels
from hva_ml.training.outcome import BaselinePrediction, Floats, Outcome, inside, numbers, told
from hva_ml.training.rule import BestColumn

__all__ = [
    "Baseline",
    "BaselinePrediction",
    "BestColumn",
    "LinearModels",
    "Prevalence",
    "RecencyFrequencyMonetary",
    "RunRate",
    "all_baselines",
    "lead_baselines",
]

Ints = npt.NDArray[np.int64]

QUINTILES = 5
PRIOR_ROWS = 20.0
PRIOR_CONVERSIONS = 10.0
RFM = ("cadence.recency_days", "cadence.count_365d", "cadence.amount_365d")
YEAR_DAYS = 365.0


class Baseline(Protocol):
    """A rule that learns from training rows and predicts others."""

    @property
    def name(self) -> str:
        """Stable name, as gates and tables use it."""
        ...

    def fit(
        self, features: FeatureSet, converted: npt.ArrayLike, value: npt.ArrayLike, horizon_days: int
    ) -> Self:
        """Learn from rows with their outcome; `value` in currency units."""
        ...

    def predict(self, features: FeatureSet) -> BaselinePrediction:
        """Return what the rule says of each row."""
        ...


class Prevalence:
    """Everyone is average: the training rate, and the mean value of those that converted."""

    name = "prevalence"

    def fit(
        self, features: FeatureSet, converted: npt.ArrayLike, value: npt.ArrayLike, horizon_days: int
    ) -> Self:
        """Learn the two averages."""
        outcome = Outcome.of(features, converted, value)
        self.horizon_days_ = horizon_days
        self.rate_, self.value_ = outcome.rate, outcome.mean_value
        return self

    def predict(self, features: FeatureSet) -> BaselinePrediction:
        """Return the averages for every row."""
        rows = features.table.num_rows
        return told(np.full(rows, self.rate_), np.full(rows, self.value_))


class RecencyFrequencyMonetary:
    """The salesman's table: quintiles of recency, purchases and revenue, rate and mean value of each cell.

    Rates are shrunk towards the overall one by 20 average rows, values by 10 average conversions, so that
    small cells do not shout. Rows without a purchase are a cell of their own.
    """

    name = "recency_frequency_monetary"

    def fit(
        self, features: FeatureSet, converted: npt.ArrayLike, value: npt.ArrayLike, horizon_days: int
    ) -> Self:
        """Learn the quintiles and the table."""
        outcome = Outcome.of(features, converted, value)
        self.horizon_days_ = horizon_days
        columns, known = self._columns(features)
        steps = np.arange(1, QUINTILES) / QUINTILES
        self.edges_ = [
            np.unique(np.quantile(c[known], steps)) if known.any() else np.empty(0) for c in columns
        ]
        cells = self._cells(features)
        size = QUINTILES**3 + 1
        rows, won, worth = (
            np.bincount(cells, weights=w, minlength=size)
            for w in (None, outcome.converted, outcome.converted * outcome.value)
        )
        self.rates_ = (won + PRIOR_ROWS * outcome.rate) / (rows + PRIOR_ROWS)
        self.values_ = np.maximum(
            (worth + PRIOR_CONVERSIONS * outcome.mean_value) / (won + PRIOR_CONVERSIONS), 0.0
        )
        return self

    def predict(self, features: FeatureSet) -> BaselinePrediction:
        """Look every row up in the table."""
        cells = self._cells(features)
        return told(self.rates_[cells], self.values_[cells])

    @staticmethod
    def _columns(features: FeatureSet) -> tuple[list[Floats], npt.NDArray[np.bool_]]:
        columns = [numbers(features, name) for name in RFM]
        return columns, ~np.isnan(columns[0])

    def _cells(self, features: FeatureSet) -> Ints:
        columns, known = self._columns(features)
        cell = np.zeros(len(known), dtype=np.int64)
        for column, edges in zip(columns, self.edges_, strict=True):
            # A tie with an edge stays below it, so equal values share a quintile.
            cell = cell * QUINTILES + np.searchsorted(edges, np.nan_to_num(column), side="left")
        return np.where(known, cell, QUINTILES**3)


class RunRate:
    """Past revenue goes on as it was: the last 365 days' net amount scaled to the horizon.

    An account younger than a year is scaled from its own tenure, but from no less than the horizon: a first
    purchase last week is not a purchase every week. Its probability is a logistic function of
    ``log1p(run rate)`` learned from the training rows; the value if converted is the run rate divided by it.
    """

    name = "run_rate"

    def fit(
        self, features: FeatureSet, converted: npt.ArrayLike, value: npt.ArrayLike, horizon_days: int
    ) -> Self:
        """Learn the probability; the amount needs no learning."""
        outcome = Outcome.of(features, converted, value)
        self.horizon_days_ = horizon_days
        level = np.log1p(self._rate(features))
        self.centre_, self.scale_ = float(level.mean()), float(level.std()) or 1.0
        self.map_ = LogisticRegression(solver="newton-cholesky", tol=1e-8)
        self.map_.fit(self._scaled(level), outcome.converted)
        return self

    def predict(self, features: FeatureSet) -> BaselinePrediction:
        """Return the run rate, its probability, and the value that makes their product."""
        rate = self._rate(features)
        probability = inside(self.map_.predict_proba(self._scaled(np.log1p(rate)))[:, 1])
        return BaselinePrediction(probability, rate / probability, rate)

    def _scaled(self, level: Floats) -> Floats:
        return ((level - self.centre_) / self.scale_)[:, None]

    def _rate(self, features: FeatureSet) -> Floats:
        amount = np.nan_to_num(numbers(features, "cadence.amount_365d"))
        tenure = np.nan_to_num(numbers(features, "cadence.tenure_days"))
        days = np.minimum(np.maximum(tenure, self.horizon_days_), YEAR_DAYS)
        return np.asarray(np.maximum(amount, 0.0) * self.horizon_days_ / days)


def all_baselines(seed: int) -> tuple[Baseline, ...]:
    """Return every baseline, unfitted, in the order of the results table.

    `seed` goes to the solver of the linear one; all are deterministic.
    """
    return Prevalence(), RecencyFrequencyMonetary(), LinearModels(seed), RunRate()


def lead_baselines(seed: int) -> tuple[Baseline, ...]:
    """Return the baselines that need no history, unfitted: for leads, of which each is looked at once."""
    return Prevalence(), BestColumn(), LinearModels(seed)
