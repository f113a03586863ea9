"""Rank measures against scikit-learn, SciPy and brute force; ties and row order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score

from hva_ml.evaluation.ranking import (
    Gains,
    Order,
    average_precision,
    captured,
    lift,
    normalized_gini,
    precision_at,
    roc_auc,
    spearman,
)


@st.composite
def rows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scores with many ties, outcomes of both classes, values, small integer weights."""
    n = draw(st.integers(4, 30))
    ints = lambda low, high: draw(st.lists(st.integers(low, high), min_size=n, max_size=n))  # noqa: E731
    score = np.array(ints(0, 6)) / 7
    converted = np.array(ints(0, 1), dtype=float)
    converted[:2] = 0.0, 1.0
    weight = np.array(ints(0, 3), dtype=float)
    weight[:2] = 1.0
    return score, converted, np.array(ints(0, 50), dtype=float) + converted, weight


def repeated(weight: np.ndarray, *arrays: np.ndarray) -> list[np.ndarray]:
    return [np.repeat(a, weight.astype(int)) for a in arrays]


def top_by_hand(score: np.ndarray, mass: np.ndarray, top: float) -> float:
    """Expected mass in the top rows: whole blocks first, then an even part of the cut block."""
    found, left = 0.0, top
    for s in sorted(set(score), reverse=True):
        block = mass[score == s]
        share = min(left / len(block), 1.0)
        found, left = found + share * block.sum(), left - share * len(block)
        if left <= 0:
            break
    return found


@given(rows())
def test_auc_and_average_precision_are_those_of_scikit_learn(case: tuple[np.ndarray, ...]) -> None:
    score, converted, _, weight = case
    order, w = Order.of(score), weight[None, :]
    assert roc_auc(order, converted, w)[0] == pytest.approx(
        roc_auc_score(converted, score, sample_weight=weight)
    )
    mine = average_precision(Gains.of(order, converted, w))[0]
    assert mine == pytest.approx(average_precision_score(converted, score, sample_weight=weight))


@given(rows(), st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.5, 1.0]), st.integers(1, 40))
def test_top_measures_are_those_counted_by_hand(
    case: tuple[np.ndarray, ...], share: float, capacity: int
) -> None:
    score, converted, value, weight = case
    s, c, v = repeated(weight, score, converted, value)
    order, w = Order.of(score), weight[None, :]
    n = len(s)
    money = Gains.of(order, value, w)
    assert captured(money, share)[0] == pytest.approx(top_by_hand(s, v, share * n) / v.sum())
    wins = Gains.of(order, converted, w)
    assert lift(wins, share)[0] == pytest.approx(top_by_hand(s, c, share * n) / (share * n) / c.mean())
    top = min(capacity, n)
    assert precision_at(wins, capacity)[0] == pytest.approx(top_by_hand(s, c, top) / top)


@given(rows())
def test_spearman_is_that_of_scipy_on_the_repeated_rows(case: tuple[np.ndarray, ...]) -> None:
    score, _, value, weight = case
    s, v = repeated(weight, score, value)
    mine = spearman(Order.of(score), Order.of(value), weight[None, :])[0]
    if np.ptp(s) == 0 or np.ptp(v) == 0:
        assert np.isnan(mine)
    else:
        assert mine == pytest.approx(spearmanr(s, v).statistic, abs=1e-9)


def gini_by_hand(score: np.ndarray, value: np.ndarray) -> float:
    """Twice the area between the gains curve and the diagonal, trapezoids between blocks."""
    n, total = len(score), value.sum()
    x, y, area = 0.0, 0.0, 0.0
    for s in sorted(set(score), reverse=True):
        nx, ny = x + (score == s).sum() / n, y + value[score == s].sum() / total
        area += (nx - x) * (y + ny) / 2
        x, y = nx, ny
    return 2 * area - 1


@given(rows())
def test_normalized_gini_is_the_area_by_trapezoids(case: tuple[np.ndarray, ...]) -> None:
    score, _, value, weight = case
    s, v = repeated(weight, score, value)
    w = weight[None, :]
    mine = normalized_gini(Gains.of(Order.of(score), value, w), Gains.of(Order.of(value), value, w))[0]
    best = gini_by_hand(v, v)
    if best < 1e-12:
        assert np.isnan(mine)
    else:
        assert mine == pytest.approx(gini_by_hand(s, v) / best, abs=1e-9)


@settings(max_examples=50)
@given(rows(), st.randoms(use_true_random=False))
def test_the_order_of_rows_plays_no_part(case: tuple[np.ndarray, ...], random: object) -> None:
    score, converted, value, weight = case
    p = np.array(random.sample(range(len(score)), len(score)))  # type: ignore[attr-defined]
    for mass in (converted, value):
        one = Gains.of(Order.of(score), mass, weight[None, :])
        other = Gains.of(Order.of(score[p]), mass[p], weight[None, p])
        for share in (0.01, 0.2):
            assert captured(one, share)[0] == pytest.approx(captured(other, share)[0], abs=1e-12)


def test_one_percent_of_250_rows_are_two_rows_and_a_half() -> None:
    score = np.arange(250.0)
    converted = np.zeros(250)
    converted[[249, 247]] = 1.0
    gains = Gains.of(Order.of(score), converted, np.ones((1, 250)))
    assert gains.within(np.array([2.5]))[0] == pytest.approx(1.5)


def test_many_weightings_are_measured_as_one_by_one() -> None:
    rng = np.random.default_rng(3)
    score, converted = rng.normal(size=80).round(1), (rng.random(80) < 0.4).astype(float)
    weights = rng.integers(0, 4, (6, 80)).astype(float)
    order = Order.of(score)
    together = roc_auc(order, converted, weights)
    alone = [roc_auc(order, converted, w[None, :])[0] for w in weights]
    np.testing.assert_allclose(together, alone, rtol=1e-14)


def test_one_class_only_is_nan() -> None:
    order, w = Order.of(np.arange(5.0)), np.ones((1, 5))
    assert np.isnan(roc_auc(order, np.zeros(5), w)[0])
    assert np.isnan(roc_auc(order, np.ones(5), w)[0])
    assert np.isnan(average_precision(Gains.of(order, np.zeros(5), w))[0])
    assert np.isnan(captured(Gains.of(order, np.zeros(5), w), 0.1)[0])
