"""A hash of rows that does not ask for their order, so that what a database gives back can be held to it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Words = npt.NDArray[np.uint64]
# Two sums under different keys: rows that cancel each other out in one do not do so in the other.
_KEYS = ("hva-ml row hash1", "hva-ml row hash2")
_ABSENT = np.uint64(0xA4093822299F31D0)


@dataclass(frozen=True)
class Fingerprint:
    """Number of rows, and a hash of their contents.

    Attributes
    ----------
    rows : int
        Number of rows.
    digest : str
        32 hex digits: two sums of 64-bit hashes, one for each row, over all rows.
    """

    rows: int
    digest: str


def fingerprint(tables: Iterable[pa.Table]) -> Fingerprint:
    """Return the fingerprint of all rows of some tables of one schema, in whatever order and pieces.

    It tells accidents, not an adversary who can compute it too. Minus zero counts as zero; null is told from
    the empty text and from every number.

    Parameters
    ----------
    tables : iterable of pyarrow.Table
        Columns of text, float64, whole numbers, flags or days.

    Examples
    --------
    >>> a = pa.table({"id": ["x", "y"], "v": [0.1, None]})
    >>> fingerprint([a]) == fingerprint([a.slice(1), a.slice(0, 1)])
    True
    >>> fingerprint([a]) == fingerprint([pa.table({"id": ["x", "y"], "v": [None, 0.1]})])
    False
    """
    rows, sums = 0, [0, 0]
    for table in tables:
        rows += table.num_rows
        for k, key in enumerate(_KEYS):
            sums[k] = (sums[k] + int(_hashes(table, key).sum(dtype=np.uint64))) % 2**64
    return Fingerprint(rows, "".join(f"{s:016x}" for s in sums))


def _hashes(table: pa.Table, key: str) -> Words:
    """Return one 64-bit hash for each row: columns are chained, so that none can change places."""
    seed = np.frombuffer(key.encode(), dtype=np.uint64)[1]
    found = np.full(table.num_rows, seed, dtype=np.uint64)
    for column in table.itercolumns():
        found = _mixed(found ^ _mixed(_words(column, key) + seed))
    return found


def _words(column: pa.ChunkedArray, key: str) -> Words:
    kind, null = column.type, column.is_null().to_numpy()
    if pa.types.is_string(kind):
        # Equal texts are hashed once: most columns have few.
        coded = pc.dictionary_encode(pa.chunked_array(column.chunks or [[]], kind).combine_chunks())
        told = np.append(coded.dictionary.to_numpy(zero_copy_only=False), "").astype(object)
        hashed = pd.util.hash_array(told, hash_key=key, categorize=False)
        words = hashed[np.asarray(pc.fill_null(coded.indices, len(told) - 1))]
    elif pa.types.is_floating(kind):
        # The bits decide; adding zero makes minus zero zero.
        words = (np.asarray(pc.fill_null(column, 0.0).to_numpy()) + 0.0).view(np.uint64)
    else:
        whole = column.cast(pa.int32()) if pa.types.is_date(kind) else column
        words = np.asarray(pc.fill_null(whole.cast(pa.int64()), 0).to_numpy()).view(np.uint64)
    found: Words = np.where(null, words ^ _ABSENT, words)
    return found


def _mixed(words: Words) -> Words:
    """Spread every bit over all (the finalizer of SplitMix64, Steele, Lea and Flood 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
