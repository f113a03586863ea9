"""Columns cut into steps: what models that add up one function per column stand on, and how they are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hva_ml.training.booster import Booster
from hva_ml.training.matrix import EncodedColumn
from hva_ml.training.sums import Floats, Steps, additive

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cut:
    """One column cut into steps.

    Attributes
    ----------
    place : int
        Which column of the matrix.
    thresholds : numpy.ndarray of float64, shape (n_steps - 1,)
        Strictly increasing.
    step : numpy.ndarray of int64, shape (n_rows,)
        Which step each row takes; ``n_steps`` where the value is unknown.
    """

    place: int
    thresholds: Floats
    step: Ints

    @classmethod
    def of(cls, place: int, values: Floats, thresholds: Floats) -> "Cut":
        """Cut the values of a column, NaN where unknown; one at a threshold takes the step before it."""
        step = np.searchsorted(thresholds, values, side="left")
        return cls(place, thresholds, np.where(np.isnan(values), len(thresholds) + 1, step).astype(np.int64))

    @property
    def n_steps(self) -> int:
        """How many steps known values may take."""
        return len(self.thresholds) + 1


def codes(column: EncodedColumn) -> Floats:
    """Return the thresholds that give every value of a category, and unseen ones together, a step."""
    return np.arange(column.unseen_code, dtype=np.float64) + 0.5


def log_loss(margin: Floats, y: Floats, weights: Floats) -> float:
    """Return the weighted sum of the log losses of rows, whose outcome may be a share."""
    return float((weights * (np.logaddexp(0.0, margin) - y * margin)).sum())


def kept(
    cuts: Sequence[Cut], said: Sequence[Floats], intercept: float, weights: Floats, log_odds: float,
    columns: Sequence[EncodedColumn],
) -> Booster:  # fmt: skip
    """Return a sum of steps as a booster.

    Parameters
    ----------
    cuts : sequence of Cut
        Of the training rows.
    said : sequence of numpy.ndarray, each of shape (n_steps + 1,)
        What each step of a cut adds to the margin, unknown last; a cut that says nothing is left out.
    intercept : float
        Margin where no step adds anything.
    weights : numpy.ndarray, shape (n_rows,)
        Of the training rows; with the rate they make what is told of each column's importance.
    log_odds : float
        Of the mean outcome.
    columns : sequence of EncodedColumn
        All columns of the matrix.
    """
    rate = 1.0 / (1.0 + np.exp(-log_odds))
    sure = weights * (rate * (1 - rate))
    parts = [
        Steps(c.place, c.thresholds, s[:-1], float(s[-1]), float((sure * s[c.step] ** 2).sum()))
        for c, s in zip(cuts, said, strict=True) if np.any(s != 0)
    ]  # fmt: skip
    return additive(intercept, parts, [c.name for c in columns])
