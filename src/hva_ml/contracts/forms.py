"""In what form sources came: which times had no zone, which columns tell rows apart. It judges nothing."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain, islice

import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.contracts import codes
from hva_ml.contracts.records import ContractTables
from hva_ml.contracts.stored import CLOCKS
from hva_ml.contracts.tables import contract_for

APART = 20
_FIRST, _ROWS = 2_048, 262_144


def zoneless(tables: ContractTables) -> dict[str, float]:
    """Return the share of rows whose time came without a zone, for every column of times that was given.

    Parameters
    ----------
    tables : ContractTables
        With what was found in them.

    Returns
    -------
    dict of str to float
        By ``table.column``: 0 if every time had a zone, 1 if none had.
    """
    found = {v.where: v.count for v in tables.violations if v.code == codes.NAIVE_TIME}
    silent = {v.where: v.count for v in tables.violations if v.code == codes.NO_KNOWN_AT}
    shares: dict[str, float] = {}
    for table, (rows, _) in tables.counts().items():
        for column in _times(next(tables.pieces(table)).schema) if rows else ():
            where = f"{table}.{column}"
            # Where known_at is not given, event_time stands in its place.
            if silent.get(where, 0) < rows and (column in CLOCKS or _given(tables, table, column)):
                shares[where] = min(1.0, found.get(where, 0) / rows)
    return dict(sorted(shares.items()))


def varied(tables: ContractTables) -> dict[str, int]:
    """Count the rows that have not the most common value of their column; more than `APART` are not counted.

    Keys and times are left out; no value at all is a value, too. The order of rows makes no difference.

    Returns
    -------
    dict of str to int
        By ``table.column``: 0 if all rows are the same.
    """
    counted: dict[str, int] = {}
    for table in sorted(tables.tables):
        first = next(tables.pieces(table))
        skipped = {*contract_for(table).key, *_times(first.schema)}
        for column in (c for c in first.column_names if c not in skipped):
            rows, apart = _apart(p[column] for p in chain([first], _rest(tables, table, column)))
            if rows:
                counted[f"{table}.{column}"] = apart
    return dict(sorted(counted.items()))


def _rest(tables: ContractTables, table: str, column: str) -> Iterable[pa.Table]:
    """Yield all pieces but the first, which are asked for only once they are needed."""
    yield from islice(tables.pieces(table, [column]), 1, None)


def _times(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if pa.types.is_timestamp(field.type)]


def _given(tables: ContractTables, table: str, column: str) -> bool:
    pieces = (p[column] for p in tables.pieces(table, [column]))
    return any(len(p) > p.null_count for p in pieces)


def _apart(pieces: Iterable[pa.ChunkedArray]) -> tuple[int, int]:
    """Return how many rows were looked at, and how many of them stand apart, at most `APART`."""
    counts: Counter[object] = Counter()
    rows = apart = 0
    for piece in pieces:
        start = 0
        while start < len(piece):
            # Most columns tell in their first rows: the others are looked at in larger steps.
            part = piece.slice(start, _ROWS if rows else _FIRST)
            start, rows = start + len(part), rows + len(part)
            if part.null_count == len(part):
                counts[None] += len(part)
            else:
                counts.update({c["values"]: c["counts"] for c in pc.value_counts(part).to_pylist()})
            apart = rows - max(counts.values())
            if apart >= APART:
                return rows, APART
    return rows, apart
