"""HVS001: a source that did not arrive is found by its own habit, whatever the order of its rows."""

import itertools
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.config import Audit
from hva_ml.contracts.records import ContractTables
from hva_ml.publication import arrivals
from hva_ml.publication.arrivals import streams

TIME = pa.timestamp("us", "UTC")
NOW = datetime(2025, 6, 30, 22, tzinfo=UTC)


def table(rows: list[tuple[datetime, datetime, str | None]]) -> pa.Table:
    happened, known, kind = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table(
        {
            "event_time": pa.array(happened, TIME),
            "known_at": pa.array(known, TIME),
            "event_type": pa.array(kind, pa.string()),
        }
    )


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def daily(first: int, last: int, kind: str, late: float = 0.1) -> list[tuple[datetime, datetime, str]]:
    """One row a day, from `first` days ago to `last` days ago, known a little later."""
    return [(ago(k), ago(k - late), kind) for k in range(first, last - 1, -1)]


def found(rows: list, limits: Audit | None = None, **more: pa.Table) -> list[tuple[str, str]]:
    tables = ContractTables({"accounts": table([]), "events": table(rows), **more})
    return [(r.where, r.outcome) for r in arrivals(tables, NOW, limits or Audit())]


def test_a_daily_source_is_missed_after_two_days_and_not_before() -> None:
    assert found(daily(300, 1, "web")) == [("events", "passed")]
    assert found(daily(300, 2, "web")) == [("events", "passed")]
    assert found(daily(300, 3, "web")) == [("events", "found"), ("events.web", "found")]


def test_one_kind_that_stops_is_found_although_the_others_go_on() -> None:
    rows = daily(300, 1, "web") + daily(300, 4, "mail")
    assert found(rows) == [("events", "passed"), ("events.mail", "found")]
    assert found(rows, Audit(may_be_silent=("events.mail",))) == [("events", "passed")]
    assert found(rows, Audit(max_silence=4.0)) == [("events", "passed")]


def test_a_source_with_long_pauses_may_pause_again() -> None:
    rows = [r for r in daily(300, 17, "web") if not 100 < (NOW - r[0]).days < 111]
    assert found(rows) == [("events", "passed")]
    assert found([r for r in rows if (NOW - r[0]).days > 22]) == [
        ("events", "found"),
        ("events.web", "found"),
    ]


def test_a_rare_source_is_only_held_to_the_age_of_its_newest_row() -> None:
    rare = [(ago(k), ago(k), "fair") for k in range(730, 40, -90)]
    assert found([(ago(10), ago(10), "fair"), *rare]) == [("events", "not applicable")]
    assert found(rare[:-1]) == [("events", "found")]
    assert found(rare[:-1], Audit(fresh_days=300)) == [("events", "not applicable")]
    assert found(rare[:-1], Audit(may_be_silent=("events",))) == [("events", "not applicable")]


def test_a_kind_that_ended_years_ago_is_no_alarm_and_an_empty_table_is_one() -> None:
    assert found(daily(300, 1, "web") + daily(1200, 800, "fax")) == [("events", "passed")]
    assert found([]) == [("events", "found")]
    assert found(daily(300, 1, "web"), invoices=table([])) == [("events", "passed"), ("invoices", "found")]


def test_rows_that_happened_lately_but_came_long_ago_do_not_hide_a_silence() -> None:
    # Booked ahead: known half a year before. The newest news is what counts, by both clocks.
    ahead = [(ago(k), ago(k + 180), "fair") for k in range(300, 0, -1)]
    assert found(ahead) == [("events", "passed")]
    # Imported late: everything came in one load 30 days ago, after daily loads.
    late = daily(300, 31, "web") + [(ago(k), ago(30), "web") for k in range(60, 30, -1)]
    assert found(late) == [("events", "found"), ("events.web", "found")]


EVENT = st.tuples(st.integers(0, 24 * 900), st.integers(0, 48), st.sampled_from(["web", "mail", None]))


@given(st.lists(EVENT, max_size=60), st.randoms())
def test_streams_are_what_plain_python_says_in_any_order(events: list, rng: object) -> None:
    rows = [(ago(h / 24 + d / 24), ago(h / 24), kind) for h, d, kind in events]
    rng.shuffle(rows)  # type: ignore[attr-defined]
    pieces = [table(rows[: len(rows) // 3]), table(rows[len(rows) // 3 :])]
    told = {s.name: s for s in streams("events", pieces, NOW)}
    kinds = {"events": rows} | {f"events.{k}": [r for r in rows if r[2] == k] for k in ("web", "mail")}
    assert set(told) == {name for name, mine in kinds.items() if mine or name == "events"}
    for name, stream in told.items():
        mine = kinds[name]
        hours = sorted({round((NOW - max(r[:2])) / timedelta(hours=1)) for r in mine})
        hours = [h for h in hours if h < 730 * 24]
        gaps = [b - a for a, b in itertools.pairwise(hours)]
        newest = min(((NOW - r[0]) / timedelta(days=1) for r in mine), default=None)
        assert stream.happened == (None if newest is None else pytest.approx(newest))
        assert stream.silent == (hours[0] / 24 if hours else float("inf"))
        assert stream.longest == pytest.approx(max(gaps, default=0) / 24)
        assert stream.arrivals == len(hours)


def test_a_random_source_raises_no_alarm_in_a_thousand_nights_and_one_that_stops_does() -> None:
    rng = np.random.default_rng(3)
    hours = np.cumsum(rng.exponential(30, size=1300))
    first = datetime(2022, 1, 1, tzinfo=UTC)
    times = [first + timedelta(hours=float(h)) for h in hours]
    rows = table([(t, t, None) for t in times])
    alarms, days = [], []
    start = first + timedelta(days=365)
    for k in range(1000):
        moment = start + timedelta(days=k)
        visible = rows.filter(pa.compute.less(rows["event_time"], pa.scalar(moment, TIME)))
        row = arrivals(ContractTables({"events": visible}), moment, Audit())[0]
        alarms.append(row.outcome == "found")
        days.append(moment.date())
    assert not any(alarms)
    assert days[0] == date(2023, 1, 1)
    stopped = times[900] + timedelta(days=30)
    visible = rows.slice(0, 901)
    assert arrivals(ContractTables({"events": visible}), stopped, Audit())[0].outcome == "found"
