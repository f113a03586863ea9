"""The additive model is a penalised logistic regression over steps, nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from hva_ml.errors import NotEnoughDataError
from hva_ml.training import additive
from hva_ml.training.additive import fit_additive
from hva_ml.training.matrix import EncodedColumn

COLUMNS = (
    EncodedColumn("origin", "category", ("a", "b", "c", "d"), 4.0),
    EncodedColumn("size", "category", ("s", "m", "l"), 3.0),
    EncodedColumn("age", "number"),
)


def _rows(n: int = 600, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.integers(0, 4, n), rng.integers(0, 3, n), rng.normal(40, 10, n)]).astype(float)
    X[rng.random(n) < 0.1, 2] = np.nan
    margin = np.array([1.0, 0.0, -1.0, 0.5])[X[:, 0].astype(int)] + np.nan_to_num((X[:, 2] - 40) / 10)
    return X, (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(float)


@given(penalty=st.sampled_from([0.5, 3.0, 30.0]), seed=st.integers(0, 50))
@settings(max_examples=15, deadline=None)
def test_categories_alone_are_scikit_learns_ridge(penalty: float, seed: int) -> None:
    X, y = _rows(200, seed)
    X = X[:, :2]
    dummies = np.concatenate([np.eye(4)[X[:, 0].astype(int)], np.eye(3)[X[:, 1].astype(int)]], axis=1)
    oracle = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=10_000).fit(dummies, y)
    found = fit_additive(X, y, COLUMNS[:2], penalty=penalty).margin(X)
    np.testing.assert_allclose(found, oracle.decision_function(dummies), atol=2e-3)


def test_a_weight_of_two_is_a_row_twice_and_a_share_is_two_rows() -> None:
    X, y = _rows()
    twice = np.concatenate([X, X[:100]])
    weight = np.where(np.arange(len(y)) < 100, 2.0, 1.0)
    # Steps of numbers hold equally many rows, so only categories are cut alike in both.
    one = fit_additive(X[:, :2], y, COLUMNS[:2], penalty=5.0, weight=weight)
    two = fit_additive(twice[:, :2], np.concatenate([y, y[:100]]), COLUMNS[:2], penalty=5.0)
    np.testing.assert_allclose(one.margin(X[:, :2]), two.margin(X[:, :2]), atol=1e-4)
    shares = np.full(len(y), 0.25)
    split = fit_additive(
        np.concatenate([X[:, :2], X[:, :2]]), np.repeat([1.0, 0.0], len(y)), COLUMNS[:2], penalty=5.0,
        weight=np.concatenate([shares, 1 - shares]),
    )  # fmt: skip
    whole = fit_additive(X[:, :2], shares, COLUMNS[:2], penalty=5.0)
    np.testing.assert_allclose(split.margin(X[:, :2]), whole.margin(X[:, :2]), atol=1e-6)


def test_the_compiled_sums_are_those_of_numpy_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = _rows(3000)
    weight = np.random.default_rng(4).random(len(y))
    compiled = fit_additive(X, y, COLUMNS, penalty=2.0, weight=weight, ordered=frozenset({"size"}))

    def plain(
        exponential: np.ndarray, y: np.ndarray, weights: np.ndarray, step: np.ndarray, slope: np.ndarray,
        curve: np.ndarray,
    ) -> None:  # fmt: skip
        p = 1.0 / (1.0 + exponential)
        slope[:] = np.bincount(step, weights * (p - y), len(slope))
        curve[:] = np.bincount(step, weights * np.maximum(p * (1 - p), additive.LEAST_CURVE), len(curve))

    monkeypatch.setattr(additive, "_of_steps", plain)
    found = fit_additive(X, y, COLUMNS, penalty=2.0, weight=weight, ordered=frozenset({"size"}))
    assert found.text == compiled.text


def test_an_unseen_category_says_nothing_and_unknown_has_a_step_of_its_own() -> None:
    X, y = _rows()
    model = fit_additive(X, y, COLUMNS, penalty=5.0)
    row = np.array([[4.0, 0.0, 40.0]])
    seen = [model.margin(np.array([[k, 0.0, 40.0]]))[0] for k in range(4)]
    assert model.margin(row)[0] == pytest.approx(np.mean(seen), abs=0.02)
    y[np.isnan(X[:, 2])] = 1.0
    unknown = fit_additive(X, y, COLUMNS, penalty=5.0)
    known, missing = unknown.margin(np.array([[0.0, 0.0, 40.0], [0.0, 0.0, np.nan]]))
    assert missing > known + 0.5


def test_more_penalty_means_less_said_and_ordered_steps_stay_close() -> None:
    X, y = _rows()
    spread = [np.ptp(fit_additive(X, y, COLUMNS, penalty=p).margin(X)) for p in (1.0, 30.0, 1000.0)]
    assert spread[0] > spread[1] > spread[2]
    levels = np.column_stack([np.repeat([0.0, 1.0, 2.0], 40)])
    won = np.repeat([0.0, 1.0, 0.0], 40)
    sizes = (EncodedColumn("size", "category", ("s", "m", "l"), 3.0),)
    free = fit_additive(levels, won, sizes, penalty=20.0).margin(levels)
    held = fit_additive(levels, won, sizes, penalty=20.0, ordered=frozenset({"size"})).margin(levels)
    assert np.ptp(held) < np.ptp(free)


def test_one_outcome_is_refused() -> None:
    X, y = _rows()
    with pytest.raises(NotEnoughDataError, match="same outcome"):
        fit_additive(X, np.zeros_like(y), COLUMNS, penalty=5.0)
