"""A night that reads only what is new gives the bits of one that reads everything, whatever came between."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.jobs.exports import PIPELINE, QUERIES, World

from hva_ml import folders
from hva_ml.engines.base import plain
from hva_ml.jobs import tonight as tonight_module
from hva_ml.jobs.prepare import Prepared
from hva_ml.jobs.tonight import prepare_tonight
from hva_ml.ledger import book as book_module
from hva_ml.ledger import files
from hva_ml.ledger.parts import parts
from hva_ml.ledger.reuse import LARGE, Reuse

ACTIONS: dict[str, Callable[[World], None]] = {
    name: getattr(World, name)
    for name in (
        "a_new_file", "growth", "a_correction", "a_file_gone", "a_row_gone", "a_copy", "another_name",
        "another_query", "damage",
    )
}  # fmt: skip
NIGHT = st.tuples(st.integers(1, 40), st.lists(st.sampled_from(sorted(ACTIONS)), max_size=4))


def rows_of(table: pa.Table, names: list[str]) -> list[str]:
    return sorted(map(repr, plain(table.select(names)).to_pylist()))


def same(whole: Prepared, tonight: Prepared) -> None:
    assert tonight.tables.violations == whole.tables.violations
    assert tonight.tables.tables.keys() == whole.tables.tables.keys()
    for name, table in tonight.tables.tables.items():
        # The key is read only where features ask for it.
        assert {*table.column_names, "event_id"} >= set(whole.tables.tables[name].column_names)
        assert rows_of(table, table.column_names) == rows_of(whole.tables.tables[name], table.column_names)


@given(seed=st.integers(0, 10_000), nights=st.lists(NIGHT, min_size=1, max_size=5))
@example(seed=1, nights=[(1, list(ACTIONS)), (30, ["damage", "growth"]), (1, [])])
@settings(max_examples=12, deadline=None)
def test_any_nights_give_the_bits_of_the_whole(seed: int, nights) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tonight_module, "parts", partial(parts, rows=3))
        patch.setattr(book_module, "SEGMENT_ROWS", 8)
        patch.setattr(book_module, "MANY", 2)
        for module in (files, folders):
            patch.setattr(module, "sync", lambda _: None)
        world = World(Path(folder), seed)
        for gap, actions in nights:
            for action in actions:
                ACTIONS[action](world)
            world.day += timedelta(days=gap)
            whole, tonight = world.both()
            same(whole, tonight)
            full, fast = world.features(whole), world.features(tonight)
            assert fast.table.equals(full.table)
            assert fast.fingerprint() == full.fingerprint()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(tonight_module, "parts", partial(parts, rows=3))
    world = World(tmp_path, 3)
    world.both()
    return world


def read_again(world: World, table: str) -> Reuse:
    whole, tonight = world.both()
    same(whole, tonight)
    [found] = [r for r in tonight.reuse if r.table == table]
    return found


def test_only_what_must_be_is_read_again(world: World) -> None:
    """Files of five rows have parts of three and two rows."""
    assert read_again(world, "invoices") == Reuse("invoices", 5, 0)
    world.files["bills/b"] = [world.row("bills") for _ in range(4)]
    world.write("bills/b")
    assert read_again(world, "invoices") == Reuse("invoices", 5, 4)
    world.files["bills/b"][3]["cents"] = 77
    world.write("bills/b")
    assert read_again(world, "invoices") == Reuse("invoices", 8, 1, gone=1)
    world.files["bills/a"].append(world.row("bills"))
    world.write("bills/a")
    assert read_again(world, "invoices") == Reuse("invoices", 7, 3, gone=1)
    del world.files["bills/b"]
    (world.raw / "bills/b.parquet").unlink()
    assert read_again(world, "invoices") == Reuse("invoices", 6, 0, gone=2)
    # A late row is a new row, whenever it happened; other tables know nothing of it.
    assert read_again(world, "events").read == 0


def test_what_cannot_be_read_in_parts_is_read_whole_and_why_is_said(world: World) -> None:
    why = {r.table: r.why for r in world.both()[1].reuse}
    assert why == {
        "accounts": "master data always are",
        "deal_stages": "its query: it joins",
        "events": "",
        "invoices": "",
    }
    assert {p.name for p in world.ws.ledger("tiny").iterdir()} == {"events", "invoices"}
    (world.ws.queries("tiny") / "clicks.sql").write_text("SELECT DISTINCT * FROM web")
    assert read_again(world, "events").why.startswith("a view it reads: it orders, limits")
    assert {p.name for p in world.ws.ledger("tiny").iterdir()} == {"invoices"}


def test_a_column_that_no_cell_of_a_part_can_be_read_as_is_judged_by_all_of_it(world: World) -> None:
    for row in world.files["mails"]:
        row["known"] = row["seen"] = "soon"
    text = QUERIES["events.sql"]
    for cell in ("seen", "known"):
        text = text.replace(f"try_cast({cell} AS TIMESTAMP)", cell).replace(f"{cell} AS", f"{cell}::text AS")
    (world.ws.queries("tiny") / "events.sql").write_text(text)
    world.write("mails")
    assert "by all of it" in read_again(world, "events").why


def test_a_ledger_that_cannot_be_written_does_not_stop_the_night(world: World, monkeypatch) -> None:
    world.files["bills/b"] = [world.row("bills")]
    world.write("bills/b")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files, "write", full)
        why = {r.table: r.why for r in world.both()[1].reuse}
        assert why["invoices"] == "the ledger cannot be written (No space left on device)"
        assert why["events"] == ""
    assert read_again(world, "invoices") == Reuse("invoices", 0, 6)


def test_sources_that_do_not_fit_go_piece_by_piece(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tonight_module, "SHARE_LEDGER", 0)
    whole, tonight = world.both()
    same(whole, tonight)
    assert world.features(tonight).fingerprint() == world.features(whole).fingerprint()
    assert {r.why for r in tonight.reuse} == {LARGE}
    assert [r.table for r in tonight.reuse] == sorted(whole.tables.counts())


def test_a_feature_group_of_ones_own_is_shown_all_of_a_table(world: World) -> None:
    text = (
        PIPELINE
        + """
[[features.own]]
name = "mine"
tables = ["invoices"]
columns = { n = { de = "Zahl", en = "number" } }
"""
    )
    (world.ws.pipelines / "tiny.toml").write_text(text)
    (world.ws.pipelines / "features").mkdir()
    sql = "SELECT account_id, count(*) AS n FROM invoices GROUP BY account_id"
    (world.ws.pipelines / "features" / "mine.sql").write_text(sql)
    assert read_again(world, "invoices").why == "the feature group 'mine' is shown all of it"
    assert read_again(world, "events").why == ""


def test_a_changed_query_a_damaged_ledger_and_a_wish_begin_anew(world: World) -> None:
    (world.ws.queries("tiny") / "invoices.sql").write_text(QUERIES["invoices.sql"] + " AND cents <> 100")
    assert "has changed" in read_again(world, "invoices").lost
    [rows] = (world.ws.ledger("tiny") / "invoices").glob("rows-*")
    rows.write_bytes(rows.read_bytes()[:-1])
    found = read_again(world, "invoices")
    assert found.reused == 0
    assert "changed" in found.lost
    assert read_again(world, "invoices").read == 0
    config = world.ws.config("tiny")
    anew = prepare_tonight(world.ws, config, datetime(2024, 6, 2, tzinfo=UTC), full=True)
    assert {r.reused for r in anew.reuse} == {0}
    assert {r.lost for r in anew.reuse} == {""}
