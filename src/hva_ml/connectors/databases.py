"""Tables of databases as sources: all of one database as of one moment, piece by piece, typed as declared."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import pyarrow as pa
import sqlalchemy as sa

from hva_ml.config import Source
from hva_ml.connectors.addresses import address, driver, secret
from hva_ml.errors import SourceError

T = TypeVar("T")
ROWS_AT_ONCE = 50_000
_MAX_DIGITS = 38
_REFUSED = {
    "28": ("The database refused the login.", "Check user and password in the variable."),
    "42501": ("The database lets this user not read the table.", "GRANT SELECT on it to this user."),
    "3D": ("The database does not exist.", "Correct the URL in the variable."),
}


def read(
    wanted: Mapping[str, Source], keep: Callable[[Iterable[pa.Table]], T], where: Callable[[str], str]
) -> dict[str, T]:
    """Read tables or views of databases, those of one database in one transaction that writes nothing.

    In PostgreSQL and MySQL all of them are seen as of one moment, whatever is written meanwhile.

    Parameters
    ----------
    wanted : mapping of str to Source
        Sources of kind ``sql``: the variable of the URL, table and schema.
    keep : callable
        Takes the pieces of one source: at least one, all of one schema.
    where : callable
        Says where a source is declared, for errors.

    Returns
    -------
    dict of str to T
        What `keep` returned, by source.

    Raises
    ------
    SourceError
        If a variable is not set, the database cannot be reached or does not give the table, or a value
        does not fit the type that the database declares. No value, and nothing of the URL, is told.
    """
    kept: dict[str, T] = {}
    for variable in sorted({source.url_env for source in wanted.values()}):
        here = [name for name, source in sorted(wanted.items()) if source.url_env == variable]
        first = where(here[0])
        url = address(secret(variable, first, SourceError), first, SourceError)
        engine = driver(url, first, SourceError)
        name = here[0]
        try:
            with engine.connect() as connection:
                if engine.dialect.name == "postgresql":
                    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                for name in here:
                    kept[name] = keep(_pieces(connection, wanted[name], where(name)))
        except sa.exc.SQLAlchemyError as error:
            raise _refusal(error, wanted[name], where(name)) from None
    return kept


def _pieces(connection: sa.Connection, source: Source, where: str) -> Iterator[pa.Table]:
    table = sa.Table(source.table, sa.MetaData(), schema=source.schema or None, autoload_with=connection)
    exact = connection.dialect.name != "sqlite"
    columns = [_as_read(column, exact=exact) for column in table.columns]
    schema = pa.schema([(c.name, _arrow(c.type, exact=exact)) for c in columns])
    yield schema.empty_table()
    # In the order of the key, new rows mostly come last: the ledger knows the others again.
    asked = sa.select(*columns).order_by(*table.primary_key.columns)
    for rows in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(asked).partitions():
        columnwise = zip(*rows, strict=True)
        yield pa.table([_column(v, f, where) for v, f in zip(columnwise, schema, strict=True)], schema=schema)


def _as_read(column: "sa.Column[Any]", *, exact: bool) -> "sa.ColumnElement[Any]":
    """Return a column as it is asked for: in a kind that has a type here, anything else as text."""
    if isinstance(column.type, sa.Numeric) and not exact:
        return sa.type_coerce(column, sa.Float()).label(column.name)
    if pa.types.is_string(_arrow(column.type, exact=exact)) and not isinstance(column.type, sa.String):
        return sa.cast(column, sa.Text()).label(column.name)
    return column


def _arrow(kind: "sa.types.TypeEngine[Any]", *, exact: bool) -> pa.DataType:
    if isinstance(kind, sa.Boolean):
        return pa.bool_()
    if isinstance(kind, sa.Integer):
        return pa.int64()
    if isinstance(kind, sa.Numeric) and exact and kind.scale is not None:
        if kind.precision and kind.precision <= _MAX_DIGITS:
            return pa.decimal128(kind.precision, kind.scale)
        return pa.float64()
    if isinstance(kind, sa.Numeric | sa.Float):
        return pa.float64()
    if isinstance(kind, sa.DateTime):
        return pa.timestamp("us", "UTC" if getattr(kind, "timezone", False) else None)
    return pa.date32() if isinstance(kind, sa.Date) else pa.string()


def _column(values: tuple[Any, ...], field: pa.Field, where: str) -> pa.Array:
    try:
        if pa.types.is_floating(field.type):
            values = tuple(None if v is None else float(v) for v in values)
        return pa.array(values, field.type)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        raise SourceError(
            f"The column '{field.name}' holds a value that is no {field.type}.",
            where=where,
            why="The database declares this type for it.",
            fix="Correct the value, or read a view that casts the column.",
        ) from None


def _refusal(error: sa.exc.SQLAlchemyError, source: Source, where: str) -> SourceError:
    """Return what an error means; the words of a driver may quote rows or the URL, so they stay unsaid."""
    if isinstance(error, sa.exc.NoSuchTableError):
        name = f"{source.schema}.{source.table}" if source.schema else source.table
        return SourceError(
            f"The database has no table or view '{name}' that this user may see.",
            where=where,
            fix="Correct table and schema, or GRANT this user what it needs.",
        )
    original = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig else error
    state = str(getattr(original, "sqlstate", None) or "")
    for begins, (what, fix) in _REFUSED.items():
        if state.startswith(begins):
            return SourceError(what, where=where, fix=fix)
    if isinstance(error, sa.exc.OperationalError) and not state:
        return SourceError(
            "The database could not be reached, refused the login, or broke the connection.",
            where=where,
            fix="Check that the server runs, and the URL in the variable.",
        )
    told = f"SQLSTATE {state}" if re.fullmatch(r"[0-9A-Z]{5}", state) else type(original).__name__
    return SourceError(
        f"The database gave an error, {told}.", where=where, fix="The server's own log tells more."
    )
