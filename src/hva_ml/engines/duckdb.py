"""The door to DuckDB: source queries run here, in memory, in one time zone (UTC), with no file access."""

import duckdb
import pyarrow as pa

from hva_ml.errors import SourceError


class DuckDBEngine:
    """An in-memory DuckDB for the source queries of one pipeline.

    Queries see only registered relations: reading files, extensions and settings are locked, so that a
    pipeline's data can come only from its declared sources.
    """

    def __init__(self, threads: int = 2) -> None:
        self._connection = duckdb.connect(":memory:", config={"threads": str(threads)})
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")
        self._names: list[str] = []

    def register(self, name: str, table: pa.Table) -> None:
        """Make `table` visible to queries as the relation `name`."""
        self._connection.register(name, table)
        self._names.append(name)

    def query(self, sql: str, where: str) -> pa.Table:
        """Run one query and return all its rows.

        Raises
        ------
        SourceError
            If DuckDB refuses the query; DuckDB itself names the nearest relation or column.
        """
        try:
            result = self._connection.sql(sql)
            if result is None:
                raise SourceError(
                    "The source query returns no rows.", where=where, fix="Begin it with SELECT or WITH."
                )
            return result.to_arrow_table()
        except duckdb.Error as error:
            text = str(error).split("\n\nLINE")[0].replace("\n", " ")
            raise SourceError(
                f"The source query failed: {text}.",
                where=where,
                why="Without it there is no contract table.",
                fix=f"Mend the query. It may use: {', '.join(self._names) or 'no source'}.",
            ) from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
