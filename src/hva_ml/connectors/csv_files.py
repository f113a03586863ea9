"""CSV as offices in Germany, Austria and Switzerland make it, read as text first: no type is ever guessed."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from hva_ml.config import Source
from hva_ml.connectors import conversion, csv_dialect, files
from hva_ml.errors import SourceError

BLOCK_BYTES = 16_000_000
# Dates, decimal numbers and numbers longer than a year are no column names.
_VALUE = re.compile(r"\d{1,2}\.\d{1,2}\.\d{2,4}|\d{4}-\d{2}-\d{2}.*|[+-]?\d+[.,]\d+|\d{5,}")


def read(path: Path, source: Source, where: str) -> pa.Table:
    """Read a CSV file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    source : Source
        Declared ``encoding``, ``delimiter``, ``decimal`` and ``types``; what is empty is detected.
    where : str
        The source in the pipeline file, for errors.

    Returns
    -------
    pyarrow.Table
        Every column is text exactly as in the file (leading zeros and inner line breaks kept, empty is
        null), except those that ``types`` declares. A file with only a header gives no rows.

    Raises
    ------
    SourceError
        If the file is missing, empty, binary, undecodable, of an unclear dialect, ragged, has an unclosed
        quote or unusable column names, or if cells do not convert.
    """
    return parse(files.content(path, where), source, where, path)


def parse(data: bytes, source: Source, where: str, path: Path) -> pa.Table:
    """Read the bytes of a CSV file; parameters and errors as of `read`."""
    at = f"{where} path: {path}"
    kind = files.signature(data[:16])
    if kind:
        raise SourceError(
            f"The file is not CSV; it looks like {kind}.",
            where=at,
            fix='Write kind = "parquet".' if "Parquet" in kind else "Export it as CSV in UTF-8.",
        )
    decoded = csv_dialect.decode(data, source.encoding, at)
    del data
    if not decoded.text.strip():
        raise SourceError(
            "The file is empty: it holds only blank lines.", where=at, fix="Export it again, with a header."
        )
    delimiter = _delimiter(decoded, source.delimiter, at)
    names = _header(decoded, delimiter, at)
    table = _parse(decoded, delimiter, names, at)

    def locate(rows: list[int]) -> str:
        return _line_numbers(decoded, delimiter, rows)

    return conversion.convert(table, source.types, source.decimal, where, locate)


def _delimiter(decoded: csv_dialect.Decoded, declared: str, where: str) -> str:
    if declared in ("\\t", "tab"):
        declared = "\t"
    if declared and (len(declared) != 1 or declared in '"\r\n'):
        raise SourceError(
            "A delimiter is one character, and neither a quote nor a line break.",
            where=where,
            fix='For example delimiter = ";" or delimiter = "\\t".',
        )
    chosen = declared or decoded.declared_delimiter
    if not chosen:
        return csv_dialect.detect_delimiter(decoded.text, where)
    header = re.split(r"[\r\n]", decoded.text, maxsplit=1)[0]
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


def _header(decoded: csv_dialect.Decoded, delimiter: str, where: str) -> list[str]:
    at = f"{where}, line {decoded.skipped_lines + 1}"
    try:
        _, fields = next(csv_dialect.records(decoded.text, delimiter))
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
    # DuckDB does not tell upper from lower case in column names.
    counts = Counter(n.casefold() for n in names)
    double = [n for n in names if counts[n.casefold()] > 1]
    if double:
        raise SourceError(
            f"The column name '{double[0]}' stands in the header {counts[double[0].casefold()]} times.",
            where=at,
            why="Nobody could tell which of them a query means.",
            fix="Give every column a name of its own; upper and lower case do not count.",
        )
    return names


def _parse(decoded: csv_dialect.Decoded, delimiter: str, names: list[str], where: str) -> pa.Table:
    if '"' in decoded.text:
        _refuse_bad_quotes(decoded, delimiter, where)
    if len(list(islice(_records(decoded, delimiter), 2))) < 2:
        return pa.table({n: pa.array([], pa.string()) for n in names})
    try:
        return pacsv.read_csv(
            pa.BufferReader(decoded.text.encode("utf-8")),
            read_options=pacsv.ReadOptions(
                column_names=names, skip_rows_after_names=1, block_size=BLOCK_BYTES, encoding="utf8"
            ),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types={n: pa.string() for n in names}, null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowInvalid as error:
        _refuse_ragged(decoded, delimiter, len(names), where)
        raise SourceError(
            "The file cannot be split into rows and columns.",
            where=where,
            why="Most often a quote is opened and not closed, so that one cell swallows many lines.",
            fix='Double quotes inside a quoted cell ("" for "), or export the file again.',
        ) from error


def _refuse_bad_quotes(decoded: csv_dialect.Decoded, delimiter: str, where: str) -> None:
    reader = csv.reader(io.StringIO(decoded.text, newline=""), delimiter=delimiter, strict=True)
    line = 1  # where the record begins that is read next
    try:
        for _ in reader:
            line = reader.line_num + 1
    except csv.Error as error:
        behind = "expected after" in str(error)
        raise SourceError(
            "Text follows a closing quote."
            if behind
            else "A quote is opened and never closed, or a cell has more than 131,072 characters.",
            where=f"{where}, line {line + decoded.skipped_lines}",
            why="Quotes inside the cell would be lost."
            if behind
            else "The rest of the file would end up in one cell.",
            fix='Close it, or double quotes inside a quoted cell ("" for ").',
        ) from error


def _refuse_ragged(decoded: csv_dialect.Decoded, delimiter: str, width: int, where: str) -> None:
    ragged = []
    for line, fields in _records(decoded, delimiter):
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


def _records(decoded: csv_dialect.Decoded, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    try:
        for line, fields in csv_dialect.records(decoded.text, delimiter):
            yield line + decoded.skipped_lines, fields
    except csv.Error:
        return


def _line_numbers(decoded: csv_dialect.Decoded, delimiter: str, rows: list[int]) -> str:
    wanted = {r + 1 for r in rows}
    lines = [line for i, (line, _) in enumerate(_records(decoded, delimiter)) if i in wanted]
    return f"line {', '.join(str(n) for n in lines)}"
