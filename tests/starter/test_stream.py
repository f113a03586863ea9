"""Streaming to Parquet: the same rows as in memory, whole files or none."""

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hva_ml.errors import UsageError
from hva_ml.starter import stream as streaming
from hva_ml.starter.simulator import SCHEMAS, Simulated

SIZE = {"seed": 7, "first": date(2023, 1, 1), "last": date(2024, 12, 31), "events_per_account": 20.0}


def test_the_same_rows_as_in_memory(simulated: Simulated, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    rows = streaming.stream(
        tmp_path / "big", accounts=1300, progress=lambda done, total: told.append((done, total)), **SIZE
    )
    assert told == [(1000, 1300), (1300, 1300)]
    assert sorted(p.name for p in (tmp_path / "big").iterdir()) == sorted(f"{n}.parquet" for n in SCHEMAS)
    for name, table in simulated.tables.items():
        read = pq.read_table(tmp_path / "big" / f"{name}.parquet").combine_chunks()
        assert rows[name] == table.num_rows
        assert read.equals(table), name


def test_an_interrupted_stream_leaves_the_old_files(tmp_path: Path) -> None:
    streaming.stream(tmp_path, accounts=60, **SIZE)
    before = {p.name: p.read_bytes() for p in tmp_path.glob("*.parquet")}

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        streaming.stream(tmp_path, accounts=80, progress=stop, **SIZE)
    assert {p.name: p.read_bytes() for p in tmp_path.glob("*.parquet")} == before
    assert len(before) == len(SCHEMAS)


def test_wrong_sizes_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        streaming.stream(tmp_path / "none", accounts=0, **SIZE)
    assert not (tmp_path / "none").exists()
