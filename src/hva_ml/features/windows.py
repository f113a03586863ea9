"""The kernel: what is seen at each cutoff, for all accounts, cutoffs, windows and categories in one pass.

An event adds at the first cutoff that sees it and subtracts at the first that no longer does; one prefix sum
per account gives every cutoff. Whole numbers only, so sums are exact. It knows no table and no pipeline.
"""

import numpy as np

from hva_ml.compiled import kernel
from hva_ml.features.log import Ints as Ints
from hva_ml.features.log import Log, Small, over_accounts

NONE = int(np.iinfo(np.int64).min)
"""Marks "nothing seen yet" in the grids of times and values."""


def enters(event_time: Ints, known_at: Ints, cutoffs: Ints) -> Ints:
    """Return the first cutoff that sees each event: the first one strictly after both clocks.

    Parameters
    ----------
    event_time, known_at : numpy.ndarray of int64, shape (n_events,)
        Microseconds since the epoch.
    cutoffs : numpy.ndarray of int64, shape (n_cutoffs,)
        Microseconds since the epoch, strictly increasing.

    Returns
    -------
    numpy.ndarray of int64, shape (n_events,)
        Position in `cutoffs`, ``n_cutoffs`` if no cutoff sees the event.

    Examples
    --------
    >>> enters(np.array([5, 10]), np.array([5, 25]), np.array([10, 20, 30])).tolist()
    [0, 2]
    """
    return np.searchsorted(cutoffs, np.maximum(event_time, known_at), side="right").astype(np.int64)


def totals(
    log: Log, begins: Ints, category: Small, n_categories: int, amounts: Ints | None = None
) -> tuple[Ints, Ints]:
    """Count the events in every window and sum their amounts, for every category, account and cutoff.

    The window of cutoff k is ``[begins[w, k], cutoff)``. An event that becomes known only after it has left
    the window is never in it.

    Parameters
    ----------
    log : Log
        The events.
    begins : numpy.ndarray of int64, shape (n_windows, n_cutoffs)
        Microseconds since the epoch; none of the windows ever moves back.
    category : numpy.ndarray of int32, shape (n_events,)
        In the order of the log, ``0 <= category < n_categories``.
    amounts : numpy.ndarray of int64, shape (n_columns, n_events), optional
        Whole numbers, in the order of the log.

    Returns
    -------
    counts : numpy.ndarray of int64, shape (n_categories, n_windows, n_accounts, n_cutoffs)
    sums : numpy.ndarray of int64, shape (n_columns, n_categories, n_windows, n_accounts, n_cutoffs)

    Examples
    --------
    >>> from hva_ml.features.log import log
    >>> found = log(np.array([0, 0]), np.array([1, 4]), np.array([0, 1]), 1, 3)
    >>> begins = np.array([[0, 2, 5]])
    >>> counts, sums = totals(found, begins, np.zeros(2, np.int32), 1, np.array([[50, -20]]))
    >>> counts.tolist(), sums.tolist()
    ([[[[1, 1, 0]]]], [[[[[50, -20, 0]]]]])
    """
    n_windows, n_cutoffs = begins.shape
    values = np.empty((0, len(log.time)), dtype=np.int64) if amounts is None else amounts
    shape = (n_categories, n_windows, log.n_accounts, n_cutoffs)
    counts, sums = np.zeros(shape, dtype=np.int64), np.zeros((len(values), *shape), dtype=np.int64)

    def work(first: int, last: int) -> None:
        _totals(log.start, log.time, log.entered, category, values, begins, counts, sums, first, last)

    over_accounts(log, work)
    return counts, sums


def first_and_last(log: Log, category: Small, n_categories: int, n_cutoffs: int) -> tuple[Ints, Ints]:
    """Return the times of the earliest and of the latest event seen so far; see `totals`.

    Returns
    -------
    earliest, latest : numpy.ndarray of int64, shape (n_categories, n_accounts, n_cutoffs)
        ``NONE`` where nothing is seen yet.
    """
    shape = (n_categories, log.n_accounts, n_cutoffs)
    begun, ended = np.full(shape, NONE, dtype=np.int64), np.full(shape, NONE, dtype=np.int64)

    def work(first: int, last: int) -> None:
        _first_and_last(log.start, log.time, log.entered, category, begun, ended, first, last)

    over_accounts(log, work)
    return begun, ended


