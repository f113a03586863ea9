"""Contributions against brute force over all coalitions, against shap, under every missing-value rule."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.errors import IntegrityError
from hva_ml.explanation.trees import read_trees
from hva_ml.explanation.treeshap import interventional
from hva_ml.training.booster import Booster

FEATURES = 6


def matrix(rows: int, seed: int, missing: float = 0.0, zeros: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, FEATURES))
    X[:, 4] = rng.integers(0, 5, rows)
    X[rng.random(X.shape) < zeros] = 0.0
    X[rng.random(X.shape) < missing] = np.nan
    return X


def booster(X: np.ndarray, *, trees: int = 20, **params: object) -> Booster:
    rng = np.random.default_rng(9)
    signal = np.nan_to_num(X[:, 0]) * np.nan_to_num(X[:, 1]) + np.isnan(X[:, 2]) + np.nan_to_num(X[:, 4])
    y = (signal + rng.normal(size=len(X)) > 1).astype(float)
    settings = {"num_leaves": 12, "learning_rate": 0.2, "min_child_samples": 5, "num_threads": 1, **params}
    names = [f"f{j}" for j in range(X.shape[1])]
    return Booster.fit(X, y, objective="binary", names=names, params=settings, rounds=trees, seed=3)


def brute_force(model: Booster, x: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Shapley values by their definition: 2^d coalitions, features outside take the reference's value."""
    d = len(x)
    sets = [frozenset(c) for size in range(d + 1) for c in combinations(range(d), size)]
    mixed = np.array([[x[j] if j in s else reference[j] for j in range(d)] for s in sets])
    worth = dict(zip(sets, model.margin(mixed), strict=True))
    found = np.zeros(d)
    for j in range(d):
        for s in sets:
            if j not in s:
                weight = factorial(len(s)) * factorial(d - len(s) - 1) / factorial(d)
                found[j] += weight * (worth[s | {j}] - worth[s])
    return found


KINDS = {
    "no missing values in training, some later": ({}, 0.0, 0.0),
    "missing values learned": ({}, 0.3, 0.0),
    "many zeros": ({}, 0.2, 0.5),
    "zero means missing": ({"zero_as_missing": True}, 0.1, 0.4),
    "missing values ignored": ({"use_missing": False}, 0.2, 0.2),
}


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_are_the_shapley_values_by_definition(kind: str) -> None:
    params, missing, zeros = KINDS[kind]
    model = booster(matrix(600, 1, missing, zeros), **params)
    X = matrix(8, 2, 0.2, 0.2)
    for reference in (np.zeros(FEATURES), matrix(1, 3)[0], matrix(1, 4, 0.5)[0], X[0]):
        mine = interventional(model, X, reference)
        expected = np.array([brute_force(model, x, reference) for x in X])
        np.testing.assert_allclose(mine, expected, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.6))
def test_contributions_add_up_and_vanish_where_nothing_differs(seed: int, missing: float) -> None:
    model = booster(matrix(300, 5, 0.2), trees=10)
    X, reference = matrix(40, seed, missing), matrix(1, seed + 1, missing)[0]
    found = interventional(model, X, reference)
    gap = found.sum(axis=1) + model.margin(reference[None, :])[0] - model.margin(X)
    assert np.abs(gap).max() < 1e-11
    same = (reference == X) | (np.isnan(X) & np.isnan(reference))
    assert (found[same] == 0).all()


def test_equal_to_shap_where_shap_reads_the_trees_rightly() -> None:
    shap = pytest.importorskip("shap")
    model = booster(matrix(800, 1), trees=60)
    X, reference = matrix(50, 2), matrix(1, 3)[0]
    explainer = shap.TreeExplainer(
        model.native, data=reference[None, :], feature_perturbation="interventional"
    )
    theirs = np.asarray(explainer.shap_values(X, check_additivity=False))
    # shap keeps leaves as float32.
    np.testing.assert_allclose(interventional(model, X, reference), theirs, atol=1e-6)


def test_rows_do_not_influence_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    model = booster(matrix(300, 1, 0.1))
    X, reference = matrix(50, 2, 0.1), matrix(1, 3)[0]
    whole = interventional(model, X, reference)
    monkeypatch.setattr("hva_ml.explanation.treeshap.ROWS_AT_ONCE", 7)
    assert interventional(model, X, reference).tobytes() == whole.tobytes()
    assert interventional(model, X[::-1], reference)[::-1].tobytes() == whole.tobytes()


def test_a_tree_without_splits_and_a_matrix_without_rows() -> None:
    X = np.zeros((50, 2))
    model = Booster.fit(
        X, np.arange(50) % 2 * 1.0, objective="binary", names=["a", "b"], params={}, rounds=3, seed=1
    )
    assert (interventional(model, np.ones((4, 2)), np.zeros(2)) == 0).all()
    assert interventional(model, np.empty((0, 2)), np.zeros(2)).shape == (0, 2)


def test_a_margin_that_is_not_the_sum_is_refused_with_its_row() -> None:
    model = booster(matrix(300, 1))

    class Bent:
        def to_text(self) -> str:
            return model.to_text()

        def margin(self, X: np.ndarray) -> np.ndarray:
            bent = model.margin(X)
            if len(bent) > 3:
                bent[3] += 1e-6
            return bent

    with pytest.raises(IntegrityError, match="row 3 miss its margin by 1e-06"):
        interventional(Bent(), matrix(10, 2), np.zeros(FEATURES))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("num_cat=0", "num_cat=1"),
        ("is_linear=0", "is_linear=1"),
        ("num_tree_per_iteration=1", "num_tree_per_iteration=3"),
        ("leaf_value=", "leaf_valu="),
        ("threshold=", "threshold=0.5 "),
    ],
)
def test_trees_of_another_kind_are_refused(old: str, new: str) -> None:
    text = booster(matrix(300, 1), trees=2).to_text()
    assert old in text
    with pytest.raises(IntegrityError, match="cannot be explained"):
        read_trees(text.replace(old, new))
