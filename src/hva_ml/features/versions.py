"""The version of an account's master data that is valid and known at each cutoff, and who belongs to whom."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.contracts.records import ContractTables
from hva_ml.engines.base import plain
from hva_ml.features.universe import CodedTable, Codes, Floats, Rows, Universe, coded
from hva_ml.features.windows import NONE, Ints, latest


def vouched(tables: ContractTables, static: tuple[str, ...]) -> pa.Table | None:
    """Return account_id and the static columns of the first version of each account.

    The user vouches that these columns never change, so they are read regardless of both clocks.

    Parameters
    ----------
    tables : ContractTables
        With ``accounts``.
    static : tuple of str
        Stored names of columns of `accounts`; empty gives None.
    """
    if not static:
        return None
    table = tables.tables["accounts"].select(
        list(dict.fromkeys(("account_id", "event_time", "known_at", *static)))
    )
    table = table.sort_by([(name, "ascending") for name in table.column_names])
    ids = np.asarray(coded(table["account_id"]).codes)
    first = np.concatenate(([True], ids[1:] != ids[:-1]))[: len(ids)]
    return table.filter(pa.array(first)).select(list(dict.fromkeys(("account_id", *static))))


@dataclass(frozen=True)
class Versions:
    """Master data as of each cutoff.

    Attributes
    ----------
    universe : Universe
        Where the accounts come from.
    current : numpy.ndarray of int64, shape (n_accounts, n_cutoffs)
        Row of `accounts` in force, -1 where none is valid and known.
    fixed : numpy.ndarray of int64, shape (n_accounts,)
        Row of the vouched-for table, -1 where the account has none.
    """

    universe: Universe
    current: Ints
    fixed: Ints

    def _place(self, column: str, rows: Rows) -> tuple[pa.ChunkedArray, Ints]:
        table = self.universe.vouched
        if table is not None and column in table.column_names:
            return table[column], self.fixed[rows.account]
        return self.universe.table("accounts").table[column], rows.pick(self.current)

    def category(self, column: str, rows: Rows) -> Codes:
        """Return a column of strings as of the cutoff of each row."""
        values, place = self._place(column, rows)
        source = coded(values)
        return Codes(np.append(source.codes, -1)[place], source.values)

    def number(self, column: str, rows: Rows) -> Floats:
        """Return a column of numbers or flags as of the cutoff of each row, NaN where unknown."""
        values, place = self._place(column, rows)
        source = np.asarray(values.cast(pa.float64()).to_numpy(), dtype=np.float64)
        return np.append(source, np.nan)[place]

    def known(self, column: str, rows: Rows) -> npt.NDArray[np.bool_]:
        """Return where a version of the account (or a vouched-for value) is there at all."""
        return self._place(column, rows)[1] >= 0

    def parents(self, rows: Rows) -> Ints:
        """Return the account number of the direct parent as of the cutoff, -1 where none is known."""
        values, place = self._place("parent_id", rows)
        return np.append(self.universe.numbered(values), -1)[place]


def versions(universe: Universe) -> Versions:
    """Find the version of each account in force at each cutoff.

    Among the rows for which both clocks lie before the cutoff: the latest ``event_time``, then the latest
    ``known_at`` (a correction known later replaces what it corrects from then on), then by content.
    """
    accounts = universe.table("accounts")
    rank, order = ranks(accounts)
    current = latest(accounts.account, accounts.entered, rank, *universe.shape)
    fixed = np.full(universe.n_accounts, -1, dtype=np.int64)
    if universe.vouched is not None:
        fixed[universe.numbered(universe.vouched["account_id"])] = np.arange(universe.vouched.num_rows)
    return Versions(universe, np.append(order, -1)[np.where(current == NONE, -1, current)], fixed)


def ranks(table: CodedTable, by: tuple[str, ...] = ()) -> tuple[Ints, Ints]:
    """Return each row's place in the order of event_time, known_at, then content, and that order.

    Parameters
    ----------
    table : CodedTable
        Rows in any order.
    by : tuple of str
        Columns that settle ties, all by default.
    """
    names = by or tuple(n for n in table.table.column_names if n not in ("event_time", "known_at"))
    sorted_by = list(dict.fromkeys(("event_time", "known_at", *names)))
    words = plain(table.table.select(sorted_by))
    order = np.asarray(
        pc.sort_indices(words, [(n, "ascending") for n in sorted_by]).to_numpy(), dtype=np.int64
    )
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank, order


def ultimate(parent: Ints) -> Ints:
    """Follow direct parents to the ultimate one.

    A circle of parents is broken at its smallest account number, whoever asks.

    Parameters
    ----------
    parent : numpy.ndarray of int64, shape (n_accounts,)
        Account number of the direct parent, -1 where there is none.

    Returns
    -------
    numpy.ndarray of int64, shape (n_accounts,)
        The account itself where it has no parent.

    Examples
    --------
    >>> ultimate(np.array([-1, 0, 1, 4, 3])).tolist()
    [0, 0, 0, 3, 3]
    """
    here = np.arange(len(parent), dtype=np.int64)
    direct = np.where(parent < 0, here, parent)
    jump = direct
    smallest = np.minimum(here, jump)
    for _ in range(max(1, len(parent).bit_length())):
        if np.array_equal(direct[jump], jump):
            return jump
        smallest = np.minimum(smallest, smallest[jump])
        jump = jump[jump]
    return smallest[jump]


def mapped(codes: Codes, function: Callable[[str], str | None]) -> Codes:
    """Return the codes of ``function(value)`` for each value; -1 where it gives None."""
    given = [function(value) for value in codes.values]
    values = tuple(sorted({v for v in given if v is not None}))
    place = {value: k for k, value in enumerate(values)}
    table = np.array([place[v] if v is not None else -1 for v in given] + [-1], dtype=np.int64)
    return Codes(table[codes.codes], values)
