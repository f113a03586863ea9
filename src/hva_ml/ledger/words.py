"""The words of the coded columns: each once, numbered in the order in which they came."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.coding import Coder
from hva_ml.contracts.schema import TableContract

Small = npt.NDArray[np.int32]
SCHEMA = pa.schema([("column", pa.string()), ("word", pa.string())])


def coded(contract: TableContract) -> tuple[str, ...]:
    """Return the columns of a contract table that are kept as numbers: ids and categories that repeat."""
    return tuple(
        c.stored for c in contract.columns if c.kind in ("id", "category") and c.name != contract.key[0]
    )


class Words:
    """The words of some columns, to which new ones are added behind.

    Parameters
    ----------
    known : mapping of str to pyarrow.Array
        Words by column, each once.
    written : bool
        Whether they have been written down.

    Examples
    --------
    >>> words = Words({"type": pa.array(["call"])}, written=True)
    >>> words.codes("type", pa.array(["visit", "call", None])).to_pylist(), words.unwritten().num_rows
    ([1, 0, None], 1)
    """

    def __init__(self, known: Mapping[str, pa.Array], *, written: bool) -> None:
        self._coders = {name: Coder() for name in known}
        for name, words in known.items():
            self._coders[name].codes(words)
        self._written = {name: len(coder) if written else 0 for name, coder in self._coders.items()}

    def codes(self, column: str, values: pa.Array) -> pa.Array:
        """Return the numbers of values, int32, null where they are null; words not met before are added."""
        found = self._coders[column].codes(values)
        return pa.array(found, mask=found < 0)

    def all(self) -> dict[str, pa.Array]:
        """Return all words of each column."""
        return {name: coder.strings() for name, coder in self._coders.items()}

    def unwritten(self) -> pa.Table:
        """Return the words that were never given here, in their order: ``column``, ``word``."""
        new = {name: words.slice(self._written[name]) for name, words in self.all().items()}
        self._written = {name: len(coder) for name, coder in self._coders.items()}
        return _table(new)


def _table(words: Mapping[str, pa.Array]) -> pa.Table:
    names = np.repeat(np.arange(len(words)), [len(w) for w in words.values()])
    column = pa.array(list(words), pa.string()).take(pa.array(names))
    word = pa.concat_arrays([pa.array([], pa.string()), *words.values()])
    return pa.table([column, word], schema=SCHEMA)


def by_column(tables: list[pa.Table], columns: tuple[str, ...]) -> dict[str, pa.Array]:
    """Return the words of each column from tables of them, one behind the other."""
    whole = pa.concat_tables([SCHEMA.empty_table(), *tables])
    names = np.asarray(whole["column"].combine_chunks().dictionary_encode().indices)
    order = {n: k for k, n in enumerate(whole["column"].unique().to_pylist())}
    return {c: whole["word"].filter(pa.array(names == order.get(c, -1))).combine_chunks() for c in columns}


def renumbered(words: pa.Array, used: npt.NDArray[np.bool_]) -> tuple[pa.Array, Small]:
    """Return only the words in use, and the new number of each old one (-1 where it has none).

    Examples
    --------
    >>> words, number = renumbered(pa.array(["a", "b", "c"]), np.array([True, False, True]))
    >>> words.to_pylist(), number.tolist()
    (['a', 'c'], [0, -1, 1])
    """
    number = np.where(used, np.cumsum(used) - 1, -1).astype(np.int32)
    return words.filter(pa.array(used)), number
