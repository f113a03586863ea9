"""The hash of a table's content, made piece by piece: the same for any pieces, chunks and encodings."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

ROWS_OF_A_BATCH = 65_536


class Fingerprint:
    """The sha256 of an Arrow stream of batches of `ROWS_OF_A_BATCH` rows.

    Parameters
    ----------
    schema : pyarrow.Schema
        Of the table.

    Examples
    --------
    >>> table = pa.table({"a": [1, 2, 3]})
    >>> fingerprint([table.slice(0, 1), table.slice(1)]) == fingerprint([table])
    True
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._digest = hashlib.sha256()
        self._writer = pa.ipc.new_stream(pa.PythonFile(_Sink(self._digest), mode="w"), schema)
        self._waiting = [schema.empty_table()]
        self._n_waiting = 0

    def add(self, table: pa.Table) -> None:
        """Take in the rows that come next."""
        self._waiting.append(table)
        self._n_waiting += table.num_rows
        if self._n_waiting < ROWS_OF_A_BATCH:
            return
        rows = pa.concat_tables(self._waiting)
        whole = self._n_waiting - self._n_waiting % ROWS_OF_A_BATCH
        for first in range(0, whole, ROWS_OF_A_BATCH):
            self._write(rows.slice(first, ROWS_OF_A_BATCH))
        self._waiting, self._n_waiting = [rows.slice(whole)], self._n_waiting - whole

    def hexdigest(self) -> str:
        """Return the hash; no more rows are taken in then."""
        if self._n_waiting:
            self._write(pa.concat_tables(self._waiting))
        self._writer.close()
        return self._digest.hexdigest()

    def _write(self, rows: pa.Table) -> None:
        self._writer.write_batch(_bare(rows))


def fingerprint(pieces: Iterable[pa.Table]) -> str:
    """Return the hash of a table that comes in pieces, at least one."""
    made: Fingerprint | None = None
    for piece in pieces:
        made = made or Fingerprint(piece.schema)
        made.add(piece)
    assert made is not None
    return made.hexdigest()


def _bare(rows: pa.Table) -> pa.RecordBatch:
    """Return rows as one batch with nothing around them: not what lies under nulls, nor behind a slice."""
    fresh = rows.take(pa.array(np.arange(rows.num_rows))).combine_chunks()
    return fresh.to_batches()[0]


class _Sink:
    """What a writer takes for a file: bytes go into the hash and nowhere else."""

    closed = False

    def __init__(self, digest: Any) -> None:
        self._digest = digest

    def write(self, content: bytes) -> int:
        self._digest.update(content)
        return len(content)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """There is nothing to close."""
