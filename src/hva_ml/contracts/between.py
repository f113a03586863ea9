"""Findings between rows and tables: unknown accounts and parents, circles, histories.

It reads columns already cast, and casts none itself.
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import PipelineConfig
from hva_ml.contracts import codes
from hva_ml.contracts.casting import mask
from hva_ml.contracts.draft import Draft, Mask
from hva_ml.contracts.tables import ATTRIBUTE_COLUMNS


def check(drafts: Mapping[str, Draft], config: PipelineConfig) -> None:
    """Add the findings between rows and tables to usable drafts; rows of unknown accounts are set aside."""
    accounts = drafts.get("accounts")
    if accounts is not None and accounts.usable:
        known = pc.unique(accounts.columns["account_id"].filter(pa.array(accounts.clean)))
        for name, draft in drafts.items():
            if name != "accounts" and draft.usable:
                strangers(draft, known)
        among_accounts(accounts, known, config)


def strangers(draft: Draft, known: pa.Array) -> None:
    """Set aside rows whose account is not among the clean ones."""
    strange = ~mask(pc.is_in(draft.columns["account_id"], value_set=known)) & draft.clean
    draft.set_aside(codes.UNKNOWN_ACCOUNT, "account_id", strange)


def among_accounts(accounts: Draft, known: pa.Array, config: PipelineConfig) -> None:
    """Add what is found among accounts; `known` are the ids of their clean rows, each once."""
    _parents(accounts, known)
    _wanted(accounts, config)
    _history(accounts, config)


def _parents(accounts: Draft, known: pa.Array) -> None:
    parent = accounts.columns.get("parent_id")
    if parent is None:
        return
    given = mask(parent.is_valid()) & accounts.clean
    strange = given & ~mask(pc.is_in(parent, value_set=known))
    accounts.note(codes.UNKNOWN_PARENT, "parent_id", strange)
    accounts.note(codes.PARENT_CYCLE, "parent_id", _in_circle(accounts, known))


def _in_circle(accounts: Draft, known: pa.Array) -> Mask:
    """Find the newest rows of accounts that are their own ancestors.

    Every account points to its parent, heads to a sentinel. Pointers are doubled until each is longer than
    the longest possible chain: what has not reached the sentinel by then stands on a circle.
    """
    code = pc.index_in(accounts.columns["account_id"], value_set=known).fill_null(-1).to_numpy()
    points = pc.index_in(accounts.columns["parent_id"], value_set=known).fill_null(-1).to_numpy()
    times = accounts.columns["event_time"].cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(accounts.clean)
    rows = rows[np.argsort(times[rows], kind="stable")]
    newest = np.full(len(known) + 1, -1, dtype=np.int64)
    newest[code[rows]] = rows  # the last assignment, the newest version, stays
    to = np.full(len(known) + 1, len(known), dtype=np.int64)
    to[:-1] = np.where(points[newest[:-1]] < 0, len(known), points[newest[:-1]])
    for _ in range(max(1, len(known).bit_length())):
        to = to[to]
    ring = np.unique(to[to != len(known)])
    found = np.zeros(len(accounts.clean), dtype=bool)
    found[newest[ring]] = True
    return found


def _wanted(accounts: Draft, config: PipelineConfig) -> None:
    """Say which attributes the features ask for although the query does not give their columns."""
    wanted = {c: a for a in reversed(config.features.firmographic) for c in ATTRIBUTE_COLUMNS[a]}
    for column in sorted(set(wanted) - set(accounts.names)):
        what = f"The feature '{wanted[column]}' needs the column '{column}', which the query does not give."
        accounts.note(codes.ALL_NULL, column, count=accounts.delivered, what=what)


def _history(accounts: Draft, config: PipelineConfig) -> None:
    rows = pa.array(accounts.clean)
    ids = accounts.columns["account_id"].filter(rows)
    if not len(ids) or pc.count_distinct(ids).as_py() < len(ids):
        return
    used = [c for a in config.features.firmographic for c in ATTRIBUTE_COLUMNS[a]] + list(
        config.features.columns
    )
    static = config.tables["accounts"].static
    bare = [c for c in dict.fromkeys(used) if c not in static]
    if bare:
        line = "static = [" + ", ".join(f'"{c}"' for c in (*static, *bare)) + "]"
        accounts.note(
            codes.NO_HISTORY, bare[0], count=len(ids),
            what=f"Used as features without a history: {', '.join(bare)}.",
            fix=f"If they never change, vouch for them in [tables.accounts]: {line}. Else give one row per "
            "version of a company, or leave the features out.",
        )  # fmt: skip
