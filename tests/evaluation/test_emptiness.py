"""Attributes that are filled in because an account converted are named; honest gaps are not."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.evaluation.suspicion.emptiness import NONE_OF, future_information, lift, missing_values
from hva_ml.features.definition import FeatureDefinition, FeatureSet

N = 4000


@pytest.fixture
def actual():
    return np.random.default_rng(1).random(N) < 0.1


def features(values, measure="attribute", group=None):
    column = values if isinstance(values, pa.Array) else pa.array(values)
    names = pa.array([f"g{k}" for k in (np.arange(len(column)) if group is None else group)])
    kind = "category" if pa.types.is_string(column.type) else "number"
    made = FeatureDefinition("x", "firmographic", kind, "accounts", measure, "number", "x", "x")
    return FeatureSet(pa.table({"group_id": names, "x": column}), (made,))


def filled(actual, when_won, otherwise, seed=2):
    """Known for a share of the won and another share of all others."""
    random = np.random.default_rng(seed)
    known = random.random(len(actual)) < np.where(actual, when_won, otherwise)
    return pa.array(random.normal(size=len(actual)), mask=~known)


def test_a_field_filled_in_later_is_named(actual):
    found = future_information(features(filled(actual, 0.9, 0.02)), actual)
    assert [(v.code, v.severity, v.ids) for v in found] == [("HVL012", "warning", ("x",))]
    assert "any value" in found[0].what
    assert found[0].count == pytest.approx(0.9 * 400 + 0.02 * 3600, abs=30)


def test_a_category_filled_in_later_is_named_with_its_value(actual):
    random = np.random.default_rng(3)
    won, lost = random.random(N) < np.where(actual, 0.8, 0.0), random.random(N) < 0.05
    words = np.where(won, "contract signed", np.where(lost, "no budget", None))
    found = future_information(features(pa.array(words.tolist(), pa.string())), actual)
    assert "'contract signed'" in found[0].what


def test_a_rare_field_of_won_accounts_only_is_named(actual):
    found = future_information(features(filled(actual, 0.1, 0.0)), actual)
    assert [(v.code, v.ids) for v in found] == [("HVL012", ("x",))]
    assert "where it is known 100% convert" in found[0].what
    won = np.cumsum(actual) <= 19
    few = pa.array(np.ones(N), mask=~(actual & won))
    assert future_information(features(few), actual) == [], "19 groups prove nothing"


@pytest.mark.parametrize(
    ("when_won", "otherwise"),
    [
        (0.15, 0.15),  # filled in by chance
        (0.3, 0.1),  # of use, but empty rows convert nearly as often
        (0.95, 0.5),  # not mostly empty
        (0.0, 0.0),  # never filled in
    ],
)
def test_other_gaps_are_no_future_information(actual, when_won, otherwise):
    assert future_information(features(filled(actual, when_won, otherwise)), actual) == []


@pytest.mark.parametrize(("when_won", "otherwise"), [(0.9, 0.5), (0.2, 0.7)])
def test_missing_values_that_predict_are_named(actual, when_won, otherwise):
    found = missing_values(features(filled(actual, when_won, otherwise)), actual)
    assert [(v.code, v.severity, v.ids) for v in found] == [("HVL013", "warning", ("x",))]


def test_missing_values_that_do_not_predict_are_not(actual):
    assert missing_values(features(filled(actual, 0.5, 0.55)), actual) == []
    assert missing_values(features(np.zeros(N)), actual) == []
    assert missing_values(features(pa.nulls(N, pa.float64())), actual) == []


def test_what_is_empty_because_nothing_happened_may_predict(actual):
    recency = features(filled(actual, 0.9, 0.02), measure="recency")
    assert future_information(recency, actual) == []
    assert missing_values(recency, actual) == []


def test_the_same_few_accounts_over_and_over_prove_nothing():
    """A hundred cutoffs of thirty groups are thirty observations, not three thousand."""
    group, number = np.repeat(np.arange(60), 100), np.arange(60)
    empty = number < 25
    won = np.where(empty, number < 3, number % 3 == 0)
    rows = features(pa.array(np.ones(6000), mask=empty[group]), group=group)
    assert lift(empty[group], won[group], group).value < 0.7
    assert missing_values(rows, won[group]) == []
    assert missing_values(features(pa.array(np.ones(6000), mask=empty[group])), won[group]) != []


def test_no_conversion_among_few_groups_is_not_zero():
    rows, actual = np.arange(400) < 25, np.arange(400) >= 300
    found = lift(rows, actual, np.arange(400))
    assert found.value == found.low == 0
    assert found.high == pytest.approx(NONE_OF / 25 / 0.25)
    assert np.isnan(lift(np.arange(400) < 19, actual, np.arange(400)).value)
    assert np.isnan(lift(rows, np.zeros(400, dtype=bool), np.arange(400)).value)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 40)), min_size=60, max_size=120))
def test_lift_is_a_ratio_of_rates_with_a_linearised_spread(cells):
    rows, actual, group = (np.array([c[k] for c in cells]) for k in range(3))
    inside = [a for r, a, _ in cells if r]
    base = sum(a for _, a, _ in cells) / len(cells)
    found = lift(rows, actual, group)
    if not base or len({g for r, _, g in cells if r}) < 20:
        assert np.isnan(found.value)
        return
    rate = sum(inside) / len(inside)
    assert found.value == pytest.approx(rate / base)
    errors = {}
    for r, a, g in cells:
        part = ((a - rate) / len(inside) if r else 0.0) - rate / base * (a - base) / len(cells)
        errors[g] = errors.get(g, 0.0) + part / base
    spread = 2.576 * sum(e * e for e in errors.values()) ** 0.5
    assert found.low == pytest.approx(rate / base - spread, abs=1e-9)
    assert found.high >= found.value + spread - 1e-9
