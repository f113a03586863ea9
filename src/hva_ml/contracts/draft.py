"""A table on its way through the contract: which rows are still clean, which are set aside and why."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.coding import Hashes, hashes, mixed
from hva_ml.contracts.casting import Cells
from hva_ml.contracts.notes import Note
from hva_ml.contracts.records import Violation
from hva_ml.contracts.schema import TableContract
from hva_ml.errors import MAX_IDS

Mask = npt.NDArray[np.bool_]
Longs = npt.NDArray[np.int64]


class Draft:
    """Collects the columns read, the rows set aside and the findings of one table.

    A row is set aside once, under the first code that meets it; later findings may count it too.

    Parameters
    ----------
    contract : TableContract
        What the table should be.
    raw : pyarrow.Table
        What the query returned.

    Attributes
    ----------
    names : tuple of str
        Columns that the query returned.
    delivered : int
        Rows that the query returned.
    columns : dict of str to pyarrow.Array
        Columns read, by stored name, of shape (n_rows,).
    given : dict of str to int
        By optional column, how many cells are not null.
    cells : dict of str to Cells
        By column, how many cells could be read.
    usable : bool
        False if the table as a whole is of no use.
    doubtful : bool
        Whether a column was judged as a whole: parts of the table, read alone, might be judged otherwise.
    """

    def __init__(self, contract: TableContract, raw: pa.Table) -> None:
        self.contract = contract
        self.raw = _takeable(raw)
        self.names: tuple[str, ...] = tuple(raw.column_names)
        self.delivered: int = raw.num_rows
        self.columns: dict[str, pa.Array] = {}
        self.given: dict[str, int] = {}
        self.cells: dict[str, Cells] = {}
        self.notes: list[Note] = []
        self.usable = True
        self.doubtful = False
        self._reason: npt.NDArray[np.int16] = np.zeros(raw.num_rows, dtype=np.int16)  # number of the code

    @property
    def clean(self) -> Mask:
        """Rows not set aside, of shape (n_rows,)."""
        return np.asarray(self._reason == 0)

    @property
    def reasons(self) -> npt.NDArray[np.int16]:
        """Number of the code by which each row is set aside, 0 for clean ones, shape (n_rows,)."""
        return self._reason

    @property
    def found(self) -> tuple[Violation, ...]:
        """The findings, in the order in which they were made."""
        return tuple(n.violation() for n in self.notes if n.said)

    def set_aside_by(self, code: str) -> int:
        """Return how many rows are set aside under `code`."""
        return int((self._reason == number(code)).sum())

    def note(
        self, code: str, column: str = "", rows: Mask | None = None, count: int = 0, *, what: str = "",
        fix: str = "",
    ) -> None:  # fmt: skip
        """Report a finding; with `rows`, only if there are any."""
        if rows is not None:
            count = int(rows.sum())
        where = f"{self.contract.name}.{column}" if column else self.contract.name
        keys = self._smallest(rows) if rows is not None and count else ()
        self.notes.append(Note(code, where, count, keys, rows is None or count > 0, what, fix))

    def set_aside(self, code: str, column: str, rows: Mask, *, what: str = "", fix: str = "") -> None:
        """Report a finding and put its rows into quarantine."""
        self.note(code, column, rows, what=what, fix=fix)
        self._reason[rows & self.clean] = number(code)

    def give_up(self, code: str, column: str = "", *, what: str = "", fix: str = "") -> None:
        """Report that the whole table is unusable; all its rows go into quarantine."""
        self.note(code, column, count=self.delivered, what=what, fix=fix)
        self._reason[self.clean] = number(code)
        self.usable = False

    def keys(self, rows: Mask) -> pa.Array | None:
        """Return the first column of the key at such rows; None as long as it is not read."""
        key = self.columns.get(self.contract.key[0])
        return None if key is None else key.filter(pa.array(rows))

    def key_hashes(self) -> Hashes:
        """Return a hash of each row's key, shape (n_rows,): different hashes mean different keys."""
        return hashes_of(self.columns, self.contract.key)

    def rows(self, places: Longs) -> pa.Table:
        """Return rows under the contract's schema; columns not read are null."""
        at = pa.array(places, pa.int64())
        taken = {name: column.take(at) for name, column in self.columns.items()}
        return _under(self.contract, taken, len(places))

    def settle(self) -> tuple[pa.Table, pa.Table]:
        """Return the clean rows sorted by key, and the others as they came, with ``violation_code``."""
        kept = self.clean_rows()
        kept = kept.take(pc.sort_indices(kept, sort_keys=[(k, "ascending") for k in self.contract.key]))
        return kept.combine_chunks(), set_aside(self.raw, self._reason)

    def clean_rows(self) -> pa.Table:
        """Return the clean rows under the contract's schema, in the order in which they came."""
        table = _under(self.contract, self.columns, len(self._reason))
        return table if self.clean.all() else table.filter(pa.array(self.clean))

    def _smallest(self, rows: Mask) -> tuple[str, ...]:
        """Return at most five keys of such rows, the smallest ones; the same in any row order."""
        key = self.keys(rows)
        if key is None:
            return ()
        some = pc.unique(key).drop_null()
        order = pc.select_k_unstable(some, k=min(MAX_IDS, len(some)), sort_keys=[("", "ascending")])
        return tuple(some.take(order).to_pylist())


