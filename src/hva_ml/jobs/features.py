"""The features of a pipeline on its engine: whole in this process, or on partitions of whole families."""

import math
from collections.abc import Sequence

from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import Calendar
from hva_ml.engines.spool import GIB
from hva_ml.features import build, declared, parts
from hva_ml.features.across import Totals
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.engine import opened
from hva_ml.workspace import Workspace

MOST_PARTS = 512
SHARE_PART = 1 / 16
"""Part of the memory that the rows of one part may take: what is made of them takes several times as much."""


def build_features(
    ws: Workspace,
    config: PipelineConfig,
    tables: ContractTables,
    calendar: Calendar,
    extra: Sequence[build.FeatureGroup] = (),
) -> FeatureSet:
    """Return what `build.build` returns, bit for bit, computed where the pipeline says.

    Feature groups of one's own see all accounts, so they are computed here, after the partitions.
    """
    count = config.engine.partitions or max(config.engine.least_parts, _fitting(config, tables))
    if config.engine.kind == "duckdb" and count == 1:
        return build.build(tables, config, calendar, extra)
    declared.check(tables, config, calendar)
    names = sorted(config.tables_read & set(tables.tables))
    empty = {name: next(tables.pieces(name)).slice(0, 0) for name in names}
    totals = Totals(len(calendar.days)).table()
    together = parts.families({n: tables.columns(n, c) for n, c in parts.LINKS.items() if n in names})
    with opened(ws, config) as engine:
        for name in names:
            engine.register(name, tables.relation(name))
        if config.features.look_across:
            few = sorted(config.tables_across & set(names))
            counted = engine.partitions(few, together, count, parts.CountPart(config, calendar))
            totals = Totals.added(len(calendar.days), counted).table()
        work = parts.BuildPart(config, calendar, totals)
        made = parts.joined(engine.partitions(names, together, count, work), work.features(empty))
    return build.with_groups(made, tables, config, calendar, extra)


def _fitting(config: PipelineConfig, tables: ContractTables) -> int:
    """Return how many parts there must be, so that each fits into the memory."""
    largest = config.engine.memory_gib * GIB * SHARE_PART
    return min(MOST_PARTS, math.ceil(tables.nbytes / largest))
