"""Immutable runs of scores and the pointer to the one that counts.

A reader sees the last complete run or the new one, whatever happens to the writer; every byte it gets has
been held to its hash. The caller of `publish` holds the pipeline's lock.
"""

import shutil
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hva_ml.errors import IntegrityError
from hva_ml.folders import (
    MANIFEST,
    PART,
    canonical,
    file_entry,
    pretty,
    replace_file,
    text_hash,
    verify,
    whole_folder,
)
from hva_ml.publication.audit import Audit
from hva_ml.publication.nights import Tonight
from hva_ml.publication.reading import (
    CURRENT,
    FORMAT,
    NIGHT,
    RUNS,
    Published,
    manifest_of,
    published,
    read_pointer,
    run_id_of,
    runs,
)
from hva_ml.publication.retention import DAMAGED
from hva_ml.publication.shards import clear_shards
from hva_ml.publication.verdict import Verdict, judge


def publish(
    folder: Path,
    pieces: Iterable[Mapping[str, pa.Table]],
    identity: Mapping[str, Any],
    *,
    expected_rows: int,
    tonight: Tonight | None = None,
    verdict: Verdict | None = None,
    pointing: bool = True,
) -> Published:
    """Audit tables, write them as one run, and make it the current one by a single step.

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
    tonight : Tonight, optional
        What is known of the run before it is written: it is held against the run that counts until now, and
        that is kept in the manifest. Needs an identity with as_of, release, model_version and scoring.
    verdict : Verdict, optional
        What came of holding it against a night, if that has been done already.
    pointing : bool
        Without it the run is written and `CURRENT` stays where it is.

    Returns
    -------
    Published

    Raises
    ------
    RefusedError
        If an audit finds anything; the current run stays current.
    """
    run_id = run_id_of(identity)
    path = folder / RUNS / run_id
    clear_parts(folder)
    if not is_whole(path, identity):
        night = {} if tonight is None else {
            **(verdict or judge(folder, tonight)).record(), "profile": tonight.night.profile()
        }  # fmt: skip
        facts = {
            "identity": dict(identity),
            "sequence": 1 + max((r.sequence for r in runs(folder)), default=0),
        }
        _write(path, pieces, facts, night, Audit(expected_rows))
    clear_shards(folder)
    return replace(published(path), published=pointing and point(folder, path))


def point(folder: Path, path: Path) -> bool:
    """Make a whole run the current one by a single step; return False if it was already."""
    pointer = f"{path.name} {file_entry(path / MANIFEST)['sha256']}\n"
    if read_pointer(folder) == pointer:
        return False
    replace_file(folder / CURRENT, pointer)
    return True


def whole_run(folder: Path, identity: Mapping[str, Any]) -> Published | None:
    """Return the run of an identity if it is there and whole, every file held to its hash."""
    path = folder / RUNS / run_id_of(identity)
    return published(path) if is_whole(path, identity) else None


def latest_of(
    folder: Path, version: str, release: str | None
) -> tuple[Published | None, tuple[Published, ...]]:
    """Return the latest whole run that a release has made, and the damaged ones that were passed over.

    Parameters
    ----------
    folder : Path
        ``data/scores/<pipeline>``.
    version, release : str, str or None
        Version and hash of the release; None for whatever hash.
    """
    damaged: list[Published] = []
    for run in reversed(runs(folder)):
        made = run.identity.get("model_version"), run.identity.get("release")
        if made[0] != version or release not in (None, made[1]):
            continue
        if is_whole(run.path, run.identity):
            return run, tuple(damaged)
        damaged.append(run)
    return None, tuple(damaged)


def _write(
    path: Path,
    pieces: Iterable[Mapping[str, pa.Table]],
    facts: Mapping[str, Any],
    night: Mapping[str, Any],
    audit: Audit,
) -> None:
    with whole_folder(path) as part:
        rows = _tables(part, pieces, audit)
        written = [r.record() for r in audit.whole()]
        manifest = {
            "format": FORMAT,
            "run_id": path.name,
            **facts,
            "rows": rows,
            "files": {f"{name}.parquet": file_entry(part / f"{name}.parquet") for name in rows},
            NIGHT: {**night, "audit": [*night.get("audit", ()), *written]},
        }
        sealed = {**manifest, "seal": text_hash(canonical(manifest))}
        (part / MANIFEST).write_bytes(pretty(sealed).encode())
        _set_aside(path)


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


def is_whole(path: Path, identity: Mapping[str, Any]) -> bool:
    """Return whether the run of an identity is there and whole."""
    if not path.is_dir():
        return False
    try:
        manifest = manifest_of(path)
        verify(path, manifest["files"], "")
    except IntegrityError:
        return False
    return canonical(manifest["identity"]) == canonical(identity)


def _set_aside(path: Path) -> None:
    if path.exists():
        aside = path.with_name(f".{path.name}{DAMAGED}")
        shutil.rmtree(aside, ignore_errors=True)
        path.rename(aside)


def clear_parts(folder: Path) -> None:
    """Remove what writers left behind that were stopped."""
    for left in sorted((folder / RUNS).glob(f".*{PART}")):
        shutil.rmtree(left, ignore_errors=True)
    for left in sorted(folder.glob(f".*{PART}")):
        left.unlink(missing_ok=True)
