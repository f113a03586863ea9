"""A CSV file read in pieces of any size is the file read whole, and refused in the same words."""

import codecs
import csv
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.connectors.test_bad_files import BAD, WHERE

from hva_ml.config import Source
from hva_ml.connectors import csv_files, csv_text
from hva_ml.engines.spool import Spooled, Store
from hva_ml.errors import SourceError

LETTERS = 'aäß€Ã¤™„ "\n\r;,'
CELLS = st.text(LETTERS, max_size=6)
ROWS = st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=12)


@contextmanager
def sizes(piece: int, block: int) -> Iterator[None]:
    """Decode so many bytes at once, and let Arrow split as many into rows."""
    before = csv_text.PIECE_BYTES, csv_files.BLOCK_BYTES
    csv_text.PIECE_BYTES, csv_files.BLOCK_BYTES = piece, block
    try:
        yield
    finally:
        csv_text.PIECE_BYTES, csv_files.BLOCK_BYTES = before


def said(path: Path, keys: dict[str, Any], store: Store) -> object:
    """Return the table, or what the refusal says."""
    try:
        return csv_files.read(path, Source(kind="csv", path="x.csv", **keys), WHERE, store.keep).table()
    except SourceError as error:
        return error.what, error.where, error.why, error.fix


def held_to(path: Path, keys: dict[str, Any], piece: int, block: int) -> object:
    """Hold a file read in pieces, through the disk, to the file read whole."""
    whole = said(path, keys, Store())
    with sizes(piece, block):
        found = said(path, keys, Store(path.parent / "scratch", 1.0, share=0))
    if isinstance(whole, pa.Table):
        assert isinstance(found, pa.Table), found
        assert found.schema == whole.schema
        assert found.to_pylist() == whole.to_pylist()
    else:
        assert found == whole
    return whole


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pieces") / "x.csv"


@settings(max_examples=150, deadline=None)
@given(
    rows=ROWS,
    before=st.sampled_from(["", "sep=;\n", "\n\r\n", "sep=;\r\n\n \n"]),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_NONE]),
    piece=st.integers(1, 40),
    block=st.integers(120, 200),
)
def test_pieces_of_any_size_are_the_whole(
    path: Path, rows: list[list[str]], before: str, ending: str, encoding: str, quoting: int, piece: int,
    block: int,
) -> None:  # fmt: skip
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator=ending, quoting=quoting, escapechar="a")  # type: ignore[arg-type]
    writer.writerows([["id", "name"], *rows])
    path.write_bytes((before + out.getvalue()).encode(encoding, errors="replace"))
    held_to(path, {}, piece, block)


@pytest.mark.parametrize("inside", ["a\r\n", "a\r\n\r\nb", "\r\r\n", "\r"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_breaks_in_a_cell_stay_whole_wherever_a_block_ends(path: Path, inside: str, ending: str) -> None:
    for before in range(90, 125):
        rows = ["id;name", f"{'x' * before};b", f'1;"{inside}"', "2;c"]
        path.write_bytes(ending.join([*rows, ""]).encode())
        whole = held_to(path, {}, 7, 120)
        assert isinstance(whole, pa.Table)
        assert whole["name"].to_pylist() == ["b", inside, "c"]


@settings(max_examples=200, deadline=None)
@given(
    data=st.tuples(
        st.sampled_from([b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF32_LE]),
        st.binary(max_size=60),
    ).map(lambda parts: parts[0] + b"id;name\n1;a\n" + parts[1]),
    piece=st.integers(1, 20),
    encoding=st.sampled_from(["", "utf-8", "cp1252", "cp850", "shift_jis"]),
)
def test_any_bytes_are_told_alike(path: Path, data: bytes, piece: int, encoding: str) -> None:
    path.write_bytes(data)
    held_to(path, {"encoding": encoding}, piece, 200)


@pytest.mark.parametrize("piece", [1, 3, 1000])
@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"\xef\xbb\xbfid;a\n\xff;1\n", 2),
        (b"id;a\n1;2\n\xe4\x81;1\n", 3),
        (b"\xff\xfe\0\0i\0\0\0\n\0\0", 1),
    ],
)
def test_the_line_is_told_where_a_file_cannot_be_decoded(
    tmp_path: Path, data: bytes, line: int, piece: int
) -> None:
    (tmp_path / "x.csv").write_bytes(data)
    told = held_to(tmp_path / "x.csv", {}, piece, 200)
    assert isinstance(told, tuple)
    assert told[1].endswith(f"line {line}")


