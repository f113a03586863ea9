"""Whether conversions still come as promised, night by night, with a known mean time between false alarms.

An e-detector (Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework for sequential change
detection", New England Journal of Statistics in Data Science, 2024): bets against "as promised" that are fair
as long as it is true are begun anew every night and added up. Their sum passes c after c nights on average,
or later, whatever else happens.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
WEEK, DAY = 7, 1
LESS = (0.4, 0.6, 0.8)
MORE = (2.5, 1.67, 1.25)
# Stakes stop growing so far beyond an alarm: when all is as promised again, it is over within days.
_BEYOND = 20.0


@dataclass(frozen=True, eq=False)
class Evidence:
    """How much speaks against the promise.

    Attributes
    ----------
    total : numpy.ndarray of float64, shape (n_nights, 2)
        The sum of the bets on fewer conversions and of those on more, in nights: at `threshold` it is an
        alarm. Each direction has half of the stake, so that both together pass it no more often than asked.
    threshold : float
        Mean number of nights until a false alarm, at least.
    """

    total: Floats
    threshold: float

    @property
    def alarm(self) -> npt.NDArray[np.bool_]:
        """Nights on which the evidence suffices, by direction."""
        return self.total >= self.threshold


def evidence(
    seen: Floats,
    due: Floats,
    *,
    dispersion: Mapping[int, float],
    tolerance: float,
    nights_between_alarms: float,
) -> Evidence:
    """Hold what was seen against what was due.

    A bet looks at days, or at whole weeks: days tell a large change soon, weeks do not mind how conversions
    are spread over them. For the mean λ that is still tolerated and a factor r beyond it, a day or week with
    N conversions multiplies the stake by ``exp((N ln r − (r − 1) λ) / dispersion)``. That is at most fair
    for sums of independent outcomes, and for such whose variance is `dispersion` times as large. Bets on days
    and weeks, on several factors in either direction, and on the columns (all accounts, each stratum) share
    the stake.

    Parameters
    ----------
    seen, due : numpy.ndarray of float64, shape (n_nights, n_columns)
        Conversions that became known in each night, and that should have.
    dispersion : mapping of int to float
        By number of days (`DAY`, `WEEK`), ≥ 1.
    tolerance : float
        Up to so many times more or less is as promised, 0 < tolerance < 1.
    nights_between_alarms : float
        On average at least, if all is as promised.
    """
    most = np.log(nights_between_alarms * _BEYOND * len(dispersion) * seen.shape[1] * (len(LESS) + len(MORE)))
    totals = [
        _total(_sums(seen, days), _sums(due, days), days, spread, tolerance, most)
        for days, spread in sorted(dispersion.items())
    ]
    return Evidence(np.mean(totals, axis=0), nights_between_alarms)


def _total(seen: Floats, due: Floats, days: int, dispersion: float, tolerance: float, most: float) -> Floats:
    """Add up the bets that look at so many days at a time, fewer and more: shape (n_nights, 2)."""
    nights, columns = seen.shape
    ratio = np.array([*LESS, *MORE])
    edge = np.array([1 - tolerance] * len(LESS) + [1 + tolerance] * len(MORE))
    # Logarithms of stakes: what has grown for a year would be no number any more.
    running = np.full((days, columns, len(ratio)), -np.inf)
    total = np.zeros((nights, 2))
    for night in range(nights):
        if night >= days - 1:
            n, mean = seen[night][:, None], due[night][:, None] * edge
            gain = (n * np.log(ratio) - (ratio - 1) * mean) / dispersion
            place = night % days
            running[place] = np.minimum(np.logaddexp(running[place], 0.0) + gain, most)
        # Bets of the last days that have not been settled yet still hold their stake.
        stakes = np.exp(running).sum(axis=0).mean(axis=0) + min(night + 1, days - 1)
        total[night] = stakes[: len(LESS)].sum() / len(ratio), stakes[len(LESS) :].sum() / len(ratio)
    return total


def _sums(daily: Floats, days: int) -> Floats:
    """Return the sum of each night and those before it; the first ones are sums of fewer."""
    summed = np.cumsum(daily, axis=0)
    summed[days:] = summed[days:] - summed[:-days]
    return summed
