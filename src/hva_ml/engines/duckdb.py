"""The door to DuckDB: source queries run here, in UTC, within a stated memory, with no file access.

Files of DuckDB, which others read, are written here too.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds

from hva_ml.engines.base import (
    KEY,
    PLACES,
    CatalogTable,
    Engine,
    ParquetFiles,
    Relation,
    Work,
    failed,
    no_query,
    plain,
    without_values,
)
from hva_ml.engines.rows import Reads, reads
from hva_ml.engines.scratch import Scratch
from hva_ml.engines.spool import ArrowFile, Spooled
from hva_ml.errors import SourceError

ROWS_AT_ONCE = 131_072
_WORDS = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException, duckdb.SyntaxException)
"""Errors that quote a query, not rows."""
_PLACES = "places of accounts"
_PARQUET = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)
_LZ4 = pa.ipc.IpcWriteOptions(compression="lz4")


class DuckDBEngine(Engine):
    """A DuckDB of its own for one pipeline.

    Queries see only registered relations: reading files, extensions and settings are locked, so that a
    pipeline's data can come only from its declared sources.

    Parameters
    ----------
    threads : int
        Cores it may use.
    memory_gib : float
        What it may hold in memory, in GiB; beyond it, it writes to `scratch`. Tables that were registered,
        and results that were asked for, come on top.
    scratch : pathlib.Path, optional
        Where it may make a folder for what does not fit; closing removes that folder.
    """

    def __init__(self, threads: int = 2, memory_gib: float = 4.0, scratch: Path | None = None) -> None:
        self._scratch = Scratch(scratch)
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": str(threads),
                "memory_limit": f"{memory_gib}GiB",
                "temp_directory": str(self._scratch.path / "spilled"),
            },
        )
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")
        self._memory_gib = memory_gib
        self._names: list[str] = []
        self._kept: list[ArrowFile] = []

    @property
    def dialect(self) -> str:
        """``duckdb``."""
        return "duckdb"

    def register(self, name: str, source: Relation) -> None:
        """Make a table, or files on disk, visible to queries as the relation `name`."""
        if isinstance(source, CatalogTable):
            raise SourceError(
                f"The source '{name}' is a table of Spark's catalog, which DuckDB cannot read.",
                where=f"[sources.{name}]",
                fix='Use kind = "spark" in [engine], or --engine spark.',
            )
        if isinstance(source, Spooled):
            source = source.source
        if isinstance(source, ArrowFile):
            self._connection.register(name, ds.dataset([str(source.path)], format="ipc"))
            self._kept.append(source)
        elif isinstance(source, ParquetFiles):
            self._connection.register(name, _on_disk(source))
        else:
            self._connection.register(name, plain(source))
        if name not in self._names:
            self._names.append(name)

    def define(self, name: str, sql: str, where: str) -> None:
        """Run a query once and make its rows visible as the relation `name`; see ``Engine.define``."""
        try:
            self._select(sql, where).create(name)
        except duckdb.Error as error:
            raise self._failed(error, where) from error
        self._names.append(name)

    def rows(self, sql: str, where: str) -> Iterator[pa.Table]:
        """Run one query and yield its rows in pieces; see ``Engine.rows``."""
        yield from self._pieces(lambda: self._select(sql, where), where)

    def ordered(self, relation: str, by: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the rows of a relation in the order of some columns, nulls last, texts by their bytes."""
        columns = ", ".join(f'"{name}" ASC NULLS LAST' for name in by)
        yield from self._pieces(lambda: self._connection.table(relation).order(columns), relation)

    def _pieces(self, ask: Callable[[], duckdb.DuckDBPyRelation], where: str) -> Iterator[pa.Table]:
        try:
            reader = ask().to_arrow_reader(ROWS_AT_ONCE)
            yield plain(reader.schema.empty_table())
            for batch in reader:
                yield plain(pa.Table.from_batches([batch]))
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            # What goes wrong after the first rows comes through Arrow.
            raise self._failed(error, where) from error

    def reads(self, sql: str) -> Reads:
        """Say what a query reads, and whether it looks at each row by itself; see `rows.reads`."""
        [[tree]] = self._connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
        return reads(json.loads(tree))

    def partitions(
        self, relations: Sequence[str], places: pa.Table, count: int, work: Work
    ) -> Iterator[pa.Table]:
        """Do `work` on every partition of whole groups, one after the other; see ``Engine.partitions``.

        Rows are dealt to files of the scratch folder in one pass over each relation.
        """
        if count == 1:
            yield work({name: self._connection.table(name).to_arrow_table() for name in relations})
            return
        self._connection.register(_PLACES, places.select(PLACES))
        folder = self._scratch.path / "partitions"
        folder.mkdir()
        dealt = [self._dealt(name, folder / str(n), count) for n, name in enumerate(relations)]
        self._connection.unregister(_PLACES)
        for part in range(count):
            yield work({name: _taken(files[part]) for name, files in zip(relations, dealt, strict=True)})
        folder.rmdir()

    def close(self) -> None:
        """Close the database and remove all it has written."""
        self._connection.close()
        self._kept.clear()
        self._scratch.close()

    def _select(self, sql: str, where: str) -> duckdb.DuckDBPyRelation:
        statements = self._connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise no_query(where)
        return self._connection.sql(sql)

    def _dealt(self, relation: str, folder: Path, count: int) -> list[Path]:
        """Deal the rows of a relation to one file for each partition."""
        rows = self._connection.table(relation).set_alias("r")
        places = self._connection.table(_PLACES).set_alias("p")
        placed = rows.join(places, f"r.{KEY} = p.{KEY}", how="left").project(
            f"r.*, hash(coalesce(p.group_id, r.{KEY}, '')) % {count:d}"
        )
        reader = placed.to_arrow_reader(ROWS_AT_ONCE)
        schema = pa.schema(list(reader.schema)[:-1])
        folder.mkdir()
        files = [folder / str(part) for part in range(count)]
        writers = [pa.ipc.new_file(str(file), schema, options=_LZ4) for file in files]
        try:
            for batch in reader:
                part = batch.column(batch.num_columns - 1).to_numpy()
                order = np.argsort(part, kind="stable")
                ends = np.searchsorted(part[order], np.arange(count + 1))
                ordered = batch.select(schema.names).take(pa.array(order))
                for k in np.flatnonzero(np.diff(ends)):
                    writers[k].write_batch(ordered.slice(ends[k], ends[k + 1] - ends[k]))
        finally:
            for writer in writers:
                writer.close()
        return files

    def _failed(self, error: Exception, where: str) -> SourceError:
        text = str(error)
        # What is wrong with a query is told by its own words; what is wrong with rows, without theirs.
        text = (
            text.split("\n\nLINE")[0].replace("\n", " ")
            if isinstance(error, _WORDS)
            else without_values(text)
        )
        fix = ""
        if text.startswith("Out of Memory"):
            fix = f"Give it more than memory_gib = {self._memory_gib:g} in [engine], or free disk space."
        return failed(text, where, self._names, fix=fix)


