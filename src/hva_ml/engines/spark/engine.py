"""The same queries and the same work on partitions as DuckDB, on Spark."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from hva_ml.engines.base import KEY as ACCOUNT
from hva_ml.engines.base import (
    PLACES,
    CatalogTable,
    Engine,
    ParquetFiles,
    Relation,
    Work,
    failed,
    plain,
    without_values,
)
from hva_ml.engines.rows import Reads
from hva_ml.engines.scratch import Scratch
from hva_ml.engines.spark import guard
from hva_ml.engines.spark.frames import mapped
from hva_ml.engines.spark.session import ROWS_AT_ONCE, quiet, session
from hva_ml.engines.spark.task import (
    ERROR,
    KEY,
    PAYLOAD,
    RELATION,
    SCHEMA,
    Task,
    column,
    pieces_packed,
    unpacked,
)
from hva_ml.engines.spool import Spooled
from hva_ml.errors import HvaError, SourceError

_PYTHON = re.compile(r"^[\w.]*(?:Error|Exception)\b.*", re.MULTILINE)
_CONDITION = re.compile(r"\[[A-Z_.0-9]+\] .*")

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class SparkEngine(Engine):
    """Source queries and partitions on Spark: a local one, or the one that runs in this process already.

    Where executors live on other machines, they need this package, and `scratch` must lie on a file system
    that they see.

    Parameters
    ----------
    threads, memory_gib : int, float
        Of a local Spark: cores, and memory of its Java process in GiB; beyond it, Spark spills to disk. The
        work on a partition runs in Python processes beside it, one for each core.
    scratch : pathlib.Path, optional
        Where it may make folders for what does not fit; they are removed.

    Raises
    ------
    HvaError
        If pyspark or Java is missing.
    """

    def __init__(self, threads: int = 2, memory_gib: float = 4.0, scratch: Path | None = None) -> None:
        self._spark = session(threads, memory_gib, scratch)
        self._scratch = Scratch(scratch)
        self._names: list[str] = []

    @property
    def dialect(self) -> str:
        """``spark``."""
        return "spark"

    def register(self, name: str, source: Relation) -> None:
        """Make a table, or files on disk, visible to queries as the relation `name`."""
        try:
            self._view(name, self._read(source))
        except _errors() as error:
            raise SourceError(
                f"Spark cannot read the source '{name}': {_short(error)}.",
                where=f"[sources.{name}]",
                fix='Leave the column out, give it another type, or use kind = "duckdb" in [engine].',
            ) from error

    def define(self, name: str, sql: str, where: str) -> None:
        """Make the result of a query visible as the relation `name`; see ``Engine.define``."""
        self._view(name, self._asked(sql, where, lambda frame: frame))

    def rows(self, sql: str, where: str) -> Iterator[pa.Table]:
        """Run one query and yield its rows in pieces, in their order; see ``Engine.rows``."""
        frame, empty = self._asked(sql, where, lambda frame: (frame, _empty(frame)))
        yield empty
        with quiet():
            pieces = mapped(frame, pieces_packed, SCHEMA)
        try:
            yield from (plain(piece).cast(empty.schema) for piece in _handed_over(pieces))
        except _errors() as error:
            raise failed(_short(error), where, self._names) from error

    def query(self, sql: str, where: str) -> pa.Table:
        """Run one query and return all its rows: few of them, for which no Python need start."""
        return plain(self._asked(sql, where, lambda frame: frame.toArrow()))

    def reads(self, sql: str) -> Reads:
        """Say what a query reads; Spark gives no syntax tree to tell it by."""
        del sql
        return Reads(frozenset(), "Spark does not tell whether it looks at each row by itself")

    def partitions(
        self, relations: Sequence[str], places: pa.Table, count: int, work: Work
    ) -> Iterator[pa.Table]:
        """Do `work` on every partition of whole groups, one on each core; see ``Engine.partitions``.

        Rows are shuffled by group once, all relations together, each row under the number of its relation.
        """
        with quiet():
            frames = {name: self._spark.table(name) for name in relations}
            empty = {name: _empty(frame) for name, frame in frames.items()}
            task = Task(work, tuple((name, table.schema) for name, table in empty.items()))
            tagged = self._tagged(list(frames.values()), places)
            results = tagged.repartition(count, KEY).mapInArrow(task, SCHEMA)
        try:
            made = _handed_over(results)
            first = next(made, None)
            yield work(empty) if first is None else first
            yield from made
        except _errors() as error:
            raise HvaError(
                f"Spark could not finish a partition: {_short(error)}.",
                where="[engine]",
                fix="If memory ran out, raise partitions or memory_gib.",
            ) from error

    def close(self) -> None:
        """Drop the relations and remove all that was written; Spark itself stays for the next engine."""
        for name in self._names:
            self._spark.catalog.dropTempView(name)
        self._names.clear()
        self._scratch.close()

    def _read(self, source: Relation) -> "DataFrame":
        if isinstance(source, CatalogTable):
            return self._spark.table(source.name)
        if isinstance(source, ParquetFiles):
            paths = [self._readable(path) for path in source.paths]
        else:
            spooled = source if isinstance(source, Spooled) else Spooled.of(source)
            paths = [self._new_file()]
            with pq.ParquetWriter(paths[0], plain(spooled.schema.empty_table()).schema) as writer:
                for piece in spooled.pieces():
                    writer.write_table(plain(piece), row_group_size=ROWS_AT_ONCE)
        reader = self._spark.read.option("parquet.page.verify-checksum.enabled", "true")
        return reader.parquet(*map(str, paths))

    def _readable(self, path: Path) -> Path:
        """Return a file whose times Spark can read: itself, or a copy that counts microseconds."""
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            schema = file.schema_arrow
            if pa.timestamp("ns") not in [
                pa.timestamp(t.unit) for t in schema.types if pa.types.is_timestamp(t)
            ]:
                return path
            copy = self._new_file()
            with pq.ParquetWriter(copy, plain(schema.empty_table()).schema) as writer:
                for batch in file.iter_batches(ROWS_AT_ONCE):
                    writer.write_table(plain(pa.Table.from_batches([batch])))
        return copy

    def _new_file(self) -> Path:
        return self._scratch.path / f"{len(list(self._scratch.path.iterdir()))}.parquet"

    def _view(self, name: str, frame: "DataFrame") -> None:
        frame.createOrReplaceTempView(name)
        self._names.append(name)

    def _tagged(self, frames: "list[DataFrame]", places: pa.Table) -> "DataFrame":
        """Return the rows of all relations, each with the key of its partition and its relation's number."""
        from pyspark.sql import functions

        groups = self._read(places.select(PLACES))
        found = []
        for number, frame in enumerate(frames):
            joined = frame.join(groups, frame[ACCOUNT] == groups[ACCOUNT], "left")
            key = functions.coalesce(groups["group_id"], frame[ACCOUNT], functions.lit(""))
            columns = [frame[c].alias(column(number, place)) for place, c in enumerate(frame.columns)]
            found.append(joined.select(key.alias(KEY), functions.lit(number).alias(RELATION), *columns))
        return reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), found)

    def _asked(self, sql: str, where: str, ask: Callable[["DataFrame"], Any]) -> Any:
        with quiet():
            try:
                return ask(guard.select(self._spark, sql, where))
            except _errors() as error:
                raise failed(_short(error), where, self._names) from error


