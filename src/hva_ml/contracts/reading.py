"""Reads what a source query returned, row by row: every cell cast, every row judged by itself alone.

So the rows of a table may be read in parts, in any parts, and what was found adds up. What needs the whole
table, or other tables, is judged in `checks`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import PipelineConfig, Table
from hva_ml.contracts import codes, privacy
from hva_ml.contracts.casting import cast, mask
from hva_ml.contracts.draft import Draft
from hva_ml.contracts.notes import Note
from hva_ml.contracts.schema import Column
from hva_ml.contracts.tables import contract_for
from hva_ml.errors import bounded, nearest

_TIMES = ("event_time", "known_at")
_LONG_LIVED = ("accounts", "contacts")
_FIRST = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Reading:
    """What reading rows by themselves gave.

    Attributes
    ----------
    rows : pyarrow.Table
        Those not set aside, under the contract's schema, in the order in which they came.
    delivered : int
        All rows, those set aside included.
    given : dict of str to int
        By optional column, how many cells were not null.
    notes : tuple of Note
        What was looked for, and how often it was found.
    """

    rows: pa.Table
    delivered: int
    given: dict[str, int]
    notes: tuple[Note, ...]


def read(name: str, raw: pa.Table, config: PipelineConfig, wrong: frozenset[str] | None = None) -> Draft:
    """Read the rows of a contract table.

    Parameters
    ----------
    name : str
        The contract table.
    raw : pyarrow.Table
        What its query returned, or a part of that.
    config : PipelineConfig
        The pipeline.
    wrong : frozenset of str, optional
        Columns of a wrong type, for a part of a table: all its parts together tell. By default these rows do.
    """
    settings = config.tables[name]  # type: ignore[index]
    contract = contract_for(name, dict(settings.columns))
    draft = Draft(contract, raw)
    sources = {c.name: _source(c, settings, raw) for c in contract.columns}
    for column in contract.columns:
        _read(draft, column, sources[column.name], config, wrong)
    wanted = {s for s in sources.values() if s}
    absent = [c.name for c in contract.columns if sources[c.name] not in raw.column_names]
    for extra in dict.fromkeys(c for c in raw.column_names if c not in wanted):
        shown = privacy.shown(extra)
        draft.note(
            codes.UNKNOWN_COLUMN, shown, count=raw.num_rows,
            what=f"The column '{shown}' is not part of the contract; it is ignored.{nearest(extra, absent)}",
        )  # fmt: skip
    if draft.usable:
        _required(draft)
        _clocks(draft)
        if "currency" in draft.columns and "currency" in contract.names:
            draft.columns["currency"] = pc.utf8_upper(draft.columns["currency"])
    return draft


def reading(draft: Draft) -> Reading | None:
    """Return what reading gave, or None where a part of a table cannot be read without the rest of it."""
    if draft.doubtful or not draft.usable:
        return None
    return Reading(draft.clean_rows(), draft.delivered, draft.given, tuple(draft.notes))


def _source(column: Column, settings: Table, raw: pa.Table) -> str:
    """Name the column of the query result that gives a contract column; empty if none is expected."""
    if column.name == "event_time":
        return settings.event_time
    if column.name == "known_at":
        return settings.known_at or ("known_at" if "known_at" in raw.column_names else "")
    return column.name


def _read(
    draft: Draft, column: Column, source: str, config: PipelineConfig, wrong: frozenset[str] | None
) -> None:
    raw = draft.raw
    places = raw.schema.get_all_field_indices(source) if source else []
    if not places:
        what = f"The query result has no column '{source}'.{nearest(source, raw.column_names)}"
        if column.required or (column.name in _TIMES and source):
            draft.give_up(codes.MISSING_COLUMN, column.name, what=what)
        elif column.name in config.columns_asked_for(draft.contract.name):
            draft.note(codes.MISSING_COLUMN, column.name, count=raw.num_rows, what=what)
        return
    if len(places) > 1:
        what = f"The query returns '{source}' {len(places)} times."
        draft.give_up(codes.COLUMN_TWICE, column.name, what=what)
        return
    given = raw.column(places[0])
    read = cast(given, column, config.pipeline.timezone)
    if read.values is None or (read.cells.wrong if wrong is None else column.name in wrong):
        draft.doubtful = True
        what = bounded(f"No value can be read as {column.kind}; the query returns {given.type}.", 200)
        if column.required:
            draft.give_up(codes.WRONG_TYPE, column.name, what=what)
        else:
            draft.note(codes.WRONG_TYPE, column.name, count=raw.num_rows - given.null_count, what=what)
        return
    # Where no cell at all can be read, that is judged for the column as a whole.
    unreadable = read.bad.get(codes.UNREADABLE_CELL)
    if unreadable is not None and unreadable.any() and read.values.null_count == raw.num_rows:
        draft.doubtful = True
    draft.cells[column.name] = read.cells
    draft.columns[column.stored] = read.values
    for code, rows in read.noted.items():
        draft.note(code, column.name, rows)
    for code, rows in read.bad.items():
        draft.set_aside(code, column.name, rows)
    if pa.types.is_string(read.values.type):
        draft.note(codes.PERSONAL_DATA, column.name, privacy.personal(read.values, column))
    if not column.required:
        draft.given[column.name] = raw.num_rows - given.null_count


def _required(draft: Draft) -> None:
    for column in draft.contract.columns:
        if not column.nullable:
            code = codes.BLANK_KEY if column.name in draft.contract.key else codes.NULL_REQUIRED
            empty = mask(draft.columns[column.stored].is_null()) & draft.clean
            draft.set_aside(code, column.name, empty)


def _clocks(draft: Draft) -> None:
    happened = draft.columns["event_time"]
    known = draft.columns.get("known_at")
    if known is None:
        draft.note(codes.NO_KNOWN_AT, "known_at", count=draft.delivered)
        known = happened
    else:
        draft.note(codes.NO_KNOWN_AT, "known_at", mask(known.is_null()) & draft.clean)
        draft.note(codes.KNOWN_BEFORE, "known_at", mask(pc.less(known, happened)) & draft.clean)
        later = mask(pc.greater_equal(known, happened))
        known = pc.if_else(pa.array(later), known, happened)
    draft.columns["known_at"] = known
    if draft.contract.name not in _LONG_LIVED:
        old = mask(pc.less(happened, pa.scalar(_FIRST, happened.type))) & draft.clean
        draft.set_aside(codes.ABSURD_TIME, "event_time", old)
