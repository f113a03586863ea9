"""The kernel: what is seen at each cutoff, for all accounts and cutoffs at once, by difference arrays.

An event adds at the first cutoff that sees it and subtracts at the first that no longer does; one prefix sum
per account gives every cutoff. Whole numbers only, so sums are exact. It knows no table and no pipeline.
"""

import numpy as np
import numpy.typing as npt

from hva_ml.cutoffs import MICROSECONDS_PER_DAY

Ints = npt.NDArray[np.int64]

NONE = int(np.iinfo(np.int64).min)
"""Marks "nothing seen yet" in the grids of `latest` and `earliest`."""


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


def leaves(event_time: Ints, cutoffs: Ints, entered: Ints, window_days: int) -> Ints:
    """Return the first cutoff for which each event lies before the window ``[cutoff - window, cutoff)``.

    A window is a whole number of days of 86 400 000 000 microseconds in absolute time, whatever the clocks of
    a country do. An event that becomes known only after it has left the window is never in it: the result
    is at least `entered`.

    Parameters
    ----------
    event_time, entered : numpy.ndarray of int64, shape (n_events,)
        Microseconds since the epoch; the result of `enters`.
    cutoffs : numpy.ndarray of int64, shape (n_cutoffs,)
        Strictly increasing.
    window_days : int
        Length of the window, at least 1.

    Examples
    --------
    >>> day = MICROSECONDS_PER_DAY
    >>> leaves(np.array([0]), np.array([1, 2, 3]) * day, np.array([0]), 2).tolist()
    [2]
    """
    left = np.searchsorted(cutoffs, event_time + window_days * MICROSECONDS_PER_DAY, side="right")
    return np.maximum(left, entered).astype(np.int64)


def totals(
    account: Ints, entered: Ints, left: Ints, n_accounts: int, n_cutoffs: int, amounts: Ints | None = None
) -> Ints:
    """Count the events in the window, or sum their amounts, for every account and cutoff.

    Parameters
    ----------
    account : numpy.ndarray of int64, shape (n_events,)
        Account numbers, ``0 <= account < n_accounts``.
    entered, left : numpy.ndarray of int64, shape (n_events,)
        Half-open span of cutoffs that have the event in the window.
    amounts : numpy.ndarray of int64, shape (n_events,), optional
        Summed instead of counting.

    Returns
    -------
    numpy.ndarray of int64, shape (n_accounts, n_cutoffs)

    Examples
    --------
    >>> totals(np.array([0, 0]), np.array([0, 1]), np.array([2, 3]), 1, 3).tolist()
    [[1, 2, 1]]
    """
    width = n_cutoffs + 1
    base = account * width
    size = n_accounts * width
    if amounts is None:
        delta = np.bincount(base + entered, minlength=size) - np.bincount(base + left, minlength=size)
    else:
        delta = np.zeros(size, dtype=np.int64)
        np.add.at(delta, base + entered, amounts)
        np.subtract.at(delta, base + left, amounts)
    return np.cumsum(delta.reshape(n_accounts, width)[:, :n_cutoffs], axis=1, dtype=np.int64)


def distinct(account: Ints, item: Ints, entered: Ints, left: Ints, n_accounts: int, n_cutoffs: int) -> Ints:
    """Count the different items in the window, for every account and cutoff.

    The spans of one account and item are merged to their union first, so that each item counts once.

    Parameters
    ----------
    account, item : numpy.ndarray of int64, shape (n_events,)
        Account and item numbers, both from 0.
    entered, left : numpy.ndarray of int64, shape (n_events,)
        Half-open span of cutoffs that have the event in the window.

    Returns
    -------
    numpy.ndarray of int64, shape (n_accounts, n_cutoffs)

    Examples
    --------
    >>> spans = np.array([0, 1]), np.array([2, 3])
    >>> distinct(np.array([0, 0]), np.array([7, 7]), *spans, 1, 3).tolist()
    [[1, 1, 1]]
    """
    if not len(account):
        return np.zeros((n_accounts, n_cutoffs), dtype=np.int64)
    width = n_cutoffs + 1
    pair = account * (int(item.max()) + 1) + item
    order = np.argsort(pair * width + entered)
    account, pair, entered, left = account[order], pair[order], entered[order], left[order]
    first = np.concatenate(([True], pair[1:] != pair[:-1]))
    rank = np.cumsum(first) - 1
    reached = np.maximum.accumulate(left + rank * width) - rank * width
    before = np.concatenate(([0], reached[:-1]))
    start = np.where(first, entered, np.maximum(entered, before))
    return totals(account, start, np.maximum(left, start), n_accounts, n_cutoffs)


def latest(account: Ints, entered: Ints, value: Ints, n_accounts: int, n_cutoffs: int) -> Ints:
    """Return the largest value among all events seen so far, for every account and cutoff.

    Parameters
    ----------
    account, entered : numpy.ndarray of int64, shape (n_events,)
        Account numbers; the result of `enters`.
    value : numpy.ndarray of int64, shape (n_events,)
        For example event times (recency) or ranks of versions (the one in force).

    Returns
    -------
    numpy.ndarray of int64, shape (n_accounts, n_cutoffs)
        ``NONE`` where nothing is seen yet.

    Examples
    --------
    >>> latest(np.array([0, 0]), np.array([1, 2]), np.array([9, 4]), 1, 3)[0, 1:].tolist()
    [9, 9]
    """
    width = n_cutoffs + 1
    grid = np.full(n_accounts * width, NONE, dtype=np.int64)
    np.maximum.at(grid, account * width + entered, value)
    return np.maximum.accumulate(grid.reshape(n_accounts, width)[:, :n_cutoffs], axis=1)


def earliest(account: Ints, entered: Ints, value: Ints, n_accounts: int, n_cutoffs: int) -> Ints:
    """Return the smallest value among all events seen so far; see `latest`.

    Examples
    --------
    >>> earliest(np.array([0, 0]), np.array([1, 2]), np.array([9, 4]), 1, 3)[0, 1:].tolist()
    [9, 4]
    """
    grid = latest(account, entered, -value, n_accounts, n_cutoffs)
    return np.where(grid == NONE, NONE, -grid)
