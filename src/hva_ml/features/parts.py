"""The same features from parts of the accounts, each some whole families of companies, in any number.

First every part is counted, then built with the totals of all, then the rows are joined. It moves no rows
itself: both steps are handed to whoever has the parts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from hva_ml.coding import Coder
from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import Calendar
from hva_ml.features import build
from hva_ml.features.across import Totals
from hva_ml.features.definition import INDEX, FeatureSet

PartTables = Mapping[str, pa.Table]

LINKS = {"accounts": ("account_id", "parent_id"), "deal_stages": ("account_id", "deal_id")}
"""Columns by which contract tables link accounts."""


def families(tables: PartTables) -> pa.Table:
    """Return which accounts must stay together: all that any version of a parent, or one deal, ever links.

    Who belongs to whom changes with the cutoff, and groups of companies, subsidiaries and likeness to past
    winners look at the whole of it; a deal may move from one account to another.

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
        Contract tables ``accounts`` and, where there are deals, ``deal_stages``, with rows in any order;
        their columns in `LINKS` are enough.

    Returns
    -------
    pyarrow.Table
        ``account_id`` and ``group_id``, the first id of the family; an account that is linked to nobody is
        left out.

    Examples
    --------
    >>> links = pa.table({"account_id": ["b", "c", "d"], "parent_id": ["a", "b", None]})
    >>> families({"accounts": links})["group_id"].to_pylist()
    ['a', 'a', 'a']
    """
    accounts, deals = Coder(), Coder()
    links = tables["accounts"].select(["account_id", "parent_id"]).drop_null()
    left, right = (accounts.codes(links[name]) for name in ("account_id", "parent_id"))
    moved = tables["deal_stages"] if "deal_stages" in tables else links.slice(0, 0)
    owner = accounts.codes(moved["account_id"])
    n = len(accounts.strings())
    # Deals are nodes of the graph, too, behind the accounts.
    deal = n + deals.codes(moved["deal_id"]).astype(np.int64) if "deal_id" in moved.column_names else owner
    begin, end = np.concatenate([left, owner]), np.concatenate([right, deal])
    size = n + len(deals.strings())
    _, family = connected_components(coo_array((np.ones(len(begin), np.int8), (begin, end)), (size, size)))
    ids = accounts.strings()
    order = pc.sort_indices(ids).to_numpy()
    _, first, which, members = np.unique(
        family[:n][order], return_index=True, return_inverse=True, return_counts=True
    )
    ids, linked = ids.take(pa.array(order)), pa.array(members[which] > 1)
    return pa.table({"account_id": ids, "group_id": ids.take(pa.array(first[which]))}).filter(linked)


@dataclass(frozen=True)
class CountPart:
    """The first step on a part: from contract tables to a table of totals, see ``Totals.table``."""

    config: PipelineConfig
    calendar: Calendar

    def __call__(self, tables: PartTables) -> pa.Table:
        """Count one part."""
        part = ContractTables(tables)
        static = build.static_attributes(part, self.config)
        return build.count(part, self.config, self.calendar, static).table()


@dataclass(frozen=True)
class BuildPart:
    """The second step on a part: from contract tables to the features of its accounts.

    Attributes
    ----------
    totals : pyarrow.Table
        Of all parts together.
    """

    config: PipelineConfig
    calendar: Calendar
    totals: pa.Table

    def __call__(self, tables: PartTables) -> pa.Table:
        """Build one part."""
        return self.features(tables).table

    def features(self, tables: PartTables) -> FeatureSet:
        """Build one part, with the definitions of its columns; they are the same for every part."""
        part = ContractTables(tables)
        static = build.static_attributes(part, self.config)
        totals = Totals.added(len(self.calendar.days), [self.totals])
        return build.compose(part, self.config, self.calendar, static, totals=totals)


def joined(parts: Iterable[pa.Table], empty: FeatureSet) -> FeatureSet:
    """Return the features of all parts as `build.build` gives them: sorted, the same bits.

    Parameters
    ----------
    parts : iterable of pyarrow.Table
        Results of `BuildPart`, in any order.
    empty : FeatureSet
        The features of no account, which has their columns and definitions.
    """
    table = pa.concat_tables([empty.table, *parts])
    order = pc.sort_indices(table.select(list(INDEX)), [(c, "ascending") for c in ("cutoff", "account_id")])
    columns, names = table.columns, table.column_names
    del table
    # One column after the other: both orders of all of them at once would take twice the memory.
    ordered = []
    while columns:
        ordered.append(columns.pop(0).take(order).combine_chunks())
    return FeatureSet(pa.table(ordered, names=names), empty.definitions)
