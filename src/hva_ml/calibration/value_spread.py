"""How far the value of a conversion lies from what is predicted: conformal bounds from later cohorts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf
from typing import Any

import numpy as np
import numpy.typing as npt

from hva_ml.errors import IntegrityError

Array = npt.NDArray[np.float64]

MIN_SLOPE = 100
NARROWEST = 0.25
INNER = (0.02, 0.98)


@dataclass(frozen=True)
class ValueSpread:
    """Between which factors of the predicted value a conversion comes out.

    Attributes
    ----------
    at : tuple of float
        Two predicted log values; beyond them the width stays what it is there.
    width : tuple of float
        How far log values lie from the prediction at both, on average, > 0; linear between them.
    low, high : float
        The bounds in units of that width; `low` may be minus infinity, for a value of nothing.
    level : float
        How often a conversion is to lie between them, 0 < level < 1.
    rows, groups : int
        Conversions they were learned from, and groups of accounts among these.
    """

    at: tuple[float, float]
    width: tuple[float, float]
    low: float
    high: float
    level: float
    rows: int
    groups: int

    def __post_init__(self) -> None:
        finite = np.isfinite([*self.at, *self.width, self.high]).all()
        ordered = self.at[0] <= self.at[1] and self.low <= self.high
        if not (finite and ordered and min(self.width) > 0 and 0 < self.level < 1):
            raise IntegrityError(
                "The stored bounds of values are none.",
                where="metadata.json",
                fix="Restore the model files, or train again.",
            )

    @classmethod
    def learn(
        cls, log_value: Array, actual: Array, groups: Sequence[str], level: float
    ) -> "ValueSpread | None":
        """Learn from conversions that the value model has not seen; None if they are too few for bounds.

        Residuals of the logarithm are divided by how far they usually lie at that prediction (a line through
        their absolute values), and the bounds are quantiles of these (normalised split conformal prediction:
        Lei et al. 2018, JASA 113, 1094-1111, section 5.2). Accounts of one group come out alike, so the
        quantiles are widened as for as many observations as there are groups (Dunn, Wasserman and Ramdas
        2023, JASA 118, 2491-2502). Values that are not positive lie below every bound but zero.

        Parameters
        ----------
        log_value : ndarray, shape (n_rows,)
            What was predicted for rows that converted: ln(value if converted).
        actual : ndarray, shape (n_rows,)
            What they brought.
        groups : sequence of str, length n_rows
            Group of accounts of each row.
        level : float
            How often the bounds are to hold, 0 < level < 1.

        Examples
        --------
        >>> told, came = np.full(9, 5.0), np.exp(5.0 + np.arange(-4, 5) / 10)
        >>> found = ValueSpread.learn(told, came, list("abcdefghi"), 0.8)
        >>> [round(float(np.log(bound[0])), 2) for bound in found.bounds(np.array([7.0]))]
        [6.6, 7.4]
        """
        many = len(set(groups))
        order = np.lexsort((actual, log_value))
        center, y = np.asarray(log_value, dtype=np.float64)[order], np.asarray(actual, np.float64)[order]
        with np.errstate(divide="ignore"):
            residual = np.where(y > 0, np.log(np.maximum(y, 0.0)), -inf) - center
        some = np.isfinite(residual)
        share = (0.5 + level / 2) * (1 + 1 / many) if many else inf
        if share > 1 or not some.any():
            return None
        at, width = _widths(center[some], np.abs(residual[some]))
        scaled = np.sort(residual / np.interp(center, at, width))
        k = ceil(len(scaled) * share)
        low, high = float(scaled[len(scaled) - k]), float(scaled[k - 1])
        if not np.isfinite(high):
            return None
        return cls(at, width, low, high, level, len(scaled), many)

    def bounds(self, log_value: Array) -> tuple[Array, Array]:
        """Return lower and upper bound of what each row brings if it converts, currency units, ≥ 0."""
        width = np.interp(log_value, self.at, self.width)
        return np.exp(log_value + width * self.low), np.exp(log_value + width * self.high)

    def record(self) -> dict[str, Any]:
        """Return a JSON-ready record."""
        return {
            "at": list(self.at),
            "width": list(self.width),
            "low": self.low if np.isfinite(self.low) else None,
            "high": self.high,
            "level": self.level,
            "rows": self.rows,
            "groups": self.groups,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "ValueSpread":
        """Read what `record` gives; KeyError, TypeError or ValueError if it is not that."""
        (a, b), (v, w) = record["at"], record["width"]
        low = -inf if record["low"] is None else float(record["low"])
        return cls(
            (float(a), float(b)), (float(v), float(w)), low, float(record["high"]), float(record["level"]),
            int(record["rows"]), int(record["groups"]),
        )  # fmt: skip


def _widths(center: Array, distance: Array) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return a line through the distances, by its two ends; level where too few rows tell its slope."""
    low, high = (float(v) for v in np.quantile(center, INNER))
    mean = max(float(distance.mean()), 1e-9)
    away = center - center.mean()
    square = float((away**2).sum())
    slope = float((away * distance).sum()) / square if len(center) >= MIN_SLOPE and square > 0 else 0.0
    middle = float(center.mean())
    ends = [max(mean + slope * (v - middle), NARROWEST * mean) for v in (low, high)]
    return (low, high), (ends[0], ends[1])
