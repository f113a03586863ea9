"""A sink in one DuckDB file: each night a new file takes its place by one step, under whoever reads it."""

import secrets
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from hva_ml.config import Sink as Settings
from hva_ml.config import SinkTable
from hva_ml.delivery.current import Current
from hva_ml.delivery.fingerprint import Fingerprint, fingerprint
from hva_ml.delivery.parcel import Parcel
from hva_ml.delivery.shapes import SCHEMAS
from hva_ml.engines.duckdb import DuckDBFile
from hva_ml.errors import DeliveryError
from hva_ml.folders import PART, sync

_CURRENT = pa.schema(
    [
        *((name, pa.string()) for name in ("pipeline", "run_id")),
        ("as_of", pa.date32()),
        *((name, pa.string()) for name in ("model_version", "manifest_sha256", "currency")),
        ("stale", pa.bool_()),
        ("missing_as_of", pa.date32()),
        *(entry for t in SCHEMAS for entry in ((f"{t}_rows", pa.int64()), (f"{t}_hash", pa.string()))),
    ]
)


class DuckDBSink:
    """A DuckDB file with the same names as in a database, ``<prefix>current``, ``<prefix>scores`` ….

    The file belongs to the sink: what others put into it is gone with the next night. Who has it open goes
    on reading the night before until it is opened again.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    settings : hva_ml.config.Sink
        Prefix and tables.
    where : str
        The sink in words, for errors.
    """

    def __init__(self, path: Path, settings: Settings, where: str) -> None:
        self._path, self._where = path, where
        self._prefix, self._tables = settings.prefix, settings.tables

    def current(self) -> Current | None:
        """Return which run readers see, None before the first.

        Raises
        ------
        SourceError
            If there is a file that is none of ours, or that somebody writes to.
        """
        if not self._path.exists():
            return None
        with closing(DuckDBFile(self._path, read_only=True)) as file:
            rows = [r for t in file.batches(f"{self._prefix}current", _CURRENT) for r in t.to_pylist()]
        return Current.of(rows[0]) if len(rows) == 1 else None

    def holds(self, parcel: Parcel, shown: Current) -> bool:
        """Return whether readers see this run, every row of it."""
        if not (parcel.current.told_as(shown) and parcel.current.same_run(shown, self._tables)):
            return False
        with closing(DuckDBFile(self._path, read_only=True)) as file:
            return all(self._back(file, t) == shown.contents[t] for t in self._tables)

    def deliver(self, parcel: Parcel) -> Current:
        """Write a new file, read it back, and put it in the place of the one before.

        Raises
        ------
        DeliveryError
            If the file gives back something else, or holds another pipeline; nothing has changed then.
        SourceError
            If DuckDB cannot do it.
        IntegrityError
            If the published run is damaged.
        """
        before = self.current()
        if before is not None and before.pipeline != parcel.pipeline:
            raise DeliveryError(
                f"This file holds the scores of another pipeline, '{before.pipeline[:60]}'.",
                where=self._where,
                why="Two pipelines in one file would replace each other every night.",
                fix="Give each sink a path of its own.",
            )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for left in self._path.parent.glob(f".{self._path.name}.*{PART}*"):
            left.unlink()
        part = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}{PART}")
        try:
            shown = self._write(part, parcel)
            sync(part)
            part.replace(self._path)
        finally:
            part.unlink(missing_ok=True)
        sync(self._path.parent)
        return shown

    def _write(self, part: Path, parcel: Parcel) -> Current:
        with closing(DuckDBFile(part, read_only=False)) as file:
            contents = {table: self._table(file, table, parcel) for table in self._tables}
            shown = replace(parcel.current, contents=contents)
            file.create(f"{self._prefix}current", _CURRENT)
            file.insert(f"{self._prefix}current", pa.Table.from_pylist([shown.row()], schema=_CURRENT))
        with closing(DuckDBFile(part, read_only=True)) as file:
            for table in self._tables:
                if self._back(file, table) != contents[table]:
                    raise DeliveryError(
                        f"The file gives back other rows of '{table}' than were written.",
                        where=self._where,
                        why="Readers would see numbers that nobody has computed.",
                        fix="Check the disk, then hva deliver again.",
                    )
        return shown

    def _table(self, file: DuckDBFile, table: SinkTable, parcel: Parcel) -> Fingerprint:
        file.create(f"{self._prefix}{table}", SCHEMAS[table])
        for piece in parcel.pieces(table):
            file.insert(f"{self._prefix}{table}", piece)
        return fingerprint(parcel.pieces(table))

    def _back(self, file: DuckDBFile, table: SinkTable) -> Fingerprint:
        return fingerprint(file.batches(f"{self._prefix}{table}", SCHEMAS[table]))
