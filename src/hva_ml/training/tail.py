"""How heavy the upper tail of values is, and how a training may hold it back without losing its total."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

TELLING = 0.99


@dataclass(frozen=True)
class Tail:
    """What lies above a quantile of the positive values of a training.

    Attributes
    ----------
    quantile : float
        Which, in (0, 1).
    value : float
        Its value, in the unit of the values.
    rows : int
        Values above it.
    share : float
        Part of the total of positive values that these rows bring.
    above : float
        Part of that total that lies above the quantile: what winsorising takes away.
    winsorised : bool
        Whether training counted these values as the quantile.
    """

    quantile: float
    value: float
    rows: int
    share: float
    above: float
    winsorised: bool

    def record(self) -> dict[str, Any]:
        """Return a JSON-ready record."""
        return asdict(self)


def tail(y: Array, quantile: float | None) -> Tail:
    """Describe the tail of values, above a quantile that training winsorises at, or above the 99 % one.

    Examples
    --------
    >>> found = tail(np.array([1.0, 2.0, 3.0, 94.0]), 0.5)
    >>> found.value, found.rows, found.share, found.above
    (2.5, 2, 0.97, 0.92)
    """
    at = TELLING if quantile is None else quantile
    positive = np.sort(y[y > 0])
    if not len(positive):
        return Tail(at, 0.0, 0, 0.0, 0.0, quantile is not None)
    value, total = float(np.quantile(positive, at)), float(positive.sum())
    high = positive[positive > value]
    return Tail(
        at, value, len(high), float(high.sum()) / total, float((high - value).sum()) / total,
        quantile is not None,
    )  # fmt: skip


def winsorised(y: Array, quantile: float | None) -> Array:
    """Return values with those above a quantile of the positive ones set to it; None changes nothing.

    Examples
    --------
    >>> winsorised(np.array([1.0, 2.0, 3.0, 100.0]), 0.5).tolist()
    [1.0, 2.0, 2.5, 2.5]
    """
    return y if quantile is None else np.minimum(y, tail(y, quantile).value)