class DuckDBFile:
    """A DuckDB file that is written once, or read.

    Parameters
    ----------
    path : pathlib.Path
        The file; it is made if it is not there and not only read.
    read_only : bool
        Readers share a file, also with those of other processes.

    Raises
    ------
    SourceError
        From every method, if DuckDB cannot do it.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self._where = str(path)
        with self._told():
            self._connection = duckdb.connect(self._where, read_only=read_only, config={"threads": "2"})
            self._connection.execute("SET enable_external_access = false")

    def create(self, name: str, schema: pa.Schema) -> None:
        """Make an empty table."""
        with self._told():
            self._connection.from_arrow(schema.empty_table()).create(name)

    def insert(self, name: str, table: pa.Table) -> None:
        """Add rows to a table."""
        with self._told():
            self._connection.from_arrow(table).insert_into(name)

    def batches(self, name: str, schema: pa.Schema) -> Iterator[pa.Table]:
        """Yield the rows of a table, its columns as in a schema; one that it does not have is null."""
        with self._told():
            for batch in self._connection.table(name).to_arrow_reader(ROWS_AT_ONCE):
                found = pa.table(batch)
                for field in schema:
                    if field.name not in found.column_names:
                        found = found.append_column(field, pa.nulls(found.num_rows, field.type))
                yield found.select(schema.names).cast(schema)

    def close(self) -> None:
        """Write everything to the one file and close it."""
        with self._told():
            self._connection.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            # DuckDB's own words may quote rows.
            raise SourceError(
                f"DuckDB could not do it: {type(error).__name__}.",
                where=self._where,
                fix="Check that it is a DuckDB file of this version that no other process writes to.",
            ) from None


def _on_disk(source: ParquetFiles) -> ds.Dataset:
    whole = ds.dataset([str(path) for path in source.paths], format=_PARQUET)
    if not source.groups:
        return whole
    [file] = whole.get_fragments()
    part = file.subset(row_group_ids=list(source.groups))
    return ds.FileSystemDataset([part], whole.schema, _PARQUET)


def _taken(file: Path) -> pa.Table:
    """Read a file of one partition and remove it."""
    with pa.ipc.open_file(str(file)) as reader:
        table = reader.read_all()
    file.unlink()
    if not any(file.parent.iterdir()):
        file.parent.rmdir()
    return table
