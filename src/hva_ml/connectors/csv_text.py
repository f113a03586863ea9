"""The text of a CSV file, piece by piece: its encoding told by all of it, its beginning found."""

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from hva_ml.errors import SourceError, nearest

PIECE_BYTES = 4_000_000
"""Bytes of a file that are decoded at once."""

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
# Longer than any match of these, so that none is torn between two pieces.
_OVERLAP = 8
_HEAD = 4096


@dataclass(frozen=True, eq=False)
class Text:
    """A CSV file as text, from its header on: no byte order mark, ``sep=`` line or leading blank lines.

    Attributes
    ----------
    raw : binary stream
        The file, open and seekable; one at a time may read it.
    encoding : str
        Python's name of it.
    skipped : int
        Characters before the header.
    skipped_lines : int
        Lines before the header.
    declared_delimiter : str
        From a leading ``sep=;`` line as Excel reads it, else empty.
    quoted, blank : bool
        Whether there is a double quote, and whether there is nothing but space.
    """

    raw: BinaryIO
    encoding: str
    skipped: int
    skipped_lines: int
    declared_delimiter: str
    quoted: bool
    blank: bool

    @contextmanager
    def opened(self) -> Iterator[io.TextIOWrapper]:
        """Give the text as a stream whose line breaks stay as they are."""
        self.raw.seek(0)
        stream = io.TextIOWrapper(self.raw, self.encoding, newline="")
        try:
            stream.read(self.skipped)
            yield stream
        finally:
            stream.detach()

    def pieces(self) -> Iterator[str]:
        """Yield the text piece by piece."""
        left = self.skipped
        for piece, _ in _decoded(self.raw, self.encoding):
            begin = min(left, len(piece))
            left -= begin
            if begin < len(piece):
                yield piece[begin:]


def text_of(raw: BinaryIO, encoding: str, where: str) -> Text:
    """Tell how the bytes of a CSV file become text, by all of them.

    Parameters
    ----------
    raw : binary stream
        The file, seekable.
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
    >>> text_of(io.BytesIO("Größe;Land".encode("cp1252")), "", "x").encoding
    'cp1252'
    """
    raw.seek(0)
    head = raw.read(4)
    by_mark = next((name for bom, name in _BOMS if head.startswith(bom)), "")
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
        seen = _seen(raw, chosen)
        if isinstance(seen, int):
            raise _undecodable(f"The file is not {encoding}", seen, where)
    else:
        chosen, seen = _detect(raw, by_mark, where)
    if seen.nul:
        raise SourceError(
            "The file holds NUL characters, so it is damaged or not plain text.",
            where=f"{where}, line {seen.nul}",
            why="They would end up inside names and keys, unseen.",
            fix='If it is UTF-16 without a mark, add encoding = "utf-16-le"; otherwise export it again.',
        )
    return _from_header(raw, chosen, seen)


@dataclass
class _Seen:
    """What a whole file holds, read in one encoding; lines from 1, 0 where there is none."""

    nul: int = 0
    mixed: int = 0
    foreign: bool = False
    umlaut: bool = False
    quoted: bool = False


def _seen(raw: BinaryIO, encoding: str) -> _Seen | int:
    """Look through a whole file; where it cannot be decoded, return the line."""
    seen, tail, lines, told = _Seen(), "", 1, encoding == "cp1252"
    try:
        for piece, breaks in _decoded(raw, encoding):
            if not seen.nul and "\0" in piece:
                seen.nul = lines + piece.count("\n", 0, piece.index("\0"))
            seen.quoted = seen.quoted or '"' in piece
            if told:
                window, known = tail + piece, lines - tail.count("\n")
                # What begins with the first character of the overlap was seen whole, with what is before it.
                begin = 1 if tail else 0
                mixed = None if seen.mixed else _MIXED.search(window, begin)
                if mixed:
                    seen.mixed = known + window.count("\n", 0, mixed.start())
                seen.foreign = seen.foreign or _FOREIGN.search(window, begin) is not None
                seen.umlaut = seen.umlaut or _UMLAUT.search(piece) is not None
                tail = window[-_OVERLAP:]
            lines += breaks
    except _TornError as error:
        return error.line
    return seen


