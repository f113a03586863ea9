"""What every sink must do, whatever its kind."""

from dataclasses import replace
from datetime import date

import pytest
from tests.delivery import conftest
from tests.delivery.conftest import made

from hva_ml.delivery import Parcel
from hva_ml.errors import DeliveryError, HvaError, IntegrityError
from hva_ml.publication import Stale, read, reading

TABLES = ("scores", "reasons", "texts", "explanations", "accounts", "lifetime")


class Broken(Parcel):
    """A parcel that cannot be read to its end."""

    def pieces(self, table):
        pieces = super().pieces(table)
        if table != "reasons":
            yield from pieces
            return
        yield next(iter(pieces))
        raise IntegrityError("The published file is damaged.")


def test_a_night_arrives_whole_with_the_manifest_id_of_the_published_run(place, nights):
    sink, parcel = place.sink(), nights.parcel(1)
    assert sink.current() is None
    told = sink.deliver(parcel)
    assert sink.current() == told
    pointer = (parcel.folder / "CURRENT").read_text().split()
    assert [told.run_id, told.manifest] == pointer
    assert (told.pipeline, told.as_of, told.model_version) == ("toy", date(2025, 1, 1), "7")
    assert (told.currency, told.stale, told.missing) == ("EUR", False, None)
    assert told.contents["scores"].rows == 60
    assert sink.holds(parcel, told)


def test_every_row_and_payload_comes_back_as_it_was(tables_place, nights, oracle):
    parcel = nights.parcel(1)
    told, wanted = tables_place.sink().deliver(parcel), oracle(parcel)
    for table in TABLES:
        assert tables_place.rows(table) == wanted[table]
        assert told.contents[table].rows == len(wanted[table]) > 0


def test_a_folder_of_parquet_is_read_like_the_workspaces_own(tmp_path, nights):
    from tests.delivery.conftest import Place

    place, parcel = Place("parquet", tmp_path), nights.parcel(1)
    place.sink().deliver(parcel)
    home = tmp_path / "lake"
    for table in parcel.run.rows:
        assert read(home, table).equals(read(parcel.folder, table))
    file = home / "runs" / parcel.run.run_id / "scores.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert not place.sink().holds(parcel, place.sink().current())
    place.sink().deliver(parcel)
    assert read(home).equals(read(parcel.folder))


def test_the_next_night_takes_its_place_and_the_one_before_stays_within_reach(place, nights):
    sink = place.sink()
    for number in (1, 2, 3):
        parcel = nights.parcel(number)
        assert sink.current() is None or not sink.holds(parcel, sink.current())
        assert sink.deliver(parcel).as_of == date(2025, 1, number)
        assert sink.holds(parcel, sink.current())
    if place.kind == "parquet":
        assert len(reading.runs(place.root / "lake")) == 2


def test_going_back_shows_the_night_before_again(tables_place, nights, oracle, monkeypatch):
    sink = tables_place.sink()
    first, second = nights.parcel(1), nights.parcel(2)
    sink.deliver(first)
    sink.deliver(second)
    if tables_place.kind != "duckdb":
        # It is still there: nothing is written but the row that names it.
        monkeypatch.setattr(type(sink), "_insert", lambda *_: pytest.fail("written again"))
    assert sink.deliver(first).manifest == first.current.manifest
    assert tables_place.rows("scores") == oracle(first)["scores"]


def test_a_night_that_breaks_off_changes_nothing(place, nights, oracle):
    sink, first, second = place.sink(), nights.parcel(1), nights.parcel(2)
    before = sink.deliver(first)
    if place.kind == "parquet":
        (second.run.path / "scores.parquet").write_bytes(b"PAR1")
    with pytest.raises(IntegrityError):
        sink.deliver(Broken(**vars(second)))
    assert sink.current() == before
    assert sink.holds(first, before)
    if place.kind != "parquet":
        assert place.rows("scores") == oracle(first)["scores"]
        assert sink.deliver(second).run_id == second.run.run_id


