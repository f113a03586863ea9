"""What runs beside the data: from tagged rows of one partition to the results of the work, as bytes."""

import json
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from hva_ml import errors
from hva_ml.engines.base import Work

KEY, RELATION, PAYLOAD, ERROR = "key", "relation", "payload", "error"
SCHEMA = f"{PAYLOAD} binary, {ERROR} string"
ROWS_A_PAYLOAD = 131_072


def column(relation: int, place: int) -> str:
    """Name a column of a relation among the columns of all relations."""
    return f"r{relation}c{place}"


class Task:
    """The work on one partition, as Spark calls it.

    Parameters
    ----------
    work : callable
        From relations to one table.
    schemas : tuple of (str, pyarrow.Schema)
        Name and columns of each relation; row n of the tagged rows belongs to relation number ``relation``.
    """

    def __init__(self, work: Work, schemas: tuple[tuple[str, pa.Schema], ...]) -> None:
        self._work = work
        self._schemas = schemas

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the result in pieces; nothing for a partition without rows."""
        parts: dict[str, list[pa.Table]] = {name: [] for name, _ in self._schemas}
        for batch in batches:
            table = pa.Table.from_batches([batch])
            for number, (name, schema) in enumerate(self._schemas):
                rows = table.filter(pc.equal(table[RELATION], number))
                if rows.num_rows:
                    columns = [rows[column(number, place)] for place in range(len(schema))]
                    parts[name].append(pa.table(columns, names=schema.names).cast(schema))
        if not any(parts.values()):
            return
        whole = {
            name: pa.concat_tables(parts.pop(name) or [schema.empty_table()])
            for name, schema in self._schemas
        }
        try:
            made = self._work(whole)
        except errors.HvaError as error:
            yield _answer(b"", json.dumps(error.record()))
            return
        for first in range(0, max(made.num_rows, 1), ROWS_A_PAYLOAD):
            yield _answer(packed(made.slice(first, ROWS_A_PAYLOAD)), None)


def pieces_packed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a frame as bytes, batch by batch."""
    for batch in batches:
        yield _answer(packed(pa.Table.from_batches([batch])), None)


def _answer(payload: bytes, error: str | None) -> pa.RecordBatch:
    return pa.record_batch({PAYLOAD: pa.array([payload], pa.binary()), ERROR: pa.array([error], pa.string())})


def packed(table: pa.Table) -> bytes:
    """Return a table as bytes."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def unpacked(payload: bytes, error: str | None) -> pa.Table:
    """Return the table again, or raise the error that the work ended with."""
    if error is None:
        return pa.ipc.open_stream(payload).read_all()
    told = json.loads(error)
    kind: type[errors.HvaError] = getattr(errors, told.pop("error"), errors.HvaError)
    raise kind(told.pop("what"), **told)
