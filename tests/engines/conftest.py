"""Both engines, one at a time; Spark is skipped with its reason where it cannot run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hva_ml.engines.base import Engine
from hva_ml.engines.duckdb import DuckDBEngine
from hva_ml.engines.spark import SparkEngine

KINDS = {"duckdb": DuckDBEngine, "spark": SparkEngine}


@pytest.fixture(scope="session")
def spill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where engines write what does not fit; Spark keeps the first such folder as long as it runs."""
    return tmp_path_factory.mktemp("spill")


@pytest.fixture(params=sorted(KINDS))
def engine(request: pytest.FixtureRequest, spill: Path) -> Iterator[Engine]:
    if request.param == "spark":
        request.getfixturevalue("spark_here")
    made = KINDS[request.param](threads=2, memory_gib=1.0, scratch=spill)
    yield made
    made.close()
