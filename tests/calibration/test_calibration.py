import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from hva_ml import calibration
from hva_ml.calibration import Beta, Platt
from hva_ml.errors import ContractError, IntegrityError, NotEnoughDataError

MARGINS = np.linspace(-700, 700, 2801)


def sample(n: int = 5000, slope: float = 0.7, intercept: float = -1.0, seed: int = 0):
    rng = np.random.default_rng(seed)
    margin = rng.normal(-1.5, 1.5, n)
    return margin, (rng.random(n) < expit(slope * margin + intercept)).astype(float)


def loss(logit: np.ndarray, y: np.ndarray) -> float:
    n1, n0 = y.sum(), (1 - y).sum()
    target = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    return float(np.mean(np.logaddexp(0, logit) - target * logit))


def test_platt_finds_the_known_map_and_the_optimum():
    margin, y = sample(40_000)
    found = Platt.fit(margin, y)
    assert found.slope == pytest.approx(0.7, abs=0.04)
    assert found.intercept == pytest.approx(-1.0, abs=0.06)
    oracle = minimize(lambda b: loss(b[0] * margin + b[1], y), [1.0, 0.0], method="BFGS", tol=1e-10)
    assert loss(found.logit(margin), y) <= oracle.fun + 1e-12
    np.testing.assert_allclose([found.slope, found.intercept], oracle.x, atol=1e-4)
    # At the optimum predicted and actual totals agree, up to Platt's targets.
    assert found.probability(margin).mean() == pytest.approx(y.mean(), abs=1e-4)


@pytest.mark.parametrize("skew", [0.0, 0.6, -0.6])
def test_beta_is_the_best_of_its_family(skew):
    rng = np.random.default_rng(3)
    margin = rng.normal(-0.5, 1.5, 8000)
    y = (rng.random(8000) < expit(margin + skew * np.abs(margin))).astype(float)
    found = Beta.fit(margin, y)
    u, w = -np.logaddexp(0, -margin), np.logaddexp(0, margin)
    oracle = minimize(
        lambda b: loss(b[0] * u + b[1] * w + b[2], y), [1.0, 1.0, 0.0], method="L-BFGS-B",
        bounds=[(1e-3, None), (1e-3, None), (None, None)], tol=1e-14,
    )  # fmt: skip
    assert loss(found.logit(margin), y) <= oracle.fun + 1e-10
    assert loss(found.logit(margin), y) <= loss(Platt.fit(margin, y).logit(margin), y) + 1e-10


@given(
    st.floats(1e-3, 10), st.floats(1e-3, 10), st.floats(-10, 10), st.lists(st.floats(-700, 700), min_size=1)
)
def test_maps_are_finite_and_increasing_everywhere(a, b, c, margins):
    margin = np.sort(np.array([*margins, *MARGINS]))
    for found in (Platt(a, c), Beta(a, b, c)):
        log_p = found.log_probability(margin)
        assert np.isfinite(log_p).all()
        assert (log_p <= 0).all()
        assert (np.diff(found.logit(margin)) >= 0).all()
        assert (np.diff(found.logit(MARGINS)) > 0).all()
        np.testing.assert_array_equal(found.probability(margin), np.exp(log_p))
        again = calibration.from_dict(json.loads(json.dumps(found.to_dict())))
        assert again == found


@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_row_order_changes_no_bit(kind):
    margin, y = sample(3000)
    order = np.random.default_rng(1).permutation(3000)
    assert calibration.fit(kind, margin, y) == calibration.fit(kind, margin[order], y[order])


@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_a_row_of_half_weight_twice_is_that_row(kind):
    margin, y = sample(3000)
    once = calibration.fit(kind, margin, y)
    twice = calibration.fit(kind, np.tile(margin, 2), np.tile(y, 2), np.full(6000, 0.5))
    np.testing.assert_allclose(twice.logit(MARGINS), once.logit(MARGINS), rtol=1e-6)
    weight = np.random.default_rng(2).uniform(0.1, 1, 3000)
    order = np.random.default_rng(1).permutation(3000)
    found = calibration.fit(kind, margin, y, weight)
    assert found == calibration.fit(kind, margin[order], y[order], weight[order])
    # Probabilities average to the base rate that the weights see.
    rate = np.average(y, weights=weight)
    assert np.average(found.probability(margin), weights=weight) == pytest.approx(rate, abs=1e-3)
    for bad in (weight[:-1], weight * 0, weight * np.nan):
        with pytest.raises(ContractError):
            calibration.fit(kind, margin, y, bad)


