"""The rows of one table as the kernel reads them: account after account, each in the order of time.

A log holds only rows that some cutoff sees. Ties keep no promise, because no measure depends on them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from hva_ml.compiled import cores, in_blocks, kernel

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.integer[Any]]
Small = npt.NDArray[np.int32]
Number = TypeVar("Number", bound=np.generic)

LEAST_ROWS = 100_000
"""Fewer rows are not worth a second thread."""
BLOCKS_PER_CORE = 2
"""Accounts differ in size: with several blocks a core that is done early takes another."""


@dataclass(frozen=True)
class Log:
    """Rows in the order of account and time.

    Attributes
    ----------
    order : numpy.ndarray of int, shape (n_rows,)
        Which row of the table each one is.
    start : numpy.ndarray of int64, shape (n_accounts + 1,)
        The rows of account a lie from ``start[a]`` to before ``start[a + 1]``.
    time : numpy.ndarray of int64, shape (n_rows,)
        Event time in microseconds, ascending within each account.
    entered : numpy.ndarray of int32, shape (n_rows,)
        First cutoff that sees the row.
    """

    order: Whole
    start: Ints
    time: Ints
    entered: Small

    @property
    def n_accounts(self) -> int:
        """Number of accounts, those without a row included."""
        return len(self.start) - 1

    def only(self, keep: Bools) -> "Log":
        """Return the rows of a mask of shape (n_rows,)."""
        before = np.zeros(len(keep) + 1, dtype=np.int64)
        np.cumsum(keep, out=before[1:])
        return Log(self.order[keep], before[self.start], self.time[keep], self.entered[keep])

    def take(self, column: npt.NDArray[Number]) -> npt.NDArray[Number]:
        """Return a column of the table, shape (n_table_rows,), in the order of the log."""
        found = np.empty(len(self.order), dtype=column.dtype)
        in_blocks(
            lambda first, last: _gather(column, self.order, found, first, last),
            len(found),
            _share(len(found), len(found)),
        )
        return found


def log(account: Whole, event_time: Ints, entered: Whole,
        n_accounts: int, n_cutoffs: int) -> Log:  # fmt: skip
    """Sort rows by account and time, by counting; rows that no cutoff sees are left out.

    Parameters
    ----------
    account : numpy.ndarray of int, shape (n_rows,)
        Account numbers, ``0 <= account < n_accounts``.
    event_time : numpy.ndarray of int64, shape (n_rows,)
        Microseconds since the epoch.
    entered : numpy.ndarray of int, shape (n_rows,)
        First cutoff that sees the row, `n_cutoffs` or more if none does.

    Examples
    --------
    >>> found = log(np.array([1, 0, 1]), np.array([9, 5, 7]), np.array([0, 0, 0]), 3, 1)
    >>> found.order.tolist(), found.start.tolist()
    ([1, 2, 0], [0, 1, 3, 3])
    """
    n = len(account)
    rows_at_once = _share(n, n)
    n_blocks = max(1, -(-n // rows_at_once))
    place = np.zeros((n_blocks, n_accounts), dtype=np.int64)

    def count(first: int, last: int) -> None:
        _count(account, entered, n_cutoffs, place[first // rows_at_once], first, last)

    in_blocks(count, n, rows_at_once)
    start = np.zeros(n_accounts + 1, dtype=np.int64)
    np.cumsum(place.sum(axis=0), out=start[1:])
    # Each block of rows writes behind the blocks before it: the order is the same for any number of them.
    place = start[:-1] + np.cumsum(place, axis=0) - place
    order = np.empty(start[-1], dtype=np.int32 if n < 2**31 else np.int64)

    def spread(first: int, last: int) -> None:
        _spread(account, entered, n_cutoffs, place[first // rows_at_once], order, first, last)

    in_blocks(spread, n, rows_at_once)
    unsorted = Log(order, start, np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32))
    time = unsorted.take(event_time)

    over_accounts(
        Log(order, start, time, unsorted.entered),
        lambda first, last: _arrange(start, order, time, first, last),
    )
    return Log(order, start, time, unsorted.take(entered).astype(np.int32))


def over_accounts(log: Log, work: Callable[[int, int], None]) -> None:
    """Call ``work(first, last)`` for blocks of accounts, on all cores where there are enough rows."""
    in_blocks(work, log.n_accounts, _share(log.n_accounts, len(log.order)))


def _share(n: int, rows: int) -> int:
    """Return how many of n make a block, so that every core has several, if it is worth it."""
    blocks = BLOCKS_PER_CORE * cores() if rows >= LEAST_ROWS else 1
    return max(1, -(-n // blocks))


@kernel
def _count(account, entered, n_cutoffs, count, first, last):  # type: ignore[no-untyped-def]
    for i in range(first, last):
        if entered[i] < n_cutoffs:
            count[account[i]] += 1


@kernel
def _spread(account, entered, n_cutoffs, place, order, first, last):  # type: ignore[no-untyped-def]
    for i in range(first, last):
        if entered[i] < n_cutoffs:
            a = account[i]
            order[place[a]] = i
            place[a] += 1


@kernel
def _gather(column, order, found, first, last):  # type: ignore[no-untyped-def]
    for i in range(first, last):
        found[i] = column[order[i]]


@kernel
def _arrange(start, order, time, first, last):  # type: ignore[no-untyped-def]
    """Sort the rows of each account by time, where they are not sorted already, as logs mostly are."""
    for a in range(first, last):
        begin, end = start[a], start[a + 1]
        for i in range(begin + 1, end):
            if time[i] < time[i - 1]:
                by_time = np.argsort(time[begin:end], kind="mergesort")
                order[begin:end] = order[begin:end][by_time]
                time[begin:end] = time[begin:end][by_time]
                break
