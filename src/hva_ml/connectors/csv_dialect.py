"""What separates the fields of a CSV file, safely detected or refused; and its records, one after another."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice

from hva_ml.connectors.csv_text import Text
from hva_ml.errors import SourceError

DELIMITERS: dict[str, str] = {";": ";", ",": ",", "\t": r"\t", "|": "|"}
"""Delimiters that are detected, and how they are written in a pipeline file."""

SAMPLE_RECORDS = 500


def detect_delimiter(text: Text, where: str) -> str:
    r"""Tell the delimiter by which every record has the same number of fields, quotes respected.

    Returns
    -------
    str
        One of ``; , tab |``; or ``;`` where the file plainly has a single column.

    Raises
    ------
    SourceError
        If two delimiters fit equally, or none although the lines contain some.

    Examples
    --------
    >>> import io
    >>> from hva_ml.connectors.csv_text import text_of
    >>> detect_delimiter(text_of(io.BytesIO(b'id;amount\n1;2,50\n2;"3;4"\n'), "", "x"), "x")
    ';'
    """
    widths = {d: _widths(text, d) for d in DELIMITERS}
    wide = {d: w for d, w in widths.items() if w and w[0] > 1}
    fitting = [d for d, w in wide.items() if len(set(w)) == 1]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting and len(wide) == 1:
        return next(iter(wide))
    if wide:
        said = " and ".join(f"'{DELIMITERS[d]}'" for d in (fitting or wide))
        raise SourceError(
            f"The delimiter is not clear: {said} fit the lines equally well.",
            where=where,
            why="Split at the wrong sign, every column is garbage.",
            fix=_lines(list(fitting or wide)),
        )
    loose = [d for d, w in widths.items() if any(n > 1 for n in w)]
    if loose:
        raise SourceError(
            "No delimiter splits the header, although the lines contain "
            + " and ".join(f"'{DELIMITERS[d]}'" for d in loose)
            + ".",
            where=where,
            why="The whole file would be read as one column of garbage.",
            fix=f"Remove titles above the header. If there is one column on purpose: {_lines([';'])}",
        )
    return ";"


def records(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number (from 1, of the record's first line) and fields of every record that is not blank.

    Raises
    ------
    csv.Error
        If a cell has more than 131,072 characters, as behind a quote that is never closed.
    """
    before = 0
    reader = csv.reader(lines, delimiter=delimiter, strict=False)
    for fields in reader:
        first, before = before + 1, reader.line_num
        if fields:
            yield first, fields


def _widths(text: Text, delimiter: str) -> list[int]:
    widths: list[int] = []
    # A quote that is never closed overflows a cell; what came before it still tells the delimiter.
    with text.opened() as lines, suppress(csv.Error):
        for _, fields in islice(records(lines, delimiter), SAMPLE_RECORDS):
            widths.append(len(fields))
    return widths


def _lines(delimiters: list[str]) -> str:
    return "Add to the source: " + " or ".join(f'delimiter = "{DELIMITERS[d]}"' for d in delimiters) + "."
