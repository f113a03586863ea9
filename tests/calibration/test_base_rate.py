"""Where the base rate stands: a drift is followed where it lasts, and found nowhere else."""

import json
from datetime import date

import numpy as np
import pytest
from scipy.special import expit
from tests.calibration.simulated import cohort_rows

from hva_ml import calibration
from hva_ml.calibration import Later, Platt
from hva_ml.calibration.base_rate import DRIFT_SDS, OFFSET_SD, Cohort, _filtered, base_rate
from hva_ml.calibration.level import COHORT_SD
from hva_ml.cutoffs import MICROSECONDS_PER_DAY

WALK = np.cumsum(np.random.default_rng(11).normal(0.25, 0.5, 12)) - 2.0
STILL = np.full(12, -1.5)


def pooled(later: Later) -> Platt:
    return Platt.fit(later.margin, later.converted)


def logits(later: Later) -> np.ndarray:
    return pooled(later).logit(later.margin)


def test_the_filter_is_the_posterior_of_a_random_walk_seen_with_noise() -> None:
    """Oracle: the joint normal distribution of all levels and offsets, conditioned by linear algebra."""
    days, step, swing = np.array([0.0, 30.0, 90.0, 200.0]), 0.7, 0.4
    offsets, errors = np.array([0.3, -0.2, 0.8, 1.1]), np.array([0.1, 0.5, 0.2, 0.3])
    cohorts = [
        Cohort(round(d * MICROSECONDS_PER_DAY), 1, 0, 0.5, o, e)
        for d, o, e in zip(days, offsets, errors, strict=True)
    ]
    at = np.append(days, 260.0)
    between = swing**2 + step**2 / 90 * np.minimum.outer(at, at)
    seen = between[:4, :4] + np.diag(errors**2 + swing**2)
    mean = between[4, :4] @ np.linalg.solve(seen, offsets)
    variance = between[4, 4] - between[4, :4] @ np.linalg.solve(seen, between[:4, 4])
    assert _filtered(cohorts, step, swing, 260.0) == pytest.approx((mean, variance))


def test_a_level_that_drifts_is_followed() -> None:
    later, _ = cohort_rows(WALK, 1500, seed=1)
    found = base_rate(later, logits(later), "drift", wait_days=90)
    assert found.drift > 0.1
    used = pooled(later).shifted(found.offset)
    # The last cohort stands for where the level is: the pooled map is far from it, the moved one is not.
    there = expit(0.8 * later.margin + WALK[-1]).mean()
    assert abs(used.probability(later.margin).mean() - there) < 0.4 * abs(
        pooled(later).probability(later.margin).mean() - there
    )
    assert [c.rate > c.promised for c in found.cohorts] == [c.offset > 0 for c in found.cohorts]
    assert found.sd > COHORT_SD


@pytest.mark.parametrize("rule", ["pooled", "drift"])
def test_a_level_that_stands_still_is_left_alone(rule: str) -> None:
    later, _ = cohort_rows(STILL, 1500, seed=2)
    found = base_rate(later, logits(later), rule, wait_days=90)
    assert abs(found.offset) < 0.05
    assert found.sd < 1.3 * COHORT_SD
    assert sum(c.rows for c in found.cohorts) == len(later.margin)
    assert sum(c.converted for c in found.cohorts) == later.converted.sum()


def test_a_season_that_turns_before_it_is_known_is_no_drift() -> None:
    levels = -1.5 + 0.6 * np.sin(np.arange(24) * 2 * np.pi / 12)
    later, _ = cohort_rows(levels, 800, seed=3, every_days=30)
    found = base_rate(later, logits(later), "drift", wait_days=180)
    assert abs(found.offset) < 0.15
    # The same swings, foretold from one month to the next, would look as if they lasted.
    assert base_rate(later, logits(later), "drift", wait_days=30).drift > found.drift


def test_the_pooled_level_is_less_sure_where_cohorts_differ() -> None:
    sds = []
    for swing in (0.0, 0.3, 0.8):
        levels = -1.5 + swing * np.random.default_rng(4).normal(size=12)
        later, _ = cohort_rows(levels, 1500, seed=5)
        sds.append(base_rate(later, logits(later), "pooled", wait_days=90).sd)
    assert sds[0] < sds[1] < sds[2]
    assert sds[2] == pytest.approx(0.8, rel=0.4)
    one, _ = cohort_rows(STILL[:1], 1500, seed=6)
    assert base_rate(one, logits(one), "pooled", wait_days=90).sd == pytest.approx(COHORT_SD * 2**0.5)


def test_a_cohort_in_which_nobody_converted_has_a_finite_offset() -> None:
    later, _ = cohort_rows(np.array([-1.0, -40.0, -1.0]), 400, seed=7)
    found = base_rate(later, logits(later), "drift", wait_days=90)
    assert found.cohorts[1].converted == 0
    assert -4 < found.cohorts[1].offset < -1
    assert 0 < found.cohorts[1].error < OFFSET_SD
    assert found.drift in DRIFT_SDS


@pytest.mark.parametrize("kind", ["platt", "beta", "auto"])
@pytest.mark.parametrize("rule", ["pooled", "drift"])
def test_row_order_changes_no_bit_of_all_that_is_learned(kind: str, rule: str) -> None:
    later, rng = cohort_rows(WALK[:5], 400, seed=8)
    order = rng.permutation(len(later.margin))
    groups = np.array(later.groups)
    again = Later.of(
        later.margin[order], later.converted[order], later.cutoff[order], groups[order].tolist(),
        later.weight[order],
    )  # fmt: skip
    one, two = (
        calibration.calibrate(rows, kind, rule, interval=0.8, wait_days=90, seed=7) for rows in (later, again)
    )
    assert one.map == two.map
    days = {c: date(2025, 1, k + 1) for k, c in enumerate(np.unique(later.cutoff).tolist())}
    assert json.dumps(one.record(days)) == json.dumps(two.record(days))
    assert calibration.from_dict(json.loads(json.dumps(one.map.to_dict()))) == one.map
    assert (one.form is None) == (kind != "auto")
