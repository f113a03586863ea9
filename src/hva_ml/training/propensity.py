"""How likely an account converts: a scikit-learn classifier around one binary LightGBM booster.

Its probabilities are not calibrated yet; `hva_ml.calibration` does that on later data.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from hva_ml.errors import NotEnoughDataError
from hva_ml.training.booster import Booster

Array = npt.NDArray[np.float64]


class ConversionModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Probability that an account converts within the horizon.

    Parameters
    ----------
    rounds : int
        Number of trees.
    learning_rate : float
        0 < learning_rate ≤ 1.
    num_leaves : int
        Most leaves of a tree.
    min_child_samples : int
        Fewest rows in a leaf.
    feature_fraction : float
        Share of features each tree may look at, in (0, 1].
    lambda_l2 : float
        Penalty on squared leaf values.
    random_state : int
        Seed.

    Attributes
    ----------
    booster_ : Booster
        The trained trees; feature names are ``f0``, ``f1`` … unless the columns bore names LightGBM can keep.
    classes_ : ndarray, shape (2,)
        Labels, sorted; the second is a conversion.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Column names, if `X` was a data frame.

    Examples
    --------
    >>> rng = np.random.default_rng(7)
    >>> X = rng.normal(size=(400, 2))
    >>> model = ConversionModel(rounds=20).fit(X, X[:, 0] > 0)
    >>> model.predict([[2.0, 0.0], [-2.0, 0.0]]).tolist()
    [True, False]
    """

    def __init__(
        self,
        *,
        rounds: int = 120,
        learning_rate: float = 0.05,
        num_leaves: int = 15,
        min_child_samples: int = 40,
        feature_fraction: float = 0.7,
        lambda_l2: float = 10.0,
        random_state: int = 7,
    ) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.min_child_samples = min_child_samples
        self.feature_fraction = feature_fraction
        self.lambda_l2 = lambda_l2
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "ConversionModel":
        """Train on `X` of shape (n_accounts, n_features), NaN where unknown, and labels of two classes.

        Raises
        ------
        ValueError
            If the data do not fit scikit-learn's conventions, have one class only, or fewer than 10 rows.
        """
        X, y = validate_data(
            self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2
        )
        check_classification_targets(y)
        if (kind := type_of_target(y, input_name="y")) not in ("binary", "multiclass"):
            raise ValueError(f"Unknown label type: {kind}.")
        self.classes_, coded = np.unique(y, return_inverse=True)
        if len(self.classes_) > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"{kind}: {len(self.classes_)} classes."
            )
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        try:
            self.booster_ = Booster.fit(
                X,
                coded.astype(np.float64),
                objective="binary",
                names=matrix_names(self, X.shape[1]),
                params=tree_params(self),
                rounds=self.rounds,
                seed=self.random_state,
                weight=weight,
            )
        except NotEnoughDataError as error:
            raise ValueError(
                f"Cannot learn from these rows (too few, or one class only).\n{error}"
            ) from error
        return self

    def decision_function(self, X: Any) -> Array:
        """Return the log-odds of a conversion, shape (n_accounts,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return self.booster_.margin(X)

    def predict_proba(self, X: Any) -> Array:
        """Return probabilities of both classes, shape (n_accounts, 2)."""
        probability = expit(self.decision_function(X))
        return np.column_stack([1 - probability, probability])

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the more probable class of each row, shape (n_accounts,)."""
        positive = (self.decision_function(X) > 0).astype(int)
        chosen: npt.NDArray[Any] = self.classes_[positive]
        return chosen

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags


def tree_params(estimator: Any) -> dict[str, Any]:
    """Return an estimator's LightGBM parameters."""
    known = ("learning_rate", "num_leaves", "min_child_samples", "feature_fraction", "lambda_l2")
    return {name: getattr(estimator, name) for name in known}


def matrix_names(estimator: Any, n_features: int) -> list[str]:
    """Return names for the booster: the columns' own where LightGBM can keep them, else f0, f1 and so on."""
    own = [str(n) for n in getattr(estimator, "feature_names_in_", ())]
    if own and all(n.isascii() and n.replace(".", "").replace("_", "").isalnum() for n in own):
        return own
    return [f"f{k}" for k in range(n_features)]
