"""Bounds of values hold as often as they say, for conversions that came later."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.calibration import ValueSpread
from hva_ml.errors import IntegrityError


def came(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return predictions that are too high, and values whose spread falls with size; three rows a group."""
    rng = np.random.default_rng(seed)
    told = rng.normal(6, 1, n)
    y = np.exp(told - 0.4 + rng.normal(size=n) * np.interp(told, [4, 8], [1.2, 0.3]))
    return told, y, [f"g{k // 3}" for k in range(n)]


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_the_bounds_hold_for_small_and_large_alike(level: float) -> None:
    told, y, groups = came(3000, 1)
    found = ValueSpread.learn(told, y, groups, level)
    assert found is not None
    assert (found.rows, found.groups) == (3000, 1000)
    later, actual, _ = came(6000, 2)
    low, high = found.bounds(later)
    inside = (low <= actual) & (actual <= high)
    assert abs(inside.mean() - level) < 0.03
    for half in (later < 6, later >= 6):
        assert abs(inside[half].mean() - level) < 0.06
    assert abs((actual < low).mean() - (actual > high).mean()) < 0.03


def test_few_groups_widen_the_bounds_and_too_few_give_none() -> None:
    """On average over small samples the bounds hold at least as often as they say."""
    held = []
    for seed in range(200):
        told, y, groups = came(60, seed)
        found = ValueSpread.learn(told, y, groups, 0.8)
        assert found is not None
        assert found.width[0] == found.width[1]
        later, actual, _ = came(300, 1000 + seed)
        low, high = found.bounds(later)
        held.append(((low <= actual) & (actual <= high)).mean())
    assert 0.8 <= np.mean(held) < 0.9
    told, y, groups = came(24, 3)
    assert ValueSpread.learn(told, y, groups, 0.8) is None
    assert ValueSpread.learn(told[:0], y[:0], [], 0.8) is None


def test_returns_lie_below_all_but_nothing() -> None:
    told, y, groups = came(600, 4)
    y[:90] = -5.0
    found = ValueSpread.learn(told, y, groups, 0.8)
    assert found is not None
    low, high = found.bounds(np.array([6.0]))
    assert low.tolist() == [0.0]
    assert np.isfinite(high).all()
    assert ValueSpread.from_record(found.record()) == found
    assert ValueSpread.learn(told, np.zeros(600), groups, 0.8) is None


@given(st.integers(0, 50), st.permutations(list(range(90))))
def test_neither_order_nor_currency_matter(seed: int, order: list[int]) -> None:
    told, y, groups = came(90, seed)
    found = ValueSpread.learn(told, y, groups, 0.8)
    mixed = ValueSpread.learn(told[order], y[order], [groups[k] for k in order], 0.8)
    assert found == mixed
    assert found is not None
    cents = ValueSpread.learn(told + np.log(100), 100 * y, groups, 0.8)
    assert cents is not None
    for ours, theirs in zip(found.bounds(told), cents.bounds(told + np.log(100)), strict=True):
        np.testing.assert_allclose(100 * ours, theirs, rtol=1e-9)


def test_bounds_that_are_none_are_refused() -> None:
    found = ValueSpread.learn(*came(90, 5), 0.8)
    assert found is not None
    for change in ({"width": (0.0, 1.0)}, {"high": -9.0}, {"level": 1.0}, {"at": (2.0, 1.0)}):
        with pytest.raises(IntegrityError):
            replace(found, **change)
