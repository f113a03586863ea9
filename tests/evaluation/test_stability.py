"""The population stability index, against plain Python, and what it is under no change."""

import math
from bisect import bisect_left

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.evaluation.stability import shift

SAMPLES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


def oracle(before: list[float], after: list[float], bins: int) -> float:
    """Cut at the smallest values that a k-th of the earlier sample does not exceed."""
    ordered = sorted(before)
    cuts = sorted({ordered[math.ceil(len(ordered) * k / bins) - 1] for k in range(1, bins)})
    shares = []
    for sample in (before, after):
        counts = [0.5] * (len(cuts) + 1)
        for value in sample:
            counts[bisect_left(cuts, value)] += 1
        shares.append([c / sum(counts) for c in counts])
    return math.fsum((a - b) * math.log(a / b) for b, a in zip(*shares, strict=True))


@given(SAMPLES, SAMPLES, st.sampled_from([2, 4, 8]))
def test_it_is_what_plain_python_says(before: list[float], after: list[float], bins: int) -> None:
    found = shift(np.array(before), np.array(after), bins)
    assert math.isclose(found.index, oracle(before, after, bins), rel_tol=1e-9, abs_tol=1e-12)
    assert found.index >= 0
    assert found.chance > 0


@given(SAMPLES, st.randoms())
def test_the_same_numbers_in_any_order_have_not_moved(sample: list[float], rng: object) -> None:
    mixed = list(sample)
    rng.shuffle(mixed)  # type: ignore[attr-defined]
    assert shift(np.array(sample), np.array(mixed)).index == 0.0


def test_chance_is_exceeded_about_once_in_a_thousand_times_under_no_change() -> None:
    rng = np.random.default_rng(5)
    pairs = [shift(rng.normal(size=300), rng.normal(size=500)) for _ in range(2000)]
    assert sum(s.index > s.chance for s in pairs) <= 8
    # It is no loose bound either: half of it is exceeded often.
    assert sum(s.index > s.chance / 2 for s in pairs) > 50


def test_a_shift_of_half_a_standard_deviation_is_far_beyond_chance() -> None:
    rng = np.random.default_rng(6)
    found = shift(rng.normal(size=3000), rng.normal(0.5, 1, size=3000))
    assert found.index > 0.2 > found.chance


POSITIVE = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=60)


@given(POSITIVE, st.floats(0, 0.5), st.floats(-0.9, 0.9))
def test_numbers_that_all_move_by_less_than_the_tolerance_have_not_moved(
    sample: list[float], tolerance: float, part: float
) -> None:
    before = np.array(sample)
    after = before * (1 + part * tolerance)
    assert shift(before, after, tolerance=tolerance).index == 0.0
    assert shift(before, after, tolerance=tolerance).chance == shift(before, after).chance


def test_many_equal_scores_that_move_by_a_hair_are_no_other_distribution_and_by_more_they_are() -> None:
    rng = np.random.default_rng(7)
    before = np.r_[np.full(1300, 0.05), rng.beta(2, 4, 2700)]
    hair, more = before * 1.02, before * 1.3
    assert shift(before, hair).index > 0.1
    assert shift(before, hair, tolerance=0.05).index < 0.01
    assert shift(before, more, tolerance=0.05).index > 0.1
    # Half of the equal ones are gone.
    fewer = np.r_[np.full(650, 0.05), rng.beta(2, 4, 3350)]
    assert shift(before, fewer, tolerance=0.05).index > 0.1
