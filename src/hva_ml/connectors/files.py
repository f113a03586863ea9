"""Files on disk: found, or named with their nearest neighbour; Parquet is read here, CSV elsewhere."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from hva_ml.engines.base import ParquetFiles
from hva_ml.errors import SourceError, nearest

SUM = ".sha256"
_BLOCK = 1 << 20
_SUM = re.compile(rb"\\?([0-9a-fA-F]{64})(?=\s|$)")
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "a Parquet file"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook (.xlsx)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "a SQLite database"),
)


def existing(path: Path, where: str) -> Path:
    """Return `path` if it is a file with something in it.

    Raises
    ------
    SourceError
        If it is missing (the nearest file is named), a folder, empty, or may not be read.
    """
    try:
        if path.is_dir():
            inside = sorted(p.name for p in path.iterdir() if p.is_file())
            raise SourceError(
                "The path is a folder, not a file.",
                where=f"{where} path: {path}",
                fix=f"Name one file, for example {path / inside[0]}." if inside else "Name a file.",
            )
        if not path.is_file():
            near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            raise SourceError(
                f"There is no file '{path.name}'.{nearest(path.name, near)}",
                where=f"{where} path: {path}",
                why="The pipeline reads it.",
                fix="Put the file there or correct the path."
                if path.parent.is_dir()
                else f"The folder {path.parent} is missing, too; correct the path.",
            )
        size = path.stat().st_size
    except OSError as error:
        raise _unreadable(path, where) from error
    if size == 0:
        raise SourceError(
            "The file is empty: it holds no byte, not even a header.",
            where=f"{where} path: {path}",
            why="An export that was cut off or failed looks like this.",
            fix="Export it again.",
        )
    return path


def content(path: Path, where: str) -> bytes:
    """Return all bytes of a file (``SourceError`` as for `existing`)."""
    with opened(path, where) as raw:
        return raw.read()


@contextmanager
def opened(path: Path, where: str) -> Iterator[BinaryIO]:
    """Give a file to be read, maybe several times, and refuse it if it changed meanwhile.

    Raises
    ------
    SourceError
        As for `existing`; if it is not what the ``.sha256`` beside it says; or if another size or time of
        change shows at the end.
    """
    try:
        with existing(path, where).open("rb") as raw:
            before = _state(raw)
            _hold(path, raw, f"{where} path: {path}")
            yield raw
            after = _state(raw)
    except OSError as error:
        raise _unreadable(path, where) from error
    if after != before:
        raise SourceError(
            "The file changed while it was read.",
            where=f"{where} path: {path}",
            why="Its first rows could be of another export than its last ones.",
            fix="Write exports under another name and rename them when they are whole; then run again.",
        )


def _hold(path: Path, raw: BinaryIO, where: str) -> None:
    """Hold a file to the ``<file>.sha256`` beside it, as ``sha256sum`` writes it; without one, to nothing."""
    beside = path.with_name(f"{path.name}{SUM}")
    if not beside.is_file():
        return
    again = f"Copy both again; if the file is right as it is: sha256sum {path.name} > {beside.name}"
    said = _SUM.match(beside.read_bytes())
    if said is None:
        raise SourceError(f"'{beside.name}' holds no sha256.", where=where, fix=again)
    digest = hashlib.sha256()
    while block := raw.read(_BLOCK):
        digest.update(block)
    if said[1].decode().lower() != digest.hexdigest():
        raise SourceError(
            f"The file is not the one that '{beside.name}' was made of.",
            where=where,
            why="A copy that was cut off, or in which a bit has turned, can read as other, plausible rows.",
            fix=again,
        )
    raw.seek(0)


def _state(raw: BinaryIO) -> tuple[int, int]:
    found = os.fstat(raw.fileno())
    return found.st_size, found.st_mtime_ns


def signature(head: bytes) -> str:
    """Say what a file is by its first bytes, or return an empty string.

    Examples
    --------
    >>> signature(b"PAR1...")
    'a Parquet file'
    >>> signature(b"id;name")
    ''
    """
    return next((name for mark, name in _SIGNATURES if head.startswith(mark)), "")


def parquet(path: Path, where: str) -> ParquetFiles:
    """Return a Parquet file, or all those of a folder, to be read later.

    Parameters
    ----------
    path : pathlib.Path
        One file, or a folder whose ``*.parquet`` files hold the rows of one source.
    where : str
        The source in the pipeline file, for errors.

    Raises
    ------
    SourceError
        If a file is missing, empty, of another kind, truncated, or not that of its ``.sha256``, has a column
        twice, or files of a folder differ in their columns. Damage within a file is found when it is read.
    """
    found = sorted(p for p in path.glob("*.parquet") if not p.name.startswith((".", "_")))
    files = tuple(found) or (path,)
    for file in files:
        with opened(file, where):
            pass
    schemas = {file: _opened(file, where, lambda parquet: parquet.schema_arrow) for file in files}
    once_each(schemas[files[0]].names, f"{where} {files[0].name}")
    for file, schema in schemas.items():
        if not schema.equals(schemas[files[0]]):
            raise SourceError(
                f"The files {files[0].name} and {file.name} have different columns.",
                where=f"{where} path: {path}",
                why="Rows of one source have one form.",
                fix="Export them alike, or name one file.",
            )
    return ParquetFiles(files)


def once_each(names: Sequence[str], where: str) -> None:
    """Refuse a table that has a column twice; DuckDB does not tell upper from lower case in their names."""
    counts = Counter(n.casefold() for n in names)
    double = [n for n in names if counts[n.casefold()] > 1]
    if double:
        raise SourceError(
            f"The column name '{double[0]}' stands in the header {counts[double[0].casefold()]} times.",
            where=where,
            why="Nobody could tell which of them a query means.",
            fix="Give every column a name of its own; upper and lower case do not count.",
        )


def pieces(found: ParquetFiles, where: str) -> Iterator[pa.Table]:
    """Yield the rows of Parquet files piece by piece, at least one, page checksums verified."""
    for path in found.paths:
        with _opening(path, where) as parquet:
            yield parquet.schema_arrow.remove_metadata().empty_table()
            for batch in parquet.iter_batches():
                yield pa.Table.from_batches([batch]).replace_schema_metadata(None)


def read_parquet(path: Path, where: str, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet file, page checksums verified where the file has them.

    Parameters
    ----------
    path : pathlib.Path
        One file.
    where : str
        The source in the pipeline file, for errors.
    columns : list of str, optional
        Only these columns.

    Raises
    ------
    SourceError
        If the file is missing, empty, of another kind, truncated or damaged.
    """
    return _opened(path, where, lambda parquet: parquet.read(columns=columns).replace_schema_metadata(None))


