"""A sum of models is one model: its margin, its trees and its reasons are those of the parts."""

import numpy as np
import pytest

from hva_ml.errors import ContractError
from hva_ml.training.booster import Booster
from hva_ml.training.sums import Steps, additive, combined, without_last
from hva_ml.training.trees import read_trees

NAMES = ("a", "b", "c")


def _rows(n: int = 5000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(n, 3))
    X[rng.random(n) < 0.1, 1] = np.nan
    return X, (X[:, 0] + np.nan_to_num(X[:, 1]) + rng.normal(size=n) > 0).astype(float)


def _trained(seed: int) -> Booster:
    X, y = _rows()
    return Booster.fit(
        X, y, objective="binary", names=NAMES, params={"num_leaves": 5, "feature_fraction": 0.6}, rounds=12,
        seed=seed,
    )  # fmt: skip


def _steps(X: np.ndarray) -> np.ndarray:
    """The plain meaning of the parts below."""
    first = np.array([0.1, 0.2, -0.3])[np.searchsorted([-1.0, 1.0], X[:, 0], side="left")]
    return 0.5 + first + np.where(np.isnan(X[:, 1]), -0.7, 0.7)


PARTS = [
    Steps(0, np.array([-1.0, 1.0]), np.array([0.1, 0.2, -0.3]), 9.0),
    Steps(1, np.empty(0), np.array([0.7]), -0.7),
]


def test_the_margin_of_a_sum_is_the_sum_of_the_margins() -> None:
    X, _ = _rows()
    one, two, steps = _trained(1), _trained(2), additive(0.5, PARTS, NAMES)
    both = combined([one, two, steps], [0.25, 0.25, 0.5])
    expected = 0.25 * one.margin(X) + 0.25 * two.margin(X) + 0.5 * steps.margin(X)
    np.testing.assert_allclose(both.margin(X), expected, rtol=0, atol=1e-14)
    assert both.n_trees == read_trees(both.text).n_trees == 12 + 12 + 3
    assert both.names == NAMES


@pytest.mark.parametrize("rows", [5000, 50])
def test_steps_say_what_they_were_told(rows: int) -> None:
    # Many rows are scored by our kernel, few by LightGBM.
    X, _ = _rows(rows)
    np.testing.assert_array_equal(additive(0.5, PARTS, NAMES).margin(X), _steps(X))


def test_a_value_on_a_threshold_takes_the_lower_step() -> None:
    model = additive(0.0, PARTS[:1], NAMES)
    X = np.array([[-1.0, 0, 0], [np.nextafter(-1.0, 0), 0, 0], [1.0, 0, 0], [np.nan, 0, 0]])
    assert model.margin(X).tolist() == [0.1, 0.2, 0.2, 9.0]


def test_a_sum_comes_back_from_its_text() -> None:
    X, _ = _rows(300)
    both = combined([_trained(1), additive(0.5, PARTS, NAMES)], [0.5, 0.5])
    again = Booster.from_text(both.to_text())
    assert again.to_text() == both.to_text()
    assert again.margin(X).tobytes() == both.margin(X).tobytes()


def test_parts_of_weight_zero_are_left_out() -> None:
    assert combined([_trained(1), additive(0.5, PARTS, NAMES)], [1.0, 0.0]).n_trees == 12


def test_only_models_of_the_same_columns_add_up() -> None:
    other = additive(0.0, [], ("x", "y", "z"))
    with pytest.raises(ContractError, match="same columns"):
        combined([_trained(1), other], [0.5, 0.5])
    with pytest.raises(ContractError, match="same columns"):
        combined([other], [0.0])


def test_what_was_added_last_is_taken_out_again_to_the_bit_and_nothing_else_is() -> None:
    step = additive(0.0, [Steps(1, np.array([0.5]), np.array([0.2, -0.1]), 0.0)], ["a", "b"])
    first = additive(0.5, [Steps(0, np.array([1.5]), np.array([-1.0, 1.0]), 0.25)], ["a", "b"])
    both = combined([first, step], [1.0, 1.0])
    assert without_last(both, "b").text == combined([first], [1.0]).text
    for column in ("a", "c"):
        with pytest.raises(ContractError, match="not the steps of"):
            without_last(both, column)
    with pytest.raises(ContractError, match="not the steps of"):
        without_last(first, "a")
