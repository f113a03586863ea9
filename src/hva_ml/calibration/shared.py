"""One slope for several blocks of rows, each with its own level: how far margins may be trusted later on."""

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from hva_ml.calibration.logistic import MIN_SLOPE, Array
from hva_ml.calibration.maps import Platt
from hva_ml.errors import NotEnoughDataError

_STEPS = 200
_LEVEL_SD = 3.0


def shared_slope(margin: Array, y: Array, weight: Array, block: npt.NDArray[np.int64]) -> tuple[float, Array]:
    """Fit ``logit p = slope · margin + level of the block``, and return the slope with its log losses.

    Blocks that were judged by different models, at different times, differ in level for reasons that say
    nothing about the next one. What they have in common is how much of a difference in margins comes true.

    Parameters
    ----------
    margin, y, weight : ndarray, shape (n_rows,)
        Raw score; 1 or 0; weight >= 0.
    block : ndarray of int64, shape (n_rows,)
        Number of the block, from 0.

    Returns
    -------
    slope : float
        At least 0.001.
    losses : ndarray, shape (n_rows,)
        What each row adds to the weighted mean log loss: their sum.

    Raises
    ------
    NotEnoughDataError
        If higher margins do not go with more conversions.

    Examples
    --------
    >>> margin = np.array([-2.0, -1.0, 1.0, 2.0] * 50)
    >>> y = np.tile([0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0], 25)
    >>> slope, losses = shared_slope(margin, y, np.ones(200), np.zeros(200, dtype=np.int64))
    >>> round(slope, 2), round(float(losses.sum()), 2)
    (1.01, 0.47)
    """
    n = int(block.max(initial=0)) + 1
    total = max(float(weight.sum()), 1e-12)
    slope, levels = 1.0, np.zeros(n)
    for _ in range(_STEPS):
        before = slope
        p = expit(slope * margin + levels[block])
        sure = weight * p * (1 - p)
        gradient = np.bincount(block, weight * (p - y), n) + levels / _LEVEL_SD**2
        levels = levels - np.clip(gradient / (np.bincount(block, sure, n) + _LEVEL_SD**-2), -1.0, 1.0)
        p = expit(slope * margin + levels[block])
        sure = weight * p * (1 - p)
        centre = np.bincount(block, sure * margin, n) / np.maximum(np.bincount(block, sure, n), 1e-12)
        apart = margin - centre[block]
        curve = max(float((sure * apart**2).sum()), 1e-9)
        slope = max(MIN_SLOPE, slope - float(np.clip((weight * (p - y) * apart).sum() / curve, -0.5, 0.5)))
        if abs(slope - before) < 1e-10:
            break
    if slope <= MIN_SLOPE:
        raise NotEnoughDataError(
            "Nothing to learn here: higher scores do not go with more conversions later on.",
            where=f"{len(y)} rows held out",
            why="A probability made from such scores would be no better than the average.",
            fix="Use a longer history, or add features that are known beforehand.",
        )
    logit = slope * margin + levels[block]
    return slope, weight * (np.logaddexp(0.0, logit) - y * logit) / total


def at_level(slope: float, margin: Array, y: Array, weight: Array) -> Platt:
    """Return the map of that slope under which promised and actual conversions agree on these rows."""
    level = 0.0
    for _ in range(_STEPS):
        p = expit(slope * margin + level)
        curve = float((weight * p * (1 - p)).sum()) + 1e-9
        step = float((weight * (p - y)).sum()) / curve
        level -= float(np.clip(step, -1.0, 1.0))
        if abs(step) < 1e-12:
            break
    return Platt(slope, level)
