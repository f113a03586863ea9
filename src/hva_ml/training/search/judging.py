"""How good a fitted fold is: a loss for each of the two models, and what its booster learns from."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from hva_ml.training.folds import Fold
from hva_ml.training.growing import Ground, Grower
from hva_ml.training.tail import winsorised
from hva_ml.training.value import LOGARITHMIC, OBJECTIVE, clipped, target

Array = npt.NDArray[np.float64]
Kind = Literal["conversion", "value"]

METRIC: dict[str, str] = {"conversion": "log_loss", "value": "relative_tweedie_deviance"}
_LEAST = 1e-15


def log_loss(actual: Array, probability: Array, weight: Array | None = None) -> float:
    """Return the mean negative log likelihood; `actual` 0 or 1, all arrays of shape (n_rows,)."""
    p = np.clip(probability, _LEAST, 1 - _LEAST)
    likelihood = np.where(actual == 1, np.log(p), np.log1p(-p))
    return float(-np.mean(likelihood) if weight is None else -np.average(likelihood, weights=weight))


def relative_deviance(actual: Array, predicted: Array) -> float:
    """Return the Tweedie deviance (power 1.5) of levelled predictions over that of the mean; 0 is perfect.

    Parameters
    ----------
    actual : ndarray, shape (n_rows,)
        Realised values; negative ones count as 0. At least one is positive.
    predicted : ndarray, shape (n_rows,)
        Predicted means > 0, of any level: they are scaled to the total of `actual`.

    Examples
    --------
    >>> relative_deviance(np.array([10.0, 30.0]), np.array([1.0, 3.0]))
    0.0
    """
    actual, _ = clipped(actual, "tweedie")
    worst = float(np.mean(unit_deviance(actual, np.full_like(actual, actual.mean()))))
    found = float(np.mean(unit_deviance(actual, predicted * (actual.sum() / predicted.sum()))))
    # Equal values everywhere leave nothing to explain: the mean is then as good as can be.
    return found / worst if worst > 1e-12 * float(actual.mean()) ** 0.5 else 1.0 + found


def unit_deviance(actual: Array, mean: Array) -> Array:
    """Return each row's Tweedie deviance at power 1.5; `actual` ≥ 0, `mean` > 0, both of shape (n_rows,)."""
    # 2 (y^½/(-¼) + 2 y μ^-½ + 2 μ^½) is 4 (√μ - √y)² / √μ.
    root = np.sqrt(mean)
    return np.asarray(4 * (root - np.sqrt(actual)) ** 2 / root)


def begin(
    kind: Kind,
    ground: Ground,
    fold: Fold,
    y: Array,
    params: Mapping[str, Any],
    distribution: str,
    weight: Array | None = None,
    winsorise: float | None = None,
) -> Grower:
    """Return the booster of one fold, ready to grow and to be judged.

    Parameters
    ----------
    kind : {"conversion", "value"}
        Judged by log loss, or by `relative_deviance`, which is fair to all families.
    ground : Ground
        The fold's rows, binned.
    fold : Fold
        Their positions in `y`.
    y : ndarray, shape (n_rows,)
        0 or 1, or money.
    params : mapping
        LightGBM parameters.
    distribution : str
        Family of the value model.
    weight : ndarray, shape (n_rows,), optional
        How much a row counts where the fold fits.
    winsorise : float, optional
        As in `hva_ml.training.value.fit_value`.
    """
    fit, actual = y[fold.fit], y[fold.valid]
    heavy = None if weight is None else weight[fold.fit]
    if kind == "conversion":
        return ground.grower(
            fit, objective="binary", params=params, weight=heavy,
            loss=lambda p: log_loss(actual, p, fold.weight),
        )  # fmt: skip
    values = winsorised(clipped(fit, distribution)[0], winsorise)

    def loss(predicted: Array) -> float:
        return relative_deviance(actual, np.exp(predicted) if distribution in LOGARITHMIC else predicted)

    learned = target(values, distribution, float(np.mean(values)))
    return ground.grower(learned, objective=OBJECTIVE[distribution], params=params, loss=loss, weight=heavy)
