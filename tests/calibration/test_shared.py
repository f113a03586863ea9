"""A slope shared by blocks is that of a logistic regression with a level for each block."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from hva_ml.calibration.shared import at_level, shared_slope
from hva_ml.errors import NotEnoughDataError


def _blocks(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    block = np.repeat(np.arange(3), 400)
    margin = rng.normal(0, 1.5, 1200) + block
    y = (rng.random(1200) < expit(0.7 * margin + np.array([-2.0, 0.5, 1.0])[block])).astype(float)
    return margin, y, rng.uniform(0.2, 1.0, 1200), block.astype(np.int64)


@pytest.mark.parametrize("seed", [1, 2])
def test_slope_is_that_of_a_general_optimiser(seed: int) -> None:
    margin, y, weight, block = _blocks(seed)

    def loss(x: np.ndarray) -> float:
        logit = x[0] * margin + x[1:][block]
        return float((weight * (np.logaddexp(0, logit) - y * logit)).sum() + (x[1:] ** 2).sum() / 18.0)

    best = minimize(loss, np.array([1.0, 0, 0, 0]), method="BFGS").x
    slope, _ = shared_slope(margin, y, weight, block)
    assert slope == pytest.approx(best[0], rel=1e-3)


def test_levels_of_blocks_say_nothing_about_the_slope() -> None:
    margin, y, weight, block = _blocks(3)
    moved, _ = shared_slope(margin + 2.0 * block, y, weight, block)
    slope, _ = shared_slope(margin, y, weight, block)
    assert moved == pytest.approx(slope, rel=0.05)


def test_scores_that_go_the_wrong_way_are_refused() -> None:
    margin, y, weight, block = _blocks(4)
    with pytest.raises(NotEnoughDataError, match="Nothing to learn here"):
        shared_slope(-margin, y, weight, block)


def test_at_its_level_as_many_wins_are_promised_as_came() -> None:
    margin, y, weight, _ = _blocks(5)
    found = at_level(0.4, margin, y, weight)
    assert found.slope == 0.4
    assert float((weight * found.probability(margin)).sum()) == pytest.approx(float((weight * y).sum()))
