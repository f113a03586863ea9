"""Past revenue that goes on, beside the trees of the value: the log of the run rate, as trees of two columns.

Trees stop at what training has seen; where history is short, accounts soon lie beyond it. The run rate does
not stop, and it asks for no learning but how much it is to be believed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hva_ml.training.approach import by_groups
from hva_ml.training.booster import Booster
from hva_ml.training.search.judging import unit_deviance
from hva_ml.training.sums import Steps, additive
from hva_ml.training.value import clipped

Array = npt.NDArray[np.float64]

AMOUNT, TENURE = "cadence.amount_365d", "cadence.tenure_days"
YEAR_DAYS = 365.0
SHARE = 0.25
"""Part of the log value that the run rate may have beside the trees; with half of it less was gained."""
FLOOR_OF_MEDIAN = 0.1
"""Who has bought less than this part of the median counts as if it were as much: a logarithm has no zero."""
BEYOND = 16.0
"""So many times the largest amount of the training is the log still followed."""
STEP = 1.0 / 16.0
"""Width of a step on the log scale: a sixteenth is at most 3 % off the line."""


@dataclass(frozen=True)
class Steady:
    """How much of the log value is the run rate, and how that was found.

    Attributes
    ----------
    share : float
        `SHARE`, or 0 where the trees stay alone.
    gain, error : float
        By how much the relative Tweedie deviance of later accounts is less with it than by the trees alone,
        and the standard error of that by groups of accounts.
    """

    share: float
    gain: float
    error: float

    def record(self) -> dict[str, Any]:
        """Return a JSON-ready record."""
        return asdict(self)

    @classmethod
    def of(cls, record: Mapping[str, Any] | None) -> "Steady | None":
        """Read a record; None of one that tells nothing."""
        return cls(**record) if record else None


def log_run_rate(X: Array, names: Sequence[str], horizon_days: int) -> Booster | None:
    """Return the log of what an account brings in a horizon if the last year goes on, as a booster.

    The net amount of the last 365 days is scaled to the horizon from the account's tenure, no less than the
    horizon and no more than a year: as `hva_ml.training.baselines.RunRate` does, in steps of a sixteenth on
    the log scale.

    Parameters
    ----------
    X : ndarray, shape (n_rows, n_features)
        Encoded rows of the training; they say where steps begin and end.
    names : sequence of str, length n_features
        Feature names.
    horizon_days : int
        Days of the horizon.

    Returns
    -------
    Booster or None
        None without the two columns, or where nobody has bought.

    Examples
    --------
    >>> bought, names = np.array([[730.0, 400.0], [365.0, 365.0]]), [AMOUNT, TENURE]
    >>> rate = log_run_rate(bought, names, 90)
    >>> np.exp(rate.margin(np.array([[3650.0, 500.0]]))).round(-2).tolist()
    [900.0]
    """
    if AMOUNT not in names or TENURE not in names:
        return None
    amount, place = X[:, names.index(AMOUNT)], names.index(AMOUNT)
    bought = amount[amount > 0]
    if not len(bought):
        return None
    least = FLOOR_OF_MEDIAN * float(np.median(bought))
    parts = [_line(place, least, BEYOND * float(bought.max()), 1.0)]
    if horizon_days >= YEAR_DAYS:
        return additive(float(np.log(horizon_days / YEAR_DAYS)), parts, names)
    parts.append(_line(names.index(TENURE), float(horizon_days), YEAR_DAYS, -1.0))
    return additive(float(np.log(horizon_days)), parts, names)


def choose(actual: Array, trees: Array, rate: Array, groups: Sequence[str]) -> Steady:
    """Decide by accounts of later cohorts whether the run rate has its share.

    Judged is the Tweedie deviance (power 1.5) of predictions, levelled to the total. With the run rate it
    must be less than by the trees alone by more than one standard error (Breiman et al. 1984, 3.4.3).

    Parameters
    ----------
    actual : ndarray, shape (n_rows,)
        What came; negative ones count as 0. At least one is positive.
    trees, rate : ndarray, shape (n_rows,)
        Logs of what trees that have not seen these rows, and the run rate, say.
    groups : sequence of str, length n_rows
        What may be lucky or unlucky together.
    """
    came, _ = clipped(actual, "tweedie")

    def losses(log: Array) -> Array:
        said = np.exp(log - log.max())
        return unit_deviance(came, said * (came.sum() / said.sum()))

    mean = float(losses(np.zeros(len(came))).mean())
    if not mean > 0:
        return Steady(0.0, 0.0, 0.0)
    gains = (losses(trees) - losses((1.0 - SHARE) * trees + SHARE * rate)) / mean
    gain, error = by_groups(gains, groups)
    return Steady(SHARE if gain > error else 0.0, gain, error)


def _line(place: int, low: float, high: float, slope: float) -> Steps:
    """Return `slope` times the log of a column between two values, level beyond them; unknown is the low."""
    n = max(int(np.ceil((np.log(high) - np.log(low)) / STEP)), 1)
    edges = np.log(low) + (np.log(high) - np.log(low)) * np.arange(n + 1) / n
    middles = np.concatenate([[edges[0]], (edges[1:] + edges[:-1]) / 2, [edges[-1]]])
    values = slope * middles
    return Steps(
        place, np.exp(edges), values, float(values[0]), float(np.square(values - values.mean()).sum())
    )
