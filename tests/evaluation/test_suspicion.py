"""Features that predict too well to be true are named; honest ones are not."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.cutoffs import Calendar
from hva_ml.errors import UsageError
from hva_ml.evaluation.suspicion import hint, suspicious, together
from hva_ml.evaluation.suspicion.power import auc
from hva_ml.features.definition import FeatureDefinition, FeatureSet

N = 600
CALENDAR = Calendar((date(2024, 3, 1),), 60, 0, "Europe/Berlin")


def feature_set(columns, measure="attribute"):
    n = len(next(iter(columns.values())))
    names = pa.array([f"a{k:04d}" for k in range(n)])
    cutoff = pa.array([CALENDAR.cutoffs[0]] * n, pa.timestamp("us", "UTC"))
    definitions = tuple(
        FeatureDefinition(
            name, "firmographic", "category" if pa.types.is_string(values.type) else "number",
            "accounts", measure, "number", name, name,
        )
        for name, values in columns.items()
    )  # fmt: skip
    table = pa.table({"account_id": names, "cutoff": cutoff, "group_id": names, **columns})
    return FeatureSet(table, definitions)


@pytest.fixture
def converted():
    return (np.random.default_rng(1).random(N) < 0.2).astype(np.int8)


def noisy(converted, wrong):
    random = np.random.default_rng(2)
    return np.where(random.random(N) < wrong, 1 - converted, converted)


def found(columns, converted, measure="measured"):
    asked = suspicious(feature_set(columns, measure), converted, CALENDAR)
    return {(v.code, v.where): v.severity for p in asked for v in p.violations}


def test_an_honest_feature_is_not_suspected(converted):
    random = np.random.default_rng(3)
    columns = {
        "noise": pa.array(random.normal(size=N)),
        "useful": pa.array(converted + random.normal(size=N)),
        "constant": pa.array(np.zeros(N)),
        "empty": pa.nulls(N, pa.float64()),
        "country": pa.array(random.choice(["DE", "AT"], N).tolist()),
        "no_country": pa.nulls(N, pa.string()),
    }
    assert found(columns, converted) == {}


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_number_recorded_after_the_fact_is_an_error(converted, sign):
    assert found({"leak": pa.array(sign * converted)}, converted) == {("HVL010", "leak"): "error"}


def test_thresholds_separate_warning_from_error(converted):
    assert found({"x": pa.array(noisy(converted, 0.07).astype(float))}, converted) == {
        ("HVL010", "x"): "warning"
    }
    assert found({"x": pa.array(noisy(converted, 0.2).astype(float))}, converted) == {}


def test_a_label_copied_into_a_category_is_an_error(converted):
    stage = pa.array(np.where(converted == 1, "customer", "prospect").tolist())
    assert found({"stage": stage}, converted) == {("HVL010", "stage"): "error"}


def test_a_category_of_its_own_for_each_account_is_not(converted):
    own = pa.array([f"id{k}" for k in range(N)])
    assert found({"own": own}, converted) == {}


def test_a_field_filled_in_only_when_won_is_named_for_being_known_at_all(converted):
    amount = pa.array(np.random.default_rng(4).normal(size=N), mask=converted == 0)
    assert found({"amount": amount}, converted) == {
        ("HVL010", "amount"): "error",
        ("HVL011", "amount"): "error",
    }
    reason = pa.array([None if c else "lost on price" for c in converted], pa.string())
    assert ("HVL011", "reason") in found({"reason": reason}, converted)


def test_too_few_rows_of_a_class_prove_nothing():
    few = np.zeros(N, dtype=np.int8)
    few[:19] = 1
    leak = {"leak": pa.array(few.astype(float))}
    assert found(leak, few) == {}
    asked = {p.code: p for p in suspicious(feature_set(leak), few, CALENDAR)}
    for code in ("HVL010", "HVL011", "HVL012", "HVL013"):
        assert asked[code].outcome == "not applicable"
        assert "only 19 rows" in asked[code].not_applicable


def test_a_leak_spread_over_features_is_hinted_at():
    random = np.random.default_rng(5)
    actual = random.random(4000) < 0.3
    parts = {f"part{k}": pa.array(actual + random.normal(scale=1.6, size=4000)) for k in range(12)}
    noise = {"noise": pa.array(random.normal(size=4000))}
    train = np.arange(4000) < 3000
    assert found(parts, actual.astype(np.int8)) == {}
    spread = together(feature_set({**parts, **noise}), actual, train, ~train, 1)
    assert spread.outcome == "passed"
    assert [(v.code, v.severity, len(v.ids)) for v in spread.violations] == [("HVL014", "info", 3)]
    assert "noise" not in spread.violations[0].ids
    quiet = together(feature_set(noise), actual, train, ~train, 1)
    assert quiet.violations == ()
    assert quiet.what.startswith("AUC 0.")


def test_a_side_without_conversions_is_not_judged():
    actual = np.arange(200) < 100
    probe = together(feature_set({"x": pa.array(np.zeros(200))}), actual, actual, ~actual, 1)
    assert probe.outcome == "not applicable"


def test_the_hint_begins_above_its_threshold(converted):
    features = feature_set({"x": pa.array(converted.astype(float))})
    assert hint(0.85, features, converted == 1) == ()
    assert hint(0.851, features, converted == 1)[0].ids == ("x",)


def test_lengths_must_agree(converted):
    with pytest.raises(UsageError, match="different numbers of rows"):
        suspicious(feature_set({"x": pa.array(np.zeros(N))}), converted[1:], CALENDAR)


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=30))
def test_auc_is_the_share_of_pairs_in_order(rows):
    yes = [s for s, a in rows if a]
    no = [s for s, a in rows if not a]
    pairs = [(y > n) + 0.5 * (y == n) for y in yes for n in no]
    want = sum(pairs) / len(pairs) if pairs else 0.5
    got = auc(np.array([s for s, _ in rows], dtype=float), np.array([a for _, a in rows]))
    assert got == pytest.approx(want)
