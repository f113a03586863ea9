"""Labels keep to their window, the data reach to its end, and the sides of a split stand apart."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from hva_ml import labels, splits
from hva_ml.config import PipelineConfig, parse
from hva_ml.contracts.records import ContractTables
from hva_ml.contracts.tables import contract_for
from hva_ml.cutoffs import Calendar
from hva_ml.evaluation.separation import label_windows, sides

TEXT = """
[pipeline]
name = "small"
title = "Small"
currency = "EUR"
timezone = "Europe/Berlin"
[sources.s]
kind = "simulated"
[tables.accounts]
sql = "accounts.sql"
[tables.invoices]
sql = "invoices.sql"
[cutoffs]
first = 2024-01-01
last = 2024-07-01
data_end = {end}
[horizon]
days = 30
gap_days = {gap}
[population]
table = "invoices"
[target]
table = "invoices"
[split]
test_cutoffs = 1
calibrate_cutoffs = 1
groups = "{groups}"
"""
DAYS = tuple(date(2024, m, 1) for m in range(1, 7))


def pipeline(end="2024-08-01", gap=5, groups="time") -> PipelineConfig:
    return parse(TEXT.format(end=end, gap=gap, groups=groups), "small.toml")


@pytest.fixture
def calendar():
    return Calendar(DAYS, 30, 5, "Europe/Berlin")


def invoices(every_hours=20, until=datetime(2024, 7, 31, tzinfo=UTC), known_after=timedelta()):
    """One invoice of one of fifty accounts every so many hours, from October 2023."""
    start, rows = datetime(2023, 10, 1, tzinfo=UTC), []
    while start < until:
        rows.append(start)
        start += timedelta(hours=every_hours)
    schema = contract_for("invoices", None).arrow_schema
    given = {
        "invoice_id": [f"i{k}" for k in range(len(rows))],
        "account_id": [f"a{k * 7 % 50}" for k in range(len(rows))],
        "event_time": rows,
        "known_at": [r + known_after for r in rows],
        "amount_cents": [100 + k for k in range(len(rows))],
    }
    columns = [pa.array(given.get(f.name, [None] * len(rows)), f.type) for f in schema]
    return ContractTables({"invoices": pa.table(columns, schema=schema)})


def index_of(calendar, accounts=50):
    names = [f"a{k}" for k in range(accounts)]
    return pa.table(
        {
            "account_id": names * len(calendar.days),
            "cutoff": pa.array([c for c in calendar.cutoffs for _ in names], pa.timestamp("us", "UTC")),
            "group_id": [f"g{k // 2}" for k in range(accounts)] * len(calendar.days),
        }
    )


def test_honest_labels_pass(calendar):
    probe = label_windows(invoices(), index_of(calendar), pipeline(), calendar)
    assert (probe.outcome, probe.violations) == ("passed", ())
    assert "6 cutoffs" in probe.what


def ignores_the_gap(tables, index, config, calendar):
    bent = replace(calendar, gap_days=0, horizon_days=calendar.horizon_days + calendar.gap_days)
    return labels.build(tables, index, config, bent)


def looks_too_far(tables, index, config, calendar):
    return labels.build(tables, index, config, replace(calendar, horizon_days=calendar.horizon_days + 5))


def remembers_the_past(tables, index, config, calendar):
    made = labels.build(tables, index, config, calendar)
    before = pc.less(tables.tables["invoices"]["event_time"], pa.scalar(calendar.cutoffs[0]))
    customers = tables.tables["invoices"].filter(before)["account_id"]
    ever = pc.is_in(made["account_id"], value_set=customers.combine_chunks()).cast(pa.int8())
    return made.set_column(2, "converted", pc.max_element_wise(made["converted"], ever))


@pytest.mark.parametrize("make", [ignores_the_gap, looks_too_far, remembers_the_past])
def test_labels_that_look_outside_their_window_are_caught(calendar, make):
    probe = label_windows(invoices(), index_of(calendar), pipeline(), calendar, make)
    assert [(v.code, v.severity, v.count) for v in probe.alarms] == [("HVL005", "error", 6)]
    assert "2024-01-01, 2024-02-01, 2024-03-01 …" in probe.alarms[0].where


def with_outlook() -> PipelineConfig:
    return replace(pipeline(), features=replace(pipeline().features, outlook=True))


def test_labels_of_an_outlook_may_hold_the_market_of_their_window_against_the_time_before(calendar):
    made = labels.build(invoices(), index_of(calendar), with_outlook(), calendar)
    assert made["market"].null_count < made.num_rows
    assert label_windows(invoices(), index_of(calendar), with_outlook(), calendar).outcome == "passed"


def foresees_the_market(tables, index, config, calendar):
    market = looks_too_far(tables, index, config, calendar)["market"]
    return labels.build(tables, index, config, calendar).set_column(4, "market", market)


@pytest.mark.parametrize("make", [ignores_the_gap, looks_too_far, remembers_the_past, foresees_the_market])
def test_labels_of_an_outlook_that_look_too_far_are_caught(calendar, make):
    probe = label_windows(invoices(), index_of(calendar), with_outlook(), calendar, make)
    assert [(v.code, v.severity, v.count) for v in probe.alarms] == [("HVL005", "error", 6)]


def test_no_row_in_any_window_proves_nothing(calendar):
    tables = invoices(until=datetime(2023, 12, 31, tzinfo=UTC))
    assert label_windows(tables, index_of(calendar), pipeline(), calendar).outcome == "not applicable"


@pytest.mark.parametrize(("last", "silent"), [(date(2024, 7, 30), False), (date(2024, 6, 30), True)])
def test_data_that_end_before_they_are_said_to(calendar, last, silent):
    tables = invoices(until=datetime(last.year, last.month, last.day, tzinfo=UTC))
    probe = label_windows(tables, index_of(calendar), pipeline(), calendar)
    assert [(v.code, v.severity) for v in probe.violations] == ([("HVL005", "warning")] if silent else [])
    if silent:
        assert "last 32 days" in probe.violations[0].what


def test_without_a_declared_end_nothing_is_silent(calendar):
    config = replace(pipeline(), cutoffs=replace(pipeline().cutoffs, data_end=None))
    tables = invoices(until=datetime(2024, 6, 30, tzinfo=UTC))
    assert label_windows(tables, index_of(calendar), config, calendar).violations == ()


@pytest.mark.parametrize(("days", "late"), [(20, False), (40, True)])
def test_conversions_that_are_still_to_be_recorded(calendar, days, late):
    tables = invoices(known_after=timedelta(days=days))
    probe = label_windows(tables, index_of(calendar), pipeline(), calendar)
    assert [v.where for v in probe.violations] == (["invoices.known_at"] if late else [])


def test_the_splits_of_the_house_stand_apart(calendar):
    index = index_of(calendar)
    for groups in ("time", "disjoint"):
        config = pipeline(groups=groups)
        probe = sides(index, calendar, config, splits.split(index, calendar, config.split, 7))
        assert probe.outcome == "passed"
        assert [v.severity for v in probe.violations] == (["info"] if groups == "time" else [])


def test_a_random_split_is_caught_on_both_counts(calendar):
    index = index_of(calendar)
    config = pipeline(groups="disjoint")
    dealt = np.random.default_rng(1).integers(0, 3, index.num_rows)
    split = splits.Split(dealt == 0, dealt == 1, dealt == 2, DAYS, DAYS, DAYS, 0)
    found = sides(index, calendar, config, split)
    assert found.outcome == "found"
    assert [v.where.split()[1] for v in found.alarms] == ["2024-06-01", "2024-06-01", "2024-06-01", "groups"]
    assert found.alarms[-1].count == 25


def test_a_split_by_account_instead_of_parent_is_caught(calendar):
    """Features rolled up to the parent would carry what the test side did to its siblings in training."""
    index = index_of(calendar)
    config = pipeline(groups="disjoint")
    by_account = index.set_column(2, "group_id", index["account_id"])
    split = splits.split(by_account, calendar, config.split, 7)
    found = sides(index, calendar, config, split)
    assert [(v.code, v.severity, v.where) for v in found.alarms] == [("HVL006", "error", "[split] groups")]
