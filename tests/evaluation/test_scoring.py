"""Proper scores against scikit-learn, the exact decomposition, the calibration line against a plain fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as reference_log_loss

from hva_ml.evaluation.scoring import (
    brier,
    calibration_error,
    calibration_line,
    calibration_shift,
    equal_mass_bins,
    log_loss,
    murphy,
)


def sample(rows: int = 400, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    z = rng.normal(-0.5, 1.2, rows)
    converted = (rng.random(rows) < 1 / (1 + np.exp(-0.7 * z - 0.3))).astype(float)
    weight = rng.integers(0, 4, rows).astype(float)
    return 1 / (1 + np.exp(-z)), converted, weight


def test_log_loss_and_brier_are_those_of_scikit_learn() -> None:
    p, y, w = sample()
    assert log_loss(p, y, w[None, :])[0] == pytest.approx(reference_log_loss(y, p, sample_weight=w))
    assert brier(p, y, w[None, :])[0] == pytest.approx(brier_score_loss(y, p, sample_weight=w))


def test_log_loss_bears_a_certain_prediction() -> None:
    assert log_loss(np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.ones((1, 2)))[0] == pytest.approx(
        -np.log(1e-15) / 2
    )


@given(st.integers(0, 10_000), st.sampled_from([0, 1, 2]))
def test_the_decomposition_adds_up_exactly(seed: int, digits: int) -> None:
    p, y, w = sample(60, seed)
    p = p.round(digits)
    w[0] = 1.0
    reliability, resolution, uncertainty = murphy(p, y, equal_mass_bins(p), w[None, :])
    total = reliability - resolution + uncertainty
    assert total[0] == pytest.approx(brier(p, y, w[None, :])[0], abs=1e-14)
    assert reliability[0] >= 0


def test_with_one_probability_a_bin_it_is_murphys_own_decomposition() -> None:
    p = np.repeat([0.2, 0.5, 0.9], 20)
    y = (np.random.default_rng(2).random(60) < p).astype(float)
    reliability, resolution, uncertainty = murphy(p, y, equal_mass_bins(p), np.ones((1, 60)))
    rate = y.mean()
    seen = [y[p == q].mean() for q in (0.2, 0.5, 0.9)]
    assert reliability[0] == pytest.approx(
        np.mean([(q - o) ** 2 for q, o in zip((0.2, 0.5, 0.9), seen, strict=True)])
    )
    assert resolution[0] == pytest.approx(np.mean([(o - rate) ** 2 for o in seen]))
    assert uncertainty[0] == pytest.approx(rate * (1 - rate))


def test_bins_are_of_equal_size_and_never_part_ties() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(1000)
    assert np.bincount(equal_mass_bins(p)).tolist() == [100] * 10
    tied = rng.integers(0, 4, 1000) / 4
    bins = equal_mass_bins(tied)
    assert all(len(np.unique(bins[tied == t])) == 1 for t in np.unique(tied))
    order = rng.permutation(1000)
    assert (equal_mass_bins(tied[order]) == bins[order]).all()


def test_calibration_error_counted_by_hand() -> None:
    p = np.repeat([0.1, 0.6], 50)
    y = np.zeros(100)
    y[:10] = 1.0
    y[50:90] = 1.0
    error = calibration_error(p, y, equal_mass_bins(p), np.ones((1, 100)))[0]
    assert error == pytest.approx(0.5 * abs(0.1 - 0.2) + 0.5 * abs(0.6 - 0.8))


def test_the_calibration_line_is_an_unpenalized_logistic_fit() -> None:
    p, y, w = sample(3000)
    z = np.log(p / (1 - p))[:, None]
    plain = LogisticRegression(C=np.inf, tol=1e-12, solver="newton-cholesky").fit(z, y, sample_weight=w)
    weights = np.vstack([w, np.ones_like(w)])
    assert calibration_line(p, y, weights)[0] == pytest.approx(plain.coef_[0, 0], rel=1e-6)


def test_the_shift_makes_totals_agree() -> None:
    p, y, w = sample(3000)
    shift = calibration_shift(p, y, w[None, :])[0]
    moved = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + shift)))
    assert w @ moved == pytest.approx(w @ y, rel=1e-9)


def test_true_probabilities_are_found_well_calibrated() -> None:
    rng = np.random.default_rng(4)
    p = rng.beta(1, 4, 40_000)
    y = (rng.random(40_000) < p).astype(float)
    one = np.ones((1, 40_000))
    assert calibration_line(p, y, one)[0] == pytest.approx(1.0, abs=0.05)
    assert calibration_shift(p, y, one)[0] == pytest.approx(0.0, abs=0.05)
    assert calibration_error(p, y, equal_mass_bins(p), one)[0] < 0.01


@pytest.mark.parametrize(
    ("p", "y"),
    [
        ([0.2, 0.3, 0.4, 0.5], [0, 0, 0, 0]),
        ([0.3, 0.3, 0.3, 0.3], [0, 1, 0, 1]),
        ([0.1, 0.2, 0.7, 0.8], [0, 0, 1, 1]),
    ],
    ids=["one class", "equal probabilities", "perfectly parted"],
)
def test_a_slope_that_does_not_exist_is_nan(p: list[float], y: list[int]) -> None:
    assert np.isnan(calibration_line(np.array(p), np.array(y, dtype=float), np.ones((2, 4)))).all()


def test_extreme_probabilities_do_not_break_the_fit() -> None:
    p = np.array([0.0, 1.0, 1e-12, 1 - 1e-12, 0.5, 0.5])
    y = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    assert np.isfinite(calibration_shift(p, y, np.ones((1, 6)))[0])
    assert abs(calibration_line(p, y, np.ones((1, 6)))[0]) < 1
