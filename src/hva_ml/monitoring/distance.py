"""How far counts of two samples lie apart, with intervals and chances that know how many accounts there are.

Every function takes counts of shape (…, n_bins) and works on all leading axes at once.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chndtr, chndtrinc

from hva_ml.evaluation.stability import index, shares

Floats = npt.NDArray[np.float64]
LEVEL = 0.95
# P(∫|B| ≤ q) = 0.95 for a Brownian bridge B (Johnson and Killeen, Annals of Probability, 1983, table 1).
_BRIDGE_95 = 0.5821


@dataclass(frozen=True, eq=False)
class Interval:
    """A distance with its 95 % interval, arrays of one shape."""

    value: Floats
    low: Floats
    high: Floats


def accounts_of(before: Floats, accounts: Floats) -> Floats:
    """Scale the counts of a reference down to its accounts: an account seen at many cutoffs is one."""
    total = before.sum(axis=-1, keepdims=True)
    scale = np.divide(np.asarray(accounts)[..., None], total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(before * np.minimum(scale, 1.0))


def free(before: Floats, after: Floats) -> Floats:
    """Return the degrees of freedom: bins that hold anything on either side, less one, at least 1."""
    return np.asarray(np.maximum(((before > 0) | (after > 0)).sum(axis=-1) - 1.0, 1.0))


def size(before: Floats, after: Floats) -> Floats:
    """Return ``1 / (1/n + 1/m)``, 0 where a side is empty."""
    n, m = after.sum(axis=-1), before.sum(axis=-1)
    return np.asarray(np.divide(n * m, n + m, out=np.zeros(np.broadcast(n, m).shape), where=n + m > 0))


def excess(before: Floats, after: Floats, tolerated: Floats) -> tuple[Floats, Floats]:
    """Return the population stability index, and how likely one as large is if the truth is the tolerated.

    For samples of n and m accounts ``index / (1/n + 1/m)`` is about noncentral χ² with noncentrality
    ``true index / (1/n + 1/m)`` (the central case: Yurdakul and Naranjo 2020), which only grows if accounts
    of the two samples are independent; the same accounts again lie nearer together.

    Parameters
    ----------
    before, after : numpy.ndarray of float64, shape (…, n_bins)
        Accounts in each bin.
    tolerated : numpy.ndarray of float64, shape (…)
        The largest true index that is no finding, > 0.

    Returns
    -------
    tuple of numpy.ndarray, shape (…)
        Index, and p-value; 1 where the index is at most the tolerated one or a side is empty.
    """
    found, n = index(before, after), size(before, after)
    tolerated = np.broadcast_to(tolerated, found.shape)
    p = np.ones(found.shape)
    beyond = (found > tolerated) & (n > 0)
    if beyond.any():
        k, at = free(before, after)[beyond], n[beyond]
        # 1 − cdf: below about 1e-15 all is 0, far beyond any level that is asked for.
        p[beyond] = np.maximum(0.0, 1.0 - chndtr(at * found[beyond], k, at * tolerated[beyond]))
    return found, p


def stability(before: Floats, after: Floats) -> Interval:
    """Return the population stability index with the interval of the true one (noncentral χ² inverted)."""
    found = index(before, after)
    return _inverted(found, size(before, after), free(before, after))


def jensen_shannon(before: Floats, after: Floats) -> Interval:
    """Return the Jensen-Shannon distance to base 2, in [0, 1], with its interval.

    The divergence D (in nats) of near samples is an eighth of the stability index, so that
    ``8 D / (1/n + 1/m)`` has the same distribution.
    """
    b, a = shares(before), shares(after)
    middle = (a + b) / 2
    nats = ((a * np.log(a / middle) + b * np.log(b / middle)) / 2).sum(axis=-1)
    eight = _inverted(8 * np.maximum(nats, 0.0), size(before, after), free(before, after))
    value, low, high = (
        np.sqrt(np.minimum(x / 8 / np.log(2), 1.0)) for x in (eight.value, eight.low, eight.high)
    )
    return Interval(value, low, high)


def wasserstein(before: Floats, after: Floats) -> Interval:
    """Return the Wasserstein distance in percentiles of the reference: how far accounts moved, in [0, 1].

    Bins are ordered and stand at the middle of the percentiles that they hold in the reference; the unknown
    are no part of it. The interval is ``± q √(1/n + 1/m)`` with the 95 % quantile q of ∫|B|: by the triangle
    inequality the empirical distance is off by at most that of the samples from their own distributions.
    """
    b, a = (shares(x) for x in (before, after))
    above = np.cumsum(b, axis=-1)
    middle = above - b / 2
    apart = np.abs(np.cumsum(a - b, axis=-1))[..., :-1]
    value = (apart * np.diff(middle, axis=-1)).sum(axis=-1)
    n = size(before, after)
    wide = _BRIDGE_95 * np.divide(1.0, np.sqrt(n), out=np.full(n.shape, np.inf), where=n > 0)
    return Interval(value, np.maximum(value - wide, 0.0), np.minimum(value + wide, 1.0))


def _inverted(found: Floats, n: Floats, k: Floats) -> Interval:
    """Invert the noncentral χ² in its noncentrality; the interval of an empty sample is everything."""
    found, n, k = np.broadcast_arrays(found, n, k)
    low, high = np.zeros(found.shape), np.full(found.shape, np.inf)
    some = n > 0
    x, free_ = n[some] * found[some], k[some]
    tail = (1 - LEVEL) / 2
    for bound, at in ((low, 1 - tail), (high, tail)):
        # Below the quantile of the central χ² no noncentrality makes the seen so unlikely: 0 it is.
        possible = chndtr(x, free_, 0.0) > at
        bound[some] = np.where(possible, _noncentrality(x, free_, at), 0.0) / n[some]
    # In tiny samples chance alone makes more than any true distance would: the seen stays inside.
    return Interval(found, np.minimum(low, found), np.maximum(high, found))


def _noncentrality(x: Floats, k: Floats, at: float) -> Floats:
    return np.asarray(chndtrinc(np.maximum(x, 1e-12), k, at))
