"""Immutable runs of scores and the pointer to the one that counts.

A reader sees the last complete run or the new one, whatever happens to the writer; every byte it gets has
been held to its hash. The caller of `publish` holds the pipeline's lock.
"""

import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hva_ml.errors import IntegrityError, UsageError, nearest
from hva_ml.publication.audit import Audit
from hva_ml.registry.folders import (
    MANIFEST,
    PART,
    bytes_entry,
    canonical,
    file_entry,
    pretty,
    read_json,
    replace_file,
    text_hash,
    verify,
    whole_folder,
)

CURRENT = "CURRENT"
RUNS = "runs"
FORMAT = "hva-scores-1"
_RUN_ID = re.compile(r"[0-9a-f]{16}")
_DAMAGED = ".damaged"


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
    """

    run_id: str
    path: Path
    published: bool
    identity: dict[str, Any]
    rows: dict[str, int]


def run_id_of(identity: Mapping[str, Any]) -> str:
    """Return the run id of an identity.

    Examples
    --------
    >>> run_id_of({"as_of": "2025-12-31"}) == run_id_of({"as_of": "2025-12-30"})
    False
    """
    return text_hash(canonical(identity))[:16]


def publish(
    folder: Path,
    pieces: Iterable[Mapping[str, pa.Table]],
    identity: Mapping[str, Any],
    *,
    expected_rows: int,
) -> Published:
    """Audit tables while they are written as one run, and make it the current one by a single step.

    A run of the same identity that is already current and whole is left as it is, and no piece is asked for.
    One that is there but damaged is set aside and written again.

    Parameters
    ----------
    folder : Path
        ``data/scores/<pipeline>``.
    pieces : iterable of mapping of str to pyarrow.Table
        Pieces of one name become ``<name>.parquet``, each a row group of it, so that no table need fit into
        memory. ``scores`` is audited, with ``explanations`` of the same accounts in the same piece.
    identity : mapping
        JSON-ready; equal identities are the same run.
    expected_rows : int
        Accounts of the population: `scores` must have exactly one row for each.

    Returns
    -------
    Published

    Raises
    ------
    RefusedError
        If the audit finds anything; the current run stays current.
    """
    run_id = run_id_of(identity)
    path = folder / RUNS / run_id
    _clear_parts(folder)
    if (known := _whole(path, identity)) is not None:
        pointer = _pointer(run_id, path)
        if _read_pointer(folder) == pointer:
            return Published(run_id, path, False, dict(identity), known)
    else:
        known = _write(path, pieces, identity, Audit(expected_rows))
        pointer = _pointer(run_id, path)
    replace_file(folder / CURRENT, pointer)
    return Published(run_id, path, True, dict(identity), known)


def current(folder: Path) -> Published | None:
    """Return the current run, or None if nothing has been published.

    Raises
    ------
    IntegrityError
        If the pointer or the manifest it leads to is damaged. Tables are held to it by `read`.
    """
    text = _read_pointer(folder)
    if text is None:
        return None
    run_id, _, digest = text.strip().partition(" ")
    path = folder / RUNS / run_id
    if not _RUN_ID.fullmatch(run_id):
        raise _damaged(folder / CURRENT, "The pointer to the current run is damaged")
    if not (path / MANIFEST).is_file() or file_entry(path / MANIFEST)["sha256"] != digest:
        raise _damaged(path / MANIFEST, "The manifest is not the one that was published")
    manifest = _manifest(path)
    return Published(run_id, path, False, manifest["identity"], manifest["rows"])


def read(
    folder: Path,
    table: str = "scores",
    run_id: str | None = None,
    *,
    account: str | None = None,
    every: int = 1,
) -> pa.Table:
    """Return one table of a run, the current one by default, after holding it to its hash.

    With `account` only its rows, none if it has none; with `every` only the first of so many rows each.

    Raises
    ------
    UsageError
        If nothing has been published, or there is no such run or table.
    IntegrityError
        If a single bit is not as it was written; the message names the file.
    """
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
    files, name = _manifest(path)["files"], f"{table}.parquet"
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
    # What was verified is what is parsed: the file is read once.
    if bytes_entry(content) != files[name]:
        raise _damaged(path / name, "A table of the run has been changed")
    try:
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        if account is not None:
            return _rows_of(file, account)
        return file.read() if every == 1 else _sample(file, every)
    except (OSError, pa.ArrowInvalid) as error:
        raise _damaged(path / name, "A table of the run cannot be read") from error


def _write(
    path: Path, pieces: Iterable[Mapping[str, pa.Table]], identity: Mapping[str, Any], audit: Audit
) -> dict[str, int]:
    with whole_folder(path) as part:
        rows = _tables(part, pieces, audit)
        audit.whole()
        manifest = {
            "format": FORMAT,
            "run_id": path.name,
            "identity": dict(identity),
            "rows": rows,
            "files": {f"{name}.parquet": file_entry(part / f"{name}.parquet") for name in rows},
        }
        sealed = {**manifest, "seal": text_hash(canonical(manifest))}
        (part / MANIFEST).write_bytes(pretty(sealed).encode())
        _set_aside(path)
    return rows


def _tables(part: Path, pieces: Iterable[Mapping[str, pa.Table]], audit: Audit) -> dict[str, int]:
    """Write the pieces as they come; return the rows of each table."""
    writers: dict[str, pq.ParquetWriter] = {}
    rows: dict[str, int] = {}
    with ExitStack() as open_files:
        for piece in pieces:
            audit.piece(piece)
            for name, table in sorted(piece.items()):
                if name not in writers:
                    writers[name] = open_files.enter_context(_writer(part / f"{name}.parquet", table.schema))
                writers[name].write_table(table)
                rows[name] = rows.get(name, 0) + int(table.num_rows)
    return dict(sorted(rows.items()))


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    # Numbers that hardly repeat: a dictionary of them only costs time, split into bytes they pack better.
    numbers = [f.name for f in schema if pa.types.is_floating(f.type)]
    others = [f.name for f in schema if f.name not in numbers]
    return pq.ParquetWriter(
        path, schema, compression="zstd", write_page_checksum=True, use_dictionary=others,
        column_encoding=dict.fromkeys(numbers, "BYTE_STREAM_SPLIT"),
    )  # fmt: skip


def _rows_of(file: pq.ParquetFile, account: str) -> pa.Table:
    """Read only the row groups that hold an account."""
    groups = []
    for k in range(file.num_row_groups):
        ids = file.read_row_group(k, columns=["account_id"])["account_id"]
        if pc.any(pc.equal(ids, account)).as_py():
            found = file.read_row_group(k)
            groups.append(found.filter(pc.equal(found["account_id"], account)))
    return pa.concat_tables(groups) if groups else file.schema_arrow.empty_table()


def _sample(file: pq.ParquetFile, every: int) -> pa.Table:
    """Read one row group after the other and keep the first of so many rows each."""
    kept, row = [], 0
    for k in range(file.num_row_groups):
        found = file.read_row_group(k)
        kept.append(found.take(pa.array(range(-row % every, found.num_rows, every), pa.int64())))
        row += found.num_rows
    return pa.concat_tables(kept) if kept else file.schema_arrow.empty_table()


def _manifest(path: Path) -> dict[str, Any]:
    """Read a run's manifest and hold it to its own seal."""
    record = read_json(path / MANIFEST, _remedy(path.parent.parent))
    body = {k: v for k, v in record.items() if k != "seal"} if isinstance(record, dict) else {}
    if not body or record.get("seal") != text_hash(canonical(body)) or body.get("format") != FORMAT:
        raise _damaged(path / MANIFEST, "The manifest of the run has been changed")
    if body["run_id"] != path.name or run_id_of(body["identity"]) != path.name:
        raise _damaged(path / MANIFEST, "The manifest belongs to another run")
    return body


def _whole(path: Path, identity: Mapping[str, Any]) -> dict[str, int] | None:
    """Return the rows of a run that is there and whole, else None."""
    if not path.is_dir():
        return None
    try:
        manifest = _manifest(path)
        verify(path, manifest["files"], "")
    except IntegrityError:
        return None
    return dict(manifest["rows"]) if canonical(manifest["identity"]) == canonical(identity) else None


def _pointer(run_id: str, path: Path) -> str:
    return f"{run_id} {file_entry(path / MANIFEST)['sha256']}\n"


def _read_pointer(folder: Path) -> str | None:
    try:
        return (folder / CURRENT).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _set_aside(path: Path) -> None:
    if path.exists():
        aside = path.with_name(f".{path.name}{_DAMAGED}")
        shutil.rmtree(aside, ignore_errors=True)
        path.rename(aside)


def _clear_parts(folder: Path) -> None:
    """Remove what writers left behind that were stopped."""
    for left in sorted((folder / RUNS).glob(f".*{PART}")):
        shutil.rmtree(left, ignore_errors=True)
    for left in sorted(folder.glob(f".*{PART}")):
        left.unlink(missing_ok=True)


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
