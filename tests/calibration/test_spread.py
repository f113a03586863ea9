"""How sure a probability is: the bounds hold as often as they say, and widen where there is less to go by."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from scipy.special import expit, logit
from tests.calibration.simulated import cohort_rows

from hva_ml import calibration
from hva_ml.calibration import Beta, Calibrator, Later, Platt, Spread
from hva_ml.errors import ContractError, IntegrityError, NotEnoughDataError

MARGINS = np.linspace(-4, 3, 29)


def calibrated(later: Later, kind: str = "platt", interval: float = 0.8) -> Calibrator:
    found = calibration.calibrate(later, kind, "pooled", interval=interval, wait_days=90, seed=7)
    return found.map


@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_the_covariance_is_what_resampling_groups_tends_to(kind: str) -> None:
    later, rng = cohort_rows(np.full(3, -1.0), 500, seed=1)
    # Every account comes back as it was: three rows of a group tell as much as one.
    y = (later.group % 2).astype(float)
    y = np.where(rng.random(len(y)) < 0.5, y, later.converted)
    later = replace(later, converted=y)
    found = calibrated(later, kind)
    assert found.spread is not None
    maps = []
    by_group = [np.flatnonzero(later.group == g) for g in range(len(later.names))]
    for _ in range(300):
        rows = np.concatenate([by_group[g] for g in rng.integers(0, len(by_group), len(by_group))])
        maps.append(calibration.fit(kind, later.margin[rows], later.converted[rows]).logit(MARGINS))
    drawn = np.std(maps, axis=0)
    told = np.sqrt(
        np.einsum("in,ij,jn->n", found.columns(MARGINS), found.spread.covariance, found.columns(MARGINS))
    )
    np.testing.assert_allclose(told, drawn, rtol=0.25)


def test_the_bounds_hold_as_often_as_they_say_for_the_rate_of_a_coming_cohort() -> None:
    """The truth is known: the level swings from cohort to cohort, and the next one is yet another draw."""
    held = []
    for seed in range(150):
        levels = np.random.default_rng(10_000 + seed).normal(-1.5, 0.25, 5)
        later, _ = cohort_rows(levels[:4], 300, seed=seed)
        low, high = calibrated(later).interval(MARGINS)
        truth = expit(0.8 * MARGINS + levels[4])
        held.append((low <= truth) & (truth <= high))
    assert 0.76 <= np.mean(held) <= 0.90
    by_margin = np.mean(held, axis=0)
    assert by_margin.min() > 0.70


def test_fewer_rows_make_wider_bounds() -> None:
    widths = []
    for rows in (4000, 400, 60):
        later, _ = cohort_rows(np.full(2, -1.5), rows, seed=3)
        low, high = calibrated(later).interval(MARGINS)
        widths.append(np.mean(logit(high) - logit(low)))
    assert widths[0] < widths[1] < widths[2]
    assert widths[2] > 1.5 * widths[0]


@given(
    st.sampled_from(["platt", "beta"]), st.integers(0, 50), st.integers(20, 200), st.floats(0.5, 0.99),
    st.lists(st.floats(-700, 700), min_size=1),
)  # fmt: skip
def test_a_probability_lies_within_its_bounds(kind, seed, rows, interval, margins) -> None:
    later, _ = cohort_rows(np.array([-0.5, -1.0]), rows, seed=seed)
    try:
        found = calibrated(later, kind, interval)
    except NotEnoughDataError:  # so few rows may say by chance that higher scores convert less
        reject()
    margin = np.array([*margins, *MARGINS])
    low, high = found.interval(margin)
    p = found.probability(margin)
    assert ((low >= 0) & (low <= p) & (p <= high) & (high <= 1)).all()
    wider = replace(found, spread=replace(found.spread, level=0.995)).interval(margin)
    assert ((wider[0] <= low) & (wider[1] >= high)).all()


def test_a_map_that_does_not_know_says_so() -> None:
    for found in (Platt(1.0, 0.0), Beta(1.0, 1.0, 0.0)):
        assert np.isnan(found.interval(MARGINS)).all()
        assert "spread" not in found.to_dict()


@pytest.mark.parametrize(
    "change",
    [{"level_sd": 0.0}, {"freedom": 0.5}, {"level": 1.0}, {"covariance": ((1.0,), (2.0,))},
     {"covariance": ((float("nan"),),)}, {"level_sd": float("inf")}],
)  # fmt: skip
def test_an_impossible_spread_is_refused(change) -> None:
    good = {"covariance": ((1.0, 0.0), (0.0, 1.0)), "level_sd": 0.2, "freedom": 30.0, "level": 0.8}
    with pytest.raises(IntegrityError):
        Spread(**{**good, **change})
    with pytest.raises(IntegrityError):
        calibration.from_dict({"kind": "platt", "slope": 1.0, "intercept": 0.0, "spread": {"level_sd": 1}})


def test_rows_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ContractError, match="2 margins, 2 outcomes, 2 cutoffs, 1 groups"):
        Later.of(np.zeros(2), np.zeros(2), np.zeros(2, dtype=np.int64), ["a"])
