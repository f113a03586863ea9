"""What every engine can do: see sources, run the user's queries, and work on partitions of whole groups.

It knows no contract and computes no feature: the work is handed in.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import pyarrow as pa

from hva_ml.engines.rows import Reads
from hva_ml.engines.spool import Spooled
from hva_ml.errors import SourceError

Work = Callable[[Mapping[str, pa.Table]], pa.Table]
"""From the rows of one partition, by relation, to one table; it must not depend on the order of rows."""

KEY = "account_id"
PLACES = (KEY, "group_id")


@dataclass(frozen=True)
class ParquetFiles:
    """A source that stays on disk and is read when it is asked for, at most once a query.

    Attributes
    ----------
    paths : tuple of Path
        The files.
    groups : tuple of int
        Of a single file, only these row groups; empty for all.
    """

    paths: tuple[Path, ...]
    groups: tuple[int, ...] = ()


@dataclass(frozen=True)
class CatalogTable:
    """A table that Spark's catalog knows, read where it lies; no other engine can.

    Attributes
    ----------
    name : str
        With its catalog and database, as far as needed.
    """

    name: str


Relation: TypeAlias = pa.Table | ParquetFiles | Spooled | CatalogTable


class Engine(Protocol):
    """Runs the source queries of a pipeline in the engine's own dialect, and moves rows; it never computes.

    Queries see only what was registered or defined: files, commands and calls into the system are refused.
    """

    @property
    def dialect(self) -> str:
        """Name of the SQL dialect: ``<query>.<dialect>.sql`` is preferred to ``<query>.sql``."""
        ...

    def register(self, name: str, source: Relation) -> None:
        """Make a table, or files on disk, visible to queries as the relation `name`."""
        ...

    def define(self, name: str, sql: str, where: str) -> None:
        """Make the result of a query visible as the relation `name`; errors as of `query`."""
        ...

    def rows(self, sql: str, where: str) -> Iterator[pa.Table]:
        """Run one query and yield its rows in pieces, as they come: at least one, even if there are none.

        Parameters
        ----------
        sql : str
            One query, in the engine's dialect.
        where : str
            Its file, for errors.

        Yields
        ------
        pyarrow.Table
            Times with a zone in UTC microseconds, times without one in microseconds, text as ``string``.

        Raises
        ------
        SourceError
            If it is no query, reaches for anything but relations, or fails, maybe after some rows.
        """
        ...

    def query(self, sql: str, where: str) -> pa.Table:
        """Run one query and return all its rows in memory; see `rows`."""
        return pa.concat_tables(self.rows(sql, where))

    def reads(self, sql: str) -> Reads:
        """Say what a query reads, and whether it looks at each row by itself."""
        ...

    def partitions(
        self, relations: Sequence[str], places: pa.Table, count: int, work: Work
    ) -> Iterator[pa.Table]:
        """Do `work` on every partition of whole groups of accounts, and hand over the results as they come.

        Parameters
        ----------
        relations : sequence of str
            Registered or defined relations, each with a column ``account_id`` (string).
        places : pyarrow.Table
            ``account_id`` and ``group_id`` (strings, no account twice): all accounts of one group come to
            the same partition. An account that is not named is a group of its own.
        count : int
            Number of partitions, at least 1.
        work : callable
            Given all relations of one partition, those without rows too. Every row comes to it exactly
            once; a partition without any row may be left out, but one result there always is.
        """
        ...

    def close(self) -> None:
        """Give back all resources, files on disk included."""
        ...


def plain(table: pa.Table) -> pa.Table:
    """Return a table in the types that both engines know: the same values, times in microseconds.

    Examples
    --------
    >>> plain(pa.table({"a": pa.array(["x", None]).dictionary_encode()})).schema.field("a").type
    DataType(string)
    """
    fields = [field.with_type(_plain(field.type)) for field in table.schema]
    if all(field.type == own.type for field, own in zip(fields, table.schema, strict=True)):
        return table
    # Sources may be finer than a microsecond; what is cut off is less than any clock of a business.
    return table.cast(pa.schema(fields), safe=False)


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", "UTC" if kind.tz else None)
    return kind


_QUOTED = re.compile("(['\"`]).*\\1", re.DOTALL)
# Of a file without a header the first row gives the names of columns.
_PERSONAL = re.compile(r"""(["`])[^"`]*(?:@|\d[\d ()/-]{6,})[^"`]*\1""")


def without_values(text: str) -> str:
    """Return what an engine says of rows in one line without what it quotes: that may be anybody's name.

    Examples
    --------
    >>> without_values("Could not convert string 'erika@beispiel.de' to INT32")
    'Could not convert string … to INT32'
    >>> without_values('Failed to parse "a')
    'Failed to parse …'
    >>> without_values("")
    ''
    """
    line, *_ = [*_QUOTED.sub("…", text).splitlines(), ""]
    return re.sub("['\"`].*", "…", line)


def failed(text: str, where: str, names: Sequence[str], *, fix: str = "") -> SourceError:
    """Return the error of a query that an engine refused or could not run; `names` are its relations."""
    return SourceError(
        f"The source query failed: {_PERSONAL.sub('(withheld)', text).rstrip('.')}.",
        where=where,
        why="Without it there is no contract table.",
        fix=fix or f"Mend the query. It may use: {', '.join(names) or 'no source'}.",
    )


def no_query(where: str) -> SourceError:
    """Return the error of a text that is not exactly one query."""
    return SourceError(
        "The source query is not one query: it is empty, a command, or several.",
        where=where,
        why="A query reads its declared sources; it changes nothing and reaches for nothing else.",
        fix="Begin it with SELECT or WITH, and write one only.",
    )