def _opened(path: Path, where: str, ask: Callable[[pq.ParquetFile], Any]) -> Any:
    with _opening(path, where) as parquet:
        return ask(parquet)


@contextmanager
def _opening(path: Path, where: str) -> Iterator[pq.ParquetFile]:
    existing(path, where)
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
        if not head.startswith(b"PAR1"):
            raise SourceError(
                f"The file is not Parquet; it looks like {signature(head) or 'text or something else'}.",
                where=f"{where} path: {path}",
                fix='If it is CSV, write kind = "csv"; otherwise export it as Parquet.',
            )
        # As a file, not as a data set: key=value folders above it must not turn into columns.
        with pq.ParquetFile(path, page_checksum_verification=True) as parquet:
            yield parquet
    except pa.ArrowException as error:
        raise _damaged(path, where) from error
    except OSError as error:
        # Arrow reports damaged pages as OSError, too; only a system error carries a number.
        raise (_damaged(path, where) if error.errno is None else _unreadable(path, where)) from error


def _damaged(path: Path, where: str) -> SourceError:
    return SourceError(
        "The Parquet file is truncated or damaged.",
        where=f"{where} path: {path}",
        why="Reading on could silently lose or change rows.",
        fix="Copy or export it again.",
    )


def _unreadable(path: Path, where: str) -> SourceError:
    return SourceError(
        "The file cannot be read.",
        where=f"{where} path: {path}",
        fix="Check its permissions and that the drive is connected.",
    )
