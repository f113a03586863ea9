"""The linear baseline: logistic regression for conversion, a log-linear Tweedie model for value."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, TweedieRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from hva_ml.features.definition import FeatureSet
from hva_ml.training.outcome import BaselinePrediction, Floats, Outcome, inside, numbers, told

FURTHEST = 4.0
TWEEDIE_POWER = 1.5
TWEEDIE_PENALTY = 0.1
RARE = 20


class LinearModels:
    """What a careful analyst would try first.

    Numbers: missing ones take the median and a flag, then signed log1p, standard scale, and at most four
    standard deviations. Categories: one column each, those with fewer than 20 training rows together. L2
    penalties are fixed, not searched. The value model is levelled to the training total of the converters,
    and never goes beyond the largest value seen.

    Parameters
    ----------
    seed : int
        Given to the solver, which does not draw from it.
    """

    name = "logistic_regression"

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(
        self, features: FeatureSet, converted: npt.ArrayLike, value: npt.ArrayLike, horizon_days: int
    ) -> Self:
        """Learn both models from the training rows."""
        outcome = Outcome.of(features, converted, value)
        self.horizon_days_ = horizon_days
        self.prepare_ = _preparation(features)
        X = self.prepare_.fit_transform(_inputs(features))
        self.conversion_ = LogisticRegression(
            C=1.0, solver="newton-cholesky", tol=1e-6, max_iter=200, random_state=self.seed
        ).fit(X, outcome.converted)
        won = outcome.converted > 0
        worth = np.maximum(outcome.value[won], 0.0)
        self.unit_, self.largest_ = outcome.mean_value, float(worth.max())
        self.value_ = None
        if self.unit_ > 0:
            self.value_ = TweedieRegressor(
                power=TWEEDIE_POWER, link="log", alpha=TWEEDIE_PENALTY, solver="newton-cholesky", max_iter=200
            ).fit(X[won], worth / self.unit_)
            self.unit_ *= float(worth.sum() / (self.value_.predict(X[won]).sum() * self.unit_))
        return self

    def predict(self, features: FeatureSet) -> BaselinePrediction:
        """Return what the two models say of each row."""
        X = self.prepare_.transform(_inputs(features))
        probability = inside(self.conversion_.predict_proba(X)[:, 1])
        if self.value_ is None:
            return told(probability, np.zeros(len(X)))
        return told(probability, np.minimum(self.value_.predict(X) * self.unit_, self.largest_))


def _signed_log(X: Floats) -> Floats:
    return np.asarray(np.sign(X) * np.log1p(np.abs(X)))


def _within_reach(X: Floats) -> Floats:
    return np.clip(X, -FURTHEST, FURTHEST)


def _preparation(features: FeatureSet) -> ColumnTransformer:
    kinds = [d.kind for d in features.definitions]
    numeric = [j for j, k in enumerate(kinds) if k == "number"]
    category = [j for j, k in enumerate(kinds) if k == "category"]
    number_steps = Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)),
            ("log", FunctionTransformer(_signed_log)),
            ("scale", StandardScaler()),
            ("clip", FunctionTransformer(_within_reach)),
        ]
    )
    words = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=RARE, sparse_output=False)
    steps: list[Any] = [("numbers", number_steps, numeric)]
    steps += [("categories", words, category)] if category else []
    return ColumnTransformer(steps)


def _inputs(features: FeatureSet) -> npt.NDArray[np.object_]:
    """Return the features as a matrix of objects: floats, and texts with "" for unknown."""
    X = np.empty((features.table.num_rows, len(features.definitions)), dtype=object)
    for j, d in enumerate(features.definitions):
        if d.kind == "number":
            X[:, j] = numbers(features, d.name)
        else:
            X[:, j] = [value or "" for value in features.table[d.name].to_pylist()]
    return X
