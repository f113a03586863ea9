"""The contract holds tables piece by piece, in memory or on disk: what comes out is always the same."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hva_ml.contracts import keys
from hva_ml.contracts.checks import enforce
from hva_ml.contracts.records import ContractTables
from hva_ml.contracts.stored import Stored
from hva_ml.engines.spool import Store

START = datetime(2024, 1, 1, tzinfo=UTC)
END = START + timedelta(days=2)
TIME = pa.timestamp("us", "UTC")
SCHEMAS = {
    "accounts": pa.schema([("account_id", pa.string()), ("event_time", TIME), ("parent_id", pa.string()),
                           ("employees", pa.string()), ("machines", pa.string()), ("more", pa.int64())]),
    "events": pa.schema([("event_id", pa.int64()), ("account_id", pa.string()), ("occurred_at", TIME),
                         ("imported_at", pa.string()), ("event_type", pa.string())]),
    "deal_stages": pa.schema([("deal_id", pa.string()), ("account_id", pa.string()), ("event_time", TIME),
                              ("stage", pa.string()), ("amount", pa.float64()), ("currency", pa.string()),
                              ("expected_close_at", pa.string())]),
}  # fmt: skip
ACCOUNT = st.sampled_from(["A1", "A2", " A2", "A3", "", None, "Ä\n", "x@y.de"])
WHEN = st.sampled_from([None, *(START + timedelta(days=d) for d in (-900, -40_000, 0, 0, 1, 3))])
ROWS = {
    "accounts": st.tuples(
        ACCOUNT, WHEN, ACCOUNT, st.sampled_from([None, "1", "2.5", "viele", ""]),
        st.sampled_from(["", "x", None, "7"]), st.integers(0, 1)
    ),
    "events": st.tuples(
        st.none() | st.integers(0, 30), ACCOUNT, WHEN,
        st.sampled_from([None, "2024-01-01", "2024-03-31 02:30", "gestern", ""]),
        st.sampled_from(["call", None])
    ),
    "deal_stages": st.tuples(
        st.sampled_from(["D1", "D2", "D3", None]), ACCOUNT, WHEN, st.sampled_from(["won", "lost", "offer"]),
        st.none() | st.floats(), st.sampled_from([None, "EUR", "eur ", "CHF"]),
        st.sampled_from([None, "2024-03-31", "bald", ""])
    ),
}  # fmt: skip
CUTS = st.lists(st.integers(0, 20), max_size=4)
# Columns of which one piece could not tell that their type is wrong, or that it is not.
LATE = {
    "accounts": [("A1", START, None, "viele", "x", 1), ("A2", START, None, "2", "y", 1),
                 ("A3", START, None, "wenige", "z", 1)],
    "events": [(1, "A1", START, "gestern", "call"), (2, "A1", START, "morgen", "call"),
               (3, "A2", START, "2024-01-01", "call")],
    "deal_stages": [],
}  # fmt: skip


def cut(table: pa.Table, cuts: list[int]) -> Iterator[pa.Table]:
    edges = [0, *sorted(min(c, table.num_rows) for c in cuts), table.num_rows]
    for first, last in pairwise(edges):
        yield table.slice(first, last - first)


def arrow(name: str, rows: list[tuple[object, ...]]) -> pa.Table:
    schema = SCHEMAS[name]
    return pa.Table.from_pylist([dict(zip(schema.names, r, strict=True)) for r in rows], schema)


def rows_of(found: ContractTables) -> dict[str, object]:
    return {name: table.to_pylist() for name, table in found.tables.items()}


def told(found: ContractTables) -> dict[str, object]:
    """All that comes out, so that it can be compared."""
    return {
        "clean": rows_of(found),
        # Rows set aside may hold NaN, which is unlike itself.
        "aside": {name: repr(table.to_pylist()) for name, table in found.quarantine.items()},
        "violations": found.violations,
        "fingerprints": found.fingerprints,
        "counts": found.counts(),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spilled")


@settings(max_examples=60, deadline=None)
@given(rows=st.fixed_dictionaries({n: st.lists(r, max_size=20) for n, r in ROWS.items()}), cuts=CUTS)
@example(rows=LATE, cuts=[1, 2])
def test_pieces_on_disk_are_the_whole_in_memory(rows, cuts, config, folder: Path) -> None:
    raw = {name: arrow(name, found) for name, found in rows.items()}
    straight = enforce(raw, config(), END)
    store = Store(folder, memory_gib=0.5, share=0.0)
    found = enforce({n: store.keep(cut(t, cuts)) for n, t in raw.items()}, config(), END, store)
    assert told(found) == told(straight)
    for name, clean in straight.tables.items():
        assert found.tables[name].schema == clean.schema
    moment = START + timedelta(days=1)
    assert rows_of(found.upto(moment)) == rows_of(straight.upto(moment))


def events(ids: list[object]) -> pa.Table:
    n = len(ids)
    return pa.table(
        {
            "event_id": ids,
            "account_id": [f"A{k % 10:02d}" for k in range(n)],
            "occurred_at": pa.array([10**15 + k for k in range(n)], TIME),
            "imported_at": pa.nulls(n, TIME),
            "event_type": ["call"] * n,
            "surplus": range(n),
        }
    )


@pytest.mark.parametrize("n_keys", [60_000, 50_000], ids=["each once", "some again"])
def test_what_is_sorted_on_disk_is_what_is_sorted_in_memory(
    n_keys: int, raw, config, to_arrow, folder: Path
) -> None:
    n = 60_000
    given_tables = to_arrow(raw) | {"events": events([(k * 7919) % n_keys for k in range(n)])}
    straight = enforce(given_tables, config(), None)
    store = Store(folder, memory_gib=0.5, share=1 / 500)
    pieces = cut(given_tables["events"], list(range(0, n, 7_000)))
    found = enforce(given_tables | {"events": store.keep(pieces)}, config(), None, store)
    assert isinstance(found.tables, Stored)
    on_disk = {n for n, rows in found.tables.spooled.items() if not isinstance(rows.source, pa.Table)}
    assert on_disk == {"events"}
    assert found.counts()["events"] == (n - 2 * (n - n_keys), 2 * (n - n_keys))
    assert found.counts() == straight.counts()
    assert found.violations == straight.violations
    assert found.fingerprints == straight.fingerprints
    for name, aside in straight.quarantine.items():
        assert found.quarantine[name].equals(aside)


def test_a_table_on_disk_is_read_bit_by_bit(raw, config, to_arrow, folder: Path) -> None:
    store = Store(folder, memory_gib=0.5, share=0.0)
    given_tables = to_arrow(raw) | {"events": events([f"E{k:05d}" for k in range(5_000)])}
    found = enforce(
        {n: store.keep(cut(t, list(range(0, 5_000, 700)))) for n, t in given_tables.items()},
        config(), None, store,
    )  # fmt: skip
    pieces = list(found.pieces("events", ["event_type", "account_id"]))
    assert max(piece.num_rows for piece in pieces) == 700
    assert {tuple(piece.column_names) for piece in pieces} == {("account_id", "event_type")}
    assert pa.concat_tables(pieces).equals(found.columns("events", ["account_id", "event_type"]))


def test_keys_in_their_order_are_not_sorted_again(
    raw, config, to_arrow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> Iterator[pa.Table]:
        raise AssertionError

    store = Store(folder, memory_gib=0.5, share=0.0)
    ordered = events([f"E{k:05d}" for k in range(5_000)])
    accounts = {"accounts": to_arrow(raw)["accounts"]}
    straight = enforce(accounts | {"events": ordered[::-1]}, config(), None)
    monkeypatch.setattr(keys, "_sorted", never)
    found = enforce(accounts | {"events": store.keep(cut(ordered, [1, 1, 70, 4_999]))}, config(), None, store)
    assert found.fingerprints == straight.fingerprints
    again = events(["E0", "E1", "E1", "E2"])
    for wrong in (ordered[::-1], again):
        with pytest.raises(AssertionError):
            enforce(accounts | {"events": store.keep([wrong])}, config(), None, store)


def test_files_are_gone_with_the_tables(raw, config, to_arrow, tmp_path: Path) -> None:
    store = Store(tmp_path / "s", memory_gib=0.5, share=0.0)
    spooled = {n: store.keep([t]) for n, t in to_arrow(raw).items()}
    found = enforce(spooled, config(), None, store)
    # One file each: what is raw, and what is clean; nothing is left of what was in between.
    assert len(list((tmp_path / "s").rglob("*.arrow"))) == 2 * len(spooled)
    del spooled
    assert len(list((tmp_path / "s").rglob("*.arrow"))) == len(found.tables)
    del found, store
    assert not (tmp_path / "s").exists()


def test_asking_whether_a_table_is_there_reads_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Store(folder, memory_gib=0.5, share=0.0).keep([events([1, 2])])

    def read(tables: Stored, name: str) -> pa.Table:
        raise AssertionError(name)

    monkeypatch.setattr(Stored, "__getitem__", read)
    tables = Stored({"events": kept})
    assert "events" in tables
    assert "deals" not in tables
    assert ContractTables(tables).counts() == {"events": (2, 0)}
