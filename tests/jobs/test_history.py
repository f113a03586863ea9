"""What was known on an earlier day: outcomes and parents of then, never of later."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from hva_ml.contracts.records import ContractTables
from hva_ml.jobs.history import History

PIPELINE = "dach_sample"
DAY = date(2024, 9, 1)


def changed(history: History, name: str, change: Callable[[list[dict[str, Any]]], None]) -> History:
    """The same world with other rows in one table; the features stay those of before."""
    table = history.tables.tables[name]
    rows = table.to_pylist()
    change(rows)
    tables = dict(history.tables.tables) | {name: pa.Table.from_pylist(rows, schema=table.schema)}
    return replace(history, tables=ContractTables(tables))


def oracle(history: History, cutoffs: tuple[date, ...], day: date) -> dict[tuple[str, date], tuple[int, int]]:
    """Conversion and cents of every account that has invoices, by loops."""
    zone = history.calendar.only(cutoffs)
    end = zone.only((day,)).cutoffs[0]
    found: dict[tuple[str, date], tuple[int, int]] = {}
    for row in history.tables.tables["invoices"].to_pylist():
        for cutoff in cutoffs:
            start, stop = zone.label_window(cutoff)
            if start <= row["event_time"] < stop and row["event_time"] < end and row["known_at"] < end:
                won, cents = found.get((row["account_id"], cutoff), (0, 0))
                won |= row["amount_cents"] > 0
                found[row["account_id"], cutoff] = (won, cents + row["amount_cents"])
    return found


def test_only_cutoffs_whose_horizon_and_embargo_are_over_can_be_learned_from(history: History) -> None:
    learnt = history.learnt(DAY)
    assert learnt is not None
    assert learnt.calendar.days == (date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1), date(2024, 4, 1),
                                    date(2024, 5, 1))  # fmt: skip
    on_the_day = history.learnt(date(2024, 5, 1) + timedelta(days=100))
    before = history.learnt(date(2024, 5, 1) + timedelta(days=99))
    assert on_the_day is not None
    assert before is not None
    assert on_the_day.calendar.days[-1] == date(2024, 5, 1)
    assert before.calendar.days[-1] == date(2024, 4, 1)
    assert history.learnt(date(2024, 1, 31)) is None
    assert history.days[-1] + timedelta(days=100) <= date(2025, 12, 31)


def test_outcomes_are_those_known_on_the_day(history: History) -> None:
    late = datetime(2024, 9, 1, tzinfo=UTC)

    def delay(rows: list[dict[str, Any]]) -> None:
        for row in rows[::3]:
            row["known_at"] = max(row["known_at"], late)

    slow = changed(history, "invoices", delay)
    for world in (history, slow):
        learnt = world.learnt(DAY)
        assert learnt is not None
        expected = oracle(world, learnt.calendar.days, DAY)
        days = dict(zip(learnt.calendar.cutoffs, learnt.calendar.days, strict=True))
        rows = learnt.features.index.to_pylist()
        told = [expected.get((r["account_id"], days[r["cutoff"]]), (0, 0)) for r in rows]
        assert learnt.targets.converted.tolist() == [won for won, _ in told]
        assert learnt.targets.value.tolist() == [cents / 100 for _, cents in told]
    one, two = history.learnt(DAY), slow.learnt(DAY)
    assert one is not None
    assert two is not None
    assert one.targets.converted.sum() > two.targets.converted.sum() > 0
    # A month later the late rows are known.
    again, straight = slow.learnt(date(2024, 10, 1)), history.learnt(date(2024, 10, 1))
    assert again is not None
    assert straight is not None
    assert (again.targets.value == straight.targets.value).all()


def test_parents_are_those_known_on_the_day(history: History) -> None:
    rows = history.tables.tables["accounts"].to_pylist()
    children = [r for r in rows if r["parent_id"]]
    assert children

    def sell(rows: list[dict[str, Any]]) -> None:
        for row in [r for r in rows if r["parent_id"]]:
            rows.append(row | {"parent_id": None, "event_time": datetime(2024, 9, 1, tzinfo=UTC),
                               "known_at": datetime(2024, 9, 1, tzinfo=UTC)})  # fmt: skip

    sold = changed(history, "accounts", sell)

    def groups(world: History, day: date) -> list[str]:
        learnt = world.learnt(day)
        assert learnt is not None
        return [r["group_id"] for r in learnt.features.index.to_pylist()]

    def own(world: History, day: date) -> list[str]:
        learnt = world.learnt(day)
        assert learnt is not None
        return [r["account_id"] for r in learnt.features.index.to_pylist()]

    assert groups(sold, DAY) == groups(history, DAY) != own(history, DAY)
    assert groups(sold, date(2024, 10, 1)) == own(sold, date(2024, 10, 1))


def test_a_cohort_is_compared_when_its_horizon_and_embargo_are_over(history: History) -> None:
    cutoff = date(2024, 5, 1)
    cohort = history.cohort(cutoff)
    expected = oracle(history, (cutoff,), cutoff + timedelta(days=100))
    ids = history.at(cutoff).table["account_id"].to_pylist()
    assert len(cohort.value) == len(ids) > 100
    assert cohort.value.tolist() == [expected.get((i, cutoff), (0, 0))[1] / 100 for i in ids]
    assert cohort.capacity == history.config.scoring.capacity

    def delay(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["known_at"] = max(row["known_at"], datetime(2024, 8, 8, 22, tzinfo=UTC))

    # Local midnight of the day on which the embargo ends: too late to be seen in the comparison.
    assert not changed(history, "invoices", delay).cohort(cutoff).value.any()


def test_the_rows_of_a_cutoff_are_all_its_rows(history: History) -> None:
    whole = history.features.table
    parts = [history.at(d).table for d in history.calendar.days]
    assert sum(p.num_rows for p in parts) == whole.num_rows
    assert pa.concat_tables(parts).equals(whole)
    assert np.array_equal([len(p["cutoff"].unique()) for p in parts], np.ones(len(parts)))
