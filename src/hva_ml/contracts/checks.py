"""Holds what the source queries returned to the contract: clean tables out, all else counted and set aside.

Rows in are rows out: clean or in quarantine. Findings are rows, not exceptions; jobs decide what stops them.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import PipelineConfig
from hva_ml.contracts import between, codes
from hva_ml.contracts.casting import mask
from hva_ml.contracts.draft import Draft, fingerprint, repeated, shared
from hva_ml.contracts.reading import read
from hva_ml.contracts.records import ContractTables
from hva_ml.errors import nearest

MUCH = 0.2


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
    declared: list[str] = sorted(config.tables)
    drafts = {name: read(name, raw[name], config) for name in declared if name in raw}
    held = judge(drafts, config, data_end)
    missing = [
        codes.violation(
            codes.MISSING_TABLE, name, 0,
            what=f"The declared table '{name}' was not delivered.{nearest(name, raw)}",
        )
        for name in declared if name not in raw
    ]  # fmt: skip
    prints = {name: fingerprint(table) for name, table in held.tables.items()}
    return replace(held, violations=(*missing, *held.violations), fingerprints=prints)


def judge(drafts: Mapping[str, Draft], config: PipelineConfig, data_end: datetime | None) -> ContractTables:
    """Judge tables as wholes and beside each other, once their rows have been read.

    Parameters
    ----------
    drafts : mapping of str to Draft
        By contract table, in alphabetical order.
    config, data_end
        See `enforce`.

    Returns
    -------
    ContractTables
        As of `enforce`, but without fingerprints.
    """
    for draft in drafts.values():
        _as_a_whole(draft)
        if draft.usable:
            _future(draft, data_end)
            _currency(draft, config.pipeline.currency)
            _keys(draft)
    between.check(drafts, config)
    tables: dict[str, pa.Table] = {}
    quarantine: dict[str, pa.Table] = {}
    for name, draft in drafts.items():
        _sum_up(draft)
        kept, aside = draft.settle()
        if draft.usable:
            tables[name] = kept
        if aside.num_rows:
            quarantine[name] = aside
    return ContractTables(tables, tuple(v for draft in drafts.values() for v in draft.found), quarantine)


def _as_a_whole(draft: Draft) -> None:
    if not draft.delivered:
        draft.note(codes.EMPTY_TABLE, what=f"The query of '{draft.contract.name}' returned no row.")
        return
    for name, given in draft.given.items():
        if not given:
            draft.note(codes.ALL_NULL, name, count=draft.delivered)


def _future(draft: Draft, data_end: datetime | None) -> None:
    if data_end is not None:
        end = pa.scalar(data_end, pa.timestamp("us", "UTC"))
        later = mask(pc.greater_equal(draft.columns["event_time"], end))
        draft.set_aside(codes.FUTURE_EVENT, "event_time", later & draft.clean)


def _currency(draft: Draft, currency: str) -> None:
    given = draft.columns.get("currency")
    if given is None or "currency" not in draft.contract.names:
        return
    other = mask(pc.not_equal(given, currency)) & draft.clean
    draft.set_aside(
        codes.MIXED_CURRENCY, "currency", other,
        what=f"Amounts are in another currency than the pipeline's {currency}: mixed currency.",
    )  # fmt: skip


def _keys(draft: Draft) -> None:
    clean, key = draft.clean, draft.contract.key
    places = shared(draft.key_hashes(), clean)
    copies, conflicts = repeated(draft.rows(places), key)
    for code, found in ((codes.DUPLICATE_ROW, copies), (codes.CONFLICTING_KEY, conflicts)):
        rows = np.zeros(len(clean), dtype=bool)
        rows[places] = found
        draft.set_aside(code, "+".join(key), rows)


def _sum_up(draft: Draft) -> None:
    """Look at the clean rows as a whole: columns that say nothing, and how much was set aside."""
    if not draft.usable:
        return
    rows = draft.clean
    for column in draft.contract.columns:
        values = draft.columns.get(column.stored)
        if column.required or values is None or column.name in ("known_at", "currency"):
            continue
        kept = values if rows.all() else values.filter(pa.array(rows))
        if len(kept) > 1 and not kept.null_count and _constant(kept):
            draft.note(codes.CONSTANT, column.name, count=len(kept))
    future = draft.set_aside_by(codes.FUTURE_EVENT)
    aside = draft.delivered - int(rows.sum()) - future
    if aside > MUCH * (draft.delivered - future):
        what = f"{aside} of {draft.delivered - future} rows are in quarantine."
        draft.note(codes.MUCH_QUARANTINED, count=aside, what=what)


def _constant(values: pa.Array) -> bool:
    # Words that are coded have one code each.
    ends = pc.min_max(values.indices if pa.types.is_dictionary(values.type) else values)
    return bool(ends["min"] == ends["max"])
