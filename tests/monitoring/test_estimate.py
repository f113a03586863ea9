"""Performance from probabilities alone: by definition, by enumeration, and against what then came."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score

from hva_ml.monitoring.estimate import METRICS, Certainty, Estimate, estimates, named

few = st.lists(st.sampled_from([0.05, 0.2, 0.2, 0.5, 0.9]), min_size=3, max_size=7)
SURE = Certainty(1e9, 0.0, 1e9)


def estimated(probability: np.ndarray, value: np.ndarray | None = None) -> dict[str, Estimate]:
    value = np.ones(len(probability)) if value is None else value
    return {e.metric: e for e in estimates(probability, value, SURE, 3)}


@given(few)
def test_the_auc_is_the_weighted_share_of_pairs_in_order(given_: list[float]) -> None:
    p = np.array(given_)
    above = sum(
        p[i] * (1 - p[j]) * (1.0 if p[i] > p[j] else 0.5 if p[i] == p[j] else 0.0)
        for i in range(len(p)) for j in range(len(p))
    )  # fmt: skip
    assert estimated(p)["roc_auc"].value == pytest.approx(above / (p.sum() * (1 - p).sum()))


@given(few)
def test_the_brier_score_is_its_expectation_over_all_outcomes(given_: list[float]) -> None:
    p = np.array(given_)
    expected = 0.0
    for y in product([0, 1], repeat=len(p)):
        chance = np.prod(np.where(np.array(y) == 1, p, 1 - p))
        expected += chance * brier_score_loss(np.array(y), p, labels=[0, 1]) if len(set(y)) > 1 else (
            chance * float(np.mean((p - np.array(y)) ** 2))
        )  # fmt: skip
    assert estimated(p)["brier"].value == pytest.approx(expected)


def test_lift_and_revenue_are_those_of_the_expected_masses() -> None:
    rng = np.random.default_rng(1)
    p, v = rng.beta(1, 5, 200), np.exp(rng.normal(8, 1, 200))
    found = estimated(p, v)
    best = np.sort(p)[::-1][:20].sum() / p.sum() / 0.1
    assert found["lift_top_10"].value == pytest.approx(best)
    money = np.sort(p * v)[::-1]
    assert found["captured_revenue_top_20"].value == pytest.approx(money[:40].sum() / money.sum())


def test_the_interval_holds_what_then_comes() -> None:
    rng = np.random.default_rng(2)
    p = rng.beta(0.7, 5, 400)
    auc = estimated(p)["roc_auc"]
    low, high = auc.interval
    came = [roc_auc_score(rng.random(400) < p, p) for _ in range(400)]
    assert 0.9 <= np.mean([(low <= a <= high) for a in came]) <= 0.99


def test_an_unsure_calibration_is_a_wider_interval() -> None:
    rng = np.random.default_rng(3)
    p = rng.beta(0.7, 5, 3000)
    sure = estimated(p)["roc_auc"].error
    unsure = next(e for e in estimates(p, np.ones(3000), Certainty.of(p[:30]), 3) if e.metric == "roc_auc")
    assert unsure.error > 1.5 * sure


def test_the_information_is_fishers() -> None:
    p = np.array([0.2, 0.5, 0.7])
    z, w = np.log(p / (1 - p)), p * (1 - p)
    found = Certainty.of(p)
    assert (found.shift, found.both, found.factor) == pytest.approx(
        (w.sum(), (w * z).sum(), (w * z * z).sum())
    )


def test_equal_probabilities_rank_nothing_and_records_are_exact() -> None:
    found = estimates(np.full(50, 0.3), np.ones(50), SURE, 1)
    assert [e.metric for e in found] == list(METRICS)
    assert named(found, "roc_auc").value == pytest.approx(0.5)
    assert tuple(Estimate.from_record(e.record()) for e in found) == found
    nobody = estimates(np.zeros(50), np.ones(50), SURE, 1)
    assert named(nobody, "roc_auc") is None
