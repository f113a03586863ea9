"""How sure is a metric? Whole groups of accounts are drawn again, with replacement, from a fixed seed.

A parent's accounts, and an account's several cutoffs, rise and fall together: drawing single rows would make
intervals too narrow.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from hva_ml.evaluation.ranking import Floats
from hva_ml.splits import group_uniform

CELLS_AT_ONCE = 500_000
LEVEL = 0.95
# P(Poisson(1) <= k) for k = 0, 1, ...; beyond 18 there is nothing left in a float.
_POISSON = np.exp(-1.0) * np.cumsum([1.0, *np.cumprod(1.0 / np.arange(1.0, 19.0))])


def group_codes(groups: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return a number from 0 for each row's group, by the sorted group names, shape (n_rows,).

    Examples
    --------
    >>> group_codes(["b", "a", "b"]).tolist()
    [1, 0, 1]
    """
    names = np.asarray(groups)
    if names.dtype == object:
        names = names.astype(str)
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def weightings(codes: npt.NDArray[np.int64], resamples: int, seed: int) -> Iterator[Floats]:
    """Yield weights (n_weightings, n_rows): how often each row's group was drawn, `resamples` rows in all.

    The same codes, number and seed give the same weights, so that two models are compared on the same draws.
    """
    groups = int(codes.max()) + 1
    rng = np.random.default_rng(seed)
    at_once = max(1, CELLS_AT_ONCE // len(codes))
    for first in range(0, resamples, at_once):
        count = min(at_once, resamples - first)
        drawn = [np.bincount(rng.integers(groups, size=groups), minlength=groups) for _ in range(count)]
        yield np.stack(drawn).astype(np.float64)[:, codes]


def named_weights(
    names: Sequence[str], resamples: int, seed: int, purpose: str = "bootstrap"
) -> npt.NDArray[np.uint8]:
    """Return how often each name was drawn: Poisson(1), the same for the same name, whoever stands beside it.

    The Poisson bootstrap (Chamandy, Muralidharan, Najmi and Naidu 2012) with draws that hang on names, not on
    places: accounts keep their weight from cohort to cohort, so cohorts are drawn together, and a cohort's
    intervals do not change when later cohorts come.

    Parameters
    ----------
    names : sequence of str, length n_names
        Distinct names.
    resamples : int
        Number of draws.
    seed : int
        Seed of the draws.
    purpose : str
        Different purposes give independent draws.

    Returns
    -------
    ndarray of uint8, shape (resamples, n_names)

    Examples
    --------
    >>> one, two = named_weights(["a", "b"], 2, 7), named_weights(["b", "c", "a"], 2, 7)
    >>> (one == two[:, [2, 0]]).tolist()
    [[True, True], [True, True]]
    """
    # SplitMix64 (Steele, Lea and Flood 2014), one stream for each name.
    state = (group_uniform(names, seed, purpose) * 2.0**53).astype(np.uint64) << np.uint64(11)
    weights = np.empty((resamples, len(names)), dtype=np.uint8)
    for k in range(resamples):
        state = state + np.uint64(0x9E3779B97F4A7C15)
        z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        uniform = ((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53
        weights[k] = np.searchsorted(_POISSON, uniform, side="right")
    return weights


def interval(values: Floats, level: float = LEVEL) -> tuple[float, float] | None:
    """Return the percentile interval of resampled values, or None if fewer than half of them are defined.

    Examples
    --------
    >>> interval(np.arange(101.0), 0.5)
    (25.0, 75.0)
    """
    defined = values[np.isfinite(values)]
    if 2 * len(defined) < len(values) or not len(defined):
        return None
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(defined, [tail, 1.0 - tail])
    return float(low), float(high)


def share_above(draws: Floats) -> float | None:
    """Return the share of resampled values above 0, equal ones counting one half; None if none is defined.

    Examples
    --------
    >>> share_above(np.array([1.0, 0.0, -1.0, np.nan]))
    0.5
    """
    defined = draws[np.isfinite(draws)]
    return float(((defined > 0) + 0.5 * (defined == 0)).mean()) if len(defined) else None
