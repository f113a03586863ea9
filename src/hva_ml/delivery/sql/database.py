"""A sink in any database that SQLAlchemy reaches: all rows and the pointer to them in one transaction."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import pyarrow as pa
import sqlalchemy as sa

from hva_ml.config import Sink as Settings
from hva_ml.config import SinkTable
from hva_ml.connectors.addresses import driver
from hva_ml.delivery.current import Current
from hva_ml.delivery.fingerprint import Fingerprint, fingerprint
from hva_ml.delivery.parcel import Parcel
from hva_ml.delivery.shapes import SCHEMAS
from hva_ml.delivery.sql.layout import Layout
from hva_ml.delivery.sql.refusals import refusal
from hva_ml.errors import DeliveryError

T = TypeVar("T")
WAITS = (2.0, 10.0)
_ROWS_AT_ONCE = 10_000
_log = logging.getLogger(__name__)


class DatabaseSink:
    """A database that holds the run that counts, and the one before it.

    Parameters
    ----------
    url : sqlalchemy.URL
        Where; it is never logged or told.
    settings : hva_ml.config.Sink
        Schema, prefix and tables.
    where : str
        The sink in words, for errors.

    Raises
    ------
    DeliveryError
        If the driver is not installed.
    """

    def __init__(self, url: sa.URL, settings: Settings, where: str) -> None:
        self._where, self._tables = where, settings.tables
        self._layout = Layout(settings.schema, settings.prefix, settings.tables)
        self._engine = driver(url, where, DeliveryError, connect_args=self._arguments())

    def current(self) -> Current | None:
        """Return which run readers see, None before the first."""
        return self._transaction(self._shown)

    def holds(self, parcel: Parcel, shown: Current) -> bool:
        """Return whether readers see this run, and every table has as many rows as were delivered."""
        if not (parcel.current.told_as(shown) and parcel.current.same_run(shown, self._tables)):
            return False
        return self._transaction(lambda connection: self._counted(connection, shown))

    def deliver(self, parcel: Parcel) -> Current:
        """Let readers see a run instead of the one before; what was read back must be what was sent.

        Raises
        ------
        DeliveryError
            If the database does not take it, or gives back something else; nothing has changed then.
        IntegrityError
            If the published run is damaged.
        """
        return self._transaction(lambda connection: self._deliver(connection, parcel))

    def _deliver(self, connection: sa.Connection, parcel: Parcel) -> Current:
        self._settle(connection)
        before = self._shown(connection, lock=True)
        new = parcel.current
        if before is not None and before.pipeline != new.pipeline:
            raise DeliveryError(
                f"These tables hold the scores of another pipeline, '{before.pipeline[:60]}'.",
                where=self._where,
                why="Two pipelines in the same tables would replace each other every night.",
                fix="Give each sink a prefix or schema of its own.",
            )
        if before and new.same_run(before, self._tables) and self._counted(connection, before):
            shown = replace(new, contents=before.contents)
        else:
            contents = {table: self._table(connection, table, parcel) for table in self._tables}
            shown = replace(new, contents=contents)
        self._show(connection, shown, first=before is None)
        if before is not None and before.run_id != new.run_id:
            for table in self._layout.runs.values():
                connection.execute(sa.delete(table).where(table.c.run_id.not_in([before.run_id, new.run_id])))
        return shown

    def _settle(self, connection: sa.Connection) -> None:
        """Make what is not there yet; refuse tables of another form."""
        inspector = sa.inspect(connection)
        for table in (self._layout.current, *self._layout.runs.values()):
            if not inspector.has_table(table.name, schema=table.schema):
                continue
            found = {c["name"] for c in inspector.get_columns(table.name, schema=table.schema)}
            if found != {c.name for c in table.c}:
                raise DeliveryError(
                    f"The table '{table.name}' has other columns than this version writes.",
                    where=self._where,
                    why="It was made by another version, or by somebody else.",
                    fix="Drop the sink's tables and views, they are copies; or give it another prefix.",
                )
        self._layout.metadata.create_all(connection)

    def _shown(self, connection: sa.Connection, *, lock: bool = False) -> Current | None:
        table = self._layout.current
        if not lock:
            inspector = sa.inspect(connection)
            if not inspector.has_table(table.name, schema=table.schema):
                return None
            found = {c["name"] for c in inspector.get_columns(table.name, schema=table.schema)}
            if not found >= {c.name for c in table.c}:
                # Of another form: `_settle` tells what to do.
                return None
        query = sa.select(table).where(table.c.slot == 1)
        row = connection.execute(query.with_for_update() if lock else query).mappings().first()
        if row is None:
            return None
        return Current.of(row)

    def _show(self, connection: sa.Connection, shown: Current, *, first: bool) -> None:
        """Write the one row that says which run counts."""
        table = self._layout.current
        if first:
            connection.execute(sa.insert(table).values(slot=1, **shown.row()))
        else:
            connection.execute(sa.update(table).where(table.c.slot == 1).values(**shown.row()))

    def _table(self, connection: sa.Connection, table: SinkTable, parcel: Parcel) -> Fingerprint:
        """Have a table of a run in the database, and hold what it gives back to what was published."""
        run_id, base = parcel.run.run_id, self._layout.runs[table]
        sent = fingerprint(parcel.pieces(table))
        if fingerprint(self._rows(connection, table, run_id)) == sent:
            return sent
        connection.execute(sa.delete(base).where(base.c.run_id == run_id))
        self._insert(connection, table, run_id, parcel.pieces(table))
        back = fingerprint(self._rows(connection, table, run_id))
        if back != sent:
            raise DeliveryError(
                f"The database gave back other rows of '{base.name}' than it was given: {back.rows} rows of "
                f"{sent.rows}, or other contents.",
                where=self._where,
                why="Readers would see numbers that nobody has computed.",
                fix="Look for a trigger, a rule or a type of fewer digits on that table.",
            )
        return sent

    def _insert(
        self, connection: sa.Connection, table: SinkTable, run_id: str, pieces: Iterable[pa.Table]
    ) -> None:
        for piece in pieces:
            for first in range(0, piece.num_rows, _ROWS_AT_ONCE):
                rows = piece.slice(first, _ROWS_AT_ONCE).to_pylist()
                connection.execute(
                    sa.insert(self._layout.runs[table]), [{"run_id": run_id, **row} for row in rows]
                )

    def _rows(self, connection: sa.Connection, table: SinkTable, run_id: str) -> Iterator[pa.Table]:
        base, schema = self._layout.runs[table], SCHEMAS[table]
        query = sa.select(*self._layout.columns(table)).where(base.c.run_id == run_id)
        with connection.execute(query.execution_options(stream_results=True)) as found:
            for rows in found.partitions(_ROWS_AT_ONCE):
                columns = zip(*rows, strict=True)
                yield pa.table(
                    [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema
                )

    def _counted(self, connection: sa.Connection, shown: Current) -> bool:
        """Return whether every table has as many rows of the run as were delivered."""
        for table in self._tables:
            base = self._layout.runs[table]
            query = sa.select(sa.func.count()).select_from(base).where(base.c.run_id == shown.run_id)
            if connection.execute(query).scalar_one() != shown.contents[table].rows:
                return False
        return True

    def _arguments(self) -> dict[str, Any]:
        return {}

    def _begin(self, connection: sa.Connection) -> None:
        """Do what a kind of database needs at the start of each transaction."""

    def _transaction(self, work: Callable[[sa.Connection], T]) -> T:
        """Do it whole or not at all; where a connection breaks, from the start on a new one."""
        for wait in (*WAITS, None):
            try:
                with self._engine.connect() as connection, connection.begin():
                    self._begin(connection)
                    return work(connection)
            except Exception as error:
                if not self._of_driver(error):
                    raise
                refused = refusal(error, self._where)
                if wait is None or not refused.passing:
                    raise refused.error from None
                _log.warning("%s: %s Trying again in %g s.", self._where, refused.error.what, wait)
            time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _of_driver(self, error: Exception) -> bool:
        return isinstance(error, sa.exc.SQLAlchemyError)
