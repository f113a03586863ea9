"""Whatever table an office writes, in whatever dialect: what comes back is what was written."""

# ruff: noqa: DTZ001 - naive local times are what these files hold.

import csv
import io
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hva_ml.config import Source
from hva_ml.connectors import csv_files
from hva_ml.engines.spool import Store
from hva_ml.errors import SourceError

DELIMITERS = [";", ",", "\t", "|"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252"]
LETTERS = "aäöüßÄÉ09 .,;|\t\"'\n€-"
cells = st.one_of(st.none(), st.text(LETTERS, min_size=1, max_size=8))


@st.composite
def tables(draw: st.DrawFn) -> list[list[str | None]]:
    width = draw(st.integers(2, 5))
    return draw(st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=8))


def written(rows: list[list[str | None]], delimiter: str, ending: str, quoting: int) -> str:
    out = io.StringIO()
    names = [f"Spalte {i}" for i in range(len(rows[0]))]
    writer = csv.writer(out, delimiter=delimiter, lineterminator=ending, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(names)
    writer.writerows(rows)
    return out.getvalue()


def is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def read_bytes(data: bytes, folder: Path, **keys: object) -> pa.Table:
    path = folder / "x.csv"
    path.write_bytes(data)
    return csv_files.read(
        path, Source(kind="csv", path=str(path), **keys), "[sources.x]", Store().keep
    ).table()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("csv")


@settings(max_examples=150, deadline=None)
@given(
    rows=tables(),
    delimiter=st.sampled_from(DELIMITERS),
    encoding=st.sampled_from(ENCODINGS),
    ending=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_every_dialect_comes_back_as_written(
    folder: Path,
    rows: list[list[str | None]],
    delimiter: str,
    encoding: str,
    ending: str,
    quoting: int,
) -> None:
    data = written(rows, delimiter, ending, quoting).encode(encoding)
    assume(encoding != "cp1252" or data.isascii() or not is_utf8(data))  # "Ä€" is "Ā" as well
    table = read_bytes(data, folder)
    assert table.column_names == [f"Spalte {i}" for i in range(len(rows[0]))]
    assert table.schema.types == [pa.string()] * len(rows[0])
    assert [list(r.values()) for r in table.to_pylist()] == rows


@settings(max_examples=60, deadline=None)
@given(
    rows=tables(), delimiter=st.sampled_from(DELIMITERS), encoding=st.sampled_from(["cp1252", "utf-16-le"])
)
def test_declared_dialects_win(
    folder: Path, rows: list[list[str | None]], delimiter: str, encoding: str
) -> None:
    data = written(rows, delimiter, "\n", csv.QUOTE_MINIMAL).encode(encoding)
    table = read_bytes(data, folder, encoding=encoding, delimiter="\\t" if delimiter == "\t" else delimiter)
    assert [list(r.values()) for r in table.to_pylist()] == rows


def german(value: Decimal) -> str:
    return f"{value:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.decimals("-99999999", "99999999", places=2), min_size=1, max_size=6),
    comma=st.booleans(),
)
def test_numbers_come_back_whatever_the_decimal_mark(
    folder: Path, values: list[Decimal], comma: bool
) -> None:
    lines = ["id;betrag", *(f"{i};{german(v) if comma else f'{v:,.2f}'}" for i, v in enumerate(values))]
    table = read_bytes("\n".join(lines).encode(), folder, types={"id": "integer", "betrag": "number"})
    assert table["betrag"].to_pylist() == [float(v) for v in values]
    assert table["id"].to_pylist() == list(range(len(values)))


moments = st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31)).map(lambda d: d.replace(microsecond=0))


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(moments, min_size=1, max_size=6),
    form=st.sampled_from(["%d.%m.%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]),
)
def test_times_and_dates_come_back_german_or_iso(folder: Path, values: list[datetime], form: str) -> None:
    lines = ["t;d", *(f"{v.strftime(form)};{v.strftime(form[:8])}" for v in values)]
    table = read_bytes("\n".join(lines).encode(), folder, types={"t": "time", "d": "date"})
    assert table["t"].type == pa.timestamp("us")
    assert table["t"].to_pylist() == values
    assert table["d"].to_pylist() == [v.date() for v in values]


@settings(max_examples=60, deadline=None)
@given(values=st.lists(moments, min_size=1, max_size=6), hours=st.integers(-11, 12))
def test_times_with_a_zone_come_back_as_instants(folder: Path, values: list[datetime], hours: int) -> None:
    there = [v.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=hours))) for v in values]
    lines = ["t;n", *(f"{v.isoformat()};1" for v in there)]
    table = read_bytes("\n".join(lines).encode(), folder, types={"t": "time"})
    assert table["t"].type == pa.timestamp("us", "UTC")
    assert table["t"].to_pylist() == there


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1.2.2024", "date", date(2024, 2, 1)),
        ("01.02.2024 00:00", "date", date(2024, 2, 1)),
        ("31.12.2024, 9:05", "time", datetime(2024, 12, 31, 9, 5)),
        ("ja", "flag", True),
        ("Nein", "flag", False),
        ("x", "flag", True),
        ("0", "flag", False),
        (" ", "flag", None),
        ("1.234,56-", "number", -1234.56),
        ("1 234 567,5", "number", 1234567.5),
        ("1'234,50", "number", 1234.5),
        (",50", "number", 0.5),
        ("+7", "number", 7.0),
        ("1.234", "integer", 1234),
        ("12,00", "integer", 12),
        ("0012", "text", "0012"),
    ],
)
def test_cells_as_people_write_them(folder: Path, text: str, kind: str, value: object) -> None:
    table = read_bytes(f"id;v\n1;{text}\n".encode(), folder, decimal=",", types={"v": kind})
    assert table["v"].to_pylist() == [value]