def _empty(frame: "DataFrame") -> pa.Table:
    """Return no rows, with the columns of a frame."""
    return plain(frame.limit(0).toArrow())


def _handed_over(results: "DataFrame") -> Iterator[pa.Table]:
    """Yield the tables of packed results: all are made at once, and wait on the disks of the executors."""
    from pyspark import StorageLevel

    with quiet():
        results.persist(StorageLevel.DISK_ONLY)
    try:
        results.count()
        for row in results.toLocalIterator(prefetchPartitions=True):
            yield unpacked(row[PAYLOAD], row[ERROR])
    finally:
        results.unpersist()


def _of_the_query() -> tuple[type[Exception], ...]:
    """Return the errors that quote a query, not rows."""
    from pyspark.errors import AnalysisException, ParseException

    return AnalysisException, ParseException


def _errors() -> tuple[type[Exception], ...]:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    return PySparkException, Py4JError


def _short(error: Exception) -> str:
    """Return what Spark says in one line, without plans and stack traces: the condition it names.

    Of an error in Python beside the data, what it says.
    """
    text, _, python = str(error).partition("Traceback")
    named = _PYTHON.search(python) or _CONDITION.search(text)
    told = (named[0] if named else text.strip()).split(" SQLSTATE")[0].split("; line ")[0]
    if not isinstance(error, _of_the_query()):
        told = without_values(told)
    return told.splitlines()[0].strip().rstrip(".")[:300]
