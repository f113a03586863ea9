"""The features of a pipeline on its engine: whole in this process, or on partitions of whole families."""

from collections.abc import Sequence

from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import Calendar
from hva_ml.features import build, declared, parts
from hva_ml.features.across import Totals
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.engine import opened
from hva_ml.workspace import Workspace


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
    count = config.engine.parts
    if config.engine.kind == "duckdb" and count == 1:
        return build.build(tables, config, calendar, extra)
    declared.check(tables, config, calendar)
    names = sorted(config.tables_read & set(tables.tables))
    empty = {name: tables.tables[name].slice(0, 0) for name in names}
    totals = Totals(len(calendar.days)).table()
    together = parts.families({name: tables.tables[name] for name in names})
    with opened(ws, config) as engine:
        for name in names:
            engine.register(name, tables.tables[name])
        if config.features.look_across:
            few = sorted(config.tables_across & set(names))
            counted = engine.partitions(few, together, count, parts.CountPart(config, calendar))
            totals = Totals.added(len(calendar.days), counted).table()
        work = parts.BuildPart(config, calendar, totals)
        made = parts.joined(engine.partitions(names, together, count, work), work.features(empty))
    return build.with_groups(made, tables, config, calendar, extra)
