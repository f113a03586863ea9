"""A made up future: the past stays bit for bit, nothing else does, and both clocks are asked about."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.cutoffs import MICROSECONDS_PER_DAY as DAY
from hva_ml.features.leakage import Moved, moved, scrambled, shown

EVENT = st.fixed_dictionaries(
    {
        "event_time": st.integers(19_700 * DAY, 19_900 * DAY),
        "late": st.integers(-30 * DAY, 30 * DAY),
        "account_id": st.sampled_from(["a", "b"]),
        "minutes": st.sampled_from([None, 0.5, 3.5, 1e9]),
    }
)


def events(tables, rows):
    return tables(
        events=[
            {**{k: v for k, v in r.items() if k != "late"}, "known_at": r["event_time"] + r["late"]}
            for r in rows
        ]
    )


def micros(table, column):
    return np.asarray(table[column].cast(pa.int64()).to_numpy())


@given(st.lists(EVENT, max_size=40), st.integers(0, 99), st.sampled_from([scrambled, shown]))
@settings(max_examples=60)
def test_the_past_and_only_the_past_stays(tables, calendar, rows, seed, make):
    data, cutoff = events(tables, rows), calendar.cutoffs[1]
    other = make(data, cutoff, seed)
    past = data.upto(cutoff).tables["events"]
    assert other.tables["events"].slice(0, past.num_rows).equals(past)
    assert other.tables["events"].schema == past.schema
    assert past.num_rows <= other.tables["events"].num_rows <= len(rows)
    visible = other.upto(cutoff).tables["events"].num_rows
    assert visible == (past.num_rows if make is scrambled else other.tables["events"].num_rows)


@given(st.lists(EVENT, max_size=40))
def test_rows_are_counted_by_the_clock_that_hides_them(tables, calendar, rows):
    cutoff, limit = calendar.cutoffs[2], int(calendar.micros[2])
    want = Moved(
        sum(r["event_time"] >= limit for r in rows),
        sum(r["event_time"] < limit <= r["event_time"] + r["late"] for r in rows),
    )
    found = moved(events(tables, rows), cutoff)
    assert found["events"] == want
    assert found["invoices"] == Moved()
    assert (found["events"] + Moved(1, 2)).rows == want.rows + 3


@pytest.fixture
def many(tables):
    random = np.random.default_rng(1)
    return tables(
        events=[
            {"account_id": f"a{random.integers(9)}", "event_time": int(random.integers(19_700, 19_900)) * DAY,
             "event_type": ["call", "email"][int(random.integers(2))], "minutes": float(random.integers(99))}
            for _ in range(2000)
        ],
        invoices=[
            {"account_id": "a1", "event_time": 19_890 * DAY, "amount_cents": 2**62} for _ in range(50)
        ],
    )  # fmt: skip


def test_late_known_rows_are_made_up_where_there_were_none(many, calendar):
    cutoff = calendar.cutoffs[1]
    assert moved(many, cutoff)["events"].late == 0
    made = moved(scrambled(many, cutoff, 1), cutoff)["events"]
    assert 0.4 < made.late / made.rows < 0.6
    assert made.rows < moved(many, cutoff)["events"].rows


def test_values_change_and_stay_within_their_type(many, calendar):
    cutoff = calendar.cutoffs[1]
    past = many.upto(cutoff).tables["events"].num_rows
    made = scrambled(many, cutoff, 1).tables["events"].slice(past)
    assert pc.min(made["minutes"]).as_py() < 0 < 7 < pc.max(made["minutes"]).as_py()
    assert set(made["event_type"].to_pylist()) == {"call", "email"}
    huge = scrambled(many, cutoff, 1).tables["invoices"]["amount_cents"]
    assert set(huge.to_pylist()) == {2**62, 7 - 2**62}, "some must stay conversions"


def test_the_same_seed_makes_up_the_same_future(many, calendar):
    cutoff = calendar.cutoffs[1]
    once, again, other = (scrambled(many, cutoff, s).tables["events"] for s in (1, 1, 2))
    assert once.equals(again)
    assert not once.equals(other)


def test_shown_rows_are_known_after_they_happened(many, calendar):
    made = shown(many, calendar.cutoffs[1], 3).tables["events"]
    late = micros(made, "known_at") - micros(made, "event_time")
    assert late.min() >= 0
    assert late.max() > DAY
