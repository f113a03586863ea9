"""Runs of scores as readers see them: the pointer, manifests and tables, every byte held to its hash."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hva_ml.errors import IntegrityError, UsageError, nearest
from hva_ml.folders import (
    MANIFEST,
    bytes_entry,
    canonical,
    file_entry,
    read_json,
    text_hash,
)
from hva_ml.publication.rows import AuditRow, rows_of
from hva_ml.publication.stale import Stale, told_of

CURRENT = "CURRENT"
RUNS = "runs"
FORMAT = "hva-scores-1"
NIGHT = "night"
_RUN_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Published:
    """One complete run of scores.

    Attributes
    ----------
    run_id : str
        First 16 hex digits of the sha256 over the identity.
    path : Path
        The immutable folder.
    published : bool
        Whether this call made it the current one; False if it was already.
    identity : dict
        What decides the run: as-of day, release hash, feature fingerprint, …
    rows : dict of str to int
        Rows by table.
    sequence : int
        A later run written into the same folder has a higher number; 0 where nobody noted it.
    audit : tuple of AuditRow
        What was held against last night; empty for runs of before there were audits.
    forced : str
        The reason why it was published although an audit did not hold; empty for most.
    stale : Stale or None
        Set if this is the current run and a later night did not come out.
    """

    run_id: str
    path: Path
    published: bool
    identity: dict[str, Any]
    rows: dict[str, int]
    sequence: int = 0
    audit: tuple[AuditRow, ...] = ()
    forced: str = ""
    stale: Stale | None = None


def run_id_of(identity: Mapping[str, Any]) -> str:
    """Return the run id of an identity.

    Examples
    --------
    >>> run_id_of({"as_of": "2025-12-31"}) == run_id_of({"as_of": "2025-12-30"})
    False
    """
    return text_hash(canonical(identity))[:16]


def current(folder: Path) -> Published | None:
    """Return the current run, or None if nothing has been published.

    Raises
    ------
    IntegrityError
        If the pointer or the manifest it leads to is damaged. Tables are held to it by `read`.
    """
    text = read_pointer(folder)
    if text is None:
        return None
    run_id, _, digest = text.strip().partition(" ")
    path = folder / RUNS / run_id
    if not _RUN_ID.fullmatch(run_id):
        raise _damaged(folder / CURRENT, "The pointer to the current run is damaged")
    if not (path / MANIFEST).is_file() or file_entry(path / MANIFEST)["sha256"] != digest:
        raise _damaged(path / MANIFEST, "The manifest is not the one that was published")
    return replace(published(path), stale=told_of(folder, run_id))


def ahead(folder: Path, day: date) -> bool:
    """Whether the current run is of a later day; a pointer that is damaged leads nowhere."""
    try:
        run = current(folder)
    except IntegrityError:
        return False
    return run is not None and str(run.identity.get("as_of", "")) > day.isoformat()


def published(path: Path) -> Published:
    """Return the run in a folder, current or not; its manifest is held to its own seal.

    Raises
    ------
    IntegrityError
        If the manifest is damaged.
    """
    manifest = manifest_of(path)
    night = manifest.get(NIGHT, {})
    return Published(
        path.name, path, False, manifest["identity"], manifest["rows"], manifest.get("sequence", 0),
        rows_of(night.get("audit", ())), night.get("forced", ""),
    )  # fmt: skip


def runs(folder: Path) -> tuple[Published, ...]:
    """Return every run whose manifest is whole, by day, then in the order in which they were written."""
    found = []
    for path in sorted((folder / RUNS).glob("[0-9a-f]*")):
        try:
            found.append(published(path))
        except IntegrityError:
            continue
    return tuple(sorted(found, key=lambda r: (str(r.identity.get("as_of", "")), r.sequence, r.run_id)))


def before(folder: Path, day: date) -> Published | None:
    """Return the run that counted when a day came: the latest of an earlier one."""
    earlier = [r for r in runs(folder) if str(r.identity.get("as_of", "")) < day.isoformat()]
    return earlier[-1] if earlier else None


def read(
    folder: Path,
    table: str = "scores",
    run_id: str | None = None,
    *,
    account: str | Sequence[str] | None = None,
    every: int = 1,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """Return one table of a run, the current one by default, after holding it to its hash.

    With `account` only the rows of one or several, none if they have none; with `every` only the first of so
    many rows each; with `columns` only those.

    Raises
    ------
    UsageError
        If nothing has been published, or there is no such run or table.
    IntegrityError
        If a single bit is not as it was written; the message names the file.
    """
    path, file = _opened(folder, table, run_id)
    try:
        if account is not None:
            return _rows_of(file, [account] if isinstance(account, str) else account, columns)
        return file.read(columns) if every == 1 else _sample(file, every, columns)
    except (OSError, pa.ArrowInvalid) as error:
        raise _damaged(path, "A table of the run cannot be read") from error


def pieces(folder: Path, table: str, run_id: str) -> Iterator[pa.Table]:
    """Yield one table of a run in the pieces in which it was written, after holding it to its hash.

    Raises
    ------
    UsageError, IntegrityError
        As `read`.
    """
    path, file = _opened(folder, table, run_id)
    try:
        for k in range(file.num_row_groups):
            yield file.read_row_group(k)
    except (OSError, pa.ArrowInvalid) as error:
        raise _damaged(path, "A table of the run cannot be read") from error


def _opened(folder: Path, table: str, run_id: str | None) -> tuple[Path, pq.ParquetFile]:
    """Open a table of a run, held to its hash: what was verified is what is parsed, the file is read once."""
    if run_id is None:
        found = current(folder)
        if found is None:
            raise UsageError("No scores have been published yet.", where=str(folder), fix=_remedy(folder))
        path = found.path
    else:
        path = folder / RUNS / run_id
        if not _RUN_ID.fullmatch(run_id) or not path.is_dir():
            raise UsageError(
                f"There is no run '{run_id[:40]}'.", where=str(folder / RUNS), fix=_remedy(folder)
            )
    files, name = manifest_of(path)["files"], f"{table}.parquet"
    if name not in files:
        known = [f.removesuffix(".parquet") for f in files]
        raise UsageError(
            f"The run has no table '{table[:40]}'.{nearest(table, known)}",
            where=str(path),
            fix=f"Use one of: {', '.join(sorted(known))}.",
        )
    try:
        content = (path / name).read_bytes()
    except OSError as error:
        raise _damaged(path / name, "A table of the run is missing or unreadable") from error
    if bytes_entry(content) != files[name]:
        raise _damaged(path / name, "A table of the run has been changed")
    try:
        return path / name, pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
    except (OSError, pa.ArrowInvalid) as error:
        raise _damaged(path / name, "A table of the run cannot be read") from error


def _rows_of(file: pq.ParquetFile, accounts: Sequence[str], columns: Sequence[str] | None) -> pa.Table:
    """Read only the row groups that hold one of the accounts."""
    wanted, groups = pa.array(list(accounts), pa.string()), []
    for k in range(file.num_row_groups):
        here = pc.is_in(file.read_row_group(k, columns=["account_id"])["account_id"], wanted)
        if pc.any(here).as_py():
            groups.append(file.read_row_group(k, columns=columns).filter(here))
    return pa.concat_tables(groups) if groups else _empty(file, columns)


def _empty(file: pq.ParquetFile, columns: Sequence[str] | None) -> pa.Table:
    table = file.schema_arrow.empty_table()
    return table if columns is None else table.select(columns)


def _sample(file: pq.ParquetFile, every: int, columns: Sequence[str] | None) -> pa.Table:
    """Read one row group after the other and keep the first of so many rows each."""
    kept, row = [], 0
    for k in range(file.num_row_groups):
        found = file.read_row_group(k, columns=columns)
        kept.append(found.take(pa.array(range(-row % every, found.num_rows, every), pa.int64())))
        row += found.num_rows
    return pa.concat_tables(kept) if kept else _empty(file, columns)


def manifest_of(path: Path) -> dict[str, Any]:
    """Read a run's manifest and hold it to its own seal."""
    record = read_json(path / MANIFEST, _remedy(path.parent.parent))
    body = {k: v for k, v in record.items() if k != "seal"} if isinstance(record, dict) else {}
    if not body or record.get("seal") != text_hash(canonical(body)) or body.get("format") != FORMAT:
        raise _damaged(path / MANIFEST, "The manifest of the run has been changed")
    if body["run_id"] != path.name or run_id_of(body["identity"]) != path.name:
        raise _damaged(path / MANIFEST, "The manifest belongs to another run")
    return body


def read_pointer(folder: Path) -> str | None:
    """Return the text of the pointer, None if nothing has been published."""
    try:
        return (folder / CURRENT).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _remedy(folder: Path) -> str:
    return f"hva score {folder.name} --as-of DAY   (it sets a damaged run aside and writes it anew)"


def _damaged(file: Path, what: str) -> IntegrityError:
    folder = file.parent if file.name == CURRENT else file.parent.parent.parent
    return IntegrityError(
        f"{what}.",
        where=str(file),
        why="Numbers that nobody computed would look like scores.",
        fix=_remedy(folder),
    )
