"""Contributions against brute force over all coalitions, against shap, under every missing-value rule."""

from itertools import combinations
from math import factorial

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.errors import IntegrityError
from hva_ml.explanation.pairs import between, interactions
from hva_ml.explanation.program import folded, program, tables
from hva_ml.explanation.quadrature import contributions, satisfied
from hva_ml.explanation.treeshap import interventional, path_dependent
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


def test_rows_do_not_influence_each_other() -> None:
    model = booster(matrix(300, 1, 0.1))
    X, reference = matrix(600, 2, 0.1), matrix(1, 3)[0]
    whole = interventional(model, X, reference)
    assert interventional(model, X[::-1], reference, threads=1)[::-1].tobytes() == whole.tobytes()
    for first, last in ((0, 1), (100, 229), (255, 600)):
        assert interventional(model, X[first:last], reference).tobytes() == whole[first:last].tobytes()
    covers, _ = path_dependent(model, X)
    assert path_dependent(model, X[::-1], threads=1)[0][::-1].tobytes() == covers.tobytes()


def test_each_row_has_the_reference_it_is_given() -> None:
    model = booster(matrix(300, 1, 0.1))
    X, references = matrix(90, 2, 0.1), matrix(3, 3, 0.1)
    which = np.arange(90) % 3
    found = interventional(model, X, references, which)
    for k in range(3):
        alone = interventional(model, X[which == k], references[k])
        assert found[which == k].tobytes() == alone.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_against_the_covers_it_is_what_lightgbm_gives(kind: str) -> None:
    params, missing, zeros = KINDS[kind]
    model = booster(matrix(900, 1, missing, zeros), num_leaves=40, **params)
    X = matrix(300, 2, 0.2, 0.2)
    found, mean = path_dependent(model, X)
    theirs = model.native.predict(X, pred_contrib=True)
    np.testing.assert_allclose(found, theirs[:, :-1], atol=1e-12)
    np.testing.assert_allclose(mean, theirs[:, -1], atol=1e-12)


