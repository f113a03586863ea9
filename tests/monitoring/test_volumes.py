"""Rows of each source: counted by both clocks, and held to a prediction interval as scipy knows it."""

import tempfile
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hva_ml.contracts.records import ContractTables
from hva_ml.contracts.stored import Stored
from hva_ml.contracts.volumes import WINDOW, volumes
from hva_ml.engines.spool import Store
from hva_ml.monitoring.volumes import Habit, habits

DAY = 86_400_000_000
START = datetime(2025, 1, 1, tzinfo=UTC)
rows = st.lists(
    st.tuples(st.integers(0, 80), st.integers(0, 10), st.sampled_from(["visit", "call", None])), max_size=60
)


def tables(found: list[tuple[int, int, str | None]]) -> ContractTables:
    when = [START + timedelta(days=d) for d, _, _ in found]
    known = [START + timedelta(days=d + late) for d, late, _ in found]
    stamp = pa.timestamp("us", "UTC")
    events = pa.table(
        {
            "event_time": pa.array(when, stamp),
            "known_at": pa.array(known, stamp),
            "event_type": pa.array([k for _, _, k in found], pa.string()),
        }
    )
    return ContractTables({"events": events, "accounts": events})


@given(rows, st.lists(st.integers(0, 100), min_size=1, max_size=4))
def test_rows_count_when_they_had_happened_and_were_known(
    found: list[tuple[int, int, str | None]], days: list[int]
) -> None:
    first = int(START.timestamp()) * 1_000_000
    moments = np.array([first + d * DAY for d in days], dtype=np.int64)
    counted = volumes(tables(found), moments)
    for name, kind in (("events", ...), ("events.visit", "visit"), ("events.call", "call")):
        expected = [
            sum(d - WINDOW // DAY <= when + late < d for when, late, k in found if kind in (..., k))
            for d in days
        ]
        assert counted.get(name, np.zeros(len(days))).tolist() == expected
    assert not any(name.startswith("accounts") for name in counted)


@settings(max_examples=30)
@given(rows, st.lists(st.integers(0, 60), max_size=3))
def test_rows_that_lie_on_disk_in_pieces_are_counted_all_the_same(
    found: list[tuple[int, int, str | None]], cuts: list[int]
) -> None:
    whole, moments = tables(found), np.array([int(START.timestamp()) * 1_000_000 + 40 * DAY])
    edges = [0, *sorted(min(c, len(found)) for c in cuts), len(found)]
    events = whole.tables["events"]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), memory_gib=0.5, share=0.0)
        kept = store.keep(events.slice(a, b - a) for a, b in pairwise(edges))
        stored = ContractTables(Stored({"events": kept, "contacts": kept})).only({"events"})
        assert set(stored.tables) == {"events"}
        assert volumes(stored, moments) == volumes(whole.only({"events"}), moments)


def test_a_habit_needs_cutoffs_and_rows() -> None:
    assert habits({"few": np.array([100, 100, 100])}, [10] * 3) == ()
    assert habits({"rare": np.array([100, 100, 100, 3])}, [10] * 4) == ()
    (found,) = habits({"x": np.array([100, 120, 90, 110])}, [100, 110, 100, 100])
    rates = np.log((np.array([100, 120, 90, 110]) + 0.5) / np.array([100, 110, 100, 100]))
    assert (found.level, found.spread) == pytest.approx((rates.mean(), rates.std(ddof=1)))
    assert Habit.from_record(found.record()) == found


def test_the_chance_is_students() -> None:
    habit = Habit("x", 0.0, 0.2, 9)
    ratio, p = habit.excess(np.array([300.0, 100.0, np.nan]), np.array([100.0, 100.0, 100.0]), 1.5)
    t = (np.log(300.5 / 100) - np.log(1.5)) / (0.2 * np.sqrt(1 + 1 / 9))
    assert p[0] == pytest.approx(2 * stats.t.sf(t, 8))
    assert ratio[0] == pytest.approx(3.005)
    assert p[1:].tolist() == [1.0, 1.0]


def test_false_alarms_of_a_source_are_as_rare_as_asked() -> None:
    rng = np.random.default_rng(4)
    p = []
    for _ in range(400):
        counts = np.exp(rng.normal(6, 0.3, 13)).astype(int)
        (habit,) = habits({"x": counts[:12]}, [100] * 12)
        p.append(habit.excess(counts[12:].astype(float), np.array([100.0]), 1.0 + 1e-9)[1][0])
    assert np.mean(np.array(p) < 0.05) <= 0.08
