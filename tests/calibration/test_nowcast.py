"""How far cohorts are believed whose horizon still runs."""

import numpy as np
import pytest

from hva_ml.calibration import COHORT_SD, LEAST_COHORTS, nowcast

HORIZON = 90


def even(many: int, wobble: float = 0.0, seed: int = 1) -> np.ndarray:
    """Cohorts that bring 1,000 in equal parts, each hurried or delayed by chance."""
    hurry = np.exp(wobble * np.random.default_rng(seed).normal(size=many))
    share = np.linspace(0.0, 1.0, HORIZON + 1)[None, :] ** hurry[:, None]
    return 1000.0 * share


def test_what_comes_as_promised_moves_nothing() -> None:
    found = nowcast(even(6), [400.0, 200.0], [60, 30], [600.0, 600.0], swing_sd=COHORT_SD)
    assert found.moved == pytest.approx(0.0, abs=1e-12)
    assert [look.share for look in found.looks] == pytest.approx([2 / 3, 1 / 3])


@pytest.mark.parametrize("times", [0.2, 0.8, 1.3, 4.0])
def test_what_comes_otherwise_moves_that_way_and_at_most_half_as_far(times: float) -> None:
    found = nowcast(even(12), [400.0 * times], [60], [600.0], swing_sd=COHORT_SD)
    assert found.ratio == pytest.approx(np.log(times))
    assert found.sd > COHORT_SD
    assert np.sign(found.moved) == np.sign(found.ratio)
    assert abs(found.moved) < abs(found.ratio) / 2


def test_a_horizon_whose_days_tell_little_of_the_rest_is_hardly_believed() -> None:
    steady, erratic = (
        nowcast(even(12, wobble), [200.0], [60], [600.0], swing_sd=COHORT_SD) for wobble in (0.05, 1.5)
    )
    assert erratic.looks[0].error > 4 * steady.looks[0].error
    assert abs(erratic.moved) / abs(erratic.ratio) < 0.5 * abs(steady.moved) / abs(steady.ratio)


def test_many_looks_at_the_same_days_are_no_surer_than_the_surest() -> None:
    over = even(12, 0.3)
    one = nowcast(over, [200.0], [60], [600.0], swing_sd=COHORT_SD)
    many = nowcast(over, [200.0] * 5, [60] * 5, [600.0] * 5, swing_sd=COHORT_SD)
    assert many.moved == pytest.approx(one.moved)


@pytest.mark.parametrize(
    ("over", "came", "promised"),
    [
        (even(LEAST_COHORTS - 1), 100.0, 600.0),
        (even(6), 0.0, 600.0),
        (even(6), -50.0, 600.0),
        (even(6), 100.0, 0.0),
        (np.zeros((6, HORIZON + 1)), 100.0, 600.0),
    ],
)
def test_where_nothing_can_be_told_nothing_is_moved(over: np.ndarray, came: float, promised: float) -> None:
    found = nowcast(over, [came], [60], [promised], swing_sd=COHORT_SD)
    assert (found.moved, found.looks) == (0.0, ())


def test_it_pays_where_levels_last_and_costs_little_where_they_do_not() -> None:
    """400 worlds: a lasting level of sd 0.25, or none; cohorts swing by 0.15, days by chance."""
    rng, missed = np.random.default_rng(7), {}
    for lasting in (0.25, 0.0):
        before, after = [], []
        for _ in range(400):
            level = lasting * rng.normal()
            over = even(8, 0.2, int(rng.integers(1 << 30)))
            now = even(1, 0.2, int(rng.integers(1 << 30)))[0] * np.exp(level + 0.15 * rng.normal())
            coming = level + 0.15 * rng.normal()
            moved = nowcast(over, [now[45]], [45], [1000.0], swing_sd=0.15).moved
            before.append(coming**2)
            after.append((coming - moved) ** 2)
        missed[lasting] = float(np.mean(after) / np.mean(before))
    assert missed[0.25] < 0.75
    assert missed[0.0] < 2.5
