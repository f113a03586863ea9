"""The engine that a pipeline declares, opened for one stretch of work and closed with all that it wrote."""

from collections.abc import Iterator
from contextlib import contextmanager

from hva_ml.config import PipelineConfig
from hva_ml.engines.base import Engine
from hva_ml.engines.duckdb import DuckDBEngine
from hva_ml.engines.spark import SparkEngine
from hva_ml.engines.spool import Store
from hva_ml.workspace import Workspace

SHARE_DUCKDB = 1 / 2
"""Part of the memory that DuckDB may take; it works in the same process as everything else."""


@contextmanager
def opened(ws: Workspace, config: PipelineConfig) -> Iterator[Engine]:
    """Open the engine of a pipeline; what it cannot hold goes to the workspace's scratch folder.

    Raises
    ------
    HvaError
        If the engine is an extra that is not installed.
    """
    settings = config.engine
    engine: Engine = (
        SparkEngine(settings.threads, settings.memory_gib, ws.scratch)
        if settings.kind == "spark"
        else DuckDBEngine(settings.threads, settings.memory_gib * SHARE_DUCKDB, ws.scratch)
    )
    try:
        yield engine
    finally:
        engine.close()


def store(ws: Workspace, config: PipelineConfig) -> Store:
    """Return where rows wait that do not fit into the pipeline's memory."""
    return Store(ws.scratch, config.engine.memory_gib, config.engine.threads)
