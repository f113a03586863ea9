import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hva_ml.errors import IntegrityError, RefusedError, UsageError
from hva_ml.publication import current, publish, read
from hva_ml.publication.reading import runs


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data" / "scores" / "toy"


def send(folder, make, number, **changes):
    return publish(
        folder, [make(number)], {"as_of": "2025-01-01", "number": number}, expected_rows=40, **changes
    )


def test_nothing_is_published_at_first(folder):
    assert current(folder) is None
    with pytest.raises(UsageError, match="hva score toy"):
        read(folder)


def test_a_run_is_read_back_as_written(folder, make):
    done = send(folder, make, 1)
    assert done.published
    assert done.path == folder / "runs" / done.run_id
    assert done.rows == {"scores": 40, "explanations": 40}
    now = current(folder)
    assert (now.run_id, now.identity, now.published) == (
        done.run_id,
        {"as_of": "2025-01-01", "number": 1},
        False,
    )
    for name, table in make(1).items():
        assert read(folder, name).equals(table)
    assert {p.name for p in done.path.iterdir()} == {
        "scores.parquet",
        "explanations.parquet",
        "manifest.json",
    }
    assert {p.name for p in folder.iterdir()} == {"runs", "CURRENT"}
    assert (now.sequence, now.forced, now.stale) == (1, "", None)
    assert [r.code for r in now.audit] == ["HVS010", "HVS011"]


@pytest.mark.parametrize("every", [1, 2, 3, 7, 40, 41])
def test_a_sample_is_every_so_many_th_row_whatever_the_pieces(folder, make, every):
    whole = make(1)
    cuts = ((0, 1), (1, 16), (17, 0), (17, 23))
    pieces = [{name: t.slice(*cut) for name, t in whole.items()} for cut in cuts]
    publish(folder, pieces, {"as_of": "2025-01-01"}, expected_rows=40)
    assert read(folder, "scores", every=every).equals(whole["scores"].take(list(range(0, 40, every))))


def test_some_accounts_and_some_columns_are_read_from_whatever_pieces(folder, make):
    whole = make(1)
    publish(
        folder,
        [{n: t.slice(first, 16) for n, t in whole.items()} for first in (0, 16, 32)],
        {"as_of": "2025-01-01"},
        expected_rows=40,
    )
    wanted = ["A030", "A002", "A031", "NOBODY"]
    found = read(folder, account=wanted, columns=["account_id", "rank"])
    assert found.to_pylist() == [{"account_id": f"A{k:03d}", "rank": k + 1} for k in (2, 30, 31)]
    assert read(folder, account="A030").equals(whole["scores"].slice(30, 1))
    assert read(folder, account=[], columns=["rank"]).schema == pa.schema([("rank", pa.int64())])
    assert read(folder, every=39, columns=["rank"])["rank"].to_pylist() == [1, 40]


def test_runs_are_listed_by_day_then_as_they_were_written_and_damaged_ones_left_out(folder, make):
    days = ("2025-01-02", "2025-01-01", "2025-01-02", "2025-01-03")
    made = [
        publish(folder, [make(k)], {"as_of": day, "number": k}, expected_rows=40)
        for k, day in enumerate(days)
    ]
    assert [r.sequence for r in made] == [1, 2, 3, 4]
    assert [r.run_id for r in runs(folder)] == [made[k].run_id for k in (1, 0, 2, 3)]
    (made[0].path / "manifest.json").write_text("{}", encoding="utf-8")
    assert [r.run_id for r in runs(folder)] == [made[k].run_id for k in (1, 2, 3)]


def test_the_same_again_does_nothing(folder, make):
    done = send(folder, make, 1)
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    again = send(folder, make, 1)
    assert (again.run_id, again.published) == (done.run_id, False)
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before


def test_an_earlier_run_comes_back_without_being_written_again(folder, make):
    first, second = send(folder, make, 1), send(folder, make, 2)
    assert current(folder).run_id == second.run_id
    stamp = (first.path / "scores.parquet").stat().st_mtime_ns
    again = send(folder, make, 1)
    assert again.published
    assert current(folder).run_id == first.run_id
    assert (first.path / "scores.parquet").stat().st_mtime_ns == stamp
    assert read(folder, run_id=second.run_id)["value_if_converted"][0].as_py() == 102.0