def test_sep_line_blank_lines_and_old_line_ends(folder: Path) -> None:
    assert read_bytes(b"sep=|\r\na|b\r\n1|2;3\r\n", folder).to_pylist() == [{"a": "1", "b": "2;3"}]
    assert read_bytes(b"\r\n\r\na;b\r\n\r\n1;2\r\n", folder).to_pylist() == [{"a": "1", "b": "2"}]
    assert read_bytes(b"a;b\r1;2\r", folder).to_pylist() == [{"a": "1", "b": "2"}]


def test_only_a_header_gives_no_rows(folder: Path) -> None:
    for ending in ("", "\n"):
        table = read_bytes(
            f"id;betrag;tag{ending}".encode(), folder, types={"betrag": "number", "tag": "date"}
        )
        assert table.num_rows == 0
        assert table.schema.types == [pa.string(), pa.float64(), pa.date32()]


def test_one_column_is_a_table_too(folder: Path) -> None:
    assert read_bytes(b"id\n007\n8\n", folder).to_pylist() == [{"id": "007"}, {"id": "8"}]


def test_a_number_never_changes_with_the_row_order(folder: Path) -> None:
    one = read_bytes(b"i;v\n1;1.234\n2;0,5\n", folder, types={"v": "number"})["v"].to_pylist()
    two = read_bytes(b"i;v\n2;0,5\n1;1.234\n", folder, types={"v": "number"})["v"].to_pylist()
    assert one == two[::-1] == [1234.0, 0.5]


@pytest.mark.parametrize(
    ("numbers", "read"),
    [
        (["1.234.567", "1.234"], [1234567.0, 1234.0]),
        (["1,234,567", "1,234"], [1234567.0, 1234.0]),
        (["0.123", "1.234"], [0.123, 1.234]),
        (["1234,567", "1.234"], [1234.567, 1234.0]),
        (["-,5", "1.234-"], [-0.5, -1234.0]),
        (["1.5e-05", "2.345"], [1.5e-05, 2.345]),
        (["7", "8"], [7.0, 8.0]),
    ],
)
def test_one_clear_number_tells_the_decimal_mark_of_all(
    folder: Path, numbers: list[str], read: list[float]
) -> None:
    for order in (1, -1):
        data = "\n".join(["v;w", *(f"{n};1" for n in numbers[::order])]).encode()
        assert read_bytes(data, folder, types={"v": "number"})["v"].to_pylist() == read[::order]


def test_a_row_that_was_taken_for_a_header_is_not_told(folder: Path) -> None:
    with pytest.raises(SourceError, match="no column 'amount'") as caught:
        read_bytes(b"erika@beispiel.de;ids\na;b\n", folder, types={"amount": "number"})
    assert "erika" not in str(caught.value)
    assert "ids" in caught.value.fix
