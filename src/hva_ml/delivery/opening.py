"""From a section ``[sinks.<name>]`` to the sink, and to the secret that its variable holds."""

from typing import Protocol

from hva_ml.config import PipelineConfig
from hva_ml.config import Sink as Settings
from hva_ml.connectors.addresses import address, secret
from hva_ml.delivery.current import Current
from hva_ml.delivery.duckdb_file import DuckDBSink
from hva_ml.delivery.folder import FolderSink
from hva_ml.delivery.parcel import Parcel
from hva_ml.errors import DeliveryError
from hva_ml.workspace import Workspace


class Sink(Protocol):
    """Where a published run goes. Every method raises an ``HvaError`` if it cannot be done."""

    def current(self) -> Current | None:
        """Return which run readers see, None before the first."""

    def holds(self, parcel: Parcel, shown: Current) -> bool:
        """Return whether what readers see is this run, whole, with the same note whether it is stale."""

    def deliver(self, parcel: Parcel) -> Current:
        """Let readers see a run instead of the one before, by one step, once it was read back."""


def opened(ws: Workspace, config: PipelineConfig, name: str) -> Sink:
    """Return a declared sink.

    Raises
    ------
    DeliveryError
        If its variable is not set or holds no URL, or its driver is not installed.
    """
    settings, where = config.sinks[name], f"[sinks.{name}] of {config.name}"
    if settings.kind == "parquet":
        folder = ws.inside(settings.path) / config.name
        return FolderSink(folder, config.name, config.pipeline.currency)
    if settings.kind == "duckdb":
        return DuckDBSink(ws.inside(settings.path), settings, where)
    return _database(settings, where)


def setup_sql(config: PipelineConfig, name: str) -> str:
    """Return the SQL that sets a database up, for somebody who may: tables, views and least rights.

    Raises
    ------
    DeliveryError
        If the sink is no database; for ``sql`` also if its variable is not set.
    """
    settings, where = config.sinks[name], f"[sinks.{name}] of {config.name}"
    if settings.kind in ("parquet", "duckdb"):
        raise DeliveryError("This sink is a file: there is nothing to set up.", where=where)
    from hva_ml.delivery.sql.layout import Layout, dialect

    kind = "postgresql" if settings.kind == "postgres" else secret(settings.url_env, where, DeliveryError)
    return Layout(settings.schema, settings.prefix, settings.tables).setup(dialect(kind, where))


def _database(settings: Settings, where: str) -> Sink:
    held = secret(settings.url_env, where, DeliveryError)
    try:
        if settings.kind == "sql":
            from hva_ml.delivery.sql.database import DatabaseSink

            return DatabaseSink(address(held, where, DeliveryError), settings, where)
        from hva_ml.delivery.sql.postgres import PostgresSink

        return PostgresSink(address(held, where, DeliveryError, only="postgresql"), settings, where)
    except ImportError:
        raise DeliveryError(
            "PostgreSQL needs the package psycopg.", where=where, fix='pip install "hva-ml[postgres]"'
        ) from None
