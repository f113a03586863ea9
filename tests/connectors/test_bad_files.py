"""Every way a file can be wrong has its own error: what, where and how to mend it, and no value in it."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hva_ml.config import Source
from hva_ml.connectors import csv_files, files
from hva_ml.engines.spool import Store
from hva_ml.errors import SourceError

WHERE = "pipelines/p.toml: [sources.x]"
GOOD = "id;name\n1;Müller\n"

BAD: dict[str, tuple[bytes, dict[str, object], str, str]] = {
    "no byte": (b"", {}, "empty", "Export it again"),
    "only blank lines": (b"\n\r\n  \n", {}, "empty", "header"),
    "duplicate header": (b"id;name;ID\n1;2;3\n", {}, "'id' stands .* 2 times", "a name of its own"),
    "empty header": (b"id;;name\n1;2;3\n", {}, "1 of 3 columns have no name", "delimiter at the end"),
    "delimiter at line ends": (b"id;name;\n1;2;\n", {}, "no name", "delimiter at the end"),
    "ragged row": (b'id;name\n1;"a\nb"\n2;x;y\n3;z\n', {}, "1 rows do not have 2 fields", "Quote cells"),
    "half a last line": (b"id;name\n1;a\n2", {}, "1 rows do not have 2 fields", "half lines"),
    "NUL": (b"id;name\n1;a\n2;b\0c\n", {}, "NUL", "encoding"),
    "UTF-16 without mark": (GOOD.encode("utf-16-le"), {}, "NUL", "utf-16-le"),
    "garbage column": (b"Export vom 1. Mai\nid;name\n1;a\n", {}, "No delimiter", 'delimiter = ";"'),
    "numbers in one column": (b"betrag\n1,5\n2,5\n", {}, "No delimiter splits the header", "on purpose"),
    "wrong delimiter": (
        b"id;name\n1;a\n",
        {"delimiter": ","},
        "not contain the delimiter",
        'delimiter = ";"',
    ),
    "long delimiter": (b"id;name\n1;a\n", {"delimiter": ";;"}, "one character", "delimiter ="),
    "two delimiters": (b"a;b,c\n1;2,3\n4;5,6\n", {}, "not clear: ';' and ','", '= ";" or delimiter = ","'),
    "undecodable": (b"id;name\n1;M\x81ller\n", {}, "neither UTF-8 nor Windows", 'encoding = "cp850"'),
    "DOS umlauts": (
        "id;ort\n1;Jägerhof\n".encode("cp850"),
        {},
        "encoding is not clear",
        'encoding = "cp850"',
    ),
    "DOS umlaut that begins a word": (
        "id;land\n1;Österreich\n".encode("cp850"),
        {},
        "encoding is not clear",
        'encoding = "cp850"',
    ),
    "DOS sharp s": ("id;ort\n1;Bahnstraße 1\n".encode("cp850"), {}, "encoding is not clear", "cp850"),
    "old Mac umlauts": ("id;name\n1;Müller\n".encode("mac_roman"), {}, "encoding is not clear", "mac_roman"),
    "two encodings in one file": (
        "id;name\n1;Größe\n".encode("cp1252") + "2;Müller\n".encode(),
        {},
        "mixes encodings",
        "UTF-8",
    ),
    "declared against the mark": (
        GOOD.encode("utf-8-sig"),
        {"encoding": "cp1252"},
        "mark of utf-8",
        "Leave the line encoding out",
    ),
    "no header, numbers": (b"1;2;3\n4;5;6\n", {}, "looks like data", "with a header"),
    "no header, a date": (b"4711;Eins GmbH;31.12.2024\n", {}, "looks like data", "with a header"),
    "text behind a quote": (b'id;name\n1;"5" Rohr"\n', {}, "Text follows a closing quote", "double quotes"),
    "not the declared encoding": (
        GOOD.encode("cp1252"),
        {"encoding": "utf-8"},
        "The file is not utf-8",
        "UTF-8",
    ),
    "half a UTF-16 file": (GOOD.encode("utf-16")[:-1], {}, "does not go on so", "UTF-8"),
    "unknown encoding": (b"a;b\n", {"encoding": "utf8-8"}, "Did you mean 'utf-8", "Use one of"),
    "no text encoding": (b"a;b\n", {"encoding": "rot13"}, "Unknown encoding", "Use one of"),
    "open quote": (b'id;name\n1;a\n2;"b\n3;c\n', {}, "never closed", "Close it"),
    "open quote after an inch sign": (b'id;name\n1;19" Rack\n2;"b\n3;c\n', {}, "never closed", "Close it"),
    "a workbook": (b"PK\x03\x04xxxx", {}, "Excel workbook", "CSV"),
    "Parquet called CSV": (b"PAR1xxxxPAR1", {}, "Parquet", 'kind = "parquet"'),
    "unknown type column": (
        GOOD.encode(),
        {"types": {"nmae": "text"}},
        "Did you mean 'name'",
        "It has: id, name",
    ),
    "bad numbers": (
        b"id;v\n1;1,5\n2;\n3;viel\n4;7%\n",
        {"types": {"v": "number"}},
        "2 of 3 values",
        "Correct",
    ),
    "two decimal marks": (
        b"id;v\n1;1,5\n2;2.5\n",
        {"types": {"v": "number"}},
        "decimal mark",
        'decimal = ","',
    ),
    "unclear mark": (
        b"id;v\n1;1.234\n2;2\n",
        {"types": {"v": "number"}},
        "1.234 may be 1234",
        'decimal = ","',
    ),
    "no day": (b"id;v\n1;31.02.2024\n", {"types": {"v": "date"}}, "1 of 1 values.*'99.99.9999'", "Correct"),
    "no time": (b"id;v\n1;01.02.2024 25:00\n", {"types": {"v": "time"}}, "1 of 1 values", "Correct"),
    "day and time": (b"id;v\n1;01.02.2024 12:00\n", {"types": {"v": "date"}}, "1 of 1 values", "Correct"),
    "some zones": (
        b"id;v\n1;2024-01-01 10:00\n2;2024-01-01 10:00+01:00\n3;2024-01-02\n",
        {"types": {"v": "time"}},
        "1 of 3 values",
        "Correct",
    ),
    "no flag": (b"id;v\n1;ja\n2;vielleicht\n", {"types": {"v": "flag"}}, "1 of 2 values", "Correct"),
    "too large": (b"id;v\n1;9223372036854775808\n", {"types": {"v": "integer"}}, "1 of 1 values", "Correct"),
    "not finite": (b"id;v\n1;1e999\n", {"types": {"v": "number"}}, "1 of 1 values", "Correct"),
    "a fraction": (b"id;v\n1;1,5\n", {"types": {"v": "integer"}}, "1 of 1 values", "Correct"),
}


@pytest.mark.parametrize("case", BAD)
def test_every_bad_csv_has_its_named_error(tmp_path: Path, case: str) -> None:
    data, keys, what, fix = BAD[case]
    path = tmp_path / "orders.csv"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=what) as caught:
        csv_files.read(path, Source(kind="csv", path=str(path), **keys), WHERE, Store().keep)  # type: ignore[arg-type]
    assert fix in caught.value.fix
    assert caught.value.where.startswith(WHERE)


def refusal(folder: Path, data: bytes, **keys: object) -> SourceError:
    path = folder / "x.csv"
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        csv_files.read(path, Source(kind="csv", path=str(path), **keys), WHERE, Store().keep)  # type: ignore[arg-type]
    return caught.value


def test_lines_are_those_an_editor_shows(tmp_path: Path) -> None:
    ragged = refusal(tmp_path, b'sep=;\n\nid;name\n1;"a\nb"\n2;x;y\n\n3;z\n4\n')
    assert ragged.where.endswith("line 6, 9")
    cells = refusal(tmp_path, b'sep=;\n\nid;name\n1;"a\nb"\nx;c\n\n3;z\ny;d\n', types={"id": "integer"})
    assert cells.where.endswith("line 6, 9")
    assert refusal(tmp_path, b'id;name\n1;a\n2;"b\n3;c\n').where.endswith("line 3")
    assert refusal(tmp_path, b"id;name\n1;a\n2;\x81\n").where.endswith("line 3")


def test_at_most_five_lines_and_never_a_value(tmp_path: Path) -> None:
    rows = "".join(f"{i};erika.muster{i}@example.org\n" for i in range(20))
    error = refusal(tmp_path, f"id;v\n{rows}".encode(), types={"v": "number"})
    assert "20 of 20 values" in error.what
    assert "an e-mail address" in error.what
    assert error.where.endswith("line 2, 3, 4, 5, 6")
    assert "erika" not in str(error)
    named = refusal(tmp_path, "id;v\n1;Erika Müßtermann 12\n".encode(), types={"v": "number"})
    assert "'aaaaa aaaaaaaaaa 99'" in named.what
    assert "Erika" not in str(named)


def test_a_missing_file_names_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "orders_2024.csv").write_text(GOOD, encoding="utf-8")
    with pytest.raises(SourceError, match=r"no file 'order_2024\.csv'\. Did you mean 'orders_2024\.csv'"):
        files.content(tmp_path / "order_2024.csv", WHERE)
    with pytest.raises(SourceError, match="no file") as caught:
        files.content(tmp_path / "nowhere" / "x.csv", WHERE)
    assert "folder" in caught.value.fix


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"x")
    with pytest.raises(SourceError, match="folder, not a file") as caught:
        files.read_parquet(tmp_path, WHERE)
    assert "a.parquet" in caught.value.fix


def test_parquet_that_is_something_else(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_text(GOOD, encoding="utf-8")
    with pytest.raises(SourceError, match="not Parquet") as caught:
        files.read_parquet(path, WHERE)
    assert 'kind = "csv"' in caught.value.fix


@pytest.mark.parametrize("keep", [0.0, 0.02, 0.5, 0.99])
def test_a_truncated_parquet_is_never_half_read(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": list(range(5000))}), path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(SourceError, match=r"truncated or damaged|empty"):
        files.read_parquet(path, WHERE)


def test_a_flipped_bit_is_found_where_pages_carry_checksums(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(
        pa.table({"a": list(range(5000))}),
        path,
        compression="none",
        use_dictionary=False,
        write_page_checksum=True,
    )
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(SourceError, match="truncated or damaged"):
        files.read_parquet(path, WHERE)


def test_parquet_comes_back_as_written_whatever_its_folder_is_called(tmp_path: Path) -> None:
    path = tmp_path / "year=2024" / "x.parquet"
    path.parent.mkdir()
    table = pa.table({"id": ["007", None], "d": pa.array([1, 2], pa.date32())})
    pq.write_table(table, path)
    assert files.read_parquet(path, WHERE).equals(table)
    assert files.read_parquet(path, WHERE, ["id"]).column_names == ["id"]


def test_a_folder_of_parquet_is_its_files_if_they_are_alike(tmp_path: Path) -> None:
    for name, values in (("b", [2]), ("a", [1]), ("_c", ["x"])):
        pq.write_table(pa.table({"v": values}), tmp_path / f"{name}.parquet")
    assert [p.name for p in files.parquet(tmp_path, WHERE).paths] == ["a.parquet", "b.parquet"]
    assert files.parquet(tmp_path / "a.parquet", WHERE).paths == (tmp_path / "a.parquet",)
    pq.write_table(pa.table({"v": ["x"]}), tmp_path / "c.parquet")
    with pytest.raises(SourceError, match=r"a\.parquet and c\.parquet have different columns"):
        files.parquet(tmp_path, WHERE)
    (tmp_path / "c.parquet").write_bytes(b"PAR1")
    with pytest.raises(SourceError, match="truncated or damaged"):
        files.parquet(tmp_path, WHERE)


def test_a_parquet_that_has_a_column_twice_is_refused(tmp_path: Path) -> None:
    table = pa.table([[1], [2]], names=["id", "ID"])
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(SourceError, match="'id' stands in the header 2 times"):
        files.parquet(tmp_path / "x.parquet", WHERE)


def test_a_folder_without_parquet_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD, encoding="utf-8")
    with pytest.raises(SourceError, match="folder, not a file"):
        files.parquet(tmp_path, WHERE)
    with pytest.raises(SourceError, match="no file"):
        files.parquet(tmp_path / "x.parquet", WHERE)
