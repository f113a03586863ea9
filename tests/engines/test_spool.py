"""Rows wait in memory while they are few, then on disk, and come back the same any number of times."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.engines.spool import Spooled, Store

SCHEMA = pa.schema([("a", pa.string()), ("b", pa.int64()), ("c", pa.timestamp("us", "UTC"))])
ROW = st.tuples(st.none() | st.text(max_size=3), st.none() | st.integers(0, 9))
PIECES = st.lists(st.lists(ROW, max_size=4), min_size=1, max_size=5)


def table(rows: list[tuple[str | None, int | None]]) -> pa.Table:
    return pa.Table.from_pylist([{"a": a, "b": b, "c": b} for a, b in rows], SCHEMA)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spool")


@given(PIECES, st.booleans())
def test_what_goes_in_comes_out_in_its_order(folder: Path, rows: list, on_disk: bool) -> None:
    store = Store(folder, memory_gib=1.0, share=0.0) if on_disk else Store()
    whole = table([row for piece in rows for row in piece])
    kept = store.keep(table(piece) for piece in rows)
    assert isinstance(kept.source, pa.Table) == (not on_disk or whole.num_rows == 0)
    assert (kept.num_rows, kept.schema) == (whole.num_rows, SCHEMA)
    for columns in (None, ["b"], ["c", "a"], ["nothing of the kind"]):
        names = SCHEMA.names if columns is None else [n for n in SCHEMA.names if n in columns]
        pieces = list(kept.pieces(columns))
        assert pieces
        assert {tuple(piece.column_names) for piece in pieces} == {tuple(names)}
        if names:
            assert pa.concat_tables(pieces).equals(whole.select(names))
            assert kept.table(columns).equals(whole.select(names))


def test_few_rows_need_no_folder_and_many_take_one(tmp_path: Path) -> None:
    within = tmp_path / "s"
    store = Store(within, memory_gib=1e-6, share=0.5)
    few = store.keep([table([("x", 1)])])
    assert not within.exists()
    many = store.keep(table([("x", k)]) for k in range(100))
    assert [p.name for p in within.rglob("*.arrow")] == ["1.arrow"]
    assert many.table()["b"].to_pylist() == list(range(100))
    assert few.table()["b"].to_pylist() == [1]


def test_the_folder_stays_as_long_as_somebody_may_read(tmp_path: Path) -> None:
    within = tmp_path / "s"
    store = Store(within, memory_gib=1.0, share=0.0)
    kept = store.keep([table([("x", 1)])])
    del store
    reading = kept.pieces()
    del kept
    assert next(reading)["a"].to_pylist() == ["x"]
    reading.close()
    del reading
    assert not within.exists()


def test_a_table_is_spooled_as_it_is() -> None:
    whole = table([("x", 1), ("y", None)])
    assert next(Spooled.of(whole).pieces()) is whole
