"""Spark is an extra: importing needs nothing, what is missing is named, and its end leaves no trace."""

import subprocess
import sys
from pathlib import Path

import pytest

from hva_ml.engines.spark import SparkEngine
from hva_ml.errors import HvaError

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
