"""The run rate as trees: the line it stands for, how far it goes, and when it is taken."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.training.run_rate import (
    AMOUNT,
    BEYOND,
    FLOOR_OF_MEDIAN,
    SHARE,
    STEP,
    TENURE,
    Steady,
    choose,
    log_run_rate,
)
from hva_ml.training.sums import combined
from hva_ml.training.value import fit_value

NAMES = ["other", AMOUNT, TENURE]


def bought(n: int = 400, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.normal(size=n), rng.lognormal(6, 1.2, n), rng.integers(1, 800, n)])


def by_hand(amount: float, tenure: float, horizon: int, least: float) -> float:
    days = 365.0 if horizon >= 365 else min(max(tenure, horizon), 365)
    return math.log(max(amount, least) * horizon / days)


@given(
    amount=st.floats(-1e4, 2e5),
    tenure=st.floats(0, 4000),
    horizon=st.sampled_from([7, 30, 90, 180, 364, 500]),
)
def test_it_is_the_run_rate_up_to_half_a_step_for_each_column(
    amount: float, tenure: float, horizon: int
) -> None:
    X = bought()
    rate = log_run_rate(X, NAMES, horizon)
    assert rate is not None
    least, most = FLOOR_OF_MEDIAN * float(np.median(X[:, 1])), BEYOND * float(X[:, 1].max())
    want = by_hand(min(amount, most), tenure, horizon, least)
    assert rate.margin(np.array([[0.0, amount, tenure]]))[0] == pytest.approx(want, abs=STEP)


def test_who_has_not_bought_counts_as_little_and_as_new() -> None:
    X = bought()
    rate = log_run_rate(X, NAMES, 90)
    assert rate is not None
    rows = np.array([[0, np.nan, np.nan], [0, 0, 90], [0, -500, 5], [9, np.nan, 90]], dtype=np.float64)
    assert np.unique(rate.margin(rows)).size == 1
    assert rate.margin(rows)[0] == pytest.approx(math.log(FLOOR_OF_MEDIAN * np.median(X[:, 1])), abs=STEP)


def test_it_goes_on_where_trees_stop() -> None:
    X = bought()
    y = X[:, 1] / 4
    rate = log_run_rate(X, NAMES, 90)
    assert rate is not None
    params = {"num_leaves": 7, "learning_rate": 0.1, "num_threads": 1}
    trees = fit_value(X, y, distribution="gamma", names=NAMES, params=params, rounds=40, seed=7).booster
    top = np.tile(X[X[:, 1].argmax()], (2, 1))
    top[1, 1] *= 10
    assert np.diff(trees.margin(top)) == 0
    assert np.diff(rate.margin(top)) == pytest.approx(math.log(10), abs=STEP)
    assert np.diff(combined([trees, rate], [0.75, 0.25]).margin(top)) == pytest.approx(
        0.25 * math.log(10), abs=STEP
    )


def test_rows_may_stand_in_any_order() -> None:
    X = bought()
    order = np.random.default_rng(1).permutation(len(X))
    one, other = log_run_rate(X, NAMES, 90), log_run_rate(X[order], NAMES, 90)
    assert one is not None
    assert other is not None
    assert one.text == other.text


@pytest.mark.parametrize("names", [["other", AMOUNT, "b"], ["other", "a", TENURE], list("abc")])
def test_without_its_columns_there_is_none(names: list[str]) -> None:
    assert log_run_rate(bought(), names, 90) is None


def test_where_nobody_has_bought_there_is_none() -> None:
    X = bought()
    X[:, 1] = np.where(np.arange(len(X)) % 2, 0.0, np.nan)
    assert log_run_rate(X, NAMES, 90) is None


def world(
    believed: float, n: int = 600, seed: int = 5
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Return values, what trees and run rate say of them, and groups; trees err where they do not."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(6, 1, n)
    trees, rate = (truth + s * rng.normal(size=n) for s in (0.4, 0.4 / max(believed, 1e-9)))
    return (
        np.exp(truth + 0.3 * rng.normal(size=n)),
        trees,
        np.minimum(rate, 20),
        [f"g{k % 90}" for k in range(n)],
    )


def test_gain_and_error_are_those_of_the_deviance_by_hand() -> None:
    actual, trees, rate, groups = world(0.8)
    actual[:20] = -3.0
    found = choose(actual, trees, rate, groups)
    came = [max(a, 0.0) for a in actual]

    def losses(log: np.ndarray) -> list[float]:
        said = [math.exp(v) for v in log]
        scale = sum(came) / sum(said)
        return [
            4 * (math.sqrt(p * scale) - math.sqrt(a)) ** 2 / math.sqrt(p * scale)
            for p, a in zip(said, came, strict=True)
        ]

    alone, mean = losses(trees), float(np.mean(losses(np.zeros(len(came)))))
    mixed = losses((1 - SHARE) * trees + SHARE * rate)
    gains = [(a - b) / mean for a, b in zip(alone, mixed, strict=True)]
    assert found.gain == pytest.approx(sum(gains) / len(gains), abs=1e-12)
    by_group: dict[str, float] = {}
    for gain, group in zip(gains, groups, strict=True):
        by_group[group] = by_group.get(group, 0.0) + gain - found.gain
    error = math.sqrt(sum(v**2 for v in by_group.values())) / len(gains)
    assert found.error == pytest.approx(error, rel=1e-9)


def test_as_good_as_the_trees_it_is_taken_and_far_worse_it_is_left_out() -> None:
    good, bad = choose(*world(1.0)), choose(*world(0.1))
    assert good.share == SHARE
    assert bad.share == 0.0
    assert bad.gain < -bad.error


def test_better_by_less_than_a_standard_error_the_trees_stay_alone() -> None:
    actual, trees, rate, _ = world(1.0)
    half = len(actual) // 2
    worse = trees[half:] + 0.8 * (trees[half:] - rate[half:])
    found = choose(actual, trees, np.concatenate([rate[:half], worse]), ["a"] * half + ["b"] * half)
    assert 0 < found.gain <= found.error
    assert found.share == 0.0


def test_neither_units_nor_the_order_of_rows_nor_levels_decide() -> None:
    actual, trees, rate, groups = world(0.8)
    plain = choose(actual, trees, rate, groups)
    order = np.random.default_rng(2).permutation(len(actual))
    other = choose(actual[order] * 1000, trees[order] + 3, rate[order] - 700, [groups[k] for k in order])
    assert other.share == plain.share
    assert (other.gain, other.error) == pytest.approx((plain.gain, plain.error), rel=1e-9)


def test_equal_values_leave_nothing_to_choose() -> None:
    _, trees, rate, groups = world(1.0)
    assert choose(np.full(len(trees), 4.0), trees, rate, groups).share == 0.0


def test_a_record_reads_back() -> None:
    found = choose(*world(0.8))
    assert Steady.of(found.record()) == found
    assert Steady.of(None) is None