@pytest.mark.parametrize("kind", ["postgres", "postgres by sql"])
def test_a_text_that_postgresql_cannot_hold_is_told_in_words(
    kind, request, tmp_path, nights, oracle, monkeypatch
):
    place = made(kind, request, tmp_path)
    sink, parcel = place.sink(), nights.parcel(1)
    sink.deliver(parcel)
    before = oracle(parcel)
    # As in runs from before the contract set such rows aside.
    monkeypatch.setattr(conftest, "PAYLOADS", ["a\0b", *conftest.PAYLOADS[1:]])
    with pytest.raises(DeliveryError, match="cannot store \\(NUL") as caught:
        sink.deliver(nights.parcel(2))
    assert "a\0b" not in str(caught.value)
    assert place.rows("scores") == before["scores"]


def test_a_reader_in_the_middle_sees_the_night_before(tables_place, nights, oracle):
    sink, first, second = tables_place.sink(), nights.parcel(1), nights.parcel(2)
    sink.deliver(first)
    seen = []

    class Watched(Parcel):
        def pieces(self, table):
            for piece in super().pieces(table):
                yield piece
                seen.append({t: tables_place.rows(t) for t in ("scores", "reasons")})

    sink.deliver(Watched(**vars(second)))
    wanted = oracle(first)
    assert len(seen) >= 10
    assert all(s == {t: wanted[t] for t in s} for s in seen)
    assert tables_place.rows("scores") == oracle(second)["scores"]


def test_that_scores_are_stale_is_told_and_taken_back(place, nights):
    sink, fresh = place.sink(), nights.parcel(1)
    stale = replace(fresh, run=replace(fresh.run, stale=Stale("2025-01-04", "It did not come out.")))
    sink.deliver(fresh)
    assert not sink.holds(stale, sink.current())
    told = sink.deliver(stale)
    assert (told.run_id, told.stale, told.missing) == (fresh.run.run_id, True, date(2025, 1, 4))
    assert sink.holds(stale, sink.current())
    assert not sink.deliver(fresh).stale
    assert sink.holds(fresh, sink.current())


def test_without_texts_the_table_is_there_and_empty(tables_place, nights):
    sink = tables_place.sink()
    sink.deliver(nights.parcel(1))
    assert sink.deliver(nights.parcel(2, texts=False)).contents["texts"].rows == 0
    assert tables_place.rows("texts") == set()


def test_only_the_tables_that_are_asked_for(tables_place, nights):
    parcel = nights.parcel(1)
    few = tables_place.sink(tables=("scores",), prefix="few_")
    assert set(few.deliver(parcel).contents) == {"scores"}
    more = tables_place.sink(tables=("scores", "texts"), prefix="few_")
    if tables_place.kind != "duckdb":
        assert not more.holds(parcel, more.current())
    assert set(more.deliver(parcel).contents) == {"scores", "texts"}
    assert len(tables_place.rows("scores", "few_")) == 60


def test_two_pipelines_never_take_one_place(tables_place, nights):
    parcel = nights.parcel(1)
    before = tables_place.sink().deliver(parcel)
    with pytest.raises(DeliveryError, match="another pipeline, 'toy'"):
        tables_place.sink().deliver(Parcel(parcel.folder, parcel.run, "other", "EUR"))
    assert tables_place.sink().current() == before


def test_a_damaged_published_file_goes_nowhere(place, nights):
    sink, parcel = place.sink(), nights.parcel(1)
    content = bytearray((parcel.run.path / "scores.parquet").read_bytes())
    content[len(content) // 2] ^= 1
    (parcel.run.path / "scores.parquet").write_bytes(content)
    with pytest.raises(IntegrityError):
        sink.deliver(parcel)
    assert sink.current() is None


def test_somebody_elses_duckdb_file_is_left_alone(tmp_path, nights):
    from tests.delivery.conftest import Place

    from hva_ml.engines.duckdb import DuckDBFile

    place, parcel = Place("duckdb", tmp_path), nights.parcel(1)
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "scores.duckdb"
    file = DuckDBFile(path, read_only=False)
    file.create("mine", parcel.pieces("accounts").__next__().schema)
    file.close()
    before = path.read_bytes()
    with pytest.raises(HvaError, match="DuckDB could not do it"):
        place.sink().deliver(parcel)
    path.write_text("no database at all")
    with pytest.raises(HvaError, match="DuckDB could not do it"):
        place.sink().deliver(parcel)
    path.write_bytes(before)
    assert [p.name for p in path.parent.iterdir()] == ["scores.duckdb"]
