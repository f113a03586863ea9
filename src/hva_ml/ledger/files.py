"""The files of a ledger: written once, known by their hash, and held to it before a byte of them counts."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from hva_ml.errors import IntegrityError
from hva_ml.folders import file_entry, sync

SUFFIX = ".arrow"


def write(folder: Path, what: str, table: pa.Table) -> dict[str, Any]:
    """Write a table under a name of its own; return its entry: ``name``, ``sha256``, ``size``."""
    path = folder / f"{what}-{secrets.token_hex(8)}{SUFFIX}"
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table.combine_chunks())
    sync(path)
    return {"name": path.name, **file_entry(path)}


def read(folder: Path, entry: Mapping[str, Any]) -> pa.Table:
    """Return the table of an entry; its memory is that of the file.

    Raises
    ------
    IntegrityError
        If the file is missing or not what was written.
    """
    name = Path(str(entry["name"])).name
    try:
        if file_entry(folder / name) != {"sha256": entry["sha256"], "size": entry["size"]}:
            raise IntegrityError("A file of the ledger has been changed.", where=str(folder / name))
        with pa.memory_map(str(folder / name)) as source:
            return pa.ipc.open_file(source).read_all()
    except (OSError, pa.ArrowException) as error:
        raise IntegrityError("A file of the ledger cannot be read.", where=str(folder / name)) from error
