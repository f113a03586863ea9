"""DuckDB keeps to its memory: what is more goes to the scratch folder, or ends in an error that says so."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hva_ml.engines.duckdb import DuckDBEngine
from hva_ml.errors import SourceError

N = 3_000_000
NUMBERS = pa.table({"a": np.arange(N), "b": np.random.default_rng(7).permutation(N)})


def test_more_than_the_memory_is_spilled_and_comes_back_whole(tmp_path: Path) -> None:
    engine = DuckDBEngine(threads=2, memory_gib=0.05, scratch=tmp_path / "s")
    engine.register("numbers", NUMBERS)
    engine.define("ordered", "SELECT * FROM numbers ORDER BY b", "x.sql")
    assert sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()) > 1_000_000
    found = engine.query("SELECT count(*) AS n, sum(a) AS a FROM ordered", "x.sql")
    assert found.to_pylist() == [{"n": N, "a": N * (N - 1) // 2}]
    engine.close()
    assert not (tmp_path / "s").exists()


def test_what_cannot_be_spilled_names_the_setting(tmp_path: Path) -> None:
    engine = DuckDBEngine(threads=1, memory_gib=0.05, scratch=tmp_path / "s")
    engine.register("numbers", NUMBERS)
    with pytest.raises(SourceError, match="memory_gib") as caught:
        engine.query("SELECT list(b ORDER BY a) AS whole FROM numbers", "x.sql")
    assert caught.value.where == "x.sql"
    engine.close()


def test_it_says_what_its_dialect_is(tmp_path: Path) -> None:
    engine = DuckDBEngine(scratch=tmp_path / "s")
    assert engine.dialect == "duckdb"
    found = engine.query("SELECT timezone('Europe/Berlin', TIMESTAMP '2025-07-01') AS t", "x.sql")
    assert found["t"][0].as_py().isoformat() == "2025-06-30T22:00:00+00:00"
    engine.close()
