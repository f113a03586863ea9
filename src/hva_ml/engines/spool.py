"""Rows that are read once and needed again: held in memory while they are few, else in the scratch folder.

What is spooled can be read piece by piece any number of times; its file is gone with the last reference.
"""

import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from hva_ml.engines.scratch import Scratch

GIB = 2**30
SHARE_HELD = 1 / 16
"""Part of the memory that one spool may hold; several of them are at work beside an engine."""
_LZ4 = pa.ipc.IpcWriteOptions(compression="lz4")


class ArrowFile:
    """A file of Arrow batches in a scratch folder, removed when nobody refers to it any more.

    Attributes
    ----------
    path : pathlib.Path
        Where it lies.
    """

    def __init__(self, path: Path, scratch: Scratch) -> None:
        self.path = path
        self._scratch = scratch  # which must not go before the file does
        weakref.finalize(self, path.unlink, missing_ok=True)


@dataclass(frozen=True)
class Spooled:
    """Rows of one schema, to be read any number of times.

    Attributes
    ----------
    schema : pyarrow.Schema
        Their columns.
    num_rows, nbytes : int
        How many, and how large they are in memory.
    source : pyarrow.Table or ArrowFile
        Where they are.
    """

    schema: pa.Schema
    num_rows: int
    nbytes: int
    source: pa.Table | ArrowFile

    @classmethod
    def of(cls, table: pa.Table) -> "Spooled":
        """Return a table as it is."""
        return cls(table.schema, table.num_rows, table.nbytes, table)

    def pieces(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Yield the rows in their order, piece by piece: at least one, even if there are none.

        Parameters
        ----------
        columns : sequence of str, optional
            Only these are read, in the order of the schema.
        """
        names = None if columns is None else [n for n in self.schema.names if n in columns]
        if isinstance(self.source, pa.Table):
            yield self.source if names is None else self.source.select(names)
            return
        with pa.ipc.open_file(str(self.source.path), options=self._reading(names)) as reader:
            for k in range(reader.num_record_batches):
                piece = pa.Table.from_batches([reader.get_batch(k)])
                yield piece if names is None else piece.select(names)

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return all rows at once, in memory."""
        return pa.concat_tables(self.pieces(columns))

    def _reading(self, names: list[str] | None) -> pa.ipc.IpcReadOptions:
        # No field at all would mean every field.
        places = [self.schema.names.index(n) for n in names] if names else None
        return pa.ipc.IpcReadOptions(included_fields=places)


class Spool:
    """Takes rows in, see `Store.spool`."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._held: list[pa.Table] = []
        self._num_rows = self._nbytes = 0
        self._file: ArrowFile | None = None
        self._writer: Any = None
        self._schema: pa.Schema | None = None

    def add(self, table: pa.Table) -> None:
        """Take some rows in; the first ones, maybe none, say which columns there are."""
        self._schema = self._schema or table.schema
        self._num_rows += table.num_rows
        self._nbytes += table.nbytes
        self._held.append(table)
        if self._writer is not None or self._nbytes > self._store.limit:
            self._spill()

    def close(self) -> Spooled:
        """Return all rows taken in; at least one table must have been."""
        assert self._schema is not None
        if self._writer is None:
            source: pa.Table | ArrowFile = pa.concat_tables(self._held)
        else:
            self._writer.close()
            assert self._file is not None
            source = self._file
        return Spooled(self._schema, self._num_rows, self._nbytes, source)

    def _spill(self) -> None:
        if self._writer is None:
            self._file = self._store.new_file()
            self._writer = pa.ipc.new_file(str(self._file.path), self._schema, options=_LZ4)
        for table in self._held:
            if table.num_rows:
                # One batch for each piece, whatever chunks it came in.
                self._writer.write_table(table.combine_chunks())
        self._held.clear()


class Store:
    """Where rows wait that are needed again.

    Parameters
    ----------
    within : pathlib.Path, optional
        Where a scratch folder may be made, with the first rows that do not fit.
    memory_gib : float, optional
        The memory that all work may take; without it everything is held.
    threads : int
        Cores for the work on what does not fit.
    share : float
        Part of the memory that one spool may hold; with 0, everything goes to disk.

    Attributes
    ----------
    limit : float
        Bytes that one spool may hold.
    """

    def __init__(
        self,
        within: Path | None = None,
        memory_gib: float | None = None,
        threads: int = 2,
        share: float = SHARE_HELD,
    ) -> None:
        self.within, self.memory_gib, self.threads = within, memory_gib, threads
        self.limit = float("inf") if memory_gib is None else memory_gib * GIB * share
        self._made = 0

    def spool(self) -> Spool:
        """Return a new spool."""
        return Spool(self)

    def keep(self, tables: Iterable[pa.Table]) -> Spooled:
        """Take in all of some tables of one schema, at least one."""
        spool = self.spool()
        for table in tables:
            spool.add(table)
        return spool.close()

    def new_file(self) -> ArrowFile:
        """Return a file that does not exist yet, in the store's own scratch folder."""
        self._made += 1
        return ArrowFile(self._scratch.path / f"{self._made}.arrow", self._scratch)

    @cached_property
    def _scratch(self) -> Scratch:
        return Scratch(self.within)