def categorical(seed: int, missing: float) -> tuple[Booster, np.ndarray]:
    """Return a model with sets of categories, and rows with known, unknown, odd and missing ones."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(800, 4))
    X[:, 2], X[:, 3] = rng.integers(0, 70, 800), rng.integers(0, 3, 800)
    X[rng.random(X.shape) < missing] = np.nan
    y = np.nan_to_num(X[:, 0]) + (np.nan_to_num(X[:, 2]) % 7 < 3) * (np.nan_to_num(X[:, 3]) == 1)
    params = {"objective": "regression", "verbosity": -1, "num_leaves": 15, "min_data_per_group": 5,
              "cat_smooth": 1.0, "max_cat_to_onehot": 2, "seed": seed, "num_threads": 1}  # fmt: skip
    data = lightgbm.Dataset(X, y, categorical_feature=[2, 3])
    text = lightgbm.train(params, data, 12).model_to_string()
    assert "num_cat=0" not in text.split("Tree=1")[1]
    rows = X[:60].copy()
    rows[:40, 2] = [
        -1,
        -0.5,
        0.9,
        69,
        70,
        31,
        32,
        33,
        63.9,
        64,
        1e6,
        3e9,
        np.nan,
        5,
        5.5,
        -3,
        127,
        128,
        2,
        3,
    ] * 2
    return Booster.from_text(text), rows


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_sets_of_categories_are_followed_as_lightgbm_follows_them(missing: float) -> None:
    model, X = categorical(5, missing)
    found, _ = path_dependent(model, X)
    np.testing.assert_allclose(found, model.native.predict(X, pred_contrib=True)[:, :-1], atol=1e-12)
    for reference in (X[3], X[12], X[50]):
        mine = interventional(model, X, reference)
        expected = np.array([brute_force(model, x, reference) for x in X])
        np.testing.assert_allclose(mine, expected, atol=1e-12)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_against_a_row_of_its_own_it_is_the_same_by_another_way(missing: float) -> None:
    """The walk of two rows together and the quadrature share no arithmetic."""
    for model, X in (categorical(5, missing), (booster(matrix(900, 1, 0.1, 0.3)), matrix(60, 2, 0.2, 0.2))):
        reference = X[7]
        found = between(model, np.tile(reference, (len(X), 1)), X)
        np.testing.assert_allclose(found, interventional(model, X, reference), atol=1e-12)


def test_a_chain_of_splits_as_deep_as_it_is_long() -> None:
    """Node j sends a row to leaf j unless its feature j is high: a path of 60 different features."""
    n = 60
    small = booster(matrix(300, 1), trees=1).to_text()
    head, tail = small.split("Tree=0")[0], "\nend of trees" + small.split("\nend of trees")[1]
    head = head.replace("max_feature_idx=5", f"max_feature_idx={n - 1}")
    value = np.random.default_rng(3).normal(size=n + 1)
    lines = {
        "num_leaves": [n + 1], "num_cat": [0], "split_feature": range(n), "split_gain": [1] * n,
        "threshold": [0.5] * n, "decision_type": [2] * n, "left_child": [~j for j in range(n)],
        "right_child": [*range(1, n), ~n], "leaf_value": [repr(float(v)) for v in value],
        "leaf_weight": [1] * (n + 1), "leaf_count": [1] * (n + 1), "internal_value": [0] * n,
        "internal_weight": [1] * n, "internal_count": range(n + 1, 1, -1), "is_linear": [0], "shrinkage": [1],
    }  # fmt: skip
    tree = "\n".join(f"{key}={' '.join(map(str, values))}" for key, values in lines.items())
    text = f"{head}Tree=0\n{tree}\n\n{tail}"
    walk = program(text)
    assert (walk.deepest, walk.nodes.tolist()) == (n, [n // 2])
    random = np.random.default_rng(5)
    X, reference = (random.random((20, n)) > 0.1) * 1.0, (random.random(n) > 0.1) * 1.0
    background = tables(walk, folded(walk, satisfied(walk, reference)))
    found = contributions(walk, background, X)
    for x, mine in zip(X, found, strict=True):
        expected = np.zeros(n)
        for leaf in range(n + 1):
            wanted = [1.0] * leaf + ([0.0] if leaf < n else [])
            gone = [j for j, w in enumerate(wanted) if x[j] != w and reference[j] != w]
            row = [j for j, w in enumerate(wanted) if x[j] == w != reference[j]]
            home = [j for j, w in enumerate(wanted) if x[j] != w == reference[j]]
            if not gone and row + home:
                p, q = len(row), len(home)
                whole = value[leaf] * factorial(p) * factorial(q) / factorial(p + q)
                expected[row] += whole / max(p, 1)
                expected[home] -= whole / max(q, 1)
        np.testing.assert_allclose(mine, expected, atol=1e-12)


def test_fewer_rounds_than_trained_are_explained_as_they_score() -> None:
    X = matrix(600, 1, 0.1)
    whole = booster(X, trees=30)
    fewer = Booster.from_text(whole.native.model_to_string(num_iteration=7))
    found, mean = path_dependent(fewer, X[:50])
    assert program(fewer.to_text()).ensemble.n_trees == 7
    np.testing.assert_allclose(found.sum(axis=1) + mean, fewer.margin(X[:50]), atol=1e-12)


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


def index_of_pairs(model: Booster, x: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Shapley interaction indices by their definition."""
    d = len(x)
    sets = [frozenset(c) for size in range(d + 1) for c in combinations(range(d), size)]
    mixed = np.array([[x[j] if j in s else reference[j] for j in range(d)] for s in sets])
    worth = dict(zip(sets, model.margin(mixed), strict=True))
    found = np.zeros((d, d))
    for i, j in combinations(range(d), 2):
        for s in sets:
            if i not in s and j not in s:
                weight = factorial(len(s)) * factorial(d - len(s) - 2) / factorial(d - 1)
                found[i, j] += weight * (worth[s | {i, j}] - worth[s | {i}] - worth[s | {j}] + worth[s])
    return found + found.T


@pytest.mark.parametrize("kind", KINDS)
def test_interactions_are_the_shapley_interaction_indices_by_definition(kind: str) -> None:
    params, missing, zeros = KINDS[kind]
    model = booster(matrix(600, 1, missing, zeros), **params)
    X, past = matrix(6, 2, 0.2, 0.2), matrix(6, 9, 0.2, 0.2)
    found = interactions(model, past, X)
    off = ~np.eye(FEATURES, dtype=bool)
    for k in range(len(X)):
        np.testing.assert_allclose(2 * found[k][off], index_of_pairs(model, X[k], past[k])[off], atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=2), between(model, past, X), atol=1e-12)
    np.testing.assert_array_equal(found, np.swapaxes(found, 1, 2))
    np.testing.assert_array_equal(found, interactions(model, past, X, threads=1))
