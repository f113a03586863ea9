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
from hva_ml.features import (
    cadence,
    deals,
    declared,
    engagement,
    firmographic,
    fit,
    permitted,
    population,
    season,
)
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.features.singular import with_singular
from hva_ml.features.universe import Feature, Rows, Universe, universe
from hva_ml.features.versions import versions, vouched


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
) -> FeatureSet:
    """Compute the features without checking the declarations, with the given static attributes.

    The leakage probes come in here: static attributes are exempt from time by declaration.
    """
    world = universe(tables, calendar, static)
    rows = Rows.where(population.members(world, config.population, config.target))
    index = _index(world, rows)
    made = _groups(world, rows, config)
    for group in extra:
        definitions, columns = group(tables, index, calendar, config)
        made += [Feature(d, c) for d, c in zip(definitions, columns, strict=True)]
    made = [Feature(with_singular(f.definition, config.features), f.values) for f in made]
    permitted.check_made(f.definition for f in made)
    _refuse_doubles([f.definition.name for f in made])
    table = pa.table(
        [*index.columns, *(_column(f) for f in made)],
        names=[*index.column_names, *(f.definition.name for f in made)],
    )
    return FeatureSet(table, tuple(f.definition for f in made))


def _groups(world: Universe, rows: Rows, config: PipelineConfig) -> list[Feature]:
    wanted = config.features
    masters = versions(world)
    made = firmographic.features(masters, rows, config)
    made += cadence.features(world, rows, config)
    made += engagement.features(world, rows, config)
    if wanted.deals:
        made += deals.features(world, rows, config)
    if wanted.fit:
        made += fit.features(world, masters, rows, config)
    if wanted.season:
        made += season.features(world, rows, config)
    return made


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