def latest(account: Ints, entered: Ints, value: Ints, n_accounts: int, n_cutoffs: int) -> Ints:
    """Return the largest value among all events seen so far, for rows in any order.

    Parameters
    ----------
    account, entered : numpy.ndarray of int64, shape (n_events,)
        Account numbers; the result of `enters`.
    value : numpy.ndarray of int64, shape (n_events,)
        For example ranks of versions (the one in force).

    Returns
    -------
    numpy.ndarray of int64, shape (n_accounts, n_cutoffs)
        ``NONE`` where nothing is seen yet.

    Examples
    --------
    >>> latest(np.array([0, 0]), np.array([1, 2]), np.array([9, 4]), 1, 3)[0, 1:].tolist()
    [9, 9]
    """
    grid = np.full((n_accounts, n_cutoffs), NONE, dtype=np.int64)
    _latest(account, entered, value, grid)
    return grid


@kernel
def _totals(start, time, entered, category, values, begins, counts, sums, first, last):  # type: ignore[no-untyped-def]
    n_categories, n_windows, _, n_cutoffs = counts.shape
    n_columns = len(values)
    added = np.empty((1 + n_columns, n_categories, n_cutoffs + 1), dtype=np.int64)
    taken = np.empty((n_categories, n_windows, n_cutoffs + 1, 1 + n_columns), dtype=np.int64)
    left = np.empty(n_windows, dtype=np.int64)
    for a in range(first, last):
        if start[a] == start[a + 1]:
            continue
        added[:] = 0
        taken[:] = 0
        left[:] = 0
        for i in range(start[a], start[a + 1]):
            c, e = category[i], entered[i]
            added[0, c, e] += 1
            for j in range(n_columns):
                added[1 + j, c, e] += values[j, i]
            for w in range(n_windows):
                k = left[w]
                while k < n_cutoffs and begins[w, k] <= time[i]:
                    k += 1
                left[w] = k
                k = max(k, e)
                taken[c, w, k, 0] += 1
                for j in range(n_columns):
                    taken[c, w, k, 1 + j] += values[j, i]
        for c in range(n_categories):
            for w in range(n_windows):
                inside = 0
                for k in range(n_cutoffs):
                    inside += added[0, c, k] - taken[c, w, k, 0]
                    counts[c, w, a, k] = inside
                for j in range(n_columns):
                    inside = 0
                    for k in range(n_cutoffs):
                        inside += added[1 + j, c, k] - taken[c, w, k, 1 + j]
                        sums[j, c, w, a, k] = inside


@kernel
def _first_and_last(start, time, entered, category, begun, ended, first, last):  # type: ignore[no-untyped-def]
    n_categories, _, n_cutoffs = begun.shape
    for a in range(first, last):
        for i in range(start[a], start[a + 1]):
            c, e = category[i], entered[i]
            # Rows come in the order of time: the first to come is the earliest, the last the latest.
            if begun[c, a, e] == NONE:
                begun[c, a, e] = time[i]
            ended[c, a, e] = time[i]
        for c in range(n_categories):
            for k in range(1, n_cutoffs):
                ended[c, a, k] = max(ended[c, a, k], ended[c, a, k - 1])
                before = begun[c, a, k - 1]
                if before != NONE and (begun[c, a, k] == NONE or before < begun[c, a, k]):
                    begun[c, a, k] = before


@kernel
def _latest(account, entered, value, grid):  # type: ignore[no-untyped-def]
    n_accounts, n_cutoffs = grid.shape
    for i in range(len(account)):
        a, e = account[i], entered[i]
        if e < n_cutoffs and value[i] > grid[a, e]:
            grid[a, e] = value[i]
    for a in range(n_accounts):
        for k in range(1, n_cutoffs):
            grid[a, k] = max(grid[a, k], grid[a, k - 1])
