"""Bounds of what a win brings: learned from wins not seen, wide as the truth, the same for any order."""

from typing import Any

import numpy as np
import pytest

from hva_ml.calibration import ValueSpread
from hva_ml.jobs.leads.worth import BLOCKS, UNJUDGED, _parts, _spread


def test_later_wins_judge_what_earlier_ones_taught() -> None:
    order = np.repeat(np.arange(100), 3)[np.random.default_rng(1).permutation(300)]
    parts = list(_parts([str(k) for k in range(300)], order, 1))
    assert len(parts) == BLOCKS - UNJUDGED
    for fit, judge in parts:
        assert order[fit].max() < order[judge].min()
    assert sum(judge.sum() for _, judge in parts) == 300 * (BLOCKS - UNJUDGED) // BLOCKS


def test_without_time_other_groups_judge_and_every_win_is_judged_once() -> None:
    groups = [f"G{k % 40}" for k in range(200)]
    parts = list(_parts(groups, None, 1))
    assert sum(judge.astype(int) for _, judge in parts).tolist() == [1] * 200
    for fit, judge in parts:
        assert {g for g, m in zip(groups, fit, strict=True) if m}.isdisjoint(
            g for g, m in zip(groups, judge, strict=True) if m
        )
    mixed = np.random.default_rng(2).permutation(200)
    again = list(_parts([groups[k] for k in mixed], None, 1))
    for (fit, _), (other, _) in zip(parts, again, strict=True):
        assert fit[mixed].tolist() == other.tolist()


@pytest.mark.parametrize("sigma", [0.3, 1.0])
def test_the_bounds_are_as_wide_as_the_truth(sigma: float) -> None:
    rng = np.random.default_rng(3)
    values = np.exp(rng.normal(8, sigma, 2_000))
    groups = [str(k) for k in range(2_000)]

    def mean(fit: Any, judge: Any) -> Any:
        return np.full(int(judge.sum()), np.log(values[fit].mean()))

    found = _spread(list(_parts(groups, None, 1)), values, groups, 0.8, mean)
    assert isinstance(found, ValueSpread)
    low, high = found.bounds(np.array([np.log(values.mean())]))
    new = np.exp(rng.normal(8, sigma, 20_000))
    assert np.mean((low <= new) & (new <= high)) == pytest.approx(0.8, abs=0.03)


def test_too_few_wins_have_no_bounds() -> None:
    few = np.full(8, 100.0)

    def never(fit: Any, judge: Any) -> Any:
        raise AssertionError

    assert _spread(list(_parts(list("abcdefgh"), None, 1)), few, list("abcdefgh"), 0.8, never) is None
    assert _spread([], np.empty(0), [], 0.8, never) is None
