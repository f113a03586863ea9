"""The engine that a pipeline declares, opened for one stretch of work and closed with all that it wrote."""

from collections.abc import Iterator
from contextlib import contextmanager

from hva_ml.config import PipelineConfig
from hva_ml.engines.base import Engine
from hva_ml.engines.duckdb import DuckDBEngine
from hva_ml.engines.spark import SparkEngine
from hva_ml.workspace import Workspace


@contextmanager
def opened(ws: Workspace, config: PipelineConfig) -> Iterator[Engine]:
    """Open the engine of a pipeline; what it cannot hold goes to the workspace's scratch folder.

    Raises
    ------
    HvaError
        If the engine is an extra that is not installed.
    """
    kind = {"duckdb": DuckDBEngine, "spark": SparkEngine}[config.engine.kind]
    engine: Engine = kind(config.engine.threads, config.engine.memory_gib, ws.scratch)
    try:
        yield engine
    finally:
        engine.close()
