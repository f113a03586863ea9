"""A sink in PostgreSQL: rows go in and come back by COPY, as fast as the server takes them."""

import io
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
import pyarrow as pa
import sqlalchemy as sa
from psycopg import sql
from pyarrow import csv

from hva_ml.config import SinkTable
from hva_ml.delivery.shapes import SCHEMAS
from hva_ml.delivery.sql.database import DatabaseSink

_ROWS_AT_ONCE = 50_000
_WRITE = csv.WriteOptions(include_header=False)
_LINES = csv.ParseOptions(newlines_in_values=True)


class PostgresSink(DatabaseSink):
    """As `DatabaseSink`, with the means of PostgreSQL."""

    def _arguments(self) -> dict[str, Any]:
        return {
            "connect_timeout": 10,
            "client_encoding": "utf8",
            "application_name": "hva-ml",
            # A connection pooler between us and the server may not know prepared statements.
            "prepare_threshold": None,
        }

    def _begin(self, connection: sa.Connection) -> None:
        connection.execute(sa.text("SET LOCAL lock_timeout = '60s'"))

    def _of_driver(self, error: Exception) -> bool:
        return super()._of_driver(error) or isinstance(error, psycopg.Error)

    def _insert(
        self, connection: sa.Connection, table: SinkTable, run_id: str, pieces: Iterable[pa.Table]
    ) -> None:
        names = ["run_id", *SCHEMAS[table].names]
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
            self._name(table), sql.SQL(", ").join(map(sql.Identifier, names))
        )
        with _driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
            for piece in pieces:
                run = pa.array([run_id] * piece.num_rows, pa.string())
                text = io.BytesIO()
                csv.write_csv(piece.add_column(0, "run_id", run), text, _WRITE)
                copy.write(text.getbuffer())

    def _rows(self, connection: sa.Connection, table: SinkTable, run_id: str) -> Iterator[pa.Table]:
        names = SCHEMAS[table].names
        statement = sql.SQL("COPY (SELECT {} FROM {} WHERE run_id = {}) TO STDOUT (FORMAT csv)").format(
            sql.SQL(", ").join(map(sql.Identifier, names)), self._name(table), sql.Literal(run_id)
        )
        options = csv.ConvertOptions(
            column_types=SCHEMAS[table], null_values=[""], strings_can_be_null=True,
            quoted_strings_can_be_null=False, true_values=["t"], false_values=["f"],
        )  # fmt: skip
        with _driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
            # The server sends one message for each row.
            lines: list[bytes] = []
            for line in copy:
                lines.append(bytes(line))
                if len(lines) == _ROWS_AT_ONCE:
                    yield _table(lines, names, options)
                    lines = []
            if lines:
                yield _table(lines, names, options)

    def _name(self, table: SinkTable) -> sql.Identifier:
        base = self._layout.runs[table]
        return sql.Identifier(*(n for n in (base.schema, base.name) if n))


def _driver(connection: sa.Connection) -> "psycopg.Connection[Any]":
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _table(lines: list[bytes], names: list[str], options: csv.ConvertOptions) -> pa.Table:
    read = csv.ReadOptions(column_names=names, block_size=1 << 30)
    return csv.read_csv(io.BytesIO(b"".join(lines)), read, _LINES, options)
