"""Features of leads: their own columns, and what earlier leads had come to when they were contacted.

Rows are leads, each once. A lead that trains and a lead that is scored get their features in the same way.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from hva_ml.config import UNDATED, LeadFeature, Leads, PipelineConfig, Unit
from hva_ml.contracts.decisions import Bools, Decisions, Floats, Ints, decisions
from hva_ml.contracts.leads import alike
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import instant, microseconds
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.features.leads.past import recent_rate, track_record


@dataclass(frozen=True, eq=False)
class Opened:
    """All leads of a pipeline that count, with their outcomes.

    Attributes
    ----------
    table : pyarrow.Table
        Contract table ``leads`` from the declared first day on, by account id.
    told : Decisions
        Of these rows.
    config : PipelineConfig
        With ``[leads]``.
    """

    table: pa.Table
    told: Decisions
    config: PipelineConfig

    @property
    def leads(self) -> Leads:
        """The section ``[leads]``."""
        assert self.config.leads is not None
        return self.config.leads


def opened(tables: ContractTables, config: PipelineConfig) -> Opened:
    """Read the leads of clean tables; those contacted before ``first`` are no leads of this pipeline."""
    table = tables.tables["leads"]
    end = config.cutoffs.data_end
    told = decisions(table, config, instant(end, config.pipeline.timezone) if end else None)
    assert config.leads is not None
    if config.leads.first is None:
        return Opened(table, told, config)
    late = told.position >= (config.leads.first - date(1970, 1, 1)).days
    return Opened(table.filter(pa.array(late)), told.take(late), config)


def decided(world: Opened) -> FeatureSet:
    """Return the features of every lead whose outcome is known, as of its own contact.

    With ``duplicates = "drop"`` of leads that are equal in all features and the outcome only the first stays.
    """
    rows = world.told.decided.copy()
    if world.leads.duplicates == "drop":
        whole = world.table.append_column("_won", pa.array(world.told.won))
        code = alike(whole.filter(pa.array(rows)), [*_stored(world.leads), "_won"])
        kept = np.zeros(len(code), dtype=np.bool_)
        kept[np.unique(code, return_index=True)[1]] = True
        rows[np.flatnonzero(rows)[~kept]] = False
    return _features(world, rows, None)


def open_(world: Opened, day: date) -> FeatureSet:
    """Return the features of every lead that is open as of a day, by account id.

    Open is a lead contacted before the day whose outcome is empty; with ``won_within_days`` one that was not
    won before the day either, and whose days are not over. Their cutoff is the day, their features are those
    of their contact.
    """
    told, leads = world.told, world.leads
    ordinal = (day - date(1970, 1, 1)).days
    if leads.won_within_days is not None:
        rows = (told.position + told.span >= ordinal) & (told.position + told.delay >= ordinal)
    else:
        rows = np.asarray(world.table["won"].is_null().to_numpy(), dtype=np.bool_)
    if leads.clock == "days":
        rows = rows & (told.position < ordinal)
    return _features(world, rows, day)


def every(world: Opened) -> FeatureSet:
    """Return the features of all leads as of their contact, in the order of the table."""
    return _features(world, np.ones(world.table.num_rows, dtype=np.bool_), UNDATED)


def _features(world: Opened, rows: Bools, day: date | None) -> FeatureSet:
    leads, chosen = world.leads, pa.array(rows)
    index = {
        "account_id": world.table["account_id"].filter(chosen),
        "cutoff": _cutoffs(world, rows, day),
        "group_id": _groups(world).filter(chosen),
    }
    made: list[tuple[FeatureDefinition, pa.Array | pa.ChunkedArray]] = []
    for name, feature in leads.features.items():
        column = world.table[_stored_name(name, feature)]
        made.append((_definition(name, feature), _cast(column.filter(chosen), feature)))
        if feature.track_record:
            record = track_record(world.told, alike(world.table, [_stored_name(name, feature)]))
            made.append((_record_definition(name, feature), pa.array(record[rows])))
    if world.told.by_day:
        made.append((_AGE, pa.array(_ages(world, day)[rows])))
    for width in leads.recent_rate:
        made.append((_rate_definition(width, leads), pa.array(recent_rate(world.told, width)[rows])))
    table = pa.table({**index, **{d.name: column for d, column in made}})
    table = table.sort_by([("cutoff", "ascending"), ("account_id", "ascending")]).combine_chunks()
    return FeatureSet(table, tuple(d for d, _ in made))


def _cutoffs(world: Opened, rows: Bools, day: date | None) -> pa.Array:
    zone, n = world.config.pipeline.timezone, int(rows.sum())
    if day is not None or world.leads.clock != "days":
        moments = np.full(n, microseconds(instant(day or UNDATED, zone)))
    else:
        days, place = np.unique(world.told.position[rows], return_inverse=True)
        at = [microseconds(instant(date.fromordinal(int(d) + _EPOCH), zone)) for d in days]
        moments = np.array(at, dtype=np.int64)[place]
    return pa.array(moments, pa.int64()).cast(pa.timestamp("us", "UTC"))


_EPOCH = date(1970, 1, 1).toordinal()


AGE = "lead.age_days"
_AGE = FeatureDefinition(
    AGE, "deal_history", "number", "leads", "age", "days", "Tage seit dem ersten Kontakt",
    "days since the first contact", topic=AGE,
)  # fmt: skip


def _ages(world: Opened, day: date | None) -> Floats:
    """Return the days since the contact: none for leads that are looked at as of their contact."""
    if day is None or day == UNDATED:
        return np.zeros(len(world.told.position))
    return np.asarray(day.toordinal() - _EPOCH - world.told.position, dtype=np.float64)


def _groups(world: Opened) -> pa.Array:
    """Return which leads belong together, as the smallest id among them.

    Those of one declared group; where no time is known also those that are equal in all features, whatever
    their outcome, and whoever belongs together with either.
    """
    ids = world.table["account_id"].combine_chunks()
    n = len(ids)
    links: list[Ints] = []
    group = world.table["group"].combine_chunks()
    if group.null_count < n:
        code = pc.fill_null(pc.dictionary_encode(group).indices, -1).to_numpy(zero_copy_only=False)
        links.append(np.where(code < 0, n + np.arange(n), code).astype(np.int64))
    if world.leads.clock == "none":
        links.append(alike(world.table, _stored(world.leads)))
    if not links:
        return ids
    edges = [np.stack([np.arange(n), n * (1 + 2 * k) + code]) for k, code in enumerate(links)]
    pairs = np.concatenate(edges, axis=1)
    size = n * (1 + 2 * len(links))
    graph = coo_array((np.ones(pairs.shape[1], dtype=np.int8), (pairs[0], pairs[1])), shape=(size, size))
    part = connected_components(graph, directed=False)[1][:n]
    # Rows are sorted by id: the first row of each part bears its smallest one.
    first, place = np.unique(part, return_index=True, return_inverse=True)[1:]
    return ids.take(pa.array(first[place]))


def _stored_name(name: str, feature: LeadFeature) -> str:
    return f"{name}_cents" if feature.kind == "money" else name


def _stored(leads: Leads) -> list[str]:
    return [_stored_name(name, feature) for name, feature in leads.features.items()]


def _cast(column: pa.ChunkedArray, feature: LeadFeature) -> pa.ChunkedArray:
    if feature.kind == "category":
        return column.cast(pa.string())
    numbers = column.cast(pa.float64())
    return pc.divide(numbers, 100.0) if feature.kind == "money" else numbers


def _definition(name: str, feature: LeadFeature) -> FeatureDefinition:
    units: dict[str, Unit] = {"category": "category", "money": "money", "flag": "flag"}
    return FeatureDefinition(
        f"lead.{name}", feature.family, "category" if feature.kind == "category" else "number", "leads",
        "attribute", units.get(feature.kind, feature.unit), feature.de, feature.en, topic=f"lead.{name}",
    )  # fmt: skip


def _record_definition(name: str, feature: LeadFeature) -> FeatureDefinition:
    return FeatureDefinition(
        f"lead.{name}.won_rate", feature.family, "number", "leads", "track_record", "ratio",
        f"{feature.de}: bisherige Abschlussquote im Vergleich zu allen",
        f"{feature.en}: win rate so far compared with all", topic=f"lead.{name}",
    )  # fmt: skip


def _rate_definition(width: int, leads: Leads) -> FeatureDefinition:
    of_days = leads.clock == "days"
    return FeatureDefinition(
        f"leads.won_rate_{width}", "deal_history", "number", "leads", "recent_rate", "share",
        f"Abschlussquote der letzten {width} {'Tage' if of_days else 'Leads'}",
        f"win rate of the last {width} {'days' if of_days else 'leads'}", topic="leads.won_rate",
    )  # fmt: skip
