"""The parts of a source are known by their content: what has not changed keeps its name."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hva_ml.engines.base import ParquetFiles
from hva_ml.errors import SourceError
from hva_ml.ledger import parts as parts_module
from hva_ml.ledger.parts import parts


def table(first: int, n: int) -> pa.Table:
    return pa.table(
        {"id": list(range(first, first + n)), "kind": [f"k{k % 3}" for k in range(first, first + n)]}
    )


def written(path: Path, rows: pa.Table, group: int = 4) -> Path:
    pq.write_table(rows, path, row_group_size=group, write_page_checksum=True)
    return path


def keys(*paths: Path, rows: int = 4) -> list[str]:
    return [p.key for p in parts("s", ParquetFiles(paths), rows)]


def test_together_they_are_the_whole_in_its_order(tmp_path: Path) -> None:
    whole = table(0, 19)
    file = written(tmp_path / "a.parquet", whole)
    for rows in (1, 4, 5, 8, 100):
        found = parts("s", ParquetFiles((file,)), rows)
        groups = [g for p in found for g in p.relation.groups]
        assert groups == [0, 1, 2, 3, 4]
        assert len(found) == {1: 5, 4: 5, 5: 3, 8: 3, 100: 1}[rows]
    pieces = [p.relation for p in parts("s", whole, 5)]
    assert pa.concat_tables(pieces).equals(whole)
    assert [t.num_rows for t in pieces] == [5, 5, 5, 4]


def test_names_times_and_places_of_files_tell_nothing(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a.parquet", table(0, 8)), written(tmp_path / "b.parquet", table(8, 8))
    before = keys(a, b)
    os.utime(a, (1, 1))
    moved = a.rename(tmp_path / "z.parquet")
    assert sorted(keys(b, moved)) == sorted(before)
    assert len(set(before)) == 4


def test_growth_at_the_end_leaves_the_parts_before_it(tmp_path: Path) -> None:
    before = keys(written(tmp_path / "a.parquet", table(0, 10)))
    after = keys(written(tmp_path / "a.parquet", table(0, 20)))
    assert after[:2] == before[:2]
    assert before[2] not in after
    tables = [[p.key for p in parts("s", table(0, n), 4)] for n in (10, 20)]
    assert tables[1][:2] == tables[0][:2]
    assert tables[0][2] not in tables[1]


@pytest.mark.parametrize(
    "changed",
    [
        table(0, 8).set_column(0, "id", pa.array([0, 1, 2, 3, 4, 5, 6, 99])),
        table(0, 8).set_column(0, "id", pa.array([0, 1, 2, 3, 4, 5, 6, None])),
        table(0, 8).set_column(0, "id", table(0, 8)["id"].cast(pa.int32())),
        table(0, 8).rename_columns(["id", "sort"]),
    ],
    ids=["value", "null", "type", "name"],
)
def test_whatever_changes_gives_another_name(tmp_path: Path, changed: pa.Table) -> None:
    before = keys(written(tmp_path / "a.parquet", table(0, 8)))
    after = keys(written(tmp_path / "a.parquet", changed))
    assert before[1] != after[1]
    same_form = changed.schema.equals(table(0, 1).schema)
    assert (before[0] == after[0]) == same_form
    first, second = ([p.key for p in parts("s", t, 8)] for t in (table(0, 8), changed))
    assert first != second


def test_the_same_content_twice_is_two_parts_and_another_source_is_another(tmp_path: Path) -> None:
    files = [written(tmp_path / name, table(0, 4)) for name in ("a.parquet", "b.parquet")]
    once, twice = keys(*files)
    assert twice == f"{once} 1"
    assert parts("r", ParquetFiles((files[0],)))[0].key != once


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch) -> None:
    file = written(tmp_path / "a.parquet", table(0, 8))
    groups = parts_module._groups

    def growing(*given):
        yield from groups(*given)
        os.utime(file, (1, 1))

    monkeypatch.setattr(parts_module, "_groups", growing)
    with pytest.raises(SourceError, match="changed while it was read"):
        keys(file)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    file = written(tmp_path / "a.parquet", table(0, 8))
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(SourceError, match="cannot be read"):
        keys(file)
