"""The kernel of smallest and largest values in windows, in one pass over the events.

A span of cutoffs is covered by two overlapping stretches of a power-of-two length, so that an event writes
twice whatever the number of cutoffs; then every stretch hands its value to its two halves.
"""

import numpy as np

from hva_ml.compiled import kernel
from hva_ml.features.log import Ints, Log, Small, over_accounts
from hva_ml.features.windows import NONE


def largest(log: Log, begins: Ints, category: Small, n_categories: int, values: Ints) -> Ints:
    """Return the largest value in every window, for every category, account and cutoff.

    Parameters
    ----------
    log, begins, category, n_categories
        See `windows.totals`.
    values : numpy.ndarray of int64, shape (n_events,)
        In the order of the log, greater than ``NONE``; ``NONE`` marks an unknown one.

    Returns
    -------
    numpy.ndarray of int64, shape (n_categories, n_windows, n_accounts, n_cutoffs)
        ``NONE`` where the window holds no known value.

    Examples
    --------
    >>> from hva_ml.features.log import log
    >>> found = log(np.array([0, 0]), np.array([1, 4]), np.array([0, 1]), 1, 3)
    >>> values, begins = np.array([50, -20]), np.array([[0, 2, 2]])
    >>> largest(found, begins, np.zeros(2, np.int32), 1, values).tolist()
    [[[[50, -20, -20]]]]
    """
    n_windows, n_cutoffs = begins.shape
    found = np.full((n_categories, n_windows, log.n_accounts, n_cutoffs), NONE, dtype=np.int64)
    # The largest power of two within each length.
    level = np.array([max(length, 1).bit_length() - 1 for length in range(n_cutoffs + 1)], dtype=np.int64)

    def work(first: int, last: int) -> None:
        _largest(log.start, log.time, log.entered, category, values, begins, level, found, first, last)

    over_accounts(log, work)
    return found


def smallest(log: Log, begins: Ints, category: Small, n_categories: int, values: Ints) -> Ints:
    """Return the smallest value in every window; see `largest`."""
    found = largest(log, begins, category, n_categories, np.where(values == NONE, NONE, -values))
    return np.where(found == NONE, NONE, -found)


@kernel
def _largest(start, time, entered, category, values, begins, level, found, first, last):  # type: ignore[no-untyped-def]
    n_categories, n_windows, _, n_cutoffs = found.shape
    highest = level[n_cutoffs]
    most = np.empty((n_categories, n_windows, highest + 1, n_cutoffs), dtype=np.int64)
    left = np.empty(n_windows, dtype=np.int64)
    for a in range(first, last):
        if start[a] == start[a + 1]:
            continue
        most[:] = NONE
        left[:] = 0
        for i in range(start[a], start[a + 1]):
            c, e, v = category[i], entered[i], values[i]
            for w in range(n_windows):
                k = left[w]
                while k < n_cutoffs and begins[w, k] <= time[i]:
                    k += 1
                left[w] = k
                if k > e:
                    j = level[k - e]
                    other = k - (1 << j)
                    most[c, w, j, e] = max(most[c, w, j, e], v)
                    most[c, w, j, other] = max(most[c, w, j, other], v)
        for c in range(n_categories):
            for w in range(n_windows):
                for j in range(highest, 0, -1):
                    half = 1 << (j - 1)
                    for k in range(n_cutoffs - 2 * half + 1):
                        v = most[c, w, j, k]
                        most[c, w, j - 1, k] = max(most[c, w, j - 1, k], v)
                        most[c, w, j - 1, k + half] = max(most[c, w, j - 1, k + half], v)
                for k in range(n_cutoffs):
                    found[c, w, a, k] = most[c, w, 0, k]
