"""The rule of thumb of a sales team: the win rate of each value of the one column that tells most."""

from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.training.outcome import BaselinePrediction, Floats, Outcome, told

PRIOR_ROWS = 20.0
QUINTILES = 5


class BestColumn:
    """One column, chosen by the log loss of its rates on the training rows.

    Numbers are cut into quintiles. The rate of each value is shrunk towards the overall one by 20 average
    rows; a value that training has not seen has the overall rate.
    """

    name = "best_column"

    def fit(
        self, features: FeatureSet, converted: npt.ArrayLike, value: npt.ArrayLike, horizon_days: int
    ) -> Self:
        """Choose the column and learn its rates."""
        outcome = Outcome.of(features, converted, value)
        self.horizon_days_ = horizon_days
        self.rate_, self.value_ = outcome.rate, outcome.mean_value
        best = np.inf
        for definition in features.definitions:
            edges = _edges(features, definition)
            keys = _keys(features, definition, edges)
            names, place = np.unique(keys, return_inverse=True)
            won = np.bincount(place, outcome.converted)
            rates = (won + PRIOR_ROWS * outcome.rate) / (np.bincount(place) + PRIOR_ROWS)
            p = rates[place]
            loss = -float(np.mean(np.where(outcome.converted > 0, np.log(p), np.log1p(-p))))
            if loss < best:
                best, self.column_, self.edges_ = loss, definition, edges
                self.rates_ = dict(zip(names.tolist(), rates.tolist(), strict=True))
        return self

    def predict(self, features: FeatureSet) -> BaselinePrediction:
        """Return the rate of each row's value, and the mean value of those that converted."""
        keys = _keys(features, self.column_, self.edges_)
        rates = np.array([self.rates_.get(k, self.rate_) for k in keys.tolist()])
        return told(rates, np.full(len(rates), self.value_))


def _edges(features: FeatureSet, definition: FeatureDefinition) -> Floats:
    if definition.kind == "category":
        return np.empty(0)
    known = features.table[definition.name].drop_null().to_numpy()
    if not len(known):
        return np.empty(0)
    return np.unique(np.quantile(known, np.arange(1, QUINTILES) / QUINTILES))


def _keys(features: FeatureSet, definition: FeatureDefinition, edges: Floats) -> npt.NDArray[np.str_]:
    column = features.table[definition.name]
    if definition.kind == "category":
        return np.array([v or "" for v in column.to_pylist()], dtype=np.str_)
    values = np.asarray(pc.fill_null(column, np.nan).to_numpy())
    step = np.where(np.isnan(values), -1, np.searchsorted(edges, np.nan_to_num(values), side="left"))
    return step.astype(np.str_)
