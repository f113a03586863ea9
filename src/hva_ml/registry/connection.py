"""The door to MLflow: the workspace's store, quiet, without telemetry, and nothing of it left behind."""

import io
import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hva_ml.errors import HvaError
from hva_ml.workspace import Workspace, no_database

_SQLITE = "sqlite:///"
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
_CARRIERS = ("sqlalchemy", "psycopg", "psycopg2", "pymysql", "requests", "urllib3")
"""What carries calls to a store, and fails by itself."""
_log = logging.getLogger(__name__)


def available(ws: Workspace) -> bool:
    """Whether there is a store to ask: a server or database is named, or the workspace's file exists."""
    uri = ws.tracking_uri
    return not uri.startswith(_SQLITE) or Path(uri.removeprefix(_SQLITE)).is_file()


@contextmanager
def connected(ws: Workspace) -> Iterator[tuple[Any, Any]]:
    """Yield the mlflow module and a client on the workspace's store; MLflow's own state is put back after."""
    uri = ws.tracking_uri
    _refuse_broken_file(uri)
    if uri.startswith(_SQLITE):
        ws.mlruns.mkdir(parents=True, exist_ok=True)
    with _environment() as before, _hushed():
        import mlflow

        try:
            mlflow.set_tracking_uri(uri)
            mlflow.set_registry_uri(uri)
            with _told(uri, ValueError):
                client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
            with _told(uri):
                yield mlflow, client
        finally:
            # None means "as if never set"; MLflow does so itself, but does not declare it.
            mlflow.set_tracking_uri(before["MLFLOW_TRACKING_URI"])  # type: ignore[arg-type]
            mlflow.set_registry_uri(before["MLFLOW_REGISTRY_URI"])  # type: ignore[arg-type]


@contextmanager
def _told(uri: str, *more: type[Exception]) -> Iterator[None]:
    """Turn what MLflow, or what carries its calls, raises into an error in words, without the address."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise HvaError(
            f"MLflow could not do it: {_plainly(error, uri)}",
            where=without_secret(uri),
            fix="Check that the store is reachable and made by the same version of MLflow.",
        ) from error
    except Exception as error:
        if (
            not isinstance(error, (ImportError, *more))
            and type(error).__module__.split(".")[0] not in _CARRIERS
        ):
            raise
        raise HvaError(
            f"The MLflow store cannot be used: {getattr(error, 'name', None) or type(error).__name__}.",
            where=without_secret(uri),
            why="Runs and aliases are read from it; released models stay usable without it.",
            fix="Check MLFLOW_TRACKING_URI, and that the store runs and takes the login.",
        ) from error


@contextmanager
def _environment() -> Iterator[dict[str, str | None]]:
    """Set MLflow's switches; put everything back but the one that keeps telemetry off.

    MLflow reports from a thread that outlives the block, and writes its URIs into the environment itself.
    """
    before = {n: os.environ.get(n) for n in (*_ENVIRONMENT, "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")}
    os.environ.update(_ENVIRONMENT)
    try:
        yield before
    finally:
        for name, value in before.items():
            if value is not None:
                os.environ[name] = value
            elif name != "MLFLOW_DISABLE_TELEMETRY":
                os.environ.pop(name, None)


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep what MLflow and its database library print and warn of from the terminal; it is logged instead."""
    said = io.StringIO()
    try:
        with warnings.catch_warnings(), redirect_stdout(said), redirect_stderr(said):
            for library in ("mlflow", "sqlalchemy", "alembic"):
                warnings.filterwarnings("ignore", module=rf"{library}(\.|$)")
            yield
    finally:
        for line in said.getvalue().splitlines():
            _log.debug("mlflow: %s", line)


def _refuse_broken_file(uri: str) -> None:
    # MLflow itself would try such a file for minutes.
    if no_database(uri):
        path = Path(uri.removeprefix(_SQLITE))
        raise HvaError(
            "The file of the MLflow database is not one.",
            where=str(path),
            why="Runs and aliases cannot be read from it.",
            fix=f"Restore {path.name}, or move it away; released models stay usable without it.",
        )


def without_secret(uri: str) -> str:
    """Return what may be told of a URI: a file whole, of another store its kind and host.

    Examples
    --------
    >>> without_secret("postgresql://name:word@host:5432/base?sslpassword=word")
    'postgresql://host:5432'
    >>> without_secret("word")
    'MLFLOW_TRACKING_URI'
    """
    if uri.startswith(_SQLITE):
        return uri
    try:
        parts = urlsplit(uri)
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    except ValueError:
        host = None
    return f"{parts.scheme}://{host}" if host else "MLFLOW_TRACKING_URI"


def _plainly(error: Exception, uri: str) -> str:
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return re.sub(r"//[^/@\s]*@", "//", line.replace(uri, without_secret(uri)))