class _TornError(Exception):
    """Bytes that are no text of the encoding, and the line where they stand."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


def _decoded(raw: BinaryIO, encoding: str) -> Iterator[tuple[str, int]]:
    """Yield text piece by piece, and how many lines end in it."""
    raw.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    lines, end = 1, False
    while not end:
        data = raw.read(PIECE_BYTES)
        end = not data
        lines += data.count(b"\n")
        try:
            text = decoder.decode(data, final=end)
        except UnicodeDecodeError as error:
            # What it could not decode ends where the data end, and begins with what was waiting.
            raise _TornError(lines - error.object.count(b"\n", error.start)) from error
        except UnicodeError as error:
            raise _TornError(1) from error
        if text:
            yield text, text.count("\n")


def _detect(raw: BinaryIO, by_mark: str, where: str) -> tuple[str, _Seen]:
    found = _seen(raw, by_mark or "utf-8")
    if isinstance(found, _Seen):
        return by_mark or "utf-8", found
    if by_mark:
        raise _undecodable("The file begins as Unicode but does not go on so", found, where)
    seen = _seen(raw, "cp1252")
    if isinstance(seen, int):
        raise _undecodable("The file is neither UTF-8 nor Windows text (cp1252)", found, where)
    if seen.mixed:
        raise SourceError(
            "The file mixes encodings: most of it is Windows text (cp1252), some umlauts are UTF-8.",
            where=f"{where}, first at line {seen.mixed}",
            why="Names and places would be misspelt and no longer match.",
            fix="Export all parts anew in one encoding, best UTF-8, before joining them.",
        )
    if seen.foreign and not seen.umlaut:
        raise SourceError(
            "The encoding is not clear: read as Windows text, words hold signs that are no letters.",
            where=where,
            why="Names and places would be misspelt and no longer match.",
            fix='Add encoding = "cp850" (DOS, older ERP), "mac_roman" or, if it is right, "cp1252"; '
            "or export as UTF-8.",
        )
    return "cp1252", seen


def _codec(encoding: str, where: str) -> str:
    try:
        info = codecs.lookup(encoding)
        "".encode(info.name)
        codecs.getincrementaldecoder(info.name)
    except (LookupError, TypeError) as error:
        raise SourceError(
            f"Unknown encoding '{encoding[:40]}'.{nearest(encoding, _KNOWN)}",
            where=where,
            fix=f"Use one of: {', '.join(_KNOWN)}.",
        ) from error
    return info.name


def _undecodable(what: str, line: int, where: str) -> SourceError:
    return SourceError(
        f"{what}: it cannot be decoded.",
        where=f"{where}, first at line {line}",
        why="Guessing would misspell names and keys.",
        fix='Export as UTF-8, or add the true one, for example encoding = "cp850".',
    )


def _from_header(raw: BinaryIO, encoding: str, seen: _Seen) -> Text:
    """Find where the header begins: as much is read as there are blank lines before it."""
    head, rest, declared, lines = "", "", "", 0
    for piece, _ in _decoded(raw, encoding):
        head += piece
        rest = head.removeprefix("\ufeff")
        found = re.match(r"sep=(.)\r?\n", rest, re.IGNORECASE)
        declared, lines, rest = (found[1], 1, rest[found.end() :]) if found else ("", 0, rest)
        if len(head) >= _HEAD and rest.strip():
            break
    blank = re.match(r"(?:[ \t]*(?:\r\n|\r|\n))+", rest)
    # A line of tabs may be a header of empty names; only truly blank lines are skipped.
    if blank and "\t" not in blank[0]:
        lines += len(blank[0].splitlines())
        rest = rest[blank.end() :]
    return Text(raw, encoding, len(head) - len(rest), lines, declared, seen.quoted, not rest.strip())