def _under(contract: TableContract, columns: dict[str, pa.Array], n: int) -> pa.Table:
    schema = contract.arrow_schema
    return pa.table([columns.get(f.name, pa.nulls(n, f.type)) for f in schema], schema=schema)


def set_aside(raw: pa.Table, reasons: npt.NDArray[np.integer[Any]]) -> pa.Table:
    """Return the rows with the number of a code, as they came, with a last column ``violation_code``."""
    places = np.flatnonzero(reasons)
    codes = pa.array([f"HVD{r:03d}" for r in reasons[places]], pa.string())
    return _takeable(raw).take(pa.array(places, pa.int64())).append_column("violation_code", codes)


def number(code: str) -> int:
    """Return the number by which `Draft.reasons` holds a code."""
    return int(code.removeprefix("HVD"))


def _takeable(raw: pa.Table) -> pa.Table:
    """Return the same rows without view types, of which Arrow cannot take single rows."""
    plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    fields = [f.with_type(plain.get(f.type, f.type)) for f in raw.schema]
    return raw.cast(pa.schema(fields)) if any(f.type in plain for f in raw.schema) else raw


def hashes_of(columns: dict[str, pa.Array], key: tuple[str, ...]) -> Hashes:
    """Return a hash of each row's key of an id and, where there are more, times; shape (n_rows,)."""
    found = hashes(columns[key[0]])
    for name in key[1:]:
        numbers = columns[name].cast(pa.int64()).fill_null(0)
        found = mixed(found, np.asarray(numbers, dtype=np.int64))
    return found


def shared(key_hashes: Hashes, clean: Mask) -> Longs:
    """Return the clean rows whose hash another clean row has, too: only they can share their key.

    Examples
    --------
    >>> shared(np.array([7, 8, 7, 8], np.uint64), np.array([True, True, True, False])).tolist()
    [0, 2]
    """
    ordered = np.sort(key_hashes if clean.all() else key_hashes[clean])
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):
        return np.empty(0, dtype=np.int64)
    place = np.minimum(np.searchsorted(twice, key_hashes), len(twice) - 1)
    return np.flatnonzero(clean & (twice[place] == key_hashes))


def repeated(table: pa.Table, key: tuple[str, ...]) -> tuple[Mask, Mask]:
    """Find rows that share their key.

    Parameters
    ----------
    table : pyarrow.Table
        Rows of a contract table without empty keys.
    key : tuple of str
        Its key.

    Returns
    -------
    copies : numpy.ndarray
        Rows equal to an earlier row in every column, of shape (n_rows,).
    conflicts : numpy.ndarray
        All other rows whose key also stands for other content, of shape (n_rows,).
    """
    n = table.num_rows
    copies, conflicts = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    if n < 2:
        return copies, conflicts
    keyed = table.select(list(key)).to_pandas()
    places = np.flatnonzero(keyed.duplicated(keep=False).to_numpy())
    if len(places):
        same = table.take(pa.array(places)).to_pandas(types_mapper=pd.ArrowDtype)
        copy = same.duplicated(keep="first").to_numpy()
        copies[places] = copy
        left = same[~copy]
        conflicts[places[~copy]] = left.duplicated(subset=list(key), keep=False).to_numpy()
    return copies, conflicts