@pytest.mark.parametrize("piece", [1, 5])
@pytest.mark.parametrize("case", BAD)
def test_every_bad_file_is_refused_in_the_same_words(tmp_path: Path, case: str, piece: int) -> None:
    data, keys, _, _ = BAD[case]
    (tmp_path / "x.csv").write_bytes(data)
    assert not isinstance(held_to(tmp_path / "x.csv", dict(keys), piece, 1_000_000), pa.Table)


@pytest.mark.parametrize("word", ["Marke™x", "5™x", "traáe", "xÃ¤", "a™"])
@pytest.mark.parametrize("piece", range(1, 12))
def test_signs_of_another_encoding_are_seen_across_pieces_and_none_that_is_not_there(
    path: Path, word: str, piece: int
) -> None:
    path.write_bytes(f"id;name\n1;eins\n2;{word}\n3;zwei und drei\n".encode("cp1252"))
    held_to(path, {}, piece, 200)


VALUES = st.one_of(
    st.sampled_from(["", " ", "1", "1,5", "1.234,5", "1.234", "7.5", "x"]),
    st.integers(0, 10**8).map(lambda k: f"{datetime.fromtimestamp(k, UTC):%Y-%m-%d %H:%M:%S}"),
    st.sampled_from(["2024-05-01 10:00+02:00", "01.05.2024", "31.02.2024"]),
)


@settings(max_examples=150, deadline=None)
@given(
    values=st.lists(VALUES, min_size=1, max_size=25),
    kind=st.sampled_from(["text", "number", "integer", "time", "date", "flag"]),
)
def test_columns_are_converted_by_all_of_the_file(path: Path, values: list[str], kind: str) -> None:
    lines = ["k;v", *(f"{k:06d};{v}" for k, v in enumerate(values))]
    path.write_text("\n".join(lines), encoding="utf-8")
    held_to(path, {"types": {"k": "integer", "v": kind}}, 7, 70)


def test_a_later_piece_decides_what_earlier_ones_leave_open(path: Path) -> None:
    lines = [*(f"{k};1.234;" for k in range(50)), "50;0,5;2024-01-01 10:00+01:00"]
    path.write_text("\n".join(["k;sum;at", *lines]), encoding="utf-8")
    found = held_to(path, {"types": {"sum": "number", "at": "time"}}, 16, 60)
    assert isinstance(found, pa.Table)
    assert found["sum"].to_pylist() == [1234.0] * 50 + [0.5]
    assert found.schema.field("at").type == pa.timestamp("us", "UTC")


def test_a_file_larger_than_what_may_be_held_waits_on_disk(path: Path) -> None:
    path.write_text("\n".join(["k;v", *(f"{k};{k},5" for k in range(2000))]), encoding="utf-8")
    taken: list[pa.Table] = []

    def keep(pieces: Any) -> Spooled:
        def noted() -> Iterator[pa.Table]:
            for piece in pieces:
                taken.append(piece)
                yield piece

        return Store(path.parent / "scratch", 1.0, share=0).keep(noted())

    with sizes(100, 400):
        source = Source(kind="csv", path="x.csv", types={"v": "number"})
        found = csv_files.read(path, source, WHERE, keep)
    assert not isinstance(found.source, pa.Table)
    assert max(piece.num_rows for piece in taken) < 100
    assert found.table()["v"].to_pylist() == [k + 0.5 for k in range(2000)]


def test_a_file_that_changes_while_it_is_read_is_refused(path: Path) -> None:
    path.write_text("k;v\n1;2\n", encoding="utf-8")
    pieces = csv_files.pieces(path, Source(kind="csv", path="x.csv"), WHERE)
    next(pieces)
    os.utime(path, ns=(1, 1))
    with pytest.raises(SourceError, match="changed while it was read"):
        list(pieces)
