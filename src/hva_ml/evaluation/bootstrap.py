"""How sure is a metric? Whole groups of accounts are drawn again, with replacement, from a fixed seed.

A parent's accounts, and an account's several cutoffs, rise and fall together: drawing single rows would make
intervals too narrow.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from hva_ml.evaluation.ranking import Floats

CELLS_AT_ONCE = 500_000
LEVEL = 0.95


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
