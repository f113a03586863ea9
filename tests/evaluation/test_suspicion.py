"""Features that predict too well to be true are named; honest ones are not."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.errors import UsageError
from hva_ml.evaluation.suspicion import auc, suspicious
from hva_ml.features.definition import FeatureDefinition, FeatureSet

N = 600


def feature_set(columns):
    n = len(next(iter(columns.values())))
    names = pa.array([f"a{k:04d}" for k in range(n)])
    definitions = tuple(
        FeatureDefinition(
            name, "firmographic", "category" if pa.types.is_string(values.type) else "number",
            "accounts", "attribute", "number", name, name,
        )
        for name, values in columns.items()
    )  # fmt: skip
    table = pa.table({"account_id": names, "cutoff": names, "group_id": names, **columns})
    return FeatureSet(table, definitions)


@pytest.fixture
def converted():
    return (np.random.default_rng(1).random(N) < 0.2).astype(np.int8)


def noisy(converted, wrong):
    random = np.random.default_rng(2)
    return np.where(random.random(N) < wrong, 1 - converted, converted)


def found(columns, converted):
    return {(v.code, v.where): v.severity for v in suspicious(feature_set(columns), converted)}


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
    assert found({"leak": pa.array(few.astype(float))}, few) == {}


def test_lengths_must_agree(converted):
    with pytest.raises(UsageError, match="different numbers of rows"):
        suspicious(feature_set({"x": pa.array(np.zeros(N))}), converted[1:])


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=30))
def test_auc_is_the_share_of_pairs_in_order(rows):
    yes = [s for s, a in rows if a]
    no = [s for s, a in rows if not a]
    pairs = [(y > n) + 0.5 * (y == n) for y in yes for n in no]
    want = sum(pairs) / len(pairs) if pairs else 0.5
    got = auc(np.array([s for s, _ in rows], dtype=float), np.array([a for _, a in rows]))
    assert got == pytest.approx(want)
