"""Features in Python, half of which look ahead: past their cutoff, or at the labels of all rows at once."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.leakers.planting import Planted
from hva_ml import labels
from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import Calendar
from hva_ml.features.definition import FeatureDefinition

TIME = pa.timestamp("us", "UTC")
Values = Iterable[float | None]
OneCutoff = Callable[[ContractTables, pa.Table, datetime, PipelineConfig], Values]


def group(name: str, at: OneCutoff) -> Planted:
    """Return a feature group of one feature that is computed cutoff by cutoff."""

    def made(
        tables: ContractTables, index: pa.Table, calendar: Calendar, config: PipelineConfig
    ) -> tuple[list[FeatureDefinition], list[Any]]:
        values = np.full(index.num_rows, np.nan)
        for cutoff in calendar.cutoffs:
            rows = pc.equal(index["cutoff"], pa.scalar(cutoff, TIME))
            found = at(tables, index.filter(rows), cutoff, config)
            values[np.asarray(rows)] = [np.nan if v is None else v for v in found]
        return [_definition(name)], [values]

    return Planted(groups=(made,))


def whole(name: str, of: Callable[[pa.Table, pa.Table, ContractTables], Values]) -> Planted:
    """Return a feature group of one feature that is computed from the labels of all rows at once."""

    def made(
        tables: ContractTables, index: pa.Table, calendar: Calendar, config: PipelineConfig
    ) -> tuple[list[FeatureDefinition], list[Any]]:
        target = labels.build(tables, index, config, calendar)
        found = of(index, target, tables)
        return [_definition(name)], [np.array([np.nan if v is None else v for v in found], dtype=float)]

    return Planted(groups=(made,))


def visible(tables: ContractTables, name: str, cutoff: datetime) -> pa.Table:
    """Return the rows of a table that may be seen at a cutoff."""
    return tables.upto(cutoff).tables[name]


def between(table: pa.Table, start: datetime, end: datetime) -> pa.Table:
    """Return the rows that happened in ``[start, end)``."""
    begun = pc.greater_equal(table["event_time"], pa.scalar(start, TIME))
    return table.filter(pc.and_(begun, pc.less(table["event_time"], pa.scalar(end, TIME))))


def counted(index: pa.Table, table: pa.Table) -> list[float]:
    """Return the number of rows of each account of the index."""
    counts = {r["values"]: r["counts"] for r in table["account_id"].value_counts().to_pylist()}
    return [float(counts.get(a, 0)) for a in index["account_id"].to_pylist()]


def latest(accounts: pa.Table, column: str) -> dict[str, str]:
    """Return the newest value of a column by account."""
    ordered = accounts.sort_by([("event_time", "ascending"), ("known_at", "ascending")])
    return dict(zip(ordered["account_id"].to_pylist(), ordered[column].to_pylist(), strict=True))


def sold(tables: ContractTables) -> pa.Table:
    """Return the invoices with a positive amount."""
    invoices = tables.tables["invoices"]
    return invoices.filter(pc.greater(invoices["amount_cents"], 0))


def _definition(name: str) -> FeatureDefinition:
    return FeatureDefinition(name, "engagement", "number", "events", "planted", "number", "Probe", "probe")


def label(_index: pa.Table, target: pa.Table, _tables: ContractTables) -> Values:
    """Return the label itself."""
    return [float(v) for v in target["converted"].to_pylist()]


def label_before(tables: ContractTables, index: pa.Table, cutoff: datetime, config: PipelineConfig) -> Values:
    """Return whether an account bought in the horizon before the cutoff."""
    seen = sold(tables.upto(cutoff))
    recent = between(seen, cutoff - timedelta(days=config.horizon.days), cutoff)
    return [float(n > 0) for n in counted(index, recent)]


def next_30_days(
    tables: ContractTables, index: pa.Table, cutoff: datetime, _config: PipelineConfig
) -> Values:
    """Return the number of events in the 30 days after the cutoff."""
    return counted(index, between(tables.tables["events"], cutoff, cutoff + timedelta(days=30)))


def last_30_days(
    tables: ContractTables, index: pa.Table, cutoff: datetime, _config: PipelineConfig
) -> Values:
    """Return the number of events in the 30 days before the cutoff."""
    return counted(index, between(visible(tables, "events", cutoff), cutoff - timedelta(days=30), cutoff))


def country_rate(index: pa.Table, target: pa.Table, tables: ContractTables) -> Values:
    """Return the conversion rate of all rows of the country, of whatever side and cutoff."""
    country = latest(tables.tables["accounts"], "country")
    keys = [country.get(a) for a in index["account_id"].to_pylist()]
    return _means(keys, target["converted"].to_pylist())


def country_customers(
    tables: ContractTables, index: pa.Table, cutoff: datetime, _config: PipelineConfig
) -> Values:
    """Return the share of customers among the accounts of the country, as known at the cutoff."""
    country = latest(visible(tables, "accounts", cutoff), "country")
    customers = set(sold(tables.upto(cutoff))["account_id"].to_pylist())
    accounts = sorted(country)
    rate = dict(
        zip(
            [country[a] for a in accounts],
            _means([country[a] for a in accounts], [a in customers for a in accounts]),
            strict=True,
        )
    )
    return [rate.get(country.get(a, "")) for a in index["account_id"].to_pylist()]


def siblings(index: pa.Table, target: pa.Table, _tables: ContractTables) -> Values:
    """Return how often the other companies of the group convert, over all cutoffs: train and test alike."""
    groups, accounts = index["group_id"].to_pylist(), index["account_id"].to_pylist()
    of_group, own = _sums(groups, target), _sums(accounts, target)
    return [
        (of_group[g][0] - own[a][0]) / (of_group[g][1] - own[a][1]) if of_group[g][1] > own[a][1] else None
        for g, a in zip(groups, accounts, strict=True)
    ]


def siblings_before(
    tables: ContractTables, index: pa.Table, cutoff: datetime, _config: PipelineConfig
) -> Values:
    """Return the invoices of all companies with the same parent, both as known at the cutoff."""
    parent = latest(visible(tables, "accounts", cutoff), "parent_id")
    invoices: dict[str, int] = {}
    for account in sold(tables.upto(cutoff))["account_id"].to_pylist():
        head = parent.get(account) or account
        invoices[head] = invoices.get(head, 0) + 1
    heads = [parent.get(a) or a for a in index["account_id"].to_pylist()]
    return [float(invoices.get(head, 0)) for head in heads]


def _means(keys: list[Any], values: list[Any]) -> list[float]:
    sums: dict[Any, list[float]] = {}
    for key, value in zip(keys, values, strict=True):
        entry = sums.setdefault(key, [0.0, 0.0])
        entry[0] += value
        entry[1] += 1
    return [sums[k][0] / sums[k][1] for k in keys]


def _sums(keys: list[str], target: pa.Table) -> dict[str, tuple[int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for key, value in zip(keys, target["converted"].to_pylist(), strict=True):
        won, rows = sums.get(key, (0, 0))
        sums[key] = (won + value, rows + 1)
    return sums
