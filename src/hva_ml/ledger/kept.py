"""A draft of a table from the ledger: its rows were read before, and are judged as if they came today."""

from typing import Any

import numpy as np
import pyarrow as pa

from hva_ml.coding import Hashes
from hva_ml.contracts.draft import Draft, Longs, Mask
from hva_ml.contracts.schema import TableContract
from hva_ml.ledger.book import HASH, Book


class Kept(Draft):
    """The draft of a table whose rows are in a book.

    Columns of words are dictionaries. The first column of the key is read only where it is asked for.

    Parameters
    ----------
    contract : TableContract
        The table.
    book : Book
        Its rows.
    names : tuple of str
        Columns that the query returns.
    whole_key : bool
        Whether the settled table has the first column of the key, too.
    """

    def __init__(
        self, contract: TableContract, book: Book, names: tuple[str, ...], *, whole_key: bool
    ) -> None:
        super().__init__(contract, pa.table({}))
        rows = book.rows()
        self._book, self._whole_key, self._n = book, whole_key, rows.num_rows
        self.names = names
        self.delivered, self.given, notes = book.found()
        self.notes = list(notes)
        self._hashes: Hashes = rows[HASH].to_numpy()
        self.columns = {n: rows[n].combine_chunks() for n in rows.column_names if n != HASH}
        self._reason = np.zeros(self._n, dtype=np.int16)

    def keys(self, rows: Mask) -> pa.Array:
        """Return the first column of the key at such rows."""
        return self._book.keys(np.flatnonzero(rows))

    def key_hashes(self) -> Hashes:
        """Return a hash of each row's key, shape (n_rows,)."""
        return self._hashes

    def rows(self, places: Longs) -> pa.Table:
        """Return rows under the contract's schema; see ``Draft.rows``."""
        at = pa.array(places, pa.int64())
        taken: dict[str, Any] = {name: column.take(at) for name, column in self.columns.items()}
        taken[self.contract.key[0]] = self._book.keys(places)
        schema = self.contract.arrow_schema
        return pa.table([taken[f.name].cast(f.type) for f in schema], schema=schema)

    def settle(self) -> tuple[pa.Table, pa.Table]:
        """Return the clean rows in no promised order, and no others: those are not kept."""
        return self.clean_rows(), pa.table({})

    def clean_rows(self) -> pa.Table:
        """Return the clean rows, columns of words as dictionaries."""
        columns = dict(self.columns)
        if self._whole_key:
            first = self.contract.key[0]
            columns[first] = self._book.keys(np.arange(self._n))
        table = pa.table({n: columns[n] for n in self.contract.arrow_schema.names if n in columns})
        return table if self.clean.all() else table.filter(pa.array(self.clean))
