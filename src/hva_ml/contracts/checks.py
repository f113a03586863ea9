"""Holds what the source queries returned to the contract: clean tables out, all else counted and set aside.

Rows in are rows out: clean or in quarantine. Findings are rows, not exceptions; jobs decide what stops them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import PipelineConfig, Table
from hva_ml.contracts import between, codes, privacy
from hva_ml.contracts.casting import cast, mask
from hva_ml.contracts.draft import Draft, fingerprint, repeated
from hva_ml.contracts.records import ContractTables, Violation
from hva_ml.contracts.schema import Column
from hva_ml.contracts.tables import contract_for
from hva_ml.errors import bounded, nearest

MUCH = 0.2
_TIMES = ("event_time", "known_at")
_LONG_LIVED = ("accounts", "contacts")
_FIRST = datetime(1990, 1, 1, tzinfo=UTC)


def enforce(raw: Mapping[str, pa.Table], config: PipelineConfig, data_end: datetime | None) -> ContractTables:
    """Hold the results of the source queries to the contract.

    Parameters
    ----------
    raw : mapping of str to pyarrow.Table
        By contract table, what its query returned; columns under the contract's source names (``amount``),
        the two clocks under the names given in ``[tables.<name>]``.
    config : PipelineConfig
        The pipeline; every table in ``config.tables`` is expected.
    data_end : datetime or None
        Aware instant at which the data end; later events are set aside.

    Returns
    -------
    ContractTables
        Clean tables sorted by key, findings in the order of the tables, rows set aside as they came (with
        a last column ``violation_code``), and a fingerprint of each clean table. A table that is missing or
        unusable as a whole is left out of ``tables`` and has a finding of severity error.
    """
    missing: list[Violation] = []
    drafts: dict[str, Draft] = {}
    declared: list[str] = sorted(config.tables)
    for name in declared:
        if name in raw:
            drafts[name] = _draft(name, raw[name], config, data_end)
        else:
            missing.append(
                codes.violation(
                    codes.MISSING_TABLE, name, 0,
                    what=f"The declared table '{name}' was not delivered.{nearest(name, raw)}",
                )
            )  # fmt: skip
    between.check(drafts, config)
    for draft in drafts.values():
        _sum_up(draft)
    tables: dict[str, pa.Table] = {}
    quarantine: dict[str, pa.Table] = {}
    for name, draft in drafts.items():
        kept, aside = draft.settle()
        if draft.usable:
            tables[name] = kept
        if aside.num_rows:
            quarantine[name] = aside
    found = [v for draft in drafts.values() for v in draft.found]
    return ContractTables(
        tables, (*missing, *found), quarantine, {name: fingerprint(t) for name, t in tables.items()}
    )


def _draft(name: str, raw: pa.Table, config: PipelineConfig, data_end: datetime | None) -> Draft:
    settings = config.tables[name]  # type: ignore[index]
    contract = contract_for(name, dict(settings.columns))
    draft = Draft(contract, raw)
    if not raw.num_rows:
        draft.note(codes.EMPTY_TABLE, what=f"The query of '{name}' returned no row.")
    sources = {c.name: _source(c, settings, raw) for c in contract.columns}
    for column in contract.columns:
        _read(draft, column, sources[column.name], config)
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
        _clocks(draft, data_end)
        _currency(draft, config.pipeline.currency)
        _keys(draft)
    return draft


def _source(column: Column, settings: Table, raw: pa.Table) -> str:
    """Name the column of the query result that gives a contract column; empty if none is expected."""
    if column.name == "event_time":
        return settings.event_time
    if column.name == "known_at":
        return settings.known_at or ("known_at" if "known_at" in raw.column_names else "")
    return column.name


def _read(draft: Draft, column: Column, source: str, config: PipelineConfig) -> None:
    raw = draft.raw
    places = raw.schema.get_all_field_indices(source) if source else []
    if not places:
        what = f"The query result has no column '{source}'.{nearest(source, raw.column_names)}"
        if column.required or (column.name in _TIMES and source):
            draft.give_up(codes.MISSING_COLUMN, column.name, what=what)
        elif column.name in config.tables[draft.contract.name].columns:  # type: ignore[index]
            draft.note(codes.MISSING_COLUMN, column.name, count=raw.num_rows, what=what)
        return
    if len(places) > 1:
        what = f"The query returns '{source}' {len(places)} times."
        draft.give_up(codes.COLUMN_TWICE, column.name, what=what)
        return
    given = raw.column(places[0])
    read = cast(given, column, config.pipeline.timezone)
    if read.values is None:
        what = bounded(f"No value can be read as {column.kind}; the query returns {given.type}.", 200)
        if column.required:
            draft.give_up(codes.WRONG_TYPE, column.name, what=what)
        else:
            draft.note(codes.WRONG_TYPE, column.name, count=raw.num_rows - given.null_count, what=what)
        return
    draft.columns[column.stored] = read.values
    for code, rows in read.noted.items():
        draft.note(code, column.name, rows)
    for code, rows in read.bad.items():
        draft.set_aside(code, column.name, rows)
    if pa.types.is_string(read.values.type):
        draft.note(codes.PERSONAL_DATA, column.name, privacy.personal(read.values, column))
    if not column.required and raw.num_rows and read.values.null_count == raw.num_rows == given.null_count:
        draft.note(codes.ALL_NULL, column.name, count=raw.num_rows)


def _required(draft: Draft) -> None:
    for column in draft.contract.columns:
        if not column.nullable:
            code = codes.BLANK_KEY if column.name in draft.contract.key else codes.NULL_REQUIRED
            empty = mask(draft.columns[column.stored].is_null()) & draft.clean
            draft.set_aside(code, column.name, empty)


def _clocks(draft: Draft, data_end: datetime | None) -> None:
    happened = draft.columns["event_time"]
    known = draft.columns.get("known_at")
    if known is None:
        draft.note(codes.NO_KNOWN_AT, "known_at", count=draft.raw.num_rows)
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
    if data_end is not None:
        end = pa.scalar(data_end, pa.timestamp("us", "UTC"))
        draft.set_aside(codes.FUTURE_EVENT, "event_time", mask(pc.greater_equal(happened, end)) & draft.clean)


def _currency(draft: Draft, currency: str) -> None:
    given = draft.columns.get("currency")
    if given is None or "currency" not in draft.contract.names:
        return
    given = pc.utf8_upper(given)
    draft.columns["currency"] = given
    other = mask(pc.not_equal(given, currency)) & draft.clean
    draft.set_aside(
        codes.MIXED_CURRENCY, "currency", other,
        what=f"Amounts are in another currency than the pipeline's {currency}: mixed currency.",
    )  # fmt: skip


def _keys(draft: Draft) -> None:
    key = draft.contract.key
    places = np.flatnonzero(draft.clean)
    copies, conflicts = repeated(draft.table().take(pa.array(places, pa.int64())), key)
    for code, found in ((codes.DUPLICATE_ROW, copies), (codes.CONFLICTING_KEY, conflicts)):
        rows = np.zeros(draft.raw.num_rows, dtype=bool)
        rows[places] = found
        draft.set_aside(code, "+".join(key), rows)


def _sum_up(draft: Draft) -> None:
    """Look at the clean rows as a whole: columns that say nothing, and how much was set aside."""
    if not draft.usable:
        return
    rows = pa.array(draft.clean)
    for column in draft.contract.columns:
        values = draft.columns.get(column.stored)
        if column.required or values is None or column.name in ("known_at", "currency"):
            continue
        kept = values.filter(rows)
        if len(kept) > 1 and not kept.null_count:
            ends = pc.min_max(kept)
            if ends["min"] == ends["max"]:
                draft.note(codes.CONSTANT, column.name, count=len(kept))
    future = draft.set_aside_by(codes.FUTURE_EVENT)
    aside = int((~draft.clean).sum()) - future
    if aside > MUCH * (draft.raw.num_rows - future):
        what = f"{aside} of {draft.raw.num_rows - future} rows are in quarantine."
        draft.note(codes.MUCH_QUARANTINED, count=aside, what=what)
