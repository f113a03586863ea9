"""Lifetime value is a sum of windows that never falls, and nobody comes back to life."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.calibration import LifetimeValue, LifetimeWindow, Platt, lasting
from hva_ml.errors import ContractError

SLOPES, INTERCEPTS = st.floats(0.1, 3.0), st.floats(-3.0, 3.0)
MAPS = st.builds(Platt, SLOPES, INTERCEPTS)
ROWS = st.lists(st.tuples(st.floats(0.001, 0.999), st.floats(0.01, 1e6)), min_size=1, max_size=20)


@st.composite
def models(draw: st.DrawFn) -> LifetimeValue:
    count = draw(st.integers(1, 4))
    windows = tuple(
        LifetimeWindow(90 * (k + 2), draw(MAPS), draw(st.floats(-1.0, 1.0))) for k in range(count)
    )
    return LifetimeValue(
        90, windows, tuple(draw(MAPS) for _ in range(count)), draw(st.sampled_from([0.0, 0.1]))
    )


@given(model=models(), rows=ROWS)
def test_increments_sum_to_the_value_and_survival_never_rises(
    model: LifetimeValue, rows: list[tuple[float, float]]
) -> None:
    p, v = (np.array(column) for column in zip(*rows, strict=True))
    curve = model.curve(p, v)
    for k, row in enumerate(curve.value):
        total = 0.0
        for j, value in enumerate(row):
            assert curve.value_in_window[k, j] > 0
            total += curve.value_in_window[k, j]
            assert value == total
    assert (np.diff(curve.survival, axis=1) <= 0).all()
    assert (curve.survival >= curve.probability).all()
    assert ((curve.survival > 0) & (curve.survival < 1)).all()
    np.testing.assert_array_equal(curve.survival[:, -1], curve.probability[:, -1])
    if not model.discount_per_year:
        # The first horizon is the expected value itself, to the last bit.
        np.testing.assert_array_equal(curve.value[:, 0], p * v)


def test_a_window_that_goes_on_as_before_doubles_the_value() -> None:
    same = LifetimeWindow(180, Platt(1.0, 0.0), 0.0)
    curve = LifetimeValue(90, (same,), (Platt(1.0, 1.0),)).curve(np.array([0.25]), np.array([400.0]))
    np.testing.assert_allclose(curve.value, [[100.0, 200.0]])
    assert curve.survival[0, 0] == pytest.approx(1 / (1 + 3 * np.exp(-1.0)))


def test_a_difference_is_believed_the_more_cohorts_agree_side_by_side() -> None:
    agreed, torn = np.full(12, 0.3), np.tile([-0.3, 0.9], 6)
    beside = [lasting(agreed, n) for n in (1.0, 2.0, 4.0, 12.0)]
    assert beside == sorted(beside)
    # 0.15² / (0.15² + 2 · 0.2² · 2 / 4 / 2): two cohorts beside each other that agree, by hand.
    assert beside[1] == pytest.approx(0.0225 / 0.0425)
    # Many cohorts that share their days count as few.
    assert lasting(np.full(36, 0.3), 2.0) == pytest.approx(beside[1])
    assert lasting(torn, 4.0) < 0.5 * beside[2]


def test_later_money_is_worth_less_by_the_middle_of_its_window() -> None:
    same = LifetimeWindow(730, Platt(1.0, 0.0), 0.0)
    model = LifetimeValue(365, (same,), (Platt(1.0, 1.0),), discount_per_year=0.1)
    np.testing.assert_allclose(model.discounts, [1.1**-0.5, 1.1**-1.5])


@given(model=models())
def test_a_record_gives_the_same_bits_back(model: LifetimeValue) -> None:
    p, v = np.linspace(0.01, 0.99, 9), np.linspace(1.0, 1e4, 9)
    again = LifetimeValue.from_record(model.record())
    assert again.record() == model.record()
    np.testing.assert_array_equal(again.curve(p, v).value, model.curve(p, v).value)


@pytest.mark.parametrize(("ends", "left"), [((), 0), ((90,), 1), ((180,), 2), ((180, 180), 2)])
def test_parts_that_make_no_lifetime_are_refused(ends: tuple[int, ...], left: int) -> None:
    windows = tuple(LifetimeWindow(e, Platt(1.0, 0.0), 0.0) for e in ends)
    with pytest.raises(ContractError, match="do not make a lifetime"):
        LifetimeValue(90, windows, (Platt(1.0, 0.0),) * left)
