"""How a CSV file is written: encoding and delimiter, declared or safely detected; unclear is an error."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from hva_ml.errors import SourceError, nearest

DELIMITERS: dict[str, str] = {";": ";", ",": ",", "\t": r"\t", "|": "|"}
"""Delimiters that are detected, and how they are written in a pipeline file."""

SAMPLE_RECORDS = 500
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_KNOWN = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "cp1252",
    "iso-8859-15",
    "cp850",
    "mac_roman",
)
_UMLAUT = re.compile("[äöüÄÖÜß]")
# Umlauts of DOS (cp850) and old Mac files, seen as cp1252: these signs do not stand there in a word.
_FOREIGN = re.compile(r"[A-Za-zš][„”™§†‡ŠŸŽ][a-z]|(?<!\w)™[a-z]|[Ss]traáe")
# Umlauts of UTF-8, seen as cp1252: Ã¤ Ã¶ Ã¼ Ã„ Ã– Ãœ ÃŸ.
_MIXED = re.compile("Ã[¤¶¼„–œŸ]")


@dataclass(frozen=True)
class Decoded:
    """Text of a CSV file without byte order mark, ``sep=`` line and leading blank lines.

    Attributes
    ----------
    text : str
        From the header on.
    encoding : str
        Python's name of it.
    skipped_lines : int
        Lines of the file before `text`.
    declared_delimiter : str
        From a leading ``sep=;`` line as Excel reads it, else empty.
    """

    text: str
    encoding: str
    skipped_lines: int
    declared_delimiter: str


def decode(data: bytes, encoding: str, where: str) -> Decoded:
    """Turn the bytes of a CSV file into text.

    Parameters
    ----------
    data : bytes
        The whole file.
    encoding : str
        Declared one, or "" to detect UTF-8, UTF-8 or UTF-16 with byte order mark, else cp1252.
    where : str
        The source in the pipeline file, for errors.

    Raises
    ------
    SourceError
        If the encoding is unknown, does not fit, or cannot be told, or if there are NUL characters.

    Examples
    --------
    >>> decode("Größe;Land".encode("cp1252"), "", "x").encoding
    'cp1252'
    """
    by_mark = next((name for bom, name in _BOMS if data.startswith(bom)), "")
    if encoding:
        chosen = _codec(encoding, where)
        if by_mark and not chosen.startswith(by_mark.removesuffix("-sig")):
            raise SourceError(
                f"The file begins with the mark of {by_mark.removesuffix('-sig')}, but {chosen} is declared.",
                where=where,
                why="The mark would become part of the first column's name, and umlauts would be misspelt.",
                fix="Leave the line encoding out of the source.",
            )
        if by_mark == "utf-8-sig":
            chosen = by_mark
        text = _strict(data, chosen)
        if text is None:
            raise _undecodable(f"The file is not {encoding}", data, chosen, where)
    else:
        chosen, text = _detect(data, by_mark, where)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise SourceError(
            "The file holds NUL characters, so it is damaged or not plain text.",
            where=f"{where}, line {line}",
            why="They would end up inside names and keys, unseen.",
            fix='If it is UTF-16 without a mark, add encoding = "utf-16-le"; otherwise export it again.',
        )
    return _from_header(text.removeprefix("\ufeff"), chosen)


def detect_delimiter(text: str, where: str) -> str:
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
    >>> detect_delimiter('id;amount\n1;2,50\n2;"3;4"\n', "x")
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


def records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number (from 1, of the record's first line) and fields of every record that is not blank.

    Raises
    ------
    csv.Error
        If a cell has more than 131,072 characters, as behind a quote that is never closed.
    """
    before = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    for fields in reader:
        first, before = before + 1, reader.line_num
        if fields:
            yield first, fields


def _widths(text: str, delimiter: str) -> list[int]:
    widths: list[int] = []
    # A quote that is never closed overflows a cell; what came before it still tells the delimiter.
    with suppress(csv.Error):
        for _, fields in islice(records(text, delimiter), SAMPLE_RECORDS):
            widths.append(len(fields))
    return widths


def _lines(delimiters: list[str]) -> str:
    return "Add to the source: " + " or ".join(f'delimiter = "{DELIMITERS[d]}"' for d in delimiters) + "."


def _detect(data: bytes, by_mark: str, where: str) -> tuple[str, str]:
    if by_mark:
        text = _strict(data, by_mark)
        if text is None:
            raise _undecodable("The file begins as Unicode but does not go on so", data, by_mark, where)
        return by_mark, text
    text = _strict(data, "utf-8")
    if text is not None:
        return "utf-8", text
    text = _strict(data, "cp1252")
    if text is None:
        raise _undecodable("The file is neither UTF-8 nor Windows text (cp1252)", data, "utf-8", where)
    mixed = _MIXED.search(text)
    if mixed:
        raise SourceError(
            "The file mixes encodings: most of it is Windows text (cp1252), some umlauts are UTF-8.",
            where=f"{where}, first at line {text.count(chr(10), 0, mixed.start()) + 1}",
            why="Names and places would be misspelt and no longer match.",
            fix="Export all parts anew in one encoding, best UTF-8, before joining them.",
        )
    if _FOREIGN.search(text) and not _UMLAUT.search(text):
        raise SourceError(
            "The encoding is not clear: read as Windows text, words hold signs that are no letters.",
            where=where,
            why="Names and places would be misspelt and no longer match.",
            fix='Add encoding = "cp850" (DOS, older ERP), "mac_roman" or, if it is right, "cp1252"; '
            "or export as UTF-8.",
        )
    return "cp1252", text


def _codec(encoding: str, where: str) -> str:
    try:
        info = codecs.lookup(encoding)
        "".encode(info.name)
    except (LookupError, TypeError) as error:
        raise SourceError(
            f"Unknown encoding '{encoding[:40]}'.{nearest(encoding, _KNOWN)}",
            where=where,
            fix=f"Use one of: {', '.join(_KNOWN)}.",
        ) from error
    return info.name


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeError:
        return None


def _undecodable(what: str, data: bytes, encoding: str, where: str) -> SourceError:
    try:
        data.decode(encoding)
        line = 1
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    except UnicodeError:
        line = 1
    return SourceError(
        f"{what}: it cannot be decoded.",
        where=f"{where}, first at line {line}",
        why="Guessing would misspell names and keys.",
        fix='Export as UTF-8, or add the true one, for example encoding = "cp850".',
    )


def _from_header(text: str, encoding: str) -> Decoded:
    declared = ""
    skipped = 0
    found = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    if found:
        declared, skipped, text = found[1], 1, text[found.end() :]
    blank = re.match(r"(?:[ \t]*(?:\r\n|\r|\n))+", text)
    # A line of tabs may be a header of empty names; only truly blank lines are skipped.
    if blank and "\t" not in blank[0]:
        skipped += len(blank[0].splitlines())
        text = text[blank.end() :]
    return Decoded(text, encoding, skipped, declared)
