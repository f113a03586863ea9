"""No secret and nobody's address leaves its place; `python -m benchmarks.trust --only canaries` tries all."""

import gzip
import zipfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.trust import canaries, sizes
from benchmarks.trust.canary_scenes import CANARY, MAIL, PHONE, scenes

import hva_ml as hva


def test_whatever_lies_somewhere_is_found(tmp_path: Path) -> None:
    rows = pa.table({"a": pa.array(["x", MAIL]).dictionary_encode(), "b": [[PHONE], None]})
    pq.write_table(rows, tmp_path / "a.parquet", compression="zstd")
    with duckdb.connect(str(tmp_path / "b.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT upper($1) AS a FROM range(1000)", [MAIL])
    (tmp_path / "c.json.gz").write_bytes(gzip.compress(MAIL.encode()))
    with zipfile.ZipFile(tmp_path / "d.xlsx", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("sheet", "x" * 100 + MAIL)
    (tmp_path / "e.log").write_text(f"calling {PHONE}")
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "own.toml").write_text(CANARY)
    found = {name.split(" in ")[1] for name in canaries.searched(tmp_path)}
    assert found == {"a.parquet", "b.duckdb", "c.json.gz", "d.xlsx", "e.log"}


def test_every_kind_has_a_handful() -> None:
    assert {s.kind for s in scenes() if s.quick} == {s.kind for s in scenes()}


@pytest.mark.slow
def test_nothing_is_told(base: hva.Workspace, tmp_path: Path) -> None:
    tallies = list(canaries.canaries(sizes.released(base), tmp_path / "canaries", every=False))
    assert [t.bad for t in tallies] == [[], [], []]
    assert all(t.ends["ended in words, nothing told"] for t in tallies)
