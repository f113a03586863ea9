"""Spark is an extra: importing needs nothing, what is missing is named, and its end leaves no trace."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import time
from pathlib import Path

import pyarrow as pa
import pytest

from hva_ml.engines.base import CatalogTable
from hva_ml.engines.duckdb import DuckDBEngine
from hva_ml.engines.spark import SparkEngine, catalog
from hva_ml.errors import HvaError, SourceError

IMPORTING = """
import sys
sys.modules["pyspark"] = None
import hva_ml.jobs.train
from hva_ml.engines.spark import SparkEngine
from hva_ml.errors import HvaError
try:
    SparkEngine()
except HvaError as error:
    assert 'pip install "hva-ml[spark]"' in error.fix, error.fix
    print("named")
"""
ALONE = """
import sys
from pathlib import Path
import pyarrow as pa
from hva_ml.engines.spark import SparkEngine
engine = SparkEngine(threads=1, memory_gib=0.5, scratch=Path(sys.argv[1]))
engine.register("orders", pa.table({"account_id": ["a", "b"]}))
places = pa.table({"account_id": ["a"], "group_id": ["a"]})
print(sum(t.num_rows for t in engine.partitions(["orders"], places, 2, lambda parts: parts["orders"])))
engine.close()
"""


def test_the_package_works_without_pyspark() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTING], capture_output=True, text=True, check=True)
    assert done.stdout == "named\n"


def test_a_missing_java_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    from pyspark import SparkContext

    monkeypatch.setattr(SparkContext, "_active_spark_context", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(HvaError, match="needs Java"):
        SparkEngine(scratch=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_spark_connect_is_refused_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark")
    monkeypatch.setenv("SPARK_REMOTE", "sc://localhost")
    with pytest.raises(HvaError, match="Spark Connect"):
        SparkEngine()


def test_a_process_of_its_own_says_little_and_leaves_nothing(spark_here: None, tmp_path: Path) -> None:
    scratch = tmp_path / "with a blank"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE, str(scratch)],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "2\n"
    # The one line is of Java itself, which pyspark starts with a module that is still being tried.
    assert [line for line in done.stderr.splitlines() if "jdk.incubator.vector" not in line] == []
    assert not any(tmp_path.iterdir())


def broken(parts: Mapping[str, pa.Table]) -> pa.Table:
    raise ValueError("odd")


def test_a_defect_in_the_work_is_told_in_one_line(spark_here: None, spill: Path) -> None:
    engine = SparkEngine(memory_gib=1.0, scratch=spill)
    engine.register("accounts", pa.table({"account_id": ["a"]}))
    places = pa.table({"account_id": ["a"], "group_id": ["a"]})
    try:
        with pytest.raises(HvaError, match=r"could not finish a partition: ValueError: odd\."):
            list(engine.partitions(["accounts"], places, 2, broken))
    finally:
        engine.close()


def test_a_type_that_spark_does_not_know_is_named_with_its_source(spark_here: None, spill: Path) -> None:
    engine = SparkEngine(memory_gib=1.0, scratch=spill)
    try:
        with pytest.raises(SourceError, match="cannot read the source 'shifts'") as caught:
            engine.register("shifts", pa.table({"begin": pa.array([time(8)])}))
        assert caught.value.where == "[sources.shifts]"
    finally:
        engine.close()


def test_tables_of_the_catalog_are_sources_where_they_lie(spark_here: None, spill: Path) -> None:
    engine = SparkEngine(threads=2, memory_gib=1.0, scratch=spill)
    own = engine._spark
    own.sql("CREATE DATABASE IF NOT EXISTS crm")
    own.sql("CREATE OR REPLACE TEMP VIEW made AS SELECT * FROM VALUES ('a', 1.5D), ('b', 2D) AS t(id, net)")
    own.sql("DROP TABLE IF EXISTS crm.orders")
    own.sql("CREATE TABLE crm.orders USING parquet AS SELECT * FROM made")
    try:
        engine.register("orders", CatalogTable("crm.orders"))
        found = engine.query("SELECT id, net FROM orders WHERE net > 1.6", "x.sql")
        assert found.to_pylist() == [{"id": "b", "net": 2.0}]
        whole = catalog.whole(CatalogTable("crm.orders"), "orders")
        assert sorted(whole.to_pylist(), key=lambda row: str(row["id"])) == [
            {"id": "a", "net": 1.5},
            {"id": "b", "net": 2.0},
        ]
        with pytest.raises(SourceError, match="no declared source"):
            engine.query("SELECT * FROM crm.orders", "x.sql")
        with pytest.raises(SourceError, match="cannot read the source 'gone'"):
            engine.register("gone", CatalogTable("crm.gone"))
    finally:
        own.sql("DROP DATABASE crm CASCADE")
        engine.close()


def test_duckdb_says_that_a_catalog_is_of_spark(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Spark's catalog") as caught:
        DuckDBEngine(scratch=tmp_path).register("orders", CatalogTable("crm.orders"))
    assert "--engine spark" in str(caught.value)
