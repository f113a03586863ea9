"""The parts of a source, each known by the hash of its content: what has not changed has the same name.

A part is some row groups of one Parquet file, or some rows of a table. Times and names of files tell nothing.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from hva_ml.contracts.fingerprints import fingerprint
from hva_ml.engines.base import ParquetFiles, Relation
from hva_ml.engines.spool import Spooled
from hva_ml.errors import SourceError

ROWS = 500_000
"""A part has about so many rows, and begins where the one before it ends: growth at the end moves none."""


@dataclass(frozen=True)
class Part:
    """A part of a source.

    Attributes
    ----------
    key : str
        Source and sha256 of the content; where the same content occurs again, how often it did before.
    relation : pyarrow.Table or ParquetFiles
        Its rows.
    """

    key: str
    relation: Relation


def parts(source: str, relation: Relation, rows: int = ROWS) -> tuple[Part, ...]:
    """Return the parts of a source in its order; together they are the whole.

    Raises
    ------
    SourceError
        If a file is damaged or changes while it is read.
    """
    if isinstance(relation, Spooled):
        relation = relation.table()
    found = _of_files(relation, rows) if isinstance(relation, ParquetFiles) else _of_table(relation, rows)
    times: dict[str, int] = {}
    named = []
    for part in found:
        again = times[part.key] = times.get(part.key, -1) + 1
        named.append(replace(part, key=f"{source} {part.key}" + (f" {again}" if again else "")))
    return tuple(named)


def _of_table(table: pa.Table, rows: int) -> Iterator[Part]:
    for first in range(0, table.num_rows, rows):
        piece = table.slice(first, rows)
        yield Part(fingerprint([piece]), piece)


def _of_files(files: ParquetFiles, rows: int) -> Iterator[Part]:
    for path in files.paths:
        before = path.stat()
        try:
            with path.open("rb") as file, pq.ParquetFile(path) as parquet:
                found = list(_groups(path, file, parquet.metadata, rows))
        except (pa.ArrowException, OSError) as error:
            raise SourceError(
                "The Parquet file cannot be read.",
                where=str(path),
                why="Reading on could silently lose or change rows.",
                fix="Copy or export it again.",
            ) from error
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise SourceError(
                "The file changed while it was read.",
                where=str(path),
                why="Half of it would be of another day than the rest.",
                fix="Let the export end before, or let it write another file and rename that.",
            )
        yield from found


def _groups(path: Path, file: BinaryIO, metadata: pq.FileMetaData, rows: int) -> Iterator[Part]:
    schema = _form(metadata.schema)
    groups: list[int] = []
    held, digest = 0, hashlib.sha256(schema)
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for column in range(group.num_columns):
            _add(digest, file, group.column(column).to_dict())
        groups.append(number)
        held += group.num_rows
        if held >= rows or number == metadata.num_row_groups - 1:
            yield Part(digest.hexdigest(), ParquetFiles((path,), tuple(groups)))
            groups, held, digest = [], 0, hashlib.sha256(schema)


def _form(schema: pq.ParquetSchema) -> bytes:
    """Return what decides how the bytes of a file are understood."""
    columns = [schema.column(k) for k in range(len(schema))]
    told = [
        (c.path, c.physical_type, str(c.logical_type), c.converted_type, c.length, c.precision, c.scale,
         c.max_definition_level, c.max_repetition_level)
        for c in columns
    ]  # fmt: skip
    return repr(told).encode() + bytes(schema.to_arrow_schema().serialize())


def _add(digest: Any, file: BinaryIO, chunk: dict[str, Any]) -> None:
    """Add a column chunk: its bytes, and what its file says of them but for where they lie."""
    told = {k: v for k, v in chunk.items() if k != "file_path" and not k.endswith("_offset")}
    digest.update(repr(sorted(told.items(), key=lambda item: item[0])).encode())
    # Writers have put 0 where there is no dictionary page; no page ever begins there.
    begin = chunk["dictionary_page_offset"] or chunk["data_page_offset"]
    file.seek(min(begin, chunk["data_page_offset"]))
    digest.update(file.read(chunk["total_compressed_size"]))