@pytest.mark.parametrize(("skew", "kind"), [(0.0, "platt"), (0.8, "beta"), (-0.8, "beta")])
def test_the_form_of_the_map_is_chosen_on_held_out_groups(skew, kind):
    rng = np.random.default_rng(5)
    margin = rng.normal(-0.5, 1.5, 12_000)
    y = (rng.random(12_000) < expit(margin + skew * np.abs(margin))).astype(float)
    groups = [f"G{k}" for k in rng.integers(0, 3000, 12_000)]
    found = calibration.choose(margin, y, groups, 7)
    assert found.kind == kind
    assert (found.gain > found.error) == (kind == "beta")
    order = rng.permutation(12_000)
    assert found == calibration.choose(margin[order], y[order], [groups[k] for k in order], 7)
    assert calibration.choose(margin[:40], y[:40], groups[:40], 7).kind == "platt"


@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_perfectly_separated_and_extreme_margins_stay_finite(kind):
    margin = np.concatenate([np.linspace(-3, -1, 50), np.linspace(1, 3, 50)])
    y = (margin > 0).astype(float)
    for scale in (1.0, 200.0, 1e-3):
        found = calibration.fit(kind, margin * scale, y)
        probability = found.probability(margin * scale)
        assert (probability[50:] > 0.5).all()
        assert (probability[:50] < 0.5).all()
        assert probability.max() < 0.999


@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_few_conversions_are_enough_to_be_careful(kind):
    margin = np.linspace(-4, 0, 300)
    y = np.zeros(300)
    y[[180, 250, 299]] = 1
    found = calibration.fit(kind, margin, y)
    assert 3 / 300 < found.probability(margin).mean() < 6 / 300


@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_a_model_that_does_not_order_is_refused(kind):
    margin, y = sample()
    for bad in (-margin, np.full(len(margin), 0.3)):
        with pytest.raises(NotEnoughDataError, match="Nothing to learn here"):
            calibration.fit(kind, bad, y)


@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_data_that_cannot_calibrate(kind):
    margin, y = sample(50)
    with pytest.raises(NotEnoughDataError, match="0 conversions and 50 others"):
        calibration.fit(kind, margin, np.zeros(50))
    with pytest.raises(NotEnoughDataError, match="0 conversions and 0 others"):
        calibration.fit(kind, np.zeros(0), np.zeros(0))
    for m, t in ((margin[:-1], y), (np.where(y == 1, np.inf, margin), y), (margin, y + 0.5)):
        with pytest.raises(ContractError):
            calibration.fit(kind, m, t)


@pytest.mark.parametrize(
    "record",
    [
        {}, {"kind": "isotonic"}, {"kind": "platt", "slope": 1.0},
        {"kind": "platt", "slope": -1.0, "intercept": 0},
        {"kind": "platt", "slope": 0.0, "intercept": 0}, {"kind": "platt", "slope": "x", "intercept": 0},
        {"kind": "beta", "a": 1.0, "b": -0.1, "c": 0.0},
        {"kind": "beta", "a": 1.0, "b": 1.0, "c": float("nan")},
    ],
)  # fmt: skip
def test_broken_records_are_integrity_errors(record):
    with pytest.raises(IntegrityError):
        calibration.from_dict(record)


def test_level_trusts_much_data_and_shrinks_little():
    rng = np.random.default_rng(4)
    predicted = np.exp(rng.normal(size=20_000))
    actual = 1.5 * predicted * rng.gamma(1.0, 1.0, 20_000)
    full = calibration.level(actual, predicted, cohort_sd=0)
    assert full == pytest.approx(np.log(1.5), abs=0.03)
    assert calibration.level(actual, predicted) == pytest.approx(full / 2, rel=0.01)
    few = calibration.level(actual[:20], predicted[:20], cohort_sd=0)
    raw = np.log(actual[:20].sum() / predicted[:20].sum())
    assert 0 < few / raw < 0.8
    exact = calibration.level(predicted * 2, predicted, cohort_sd=0)
    assert exact == pytest.approx(np.log(2))
    # One giant account says little about the level of all.
    giant = np.append(predicted[:200], 1e5)
    assert abs(calibration.level(giant, np.ones(201), cohort_sd=0)) < 0.1 * np.log(giant.sum() / 201)


@given(st.permutations(range(60)), st.floats(0.01, 1000))
def test_level_knows_no_row_order_and_no_currency(order, scale):
    rng = np.random.default_rng(6)
    predicted = np.exp(rng.normal(size=60))
    actual = predicted * rng.gamma(1.0, 1.0, 60)
    plain = calibration.level(actual, predicted)
    assert calibration.level(actual[list(order)], predicted[list(order)]) == plain
    assert calibration.level(actual * scale, predicted * scale) == pytest.approx(plain)


def test_level_without_value_or_with_wrong_predictions():
    with pytest.raises(NotEnoughDataError, match="no value in total"):
        calibration.level(np.array([5.0, -9.0]), np.ones(2))
    with pytest.raises(NotEnoughDataError):
        calibration.level(np.zeros(0), np.zeros(0))
    for actual, predicted in (
        (np.ones(2), np.ones(3)),
        (np.ones(2), np.zeros(2)),
        (np.ones(1), np.array([np.inf])),
    ):
        with pytest.raises(ContractError):
            calibration.level(actual, predicted)
