"""How much a conversion is worth: a log-link LightGBM model, mostly trained on accounts that converted.

Money is divided by its mean before training, so that regularisation means the same in any currency.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from hva_ml.errors import ConfigError, NotEnoughDataError, nearest
from hva_ml.training.booster import Booster
from hva_ml.training.propensity import matrix_names, tree_params
from hva_ml.training.tail import winsorised

Array = npt.NDArray[np.float64]
Distribution = Literal["tweedie", "gamma", "lognormal", "huber"]

OBJECTIVE = {"tweedie": "tweedie", "gamma": "gamma", "lognormal": "regression", "huber": "huber"}
LOGARITHMIC = ("lognormal", "huber")
FLOOR_OF_MEDIAN = 0.01


@dataclass(frozen=True, eq=False)
class FittedValue:
    """A trained value model.

    Attributes
    ----------
    booster : Booster
        Its margin is the log of value relative to the training mean (lognormal, huber: the middle of that
        log).
    log_scale : float
        ``value = exp(margin + log_scale)``, in the unit of the target.
    distribution : str
        ``tweedie``, ``gamma``, ``lognormal`` or ``huber``.
    n_clipped : int
        Training rows whose value was raised to the floor.
    """

    booster: Booster
    log_scale: float
    distribution: Distribution
    n_clipped: int

    def predict(self, X: Array) -> Array:
        """Return the expected value of each row given a conversion, shape (n_rows,), > 0."""
        value: Array = np.exp(self.booster.margin(X) + self.log_scale)
        return value


def clipped(y: Array, distribution: str) -> tuple[Array, int]:
    """Return values a distribution can take, and how many had to be raised.

    Tweedie takes zero: negative values (more returned than bought) become 0. The others take only
    positive ones: values ≤ 0 become the floor, 1 % of the median positive value.

    Raises
    ------
    NotEnoughDataError
        If no value is positive.

    Examples
    --------
    >>> clipped(np.array([-5.0, 100.0, 300.0]), "gamma")
    (array([  2., 100., 300.]), 1)
    """
    positive = y[y > 0]
    if not len(positive):
        raise NotEnoughDataError(
            f"None of the {len(y)} converted accounts has a positive value.",
            where="value target",
            fix="Check the amounts of the value table and their sign: credit notes are negative.",
        )
    if distribution == "tweedie":
        return np.maximum(y, 0.0), int((y < 0).sum())
    floor = FLOOR_OF_MEDIAN * float(np.median(positive))
    return np.where(y > 0, y, floor), int((y <= 0).sum())


def target(values: Array, distribution: str, mean: float) -> Array:
    """Return what the trees learn from clipped values: their share of `mean`, for some its logarithm."""
    return np.log(values / mean) if distribution in LOGARITHMIC else values / mean


def fit_value(
    X: Array,
    y: Array,
    *,
    distribution: Distribution,
    names: Sequence[str],
    params: Mapping[str, Any],
    rounds: int,
    seed: int,
    weight: Array | None = None,
    winsorise: float | None = None,
) -> FittedValue:
    """Train a value model on accounts that converted, or on all of them.

    Gamma and tweedie model the mean itself. Lognormal regresses the log, and huber does so with the absolute
    error of large residuals (Huber 1964, Ann. Math. Statist. 35, 73-101); both correct the mean by smearing:
    the weighted mean of exp(residual) (Duan 1983, JASA 78, 605-610).

    Parameters
    ----------
    X : ndarray of float64, shape (n_converted, n_features)
        Encoded features.
    y : ndarray of float64, shape (n_converted,)
        Net value within the horizon, in any one unit; see `clipped` for values ≤ 0.
    distribution : {"tweedie", "gamma", "lognormal", "huber"}
        Family.
    names, params, rounds, seed, weight
        As in `Booster.fit`.
    winsorise : float, optional
        Quantile of the positive values, in (0, 1): the trees see higher values as this one, and what that
        took from the total is given back to all predictions alike.

    Raises
    ------
    NotEnoughDataError
        With fewer than 10 rows or no positive value.
    ConfigError
        For an unknown distribution.
    """
    if distribution not in OBJECTIVE:
        raise ConfigError(
            f"Unknown distribution '{distribution}'.{nearest(str(distribution), OBJECTIVE)}",
            where="[models] value",
            fix=f"Use one of {', '.join(OBJECTIVE)}.",
        )
    whole, n_clipped = clipped(y, distribution)
    values = winsorised(whole, winsorise)
    mean = float(np.average(values, weights=weight))
    learned = target(values, distribution, mean)
    booster = Booster.fit(
        X,
        learned,
        objective=OBJECTIVE[distribution],
        names=names,
        params=params,
        rounds=rounds,
        seed=seed,
        weight=weight,
    )
    log_scale = float(np.log(np.average(whole, weights=weight)))
    if distribution in LOGARITHMIC:
        residual = learned - booster.margin(X)
        log_scale += float(np.log(np.average(np.exp(residual), weights=weight)))
    return FittedValue(booster, log_scale, distribution, n_clipped)


class ValueModel(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Expected value of an account within the horizon, given that it converts.

    Parameters
    ----------
    distribution : {"tweedie", "gamma", "lognormal", "huber"}
        Family; all have a log link, so factors multiply.
    winsorise : float, optional
        As in `fit_value`.
    rounds, learning_rate, num_leaves, min_child_samples, feature_fraction, lambda_l2, random_state
        As in `ConversionModel`.

    Attributes
    ----------
    booster_ : Booster
        The trained trees.
    log_scale_ : float
        ``predict = exp(booster_.margin(X) + log_scale_)``.
    n_clipped_ : int
        Training rows whose value was raised to what the distribution can take.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Examples
    --------
    >>> rng = np.random.default_rng(7)
    >>> X = rng.normal(size=(400, 2))
    >>> model = ValueModel(distribution="gamma", rounds=40).fit(X, np.exp(X[:, 0]))
    >>> bool(model.predict([[1.0, 0.0]])[0] > model.predict([[-1.0, 0.0]])[0] > 0)
    True
    """

    def __init__(
        self,
        *,
        distribution: Distribution = "tweedie",
        winsorise: float | None = None,
        rounds: int = 120,
        learning_rate: float = 0.05,
        num_leaves: int = 15,
        min_child_samples: int = 40,
        feature_fraction: float = 0.7,
        lambda_l2: float = 10.0,
        random_state: int = 7,
    ) -> None:
        self.distribution = distribution
        self.winsorise = winsorise
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.min_child_samples = min_child_samples
        self.feature_fraction = feature_fraction
        self.lambda_l2 = lambda_l2
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "ValueModel":
        """Train on converted accounts: `X` of shape (n_converted, n_features) and their values.

        Raises
        ------
        ValueError
            If the data do not fit scikit-learn's conventions, have no positive value or fewer than 10 rows.
        """
        X, y = validate_data(
            self,
            X,
            y,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            ensure_min_samples=2,
            y_numeric=True,
        )
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        try:
            fitted = fit_value(
                X,
                y.astype(np.float64),
                distribution=self.distribution,
                names=matrix_names(self, X.shape[1]),
                params=tree_params(self),
                rounds=self.rounds,
                seed=self.random_state,
                weight=weight,
                winsorise=self.winsorise,
            )
        except (NotEnoughDataError, ConfigError) as error:
            raise ValueError(str(error)) from error
        self.booster_ = fitted.booster
        self.log_scale_ = fitted.log_scale
        self.n_clipped_ = fitted.n_clipped
        return self

    def predict(self, X: Any) -> Array:
        """Return expected values given a conversion, shape (n_accounts,), > 0."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        value: Array = np.exp(self.booster_.margin(X) + self.log_scale_)
        return value

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Predictions are positive whatever the target: a log link cannot follow targets around zero.
        tags.regressor_tags.poor_score = True
        tags.input_tags.allow_nan = True
        return tags