def test_the_run_id_depends_on_the_identity_and_not_on_its_order(folder, make):
    one = publish(folder, [make(1)], {"a": 1, "b": 2}, expected_rows=40)
    two = publish(folder, [make(1)], {"b": 2, "a": 1}, expected_rows=40)
    three = publish(folder, [make(1)], {"a": 1, "b": 3}, expected_rows=40)
    assert one.run_id == two.run_id != three.run_id


def test_equal_tables_give_equal_files(folder, make, tmp_path):
    one, two = send(folder, make, 1), send(tmp_path / "other", make, 1)
    for name in ("scores.parquet", "explanations.parquet", "manifest.json"):
        assert (one.path / name).read_bytes() == (two.path / name).read_bytes()


def test_every_bit_flip_is_noticed_and_mended_by_scoring_again(folder, make):
    done = send(folder, make, 1)
    for name in ("scores.parquet", "manifest.json"):
        whole = (done.path / name).read_bytes()
        for place in range(0, len(whole), max(1, len(whole) // 60)):
            broken = bytearray(whole)
            broken[place] ^= 1 << (place % 8)
            (done.path / name).write_bytes(broken)
            with pytest.raises(IntegrityError, match="hva score toy") as caught:
                read(folder)
            assert caught.value.where == str(done.path / name)
            with pytest.raises(IntegrityError):
                read(folder, run_id=done.run_id)
        (done.path / name).write_bytes(whole)
    (done.path / "scores.parquet").write_bytes(b"")
    again = send(folder, make, 1)
    assert again.published
    assert read(folder).equals(make(1)["scores"])
    assert [p.name for p in (folder / "runs").iterdir() if p.suffix == ".damaged"] == [
        f".{done.run_id}.damaged"
    ]


def test_pages_carry_checksums_of_their_own(folder, make):
    path = send(folder, make, 1).path / "scores.parquet"
    broken = bytearray(path.read_bytes())
    column = pq.ParquetFile(path).metadata.row_group(0).column(1)
    start = column.dictionary_page_offset or column.data_page_offset
    broken[start + column.total_compressed_size - 2] ^= 1
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(pa.BufferReader(bytes(broken)), page_checksum_verification=True)


def test_damaged_pointer_missing_run_and_missing_table_are_named(folder, make):
    done = send(folder, make, 1)
    pointer = (folder / "CURRENT").read_text(encoding="utf-8")
    (folder / "CURRENT").write_text("../../etc x\n", encoding="utf-8")
    with pytest.raises(IntegrityError, match="pointer") as caught:
        current(folder)
    assert caught.value.where == str(folder / "CURRENT")
    (folder / "CURRENT").write_text(pointer, encoding="utf-8")
    with pytest.raises(UsageError, match="Did you mean 'scores'"):
        read(folder, "scorse")
    for run_id in ("0" * 16, "../x", ""):
        with pytest.raises(UsageError, match="no run"):
            read(folder, run_id=run_id)
    (done.path / "explanations.parquet").unlink()
    with pytest.raises(IntegrityError, match=r"explanations\.parquet"):
        read(folder, "explanations")
    shutil.rmtree(done.path)
    with pytest.raises(IntegrityError, match="manifest"):
        current(folder)


def test_what_a_stopped_writer_left_is_cleared(folder, make):
    send(folder, make, 1)
    left = folder / "runs" / ".abc.00000000.part"
    left.mkdir()
    (left / "scores.parquet").write_bytes(b"half")
    (folder / ".CURRENT.00000000.part").write_bytes(b"half")
    send(folder, make, 2)
    assert not left.exists()
    assert {p.name for p in folder.iterdir()} == {"runs", "CURRENT"}


def test_a_refused_run_leaves_the_current_one(folder, make):
    done = send(folder, make, 1)
    with pytest.raises(RefusedError, match="population has 41"):
        publish(folder, [make(2)], {"number": 2}, expected_rows=41)
    assert current(folder).run_id == done.run_id
    assert [p.name for p in (folder / "runs").iterdir()] == [done.run_id]
