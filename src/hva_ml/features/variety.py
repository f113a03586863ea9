"""The kernel of distinct items in windows: contacts, deals, days.

Each item counts over the union of its events' spans of cutoffs. In the order in which events become visible,
one number per item and window, how far it reaches already, is enough to count each stretch once.
"""

import numpy as np

from hva_ml.compiled import kernel
from hva_ml.features.log import Ints, Log, Small, over_accounts

_ODD = 0x9E3779B97F4A7C1  # about 2^60 by the golden ratio: neighbours fall apart


def distinct(log: Log, begins: Ints, category: Small, n_categories: int, item: Small) -> Ints:
    """Count the different items in every window, for every category, account and cutoff.

    Parameters
    ----------
    log, begins, category, n_categories
        See `windows.totals`.
    item : numpy.ndarray of int32, shape (n_events,)
        In the order of the log, from 0; a negative one is unknown and does not count.

    Returns
    -------
    numpy.ndarray of int64, shape (n_categories, n_windows, n_accounts, n_cutoffs)

    Examples
    --------
    >>> from hva_ml.features.log import log
    >>> found = log(np.array([0, 0]), np.array([1, 4]), np.array([0, 1]), 1, 3)
    >>> begins, items = np.array([[0, 1, 5]]), np.array([7, 7], np.int32)
    >>> distinct(found, begins, np.zeros(2, np.int32), 1, items).tolist()
    [[[[1, 1, 0]]]]
    """
    n_windows, n_cutoffs = begins.shape
    found = np.zeros((n_categories, n_windows, log.n_accounts, n_cutoffs), dtype=np.int64)

    def work(first: int, last: int) -> None:
        _distinct(log.start, log.time, log.entered, category, item, begins, found, first, last)

    over_accounts(log, work)
    return found


@kernel
def _distinct(start, time, entered, category, item, begins, found, first, last):  # type: ignore[no-untyped-def]
    n_categories, n_windows, _, n_cutoffs = found.shape
    most = 0
    for a in range(first, last):
        most = max(most, start[a + 1] - start[a])
    # The items of one account: a hash table, half full at most; for which category each was last seen, and
    # how far it reaches there.
    items = np.empty(_slots(most), dtype=np.int32)
    seen = np.empty(len(items), dtype=np.int32)
    reach = np.empty((len(items), n_windows), dtype=np.int32)
    left = np.empty((most, n_windows), dtype=np.int32)
    order = np.empty(most, dtype=np.int64)
    change = np.empty((n_windows, n_cutoffs + 1), dtype=np.int64)
    place = np.empty(n_categories * n_cutoffs + 1, dtype=np.int64)
    for a in range(first, last):
        begin, n = start[a], start[a + 1] - start[a]
        if n == 0:
            continue
        _leave(time, begin, n, begins, left)
        _by_category_and_entry(category, entered, begin, n, n_cutoffs, place, order)
        n_slots = _slots(n)
        items[:n_slots] = -1
        r = 0
        for c in range(n_categories):
            change[:] = 0
            while r < n and category[begin + order[r]] == c:
                i = order[r]
                r += 1
                e = entered[begin + i]
                if item[begin + i] < 0:
                    continue
                j = _find(item[begin + i], items, n_slots, seen)
                if seen[j] != c:
                    seen[j] = c
                    reach[j] = 0
                for w in range(n_windows):
                    end = left[i, w]
                    here = max(reach[j, w], e)
                    if end > here:
                        change[w, here] += 1
                        change[w, end] -= 1
                        reach[j, w] = end
            for w in range(n_windows):
                inside = 0
                for k in range(n_cutoffs):
                    inside += change[w, k]
                    found[c, w, a, k] = inside


@kernel
def _slots(n):  # type: ignore[no-untyped-def]
    size = 2
    while size < 2 * n:
        size *= 2
    return size


@kernel
def _find(wanted, items, n_slots, seen):  # type: ignore[no-untyped-def]
    """Return the slot of an item, taking a free one if it is new."""
    slot = (wanted * _ODD >> 32) & (n_slots - 1)
    while items[slot] != wanted:
        if items[slot] < 0:
            items[slot] = wanted
            seen[slot] = -1
            break
        slot = (slot + 1) & (n_slots - 1)
    return slot


@kernel
def _leave(time, begin, n, begins, left):  # type: ignore[no-untyped-def]
    """Write the first cutoff whose window begins after each event."""
    n_windows, n_cutoffs = begins.shape
    for w in range(n_windows):
        k = 0
        for i in range(n):
            while k < n_cutoffs and begins[w, k] <= time[begin + i]:
                k += 1
            left[i, w] = k


@kernel
def _by_category_and_entry(category, entered, begin, n, n_cutoffs, place, order):  # type: ignore[no-untyped-def]
    """Order the events of one account by category, then by the cutoff that first sees them, by counting."""
    place[:] = 0
    for i in range(begin, begin + n):
        place[category[i] * n_cutoffs + entered[i] + 1] += 1
    for j in range(1, len(place)):
        place[j] += place[j - 1]
    for i in range(n):
        key = category[begin + i] * n_cutoffs + entered[begin + i]
        order[place[key]] = i
        place[key] += 1
