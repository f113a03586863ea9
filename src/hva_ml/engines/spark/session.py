"""One Spark for the process: started when first asked for, quiet, and gone without a trace at its end."""

import atexit
import logging
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hva_ml.engines.scratch import Scratch
from hva_ml.errors import HvaError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS_AT_ONCE = 131_072
_WHERE = '[engine] kind = "spark"'
_INSTEAD = 'or kind = "duckdb"'
_INTO_JAVA = frozenset({"reflect", "try_reflect", "java_method"})
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # "Name" is a column, as in standard SQL and in DuckDB, not a text.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.runSQLOnFiles": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(ROWS_AT_ONCE),
}
_LOG = """
rootLogger.level = fatal
rootLogger.appenderRef.stderr.ref = stderr
logger.shell.name = org.apache.spark.api.python.PythonGatewayServer
logger.shell.level = fatal
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n
"""


def session(threads: int, memory_gib: float, scratch: Path | None) -> "SparkSession":
    """Return a session of one's own: views and settings of others stay as they are.

    A Spark that already runs in this process (a notebook, ``spark-submit``) is used as it is. Otherwise a
    local one is started and lives as long as the process.

    Parameters
    ----------
    threads, memory_gib, scratch : int, float, pathlib.Path or None
        Of the local Spark: cores, memory of its Java process, where it spills.

    Raises
    ------
    HvaError
        If pyspark or Java is missing, or Spark does not start.
    """
    with quiet():
        try:
            from pyspark import SparkContext
            from pyspark.errors import PySparkException
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise HvaError(
                "The Spark engine needs pyspark, which is not installed.",
                where=_WHERE,
                fix=f'pip install "hva-ml[spark]"   (and Java 17 or later), {_INSTEAD}.',
            ) from error
        if "SPARK_REMOTE" in os.environ:
            raise HvaError(
                "The Spark engine does not work over Spark Connect.",
                where="SPARK_REMOTE",
                why="It holds every query to its declared sources, which needs Spark's own parser.",
                fix=f"Unset SPARK_REMOTE, run it by spark-submit, {_INSTEAD}.",
            )
        try:
            if SparkContext._active_spark_context is None and "PYSPARK_GATEWAY_PORT" not in os.environ:
                running = _started(threads, memory_gib, scratch)
            else:
                running = SparkSession.builder.getOrCreate()
        except PySparkException as error:
            raise HvaError(
                f"Spark did not start: {str(error).splitlines()[0].rstrip('.')}.",
                where=_WHERE,
                fix=f"Install Java 17 or later and see that JAVA_HOME names it, {_INSTEAD}.",
            ) from error
        own = running.newSession()
        for key, value in _SETTINGS.items():
            own.conf.set(key, value)
        _without_java(own)
        return own


@contextmanager
def quiet() -> Iterator[None]:
    """Keep pyspark from warning about pandas 3: nothing here goes through pandas."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield


def _started(threads: int, memory_gib: float, scratch: Path | None) -> "SparkSession":
    from pyspark.logger import PySparkLogger
    from pyspark.sql import SparkSession

    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        raise HvaError(
            "The Spark engine needs Java, which was not found.",
            where=_WHERE,
            fix=f"Install Java 17 or later, or set JAVA_HOME; {_INSTEAD}.",
        )
    # What it would log becomes an error of ours, with the file of the query.
    PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True
    logging.getLogger("py4j").setLevel(logging.WARNING)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    place = Scratch(scratch)
    log = place.path / "log4j2.properties"
    log.write_text(_LOG, encoding="utf-8")
    builder = SparkSession.builder.appName("hva-ml").master(f"local[{threads}]")
    java = f'"-Dlog4j2.configurationFile={log}" "-Djava.io.tmpdir={place.path}"'
    for key, value in {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": f"{max(512, round(memory_gib * 1024))}m",
        "spark.driver.maxResultSize": "0",
        "spark.driver.extraJavaOptions": java,
        "spark.local.dir": str(place.path),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.shuffle.partitions": str(4 * threads),
        "spark.sql.warehouse.dir": str(place.path / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }.items():
        builder = builder.config(key, value)
    running: SparkSession = builder.getOrCreate()
    atexit.register(_stop, running, place)
    return running


def _stop(running: "SparkSession", place: Scratch) -> None:
    gateway = running.sparkContext._gateway
    running.stop()
    if gateway is not None:
        gateway.shutdown()
        # Java removes files of its own at its end: they must not come after the folder is gone.
        gateway.proc.stdin.close()
        gateway.proc.wait()
    place.close()


def _without_java(own: "SparkSession") -> None:
    """Take the functions that call into Java out of this session: they cannot even be named."""
    registry = own._jsparkSession.sessionState().functionRegistry()
    known = registry.listFunction()
    for place in range(known.size()):
        name = known.apply(place)
        if name.funcName() in _INTO_JAVA:
            registry.dropFunction(name)
