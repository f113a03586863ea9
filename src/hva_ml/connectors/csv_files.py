"""CSV as offices in Germany, Austria and Switzerland make it, read as text first: no type is ever guessed."""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as pacsv

from hva_ml.config import Source
from hva_ml.connectors import conversion, csv_dialect, files
from hva_ml.connectors.csv_text import Text, text_of
from hva_ml.engines.spool import Spooled
from hva_ml.errors import SourceError

BLOCK_BYTES = 16_000_000
# Dates, decimal numbers and numbers longer than a year are no column names.
_VALUE = re.compile(r"\d{1,2}\.\d{1,2}\.\d{2,4}|\d{4}-\d{2}-\d{2}.*|[+-]?\d+[.,]\d+|\d{5,}")


def read(path: Path, source: Source, where: str, keep: conversion.Keep) -> Spooled:
    """Read a CSV file and convert the columns that ``types`` declares.

    Parameters
    ----------
    path, source, where
        As of `pieces`; ``decimal`` and ``types`` as of `conversion.convert`.
    keep : callable
        Takes the pieces in.

    Raises
    ------
    SourceError
        As of `pieces`; or if cells do not convert.
    """
    rows = keep(pieces(path, source, where))
    locate = _lines_of(path, source, where)
    return conversion.convert(rows, source.types, source.decimal, where, locate, keep)


def pieces(path: Path, source: Source, where: str) -> Iterator[pa.Table]:
    """Read a CSV file piece by piece, told by all of it: it is read several times, never held.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    source : Source
        Declared ``encoding`` and ``delimiter``; what is empty is detected.
    where : str
        The source in the pipeline file, for errors.

    Yields
    ------
    pyarrow.Table
        Every column is text exactly as in the file (leading zeros and inner line breaks kept, empty is
        null). The first piece may be without rows; a file with only a header has no other.

    Raises
    ------
    SourceError
        If the file is missing, empty, binary, undecodable, of an unclear dialect, ragged, has an unclosed
        quote or unusable column names, or changes while it is read.
    """
    with files.opened(path, where) as raw:
        yield from parsed(raw, source, where, path)


def parsed(raw: BinaryIO, source: Source, where: str, path: Path) -> Iterator[pa.Table]:
    """Read a CSV file that is open; parameters, pieces and errors as of `pieces`."""
    at = f"{where} path: {path}"
    kind = files.signature(raw.read(16))
    if kind:
        raise SourceError(
            f"The file is not CSV; it looks like {kind}.",
            where=at,
            fix='Write kind = "parquet".' if "Parquet" in kind else "Export it as CSV in UTF-8.",
        )
    text = text_of(raw, source.encoding, at)
    if text.blank:
        raise SourceError(
            "The file is empty: it holds only blank lines.", where=at, fix="Export it again, with a header."
        )
    delimiter = _delimiter(text, source.delimiter, at)
    yield from _parse(text, delimiter, _header(text, delimiter, at), at)


def _lines_of(path: Path, source: Source, where: str) -> conversion.Locate:
    """Return what names the lines of a file on which rows stand."""

    def locate(rows: list[int]) -> str:
        with files.opened(path, where) as raw:
            text = text_of(raw, source.encoding, where)
            delimiter = _delimiter(text, source.delimiter, where)
            wanted = {r + 1 for r in rows}
            lines = [line for i, (line, _) in enumerate(_records(text, delimiter)) if i in wanted]
        return f"line {', '.join(str(n) for n in lines)}"

    return locate


def _delimiter(text: Text, declared: str, where: str) -> str:
    if declared in ("\\t", "tab"):
        declared = "\t"
    if declared and (len(declared) != 1 or declared in '"\r\n'):
        raise SourceError(
            "A delimiter is one character, and neither a quote nor a line break.",
            where=where,
            fix='For example delimiter = ";" or delimiter = "\\t".',
        )
    chosen = declared or text.declared_delimiter
    if not chosen:
        return csv_dialect.detect_delimiter(text, where)
    with text.opened() as lines:
        header = lines.readline().rstrip("\r\n")
    others = [d for d in csv_dialect.DELIMITERS if d != chosen and d in header]
    if chosen not in header and others:
        other = csv_dialect.DELIMITERS[others[0]]
        raise SourceError(
            f"The header does not contain the delimiter '{chosen}', but '{other}'.",
            where=where,
            why="The whole file would be read as one column of garbage.",
            fix=f'Write delimiter = "{other}", or leave the line out to have it detected.',
        )
    return chosen


