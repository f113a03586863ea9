"""Rows in the order of their key, whole keys together; sorted in memory, or on disk if they are too many."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.engines.duckdb import DuckDBEngine
from hva_ml.engines.spool import Spooled, Store

ROW = "row number"
"""Column that says which row of the query result each one is."""
SHARE_SORTING = 1 / 4
"""Part of the memory in which rows are sorted that do not fit."""
_ROWS_AT_ONCE = 65_536

Key = tuple[str, ...]


def in_order(rows: Spooled, key: Key, store: Store) -> Iterator[pa.Table]:
    """Yield rows in the order of their key, then of their numbers; all rows of a key come in one table.

    Parameters
    ----------
    rows : Spooled
        Without empty keys, in the order of their numbers (`ROW`).
    key : tuple of str
        Columns of the key.
    store : Store
        How much memory there is, and where to sort what is more.
    """
    if _ascending(rows, key):
        yield from rows.pieces()
    elif isinstance(rows.source, pa.Table):
        # Arrow keeps the order of rows with equal keys.
        yield rows.source.take(pc.sort_indices(rows.source, [(name, "ascending") for name in key]))
    else:
        yield from _whole_keys(_sorted(rows, key, store), key)


def _ascending(rows: Spooled, key: Key) -> bool:
    """Return whether the keys come in their order already, and none twice."""
    before: pa.Table | None = None
    for piece in rows.pieces(key):
        joined = piece if before is None else pa.concat_tables([before, piece])
        for first in range(0, joined.num_rows - 1, _ROWS_AT_ONCE):
            if not _rising(joined.slice(first, _ROWS_AT_ONCE + 1), key):
                return False
        before = joined.slice(max(joined.num_rows - 1, 0))
    return True


def _rising(rows: pa.Table, key: Key) -> bool:
    later = np.zeros(rows.num_rows - 1, dtype=bool)
    for name in reversed(key):
        one, next_ = rows[name][:-1], rows[name][1:]
        later = _true(pc.less(one, next_)) | (_true(pc.equal(one, next_)) & later)
    return bool(later.all())


def _sorted(rows: Spooled, key: Key, store: Store) -> Iterator[pa.Table]:
    assert store.memory_gib is not None
    engine = DuckDBEngine(store.threads, store.memory_gib * SHARE_SORTING, store.within)
    try:
        engine.register("cast", rows)
        yield from engine.ordered("cast", (*key, ROW))
    finally:
        engine.close()


def _whole_keys(pieces: Iterator[pa.Table], key: Key) -> Iterator[pa.Table]:
    """Yield sorted rows in other pieces: the rows of the last key wait for the next piece."""
    waiting = next(pieces)
    for piece in pieces:
        joined = pa.concat_tables([waiting, piece])
        last = _beginning_of_last(joined, key)
        yield joined.slice(0, last)
        waiting = joined.slice(last)
    yield waiting


def _beginning_of_last(rows: pa.Table, key: Key) -> int:
    """Return the row with which the last key begins."""
    changes = np.zeros(max(rows.num_rows - 1, 0), dtype=bool)
    for name in key:
        changes |= _true(pc.not_equal(rows[name][:-1], rows[name][1:])) if len(changes) else changes
    places = np.flatnonzero(changes)
    return int(places[-1]) + 1 if len(places) else 0


def _true(found: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(found.to_numpy(), dtype=bool)
