"""Finished pieces of a run that is not out yet: a night that was stopped takes up where it ended.

They lie in a hidden folder beside the runs, where no reader looks, under the id of the run: other inputs are
another run. A piece counts only if every byte is as it was written.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from hva_ml.folders import bytes_entry, canonical, file_entry, text_hash
from hva_ml.publication.reading import RUNS

SHARDS = ".shards"
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


class Shards:
    """The finished pieces of one run.

    Parameters
    ----------
    folder : pathlib.Path
        ``data/scores/<pipeline>``.
    run_id : str
        The run; pieces of all other runs are removed, for their inputs are not those of today.
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        self._path = folder / RUNS / f".{run_id}{SHARDS}"
        clear_shards(folder, but=self._path)

    def kept(self, first: int, last: int) -> dict[str, pa.Table] | None:
        """Return the piece of the ranks from `first` to `last` (exclusive), None if it is not there whole."""
        try:
            note = json.loads(self._note(first, last).read_bytes())
            if note["seal"] != text_hash(canonical(note["files"])):
                return None
            return {name: self._read(first, last, name, entry) for name, entry in note["files"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException):
            return None

    def keep(self, first: int, last: int, piece: Mapping[str, pa.Table]) -> None:
        """Write a piece; it counts from its note on, which comes last."""
        self._path.mkdir(parents=True, exist_ok=True)
        files = {}
        for name, table in sorted(piece.items()):
            with pa.ipc.new_file(
                str(self._file(first, last, name)), table.schema, options=_OPTIONS
            ) as writer:
                writer.write_table(table)
            files[name] = file_entry(self._file(first, last, name))
        note = {"files": files, "seal": text_hash(canonical(files))}
        self._note(first, last).write_text(canonical(note), encoding="utf-8")

    def _read(self, first: int, last: int, name: str, entry: Mapping[str, object]) -> pa.Table:
        # What is verified is what is read: one pass over the bytes.
        content = self._file(first, last, name).read_bytes()
        if bytes_entry(content) != entry:
            raise ValueError(name)
        return pa.ipc.open_file(pa.BufferReader(content)).read_all()

    def _file(self, first: int, last: int, name: str) -> Path:
        return self._path / f"{first:09d}-{last:09d}.{name}"

    def _note(self, first: int, last: int) -> Path:
        return self._file(first, last, "json")


def clear_shards(folder: Path, but: Path | None = None) -> None:
    """Remove the pieces of all runs, or of all but one."""
    for left in sorted((folder / RUNS).glob(f".*{SHARDS}")):
        if left != but:
            shutil.rmtree(left, ignore_errors=True)
