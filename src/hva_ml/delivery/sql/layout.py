"""The tables and views of a sink in a database, and the SQL that somebody else may run to set them up."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import oracle
from sqlalchemy.schema import CreateTable, CreateView

from hva_ml.config import SinkTable
from hva_ml.connectors.addresses import address
from hva_ml.delivery.shapes import KEYS, SCHEMAS, counted
from hva_ml.errors import DeliveryError

WRITER, READER = "hva_writer", "hva_reader"
# Databases without unlimited text keys get keys of 255 characters.
_KEY = sa.String(255).with_variant(sa.Text(), "postgresql", "sqlite")
_SHORT = ("tier", "direction", "language", "feature", "topic", "model_version", "tier_reason")


class Layout:
    """The names and columns of a sink.

    Every night's rows stand in ``<prefix><table>_runs`` under their run id; ``<prefix>current`` has one row
    that names the run which counts, and the views ``<prefix><table>`` show its rows. So one changed row is
    what a reader sees of a new night, and nobody needs the right to change a table.

    Parameters
    ----------
    schema, prefix : str
        As declared; an empty schema is the connection's own.
    tables : sequence of str
        Which tables are delivered.
    """

    def __init__(self, schema: str, prefix: str, tables: Sequence[SinkTable]) -> None:
        self.metadata = sa.MetaData(schema=schema or None)
        self.current = _current(f"{prefix}current", tables, self.metadata)
        self.runs = {name: _runs(f"{prefix}{name}_runs", name, self.metadata) for name in tables}
        shown = sa.select(self.current.c.run_id).scalar_subquery()
        self.views = {
            name: CreateView(
                sa.select(*(c for c in table.c if c.name != "run_id")).where(table.c.run_id == shown),
                f"{prefix}{name}",
                metadata=self.metadata,
                schema=schema or None,
            )
            for name, table in self.runs.items()
        }

    def columns(self, table: SinkTable) -> list[sa.Column[Any]]:
        """Return the columns that hold a delivered table, in its order."""
        return [self.runs[table].c[name] for name in SCHEMAS[table].names]

    def setup(self, dialect: sa.Dialect) -> str:
        """Return the statements that make all this, and the least rights of who writes and who reads."""
        own = [self.current, *self.runs.values()]
        made = [CreateTable(t) for t in own] + list(self.views.values())
        lines = [str(ddl.compile(dialect=dialect)).strip().replace("\t", "    ") + ";" for ddl in made]
        if dialect.name == "sqlite":
            return "\n\n".join(lines) + "\n"
        quote = dialect.identifier_preparer.format_table
        shown = [quote(v.table) for v in self.views.values()]
        if self.metadata.schema and dialect.name == "postgresql":
            lines.append(f"GRANT USAGE ON SCHEMA {self.metadata.schema} TO {WRITER}, {READER};")
        lines.append(f"GRANT SELECT, INSERT, UPDATE ON {quote(self.current)} TO {WRITER};")
        lines += [f"GRANT SELECT, INSERT, DELETE ON {quote(t)} TO {WRITER};" for t in self.runs.values()]
        lines += [f"GRANT SELECT ON {name} TO {READER};" for name in (quote(self.current), *shown)]
        return "\n\n".join(lines) + "\n"


def dialect(secret: str, where: str) -> sa.Dialect:
    """Return how the database of a URL, or of a dialect's name, writes SQL; nothing is connected.

    Raises
    ------
    DeliveryError
        If it is no URL.
    """
    url = address(secret if ":" in secret else f"{secret}://", where, DeliveryError)
    kind: type[sa.Dialect] = url.get_dialect()
    return kind()


def _current(name: str, tables: Sequence[SinkTable], metadata: sa.MetaData) -> sa.Table:
    columns = [
        column
        for table in counted(tables)
        for column in (
            sa.Column(f"{table}_rows", sa.BigInteger),
            sa.Column(f"{table}_hash", sa.String(32)),
        )
    ]
    return sa.Table(
        name,
        metadata,
        sa.Column("slot", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("pipeline", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(16), nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("manifest_sha256", sa.String(64), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("stale", sa.Boolean, nullable=False),
        sa.Column("missing_as_of", sa.Date),
        *columns,
        sa.CheckConstraint("slot = 1"),
    )


def _runs(name: str, table: SinkTable, metadata: sa.MetaData) -> sa.Table:
    keys = KEYS[table]
    return sa.Table(
        name,
        metadata,
        sa.Column("run_id", sa.String(16), primary_key=True),
        *(
            sa.Column(f.name, _kind(f), primary_key=f.name in keys, autoincrement=False)
            for f in SCHEMAS[table]
        ),
    )


def _kind(field: pa.Field) -> sa.types.TypeEngine[Any]:
    if pa.types.is_string(field.type):
        return _KEY if field.name == "account_id" or field.name in _SHORT else sa.Text()
    if pa.types.is_floating(field.type):
        return sa.Double().with_variant(oracle.BINARY_DOUBLE(), "oracle")
    if pa.types.is_boolean(field.type):
        return sa.Boolean()
    return sa.Date() if pa.types.is_date(field.type) else sa.BigInteger()
