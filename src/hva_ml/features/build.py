"""All features of a pipeline at all cutoffs, composed in a fixed order. Rows are the population, no more."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import Calendar
from hva_ml.errors import ConfigError
from hva_ml.features import cadence, declared, engagement, firmographic, permitted, population
from hva_ml.features.across import AcrossAccounts, Totals
from hva_ml.features.deals import Deals
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.features.fit import Fit
from hva_ml.features.season import Season
from hva_ml.features.singular import with_singular
from hva_ml.features.universe import Feature, Rows, Universe, universe
from hva_ml.features.versions import Versions, versions, vouched


class FeatureGroup(Protocol):
    """Features of one's own, written in Python; they go through the same leakage probes as all others."""

    def __call__(
        self, tables: ContractTables, index: pa.Table, calendar: Calendar, config: PipelineConfig
    ) -> tuple[Sequence[FeatureDefinition], Sequence[Any]]:
        """Return definitions and, for each, a column (NumPy or Arrow) in the row order of `index`."""
        ...


def build(
    tables: ContractTables,
    config: PipelineConfig,
    calendar: Calendar,
    extra: Sequence[FeatureGroup] = (),
) -> FeatureSet:
    """Compute the features of every account of the population at every cutoff.

    Features see only rows for which ``event_time`` and ``known_at`` lie before the cutoff.

    Parameters
    ----------
    tables : ContractTables
        Clean tables; the order of their rows does not matter.
    config : PipelineConfig
        Which features, who is an account, what a conversion is.
    calendar : Calendar
        The cutoffs.
    extra : sequence of FeatureGroup
        Further features, appended last.

    Returns
    -------
    FeatureSet
        Sorted by (cutoff, account_id). Groups in the order firmographic, cadence, windows, deals, fit,
        season, extra. ``group_id`` is the ultimate parent by the latest master data there are; it serves
        splits and is no feature.

    Raises
    ------
    ConfigError
        For unknown columns or values, attributes without history, or two features of one name.
    ContractError
        If a table is missing, or numbers are too large to be added exactly.
    """
    declared.check(tables, config, calendar)
    return compose(tables, config, calendar, static_attributes(tables, config), extra)


def static_attributes(tables: ContractTables, config: PipelineConfig) -> pa.Table | None:
    """Return the columns of `accounts` that the user vouches for, one row per account; None if none."""
    return vouched(tables, declared.static_columns(config))


def groups(tables: ContractTables, config: PipelineConfig, ids: pa.ChunkedArray) -> pa.Array:
    """Return the ultimate parent of each account id by the latest master data in `tables`, shape (n_rows,).

    An account that `tables` do not know is its own. To know the groups of a day, give tables that end there.
    """
    alone = ContractTables({"accounts": tables.tables["accounts"]})
    nowhen = Calendar((), 1, 0, "UTC")
    world = universe(alone, nowhen, static_attributes(tables, config))
    parents = world.ids.take(pa.array(population.groups(world)))
    return pc.coalesce(parents.take(pc.index_in(ids.cast(pa.string()).combine_chunks(), world.ids)), ids)


def compose(
    tables: ContractTables,
    config: PipelineConfig,
    calendar: Calendar,
    static: pa.Table | None,
    extra: Sequence[FeatureGroup] = (),
    totals: Totals | None = None,
) -> FeatureSet:
    """Compute the features without checking the declarations, with the given static attributes.

    The leakage probes come in here: static attributes are exempt from time by declaration. So do partitions,
    with the totals over all accounts; without any, they are those of the tables.
    """
    world = universe(tables, calendar, static)
    rows = Rows.where(population.members(world, config.population, config.target))
    index = _index(world, rows)
    masters = versions(world)
    across = _across(world, masters, config)
    if totals is None:
        totals = _counted(world, across)
    made = firmographic.features(masters, rows, config)
    made += cadence.features(world, rows, config)
    made += engagement.features(world, rows, config, masters)
    made += [feature for group in across for feature in group.features(rows, totals)]
    found = _with(FeatureSet(index, ()), made, config)
    return with_groups(found, tables, config, calendar, extra)


def with_groups(
    found: FeatureSet,
    tables: ContractTables,
    config: PipelineConfig,
    calendar: Calendar,
    extra: Sequence[FeatureGroup],
) -> FeatureSet:
    """Return the features with those of further groups appended."""
    for group in extra:
        definitions, columns = group(tables, found.index, calendar, config)
        found = _with(found, [Feature(d, c) for d, c in zip(definitions, columns, strict=True)], config)
    return found


def _with(found: FeatureSet, made: Sequence[Feature], config: PipelineConfig) -> FeatureSet:
    definitions = [with_singular(f.definition, config.features) for f in made]
    permitted.check_made(definitions)
    _refuse_doubles([*found.names, *(d.name for d in definitions)])
    table = pa.table(
        [*found.table.columns, *map(_column, made)],
        names=[*found.table.column_names, *(d.name for d in definitions)],
    )
    return FeatureSet(table, (*found.definitions, *definitions))


def count(
    tables: ContractTables, config: PipelineConfig, calendar: Calendar, static: pa.Table | None
) -> Totals:
    """Return what features need to know about all these accounts together."""
    world = universe(tables, calendar, static)
    return _counted(world, _across(world, versions(world), config))


def _across(world: Universe, masters: Versions, config: PipelineConfig) -> list[AcrossAccounts]:
    wanted = config.features
    made: list[AcrossAccounts] = []
    if wanted.deals:
        made.append(Deals(world, config))
    if wanted.fit:
        made.append(Fit(world, masters, config))
    if wanted.season or wanted.outlook:
        made.append(Season(world, config))
    return made


def _counted(world: Universe, across: Sequence[AcrossAccounts]) -> Totals:
    return Totals(world.n_cutoffs, (item for group in across for item in group.counts().items()))


def _index(world: Universe, rows: Rows) -> pa.Table:
    group = population.groups(world)
    moments = pa.array(world.cutoffs, pa.int64()).cast(pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "account_id": world.ids.take(pa.array(rows.account)),
            "cutoff": moments.take(pa.array(rows.cutoff)),
            "group_id": world.ids.take(pa.array(group[rows.account])),
        }
    )


def _column(feature: Feature) -> pa.Array:
    if feature.definition.kind == "category":
        return (
            pa.array(feature.values, pa.string())
            if not isinstance(feature.values, pa.Array | pa.ChunkedArray)
            else feature.values.cast(pa.string())
        )
    values = feature.values
    if isinstance(values, pa.Array | pa.ChunkedArray):
        values = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    numbers = np.asarray(values, dtype=np.float64)
    unknown = np.isnan(numbers)
    if not unknown.any():
        return pa.array(numbers)
    return pa.array(np.where(unknown, 0.0, numbers), mask=unknown)


def _refuse_doubles(names: list[str]) -> None:
    doubles = sorted({n for n in names if names.count(n) > 1})
    if doubles:
        raise ConfigError(
            f"Two features would bear the name '{doubles[0]}'.",
            where="[features]",
            why="A name must mean one thing in models, explanations and reports.",
            fix="Name each measure, window and value once per table.",
        )
