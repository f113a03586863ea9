"""How far an outlook is believed: by plain Python, at the ends, and for any order of magnitude."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.calibration import Outlook, day_terms
from hva_ml.errors import IntegrityError, NotEnoughDataError

changes = st.lists(
    st.tuples(st.floats(-1, 1), st.one_of(st.floats(-1, 1), st.just(float("nan")))), min_size=1, max_size=12
)


@given(changes, st.floats(7, 40), st.integers(30, 200))
def test_the_weights_are_those_of_the_formula(rows, step, wait):
    real, seen = [r for r, _ in rows], [s for _, s in rows]
    found = Outlook.learn(3, step * np.arange(len(rows)), np.array(real), np.array(seen), wait)
    each = min(1.0, (1 + step * (len(rows) - 1) / wait) / len(rows))
    usual = sum(real) / len(real)
    swing = (2 * 0.04 + each * sum((r - usual) ** 2 for r in real)) / (2 + each * len(real))
    missed = [r - s for r, s in rows if s == s]
    drift = each * sum(missed) / (0.1**2 / 0.15**2 + each * len(missed))
    miss = (4 * 0.01 + each * sum((m - drift) ** 2 for m in missed)) / (4 + each * len(missed))
    want = (usual, swing / (swing + miss), drift)
    assert (found.usual, found.weight, found.drift) == pytest.approx(want, abs=1e-12)
    assert Outlook.from_record(found.record()) == found


def test_cohorts_that_know_nothing_are_left_out_and_one_must_know():
    nan = np.nan
    days = np.array([0.0, 30.0, 60.0])
    found = Outlook.learn(0, days, np.array([nan, 0.2, 0.4]), np.array([9.0, nan, nan]), 90)
    assert (found.usual, found.drift) == (pytest.approx(0.3), 0.0)
    with pytest.raises(NotEnoughDataError, match="No cohort knows"):
        Outlook.learn(0, days, np.full(3, nan), np.zeros(3), 90)


@given(changes, st.lists(st.sampled_from([0.0, 0.4, 0.99, 1.0]), min_size=12, max_size=12))
def test_only_an_outlook_that_has_seen_all_its_days_can_miss(rows, shares):
    real, foreseen = np.array(rows).T
    days, share = 30.0 * np.arange(len(rows)), np.array(shares[: len(rows)])
    found = Outlook.learn(0, days, real, foreseen, 90, share, seen=1)
    whole = Outlook.learn(0, days, real, np.where(share == 1, foreseen, np.nan), 90)
    assert found.columns == [0, 1]
    assert (found.usual, found.weight, found.drift) == (whole.usual, whole.weight, whole.drift)


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(-1, 1), st.floats(-0.5, 0.5), st.floats(0, 1))
def test_the_less_it_has_seen_the_closer_to_the_usual(usual, weight, drift, foreseen, share):
    outlook = Outlook(0, usual, weight, drift, seen=1)
    whole, none = outlook.of(np.array([[foreseen, 1.0], [np.nan, 0.0]]))
    (part,) = outlook.of(np.array([[share * foreseen, share]]))
    assert none == usual
    assert part == pytest.approx(share * whole + (1 - share) * usual, abs=1e-12)


def test_a_model_from_before_the_share_was_told_believes_as_it_did():
    record = Outlook(1, 0.1, 0.5, 0.05, odds=-2.0).record()
    del record["seen"]
    old = Outlook.from_record(record)
    assert old.columns == [1]
    assert old.of(np.array([[9.0, -0.6, 0.2]])).tolist() == old.market(np.array([-0.6])).tolist()


def test_the_more_often_an_outlook_was_right_the_more_it_is_believed():
    days, real = 90.0 * np.arange(8), np.tile([-0.4, 0.4], 4)
    right = Outlook.learn(0, days, real, real + 0.2, 90)
    wrong = Outlook.learn(0, days, real, -real, 90)
    assert right.weight > 0.9
    assert right.drift == pytest.approx(-0.2, abs=0.02)
    assert wrong.weight < 0.3


def test_all_accounts_of_a_day_get_the_same():
    outlook = Outlook(1, 0.1, 0.5, 0.05, odds=-2.0)
    X = np.array([[1.0, -0.6], [2.0, -0.6], [3.0, np.nan]])
    likely, worth = day_terms(outlook, X)
    assert worth.tolist() == pytest.approx([-0.225, -0.225, 0.1])
    assert likely.tolist() == pytest.approx([-2.225, -2.225, -1.9])
    assert [t.tolist() for t in day_terms(None, X)] == [[0.0] * 3] * 2


@pytest.mark.parametrize("wrong", [{"weight": 1.5}, {"usual": np.nan}, {"column": -1}, {"seen": -2}])
def test_a_broken_record_is_refused(wrong):
    record = Outlook(1, 0.1, 0.5, 0.0).record() | wrong
    with pytest.raises(IntegrityError, match="believed by"):
        Outlook.from_record(record)