def _header(text: Text, delimiter: str, where: str) -> list[str]:
    at = f"{where}, line {text.skipped_lines + 1}"
    try:
        with text.opened() as lines:
            _, fields = next(csv_dialect.records(lines, delimiter))
    except (csv.Error, StopIteration) as error:
        raise SourceError(
            "The header cannot be read.", where=at, fix="Check its quotes, or export the file again."
        ) from error
    names = [" ".join(f.split()) for f in fields]
    empty = [str(i + 1) for i, n in enumerate(names) if not n]
    if empty:
        raise SourceError(
            f"{len(empty)} of {len(names)} columns have no name.",
            where=f"{at}, column {', '.join(empty[:5])}",
            why="A query cannot name them.",
            fix="Name them in the header, or remove a delimiter at the end of every line.",
        )
    if all(re.fullmatch(r"[\d.,]+", n) for n in names) or any(_VALUE.fullmatch(n) for n in names):
        raise SourceError(
            "The first line looks like data, not like column names.",
            where=at,
            why="Taken for a header, its row would be lost, and no query could name the columns.",
            fix="Export with a header, or put a line with the column names on top.",
        )
    files.once_each(names, at)
    return names


def _parse(text: Text, delimiter: str, names: list[str], where: str) -> Iterator[pa.Table]:
    if text.quoted:
        _refuse_bad_quotes(text, delimiter, where)
    yield pa.table({n: pa.array([], pa.string()) for n in names})
    if len(list(islice(_records(text, delimiter), 2))) < 2:
        return
    try:
        with pacsv.open_csv(
            pa.PythonFile(_Utf8(text), mode="r"),
            read_options=pacsv.ReadOptions(
                column_names=names, skip_rows_after_names=1, block_size=BLOCK_BYTES, encoding="utf8"
            ),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types={n: pa.string() for n in names}, null_values=[""], strings_can_be_null=True
            ),
        ) as reader:
            for batch in reader:
                yield pa.Table.from_batches([batch])
    except pa.ArrowInvalid as error:
        _refuse_ragged(text, delimiter, len(names), where)
        raise SourceError(
            "The file cannot be split into rows and columns.",
            where=where,
            why="Most often a quote is opened and not closed, so that one cell swallows many lines.",
            fix='Double quotes inside a quoted cell ("" for "), or export the file again.',
        ) from error


class _Utf8:
    """The text as a stream of UTF-8, as Arrow reads it."""

    closed = False

    def __init__(self, text: Text) -> None:
        self._pieces = (piece.encode("utf-8") for piece in text.pieces())
        self._left = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Return so many bytes, or one fewer, or the rest: a row may reach over two reads, not over three.

        No read ends between a carriage return and its line feed: Arrow then drops the line feed as the rest
        of a line end, inside a quoted cell too.
        """
        given: list[memoryview] = []
        while size > 0:
            self._left = self._left or memoryview(next(self._pieces, b""))
            if not self._left:
                break
            given.append(self._left[:size])
            self._left = self._left[size:]
            size -= len(given[-1])
        found = b"".join(given)
        self._left = self._left or memoryview(next(self._pieces, b""))
        if len(found) > 1 and found.endswith(b"\r") and bytes(self._left[:1]) == b"\n":
            self._left = memoryview(b"\r" + bytes(self._left))
            return found[:-1]
        return found

    def close(self) -> None:
        """Read no further."""
        self._pieces.close()


def _refuse_bad_quotes(text: Text, delimiter: str, where: str) -> None:
    line = 1  # where the record begins that is read next
    try:
        with text.opened() as lines:
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            for _ in reader:
                line = reader.line_num + 1
    except csv.Error as error:
        behind = "expected after" in str(error)
        raise SourceError(
            "Text follows a closing quote."
            if behind
            else "A quote is opened and never closed, or a cell has more than 131,072 characters.",
            where=f"{where}, line {line + text.skipped_lines}",
            why="Quotes inside the cell would be lost."
            if behind
            else "The rest of the file would end up in one cell.",
            fix='Close it, or double quotes inside a quoted cell ("" for ").',
        ) from error


def _refuse_ragged(text: Text, delimiter: str, width: int, where: str) -> None:
    ragged = []
    for line, fields in _records(text, delimiter):
        if len(fields) != width:
            ragged.append((line, len(fields)))
    if ragged:
        lines = ", ".join(str(line) for line, _ in ragged[:5])
        raise SourceError(
            f"{len(ragged)} rows do not have {width} fields as the header has; the first has {ragged[0][1]}.",
            where=f"{where}, line {lines}",
            why="Shifted cells would land in the wrong columns.",
            fix="Quote cells that contain the delimiter, and remove titles, totals and half lines.",
        )


def _records(text: Text, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    with text.opened() as lines, suppress(csv.Error):
        for line, fields in csv_dialect.records(lines, delimiter):
            yield line + text.skipped_lines, fields
