"""How soon conversions come: hazards that multiply back to the promise, against counting by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.monitoring.pace import LEAST_CONVERTED, STRATA, Arrivals, Pace, arrivals, dispersion, pace

DAY = 86_400_000_000
FLAT = (1.0,) * 7
known = st.lists(st.floats(0, 0.04), min_size=3, max_size=12).map(lambda steps: np.cumsum([0.0, *steps]))


@given(known, st.lists(st.floats(0.01, 0.99), min_size=1, max_size=9), st.integers(0, 2))
def test_what_is_due_adds_up_to_what_is_known_of_the_promise(curve: np.ndarray, p: list, begin: int) -> None:
    told = Pace((0.3, 0.6), np.tile(curve, (STRATA, 1)), FLAT, 1.0, 1.0, 100)
    days = len(curve) - 1 - begin
    seen, due = told.expected(np.array(p), np.full(len(p), -1), begin, days)
    assert seen.shape == due.shape == (days, STRATA)
    assert seen.sum() == 0
    assert due.sum() == pytest.approx(sum(p) * (curve[-1] - curve[begin]), abs=1e-9)


def test_conversions_are_seen_on_the_day_they_became_known_and_in_their_stratum() -> None:
    told = Pace((0.3, 0.6), np.tile(np.linspace(0, 0.4, 5), (STRATA, 1)), FLAT, 1.0, 1.0, 100)
    after = np.array([1, -1, 3, 0, 7])
    seen, _ = told.expected(np.array([0.5, 0.2, 0.9, 0.9, 0.1]), after, 1, 3)
    assert seen.tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1]]


def test_the_pace_is_learned_from_conversions_by_thirds_of_the_promise() -> None:
    rng = np.random.default_rng(4)
    p = rng.beta(1, 4, 4000)
    converted = rng.random(4000) < p
    after = np.where(converted, rng.integers(0, 90, 4000), -1)
    told = pace(p, converted, after, weeks(20), 0, 90)
    assert told is not None
    thirds = [p[told.stratum(p) == k].sum() / p.sum() for k in range(STRATA)]
    assert thirds == pytest.approx([1 / 3] * 3, abs=0.01)
    for k in range(STRATA):
        mine = converted & (told.stratum(p) == k)
        by_hand = [float(np.mean(after[mine] < day)) for day in range(told.days + 1)]
        assert told.known[k] == pytest.approx(by_hand)
    assert Pace.from_record(told.record()).known == pytest.approx(told.known, abs=1e-6)


def test_too_little_is_not_learned_from() -> None:
    few = np.zeros(100, dtype=bool)
    few[: LEAST_CONVERTED - 1] = True
    after = np.where(few, 3, -1)
    assert pace(np.full(100, 0.5), few, after, weeks(30), 0, 90) is None
    enough = np.ones(100, dtype=bool)
    assert pace(np.full(100, 0.5), enough, np.full(100, 3), weeks(11), 0, 90) is None


def test_days_and_weeks_count_accounts_once_and_only_whole_weeks() -> None:
    account = np.array([1, 1, 2, 1, 3, 1])
    came = np.array([0, 2, 6, 7, 15, 2]) * DAY
    found = arrivals(account, came, 0, 15 * DAY, 3)
    assert found.weekly.tolist() == [2, 1]
    assert found.daily.tolist() == [1, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]
    assert arrivals(account, came, 0, 3 * DAY, 3).weekly.tolist() == []


def test_the_week_is_learned_by_its_days() -> None:
    """The first day is a Thursday; nobody buys on Saturdays and Sundays."""
    rng = np.random.default_rng(6)
    shape = np.array([1.4, 1.4, 1.4, 1.4, 1.4, 0.0, 0.0])
    daily = rng.poisson(40 * np.tile(np.roll(shape, -3), 60))
    converted = np.ones(500, dtype=bool)
    seen = Arrivals(daily, daily.reshape(-1, 7).sum(axis=1), 3)
    told = pace(np.full(500, 0.4), converted, np.full(500, 3), seen, 0, 90)
    assert told is not None
    assert told.weekdays == pytest.approx(shape, abs=0.05)
    assert told.by_day < 1.3
    assert told.by_week < 1.5


def weeks(number: int) -> Arrivals:
    return Arrivals(np.full(7 * number, 5), np.full(number, 35), 0)


def test_the_dispersion_of_poisson_weeks_is_about_one_and_of_lumpy_ones_more() -> None:
    rng = np.random.default_rng(5)
    assert dispersion(rng.poisson(40, 400)) == pytest.approx(1.0, abs=0.15)
    assert dispersion(3 * rng.poisson(40, 400)) == pytest.approx(3.0, abs=0.5)
    # A steady rise is no variation.
    assert dispersion(np.arange(10, 110)) == 1.0
