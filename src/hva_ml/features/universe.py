"""Contract tables coded for the kernel: accounts as numbers, times as microseconds, categories as codes.

Account numbers follow the sorted ids, so nothing depends on the order of rows. It computes no feature.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.coding import Coder
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import MICROSECONDS_PER_DAY, Calendar
from hva_ml.errors import ConfigError, ContractError
from hva_ml.features.definition import FeatureDefinition
from hva_ml.features.log import Bools as Bools
from hva_ml.features.log import Floats as Floats
from hva_ml.features.log import Ints, Log, Small, log
from hva_ml.features.windows import NONE, enters


@dataclass(frozen=True)
class Feature:
    """A definition and its values: float64 with NaN where unknown, or an Arrow array of strings."""

    definition: FeatureDefinition
    values: "Floats | pa.Array"


@dataclass(frozen=True)
class Codes:
    """A category column as numbers.

    Attributes
    ----------
    codes : numpy.ndarray of int64, shape (n_rows,)
        Position in `values`, -1 where unknown.
    values : tuple of str
        Each value once, in no promised order.
    """

    codes: Ints
    values: tuple[str, ...]

    def strings(self) -> pa.Array:
        """Return the column as Arrow strings, null where unknown."""
        return pa.array(self.values, pa.string()).take(pa.array(self.codes, mask=self.codes < 0))

    def among(self, wanted: tuple[str, ...]) -> Bools:
        """Return where the value is one of `wanted`."""
        return np.isin(self.codes, [k for k, value in enumerate(self.values) if value in wanted])


@dataclass(frozen=True)
class CodedTable:
    """One contract table.

    Attributes
    ----------
    table : pyarrow.Table
        The rows themselves.
    account, event_time, known_at : numpy.ndarray of int64, shape (n_rows,)
        Account numbers and microseconds since the epoch.
    entered : numpy.ndarray of int64, shape (n_rows,)
        First cutoff that sees the row, see `windows.enters`.
    """

    table: pa.Table
    account: Ints
    event_time: Ints
    known_at: Ints
    entered: Ints
    _codes: dict[str, Codes] = field(default_factory=dict)

    def codes(self, column: str) -> Codes:
        """Return a column of strings as codes."""
        if column not in self._codes:
            self._codes[column] = coded(self.table[column])
        return self._codes[column]

    def items(self, column: str) -> Small:
        """Return a column of strings as numbers from 0, -1 where unknown: for telling them apart only."""
        return Coder().codes(self.table[column])

    def numbers(self, column: str) -> Floats:
        """Return a column of numbers or flags as float64, NaN where unknown."""
        values = self.table[column].cast(pa.float64())
        return np.asarray(values.to_numpy(), dtype=np.float64)

    def integers(self, column: str) -> tuple[Ints, Bools]:
        """Return a column of whole numbers with 0 where unknown, and where it is known."""
        values = self.table[column]
        known = np.asarray(pc.is_valid(values).to_numpy(), dtype=np.bool_)
        return _int64(pc.fill_null(values.cast(pa.int64()), 0)), known


@dataclass(frozen=True)
class Universe:
    """All accounts, all tables and the cutoffs.

    Attributes
    ----------
    ids : pyarrow.Array
        Ids of all accounts that any row names, parents included, sorted; an account's number is its place.
    tables : mapping of str to CodedTable
        By contract table.
    vouched : pyarrow.Table or None
        account_id and the static columns of `accounts`: the first version of each account, regardless of
        its clocks, because the user vouches for them.
    calendar : Calendar
        The cutoffs as days.
    cutoffs : numpy.ndarray of int64, shape (n_cutoffs,)
        The cutoffs in microseconds, strictly increasing.
    """

    ids: pa.Array
    tables: Mapping[str, CodedTable]
    vouched: pa.Table | None
    calendar: Calendar
    cutoffs: Ints
    _logs: dict[str, Log] = field(default_factory=dict)

    @property
    def n_accounts(self) -> int:
        """Number of accounts, parents included."""
        return len(self.ids)

    @property
    def n_cutoffs(self) -> int:
        """Number of cutoffs."""
        return len(self.cutoffs)

    @property
    def shape(self) -> tuple[int, int]:
        """(n_accounts, n_cutoffs)."""
        return self.n_accounts, self.n_cutoffs

    def table(self, name: str) -> CodedTable:
        """Return a coded table; raises ``ContractError`` if the hand-over lacks it."""
        if name not in self.tables:
            raise ContractError(
                f"The contract table '{name}' is missing.",
                where=name,
                why="Features, population or target need it.",
                fix=f"Declare [tables.{name}] and let its query return rows.",
            )
        return self.tables[name]

    def log(self, name: str) -> Log:
        """Return the rows of a table that any cutoff sees, by account and time; sorted at the first call."""
        if name not in self._logs:
            table = self.table(name)
            self._logs[name] = log(table.account, table.event_time, table.entered, *self.shape)
        return self._logs[name]

    def numbered(self, column: pa.ChunkedArray) -> Ints:
        """Return account numbers of a column of account ids, -1 where empty."""
        return _lookup(column, self.ids)


@dataclass(frozen=True)
class Rows:
    """Places in the grid of accounts and cutoffs, ordered by (cutoff, account_id).

    Attributes
    ----------
    account, cutoff : numpy.ndarray of int64, shape (n_rows,)
        Account number and position of the cutoff.
    """

    account: Ints
    cutoff: Ints

    @classmethod
    def where(cls, grid: Bools) -> "Rows":
        """Return the places at which a grid of shape (n_accounts, n_cutoffs) is true."""
        cutoff, account = np.nonzero(grid.T)
        return cls(account.astype(np.int64), cutoff.astype(np.int64))

    def pick(self, grid: Ints) -> Ints:
        """Return the values of a grid of shape (n_accounts, n_cutoffs) at these places."""
        picked: Ints = np.take(grid.ravel(), self.account * grid.shape[1] + self.cutoff)
        return picked

    def days_since(self, grid: Ints, cutoffs: Ints) -> Floats:
        """Return days from the times in a grid to the cutoff, NaN where the grid says ``NONE``."""
        time = self.pick(grid)
        known = time != NONE
        days = (cutoffs[self.cutoff] - np.where(known, time, 0)) / MICROSECONDS_PER_DAY
        return np.where(known, days, np.nan)


def universe(tables: ContractTables, calendar: Calendar, vouched: pa.Table | None = None) -> Universe:
    """Code contract tables for the kernel.

    Raises
    ------
    ConfigError
        If the cutoffs are not strictly increasing.
    """
    cutoffs = calendar.micros
    if np.any(np.diff(cutoffs) <= 0):
        raise ConfigError(
            "The cutoffs are not strictly increasing.", where="[cutoffs]", fix="Sort them and name each once."
        )
    columns = [t["account_id"] for t in tables.tables.values()]
    columns += [t["parent_id"] for n, t in tables.tables.items() if n == "accounts"]
    if vouched is not None:
        columns += [vouched[c] for c in ("account_id", "parent_id") if c in vouched.column_names]
    coder = Coder()
    codes = [coder.codes(column) for column in columns]
    found = coder.strings()
    order = pc.sort_indices(found)
    ids = found.take(order)
    number = np.empty(len(ids), dtype=np.int64)
    number[order.to_numpy()] = np.arange(len(ids))
    coded_tables = {}
    for place, (name, table) in enumerate(tables.tables.items()):
        event_time = _int64(table["event_time"].cast(pa.int64()))
        known_at = _int64(pc.coalesce(table["known_at"], table["event_time"]).cast(pa.int64()))
        account = number[codes[place]]
        coded_tables[name] = CodedTable(
            table, account, event_time, known_at, enters(event_time, known_at, cutoffs)
        )
    return Universe(ids, coded_tables, vouched, calendar, cutoffs)


def coded(column: pa.ChunkedArray) -> Codes:
    """Return a column of strings (or flags) as codes."""
    coder = Coder()
    codes = coder.codes(column).astype(np.int64)
    return Codes(codes, tuple(coder.strings().to_pylist()))


def _lookup(column: pa.ChunkedArray, ids: pa.Array) -> Ints:
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    places = _int64(pc.index_in(encoded.dictionary, value_set=ids).cast(pa.int64()))
    indices = _int64(pc.fill_null(encoded.indices.cast(pa.int64()), -1))
    return np.append(places, -1)[indices]


def _int64(column: "pa.Array | pa.ChunkedArray") -> Ints:
    if isinstance(column, pa.ChunkedArray):
        return np.asarray(column.to_numpy(), dtype=np.int64)
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.int64)
