from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.config import Scoring
from hva_ml.scoring import tiers

NONE = float("nan")
values = st.lists(st.integers(0, 20), min_size=1, max_size=30)


def run(expected, weight=None, ids=None, **config):
    n = len(expected)
    ids = np.array(ids if ids is not None else [f"a{k:02d}" for k in range(n)], dtype=np.str_)
    weight = np.full(n, NONE) if weight is None else np.array(weight, dtype=float)
    return tiers(ids, np.array(expected, dtype=float), weight, Scoring(**config))


def oracle(expected, ids, a, b):
    """Walk down the sorted accounts in exact fractions."""
    order = sorted(range(len(expected)), key=lambda k: (-expected[k], ids[k]))
    total, before, found = sum(expected), Fraction(0), {}
    for k in order:
        found[k] = "A" if before < a * total else "B" if before < b * total else "C"
        before += expected[k]
    return [found[k] for k in range(len(expected))]


@given(values)
def test_tiers_are_those_of_a_walk_down_the_list(expected):
    ids = [f"a{k:02d}" for k in range(len(expected))]
    # Halves and quarters are exact in floats, so bounds that are hit exactly are compared too.
    found = run(expected, tier_a=0.5, tier_b=0.75)
    assert found.tier.tolist() == oracle(expected, ids, Fraction(1, 2), Fraction(3, 4))


@given(values)
def test_the_a_accounts_hold_at_least_their_share_and_none_too_many(expected):
    found = run(expected)
    amounts = np.array(expected, dtype=float)
    if amounts.sum() > 0:
        best = amounts[found.tier == "A"]
        assert best.sum() >= 0.5 * amounts.sum()
        assert best.sum() - best.min() < 0.5 * amounts.sum()


@given(values, st.randoms())
def test_the_order_of_rows_does_not_matter(expected, random):
    ids = [f"a{k:02d}" for k in range(len(expected))]
    mixed = list(range(len(expected)))
    random.shuffle(mixed)
    one = run(expected)
    two = run([expected[k] for k in mixed], ids=[ids[k] for k in mixed])
    for name in ("rank", "percentile", "tier", "in_capacity"):
        assert getattr(two, name).tolist() == getattr(one, name)[mixed].tolist()


@given(values)
def test_ranks_are_unique_and_percentiles_follow_the_value(expected):
    found = run(expected)
    n = len(expected)
    assert sorted(found.rank.tolist()) == list(range(1, n + 1))
    for k in range(n):
        assert found.percentile[k] == pytest.approx(100 * sum(v <= expected[k] for v in expected) / n)


def test_equal_values_are_ranked_by_account():
    assert run([5, 5, 5], ids=["c", "a", "b"]).rank.tolist() == [3, 1, 2]


def test_capacity_is_the_best_k():
    assert run([1, 3, 2], capacity=2).in_capacity.tolist() == [False, True, True]
    assert run([1, 3, 2], capacity=10).in_capacity.all()


def test_a_strategic_weight_lifts_the_tier_and_nothing_else():
    plain = run([80, 10, 6, 4])
    lifted = run([80, 10, 6, 4], [9, 1, NONE, 5], strategic_from=5.0, strategic_tier="B")
    assert plain.tier.tolist() == ["A", "C", "C", "C"]
    assert lifted.tier.tolist() == ["A", "C", "C", "B"]
    assert lifted.reason.tolist() == ["expected_value"] * 3 + ["strategic_weight"]
    assert lifted.rank.tolist() == plain.rank.tolist()
    assert lifted.in_capacity.tolist() == plain.in_capacity.tolist()
    to_a = run([80, 10, 6, 4], [9, 1, NONE, 5], strategic_from=5.0, strategic_tier="A")
    assert to_a.tier.tolist() == ["A", "C", "C", "A"]


def test_without_a_threshold_weights_do_nothing():
    assert run([80, 20], [9, 9]).reason.tolist() == ["expected_value", "expected_value"]


def test_nothing_is_expected_of_anybody():
    assert run([0, 0]).tier.tolist() == ["C", "C"]
