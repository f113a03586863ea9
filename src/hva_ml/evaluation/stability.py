"""How far a distribution has moved, and how far one of that size moves by chance. It judges nothing."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
BINS = 10
SMOOTHING = 0.5
_Z_99_9 = 3.0902


@dataclass(frozen=True)
class Shift:
    """A distribution against an earlier one.

    Attributes
    ----------
    index : float
        Population stability index, ≥ 0; 0 for equal shares in every bin.
    chance : float
        What it stays below in 999 of 1,000 pairs of independent samples of one and the same distribution.
    """

    index: float
    chance: float


def shift(before: Floats, after: Floats, bins: int = BINS, tolerance: float = 0.0) -> Shift:
    """Return the population stability index between two samples.

    ``Σ (a − b) ln(a / b)`` over bins, with b and a the shares of `before` and `after`, bins cut at the
    quantiles of `before`; half a row is added to every count. Under no change, index / (1/n + 1/m) is about
    χ² with one degree of freedom less than bins (Yurdakul and Naranjo, Journal of Risk Model Validation,
    2020); its quantile is that of Wilson and Hilferty (1931).

    Parameters
    ----------
    before, after : numpy.ndarray of float64, shapes (n,) and (m,)
        Finite, n ≥ 1, m ≥ 1.
    bins : int
        At least 2; ties make fewer.
    tolerance : float
        Each cut of `after` may lie by this share above or below its place, wherever that comes nearest to
        `before`. Many equal numbers at a cut would else change their bin together when all move by a hair.

    Examples
    --------
    >>> numbers = np.arange(1000.0)
    >>> shift(numbers, numbers).index, round(shift(numbers, numbers + 250).index, 2)
    (0.0, 1.4)
    >>> tied = np.repeat([1.0, 2.0], 500)
    >>> round(shift(tied, tied * 1.01).index, 1), shift(tied, tied * 1.01, tolerance=0.05).index
    (6.9, 0.0)
    """
    cuts = quantile_cuts(before, bins)
    up_to = np.searchsorted(np.sort(before), cuts, side="right").astype(np.float64)
    ordered, slack = np.sort(after), tolerance * np.abs(cuts)
    low, high = (np.searchsorted(ordered, c, side="right") for c in (cuts - slack, cuts + slack))
    nearest = np.clip(up_to * (len(after) / len(before)), low, high)
    counts = [
        np.diff(edges, prepend=0.0, append=float(n))
        for edges, n in ((up_to, len(before)), (nearest, len(after)))
    ]
    free = len(cuts)
    quantile = free * (1 - 2 / (9 * free) + _Z_99_9 * sqrt(2 / (9 * free))) ** 3
    return Shift(float(index(*counts)), quantile * (1 / len(before) + 1 / len(after)))


def quantile_cuts(sample: Floats, bins: int = BINS) -> Floats:
    """Return where bins of about equal size end, strictly increasing; a bin holds what is at most its cut.

    Examples
    --------
    >>> quantile_cuts(np.array([0.0, 0.0, 0.0, 1.0, 2.0, 3.0]), 3).tolist()
    [0.0, 1.0]
    """
    return np.unique(np.quantile(sample, np.arange(1, bins) / bins, method="inverted_cdf"))


def index(before: Floats, after: Floats) -> Floats:
    """Return the population stability index of counts, half a row added to each; shape of all but the bins.

    Parameters
    ----------
    before, after : numpy.ndarray of float64, shape (…, n_bins)
        Rows in each bin, ≥ 0; shapes that broadcast.

    Examples
    --------
    >>> index(np.array([10.0, 10.0]), np.array([[10.0, 10.0], [19.0, 1.0]])).round(3).tolist()
    [0.0, 1.099]
    """
    b, a = shares(before), shares(after)
    return np.asarray(((a - b) * np.log(a / b)).sum(axis=-1))


def shares(counts: Floats) -> Floats:
    """Return the share of each bin (last axis), half a row added to every count."""
    smooth = counts + SMOOTHING
    return np.asarray(smooth / smooth.sum(axis=-1, keepdims=True))
