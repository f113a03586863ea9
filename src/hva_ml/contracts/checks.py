"""Holds what the source queries returned to the contract: clean tables out, all else counted and set aside.

Rows in are rows out: clean or in quarantine. Findings are rows, not exceptions; jobs decide what stops them.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import PipelineConfig
from hva_ml.contracts import between, codes, leads, whole
from hva_ml.contracts.draft import Draft
from hva_ml.contracts.fingerprints import fingerprint
from hva_ml.contracts.held import Held, hold
from hva_ml.contracts.reading import read
from hva_ml.contracts.records import ContractTables, Violation
from hva_ml.contracts.stored import Stored
from hva_ml.engines.spool import Spooled, Store
from hva_ml.errors import nearest


def enforce(
    raw: Mapping[str, pa.Table | Spooled],
    config: PipelineConfig,
    data_end: datetime | None,
    store: Store | None = None,
) -> ContractTables:
    """Hold the results of the source queries to the contract.

    Parameters
    ----------
    raw : mapping of str to pyarrow.Table or Spooled
        By contract table, what its query returned; columns under the contract's source names (``amount``),
        the two clocks under the names given in ``[tables.<name>]``. Each is asked for once, in its turn.
    config : PipelineConfig
        The pipeline; every table in ``config.tables`` is expected.
    data_end : datetime or None
        Aware instant at which the data end; later events are set aside.
    store : Store, optional
        Where rows wait that do not fit into its memory, and the results; by default everything is held.

    Returns
    -------
    ContractTables
        Clean tables sorted by key, findings in the order of the tables, rows set aside as they came (with
        a last column ``violation_code``), and a fingerprint of each clean table. A table that is missing or
        unusable as a whole is left out of ``tables`` and has a finding of severity error.
    """
    if config.leads is not None:
        # A lead may equal another: only the whole table can tell.
        delivered = raw["leads"].table() if isinstance(raw["leads"], Spooled) else raw["leads"]
        found = judge({"leads": read("leads", delivered, config)}, config, data_end)
        return replace(found, fingerprints={n: fingerprint([t]) for n, t in found.tables.items()})
    store = store or Store()
    held: dict[str, Held] = {}
    missing: list[Violation] = []
    known: pa.Array | None = None
    # Accounts come first: who they are decides which rows of the other tables stay.
    for name in sorted(config.tables, key=lambda table: (table != "accounts", table)):
        if name not in raw:
            what = f"The declared table '{name}' was not delivered.{nearest(name, raw)}"
            missing.append(codes.violation(codes.MISSING_TABLE, name, 0, what=what))
            continue
        rows = raw[name]
        held[name] = hold(
            name, rows if isinstance(rows, Spooled) else Spooled.of(rows), config, data_end, known, store
        )
        if name == "accounts" and (clean := held[name].clean):
            known = pc.unique(clean.table(["account_id"])["account_id"])
    usable = {name: table.clean for name, table in held.items() if table.clean}
    return ContractTables(
        Stored.of(usable),
        (*missing, *(v for table in held.values() for v in table.violations)),
        Stored.of({name: table.aside for name, table in held.items() if table.aside}),
        {name: held[name].fingerprint for name in usable},
    )


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
        whole.as_a_whole(draft)
        if draft.usable:
            whole.future(draft, data_end)
            whole.same_currency(draft, config.pipeline.currency)
            whole.keys_once(draft)
    between.check(drafts, config)
    if "leads" in drafts:
        leads.check(drafts["leads"], config)
    tables: dict[str, pa.Table] = {}
    quarantine: dict[str, pa.Table] = {}
    for name, draft in drafts.items():
        if draft.usable:
            seen = whole.Seen(draft)
            seen.add(draft)
            seen.report(draft, draft.set_aside_by(codes.FUTURE_EVENT))
        kept, aside = draft.settle()
        if draft.usable:
            tables[name] = kept
        if aside.num_rows:
            quarantine[name] = aside
    return ContractTables(tables, tuple(v for draft in drafts.values() for v in draft.found), quarantine)
