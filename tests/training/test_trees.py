"""Trees that LightGBM does not write, or whose scores are no plain sum of leaves, are refused."""

import numpy as np
import pytest

from hva_ml.errors import IntegrityError
from hva_ml.training.booster import Booster
from hva_ml.training.trees import read_trees


def text() -> str:
    random = np.random.default_rng(1)
    X = random.normal(size=(300, 6))
    names = [f"f{j}" for j in range(6)]
    settings = {"num_leaves": 5, "min_child_samples": 5, "num_threads": 1}
    model = Booster.fit(
        X, X[:, 0] * X[:, 1], objective="regression", names=names, params=settings, rounds=2, seed=3
    )
    return model.to_text()


def with_values(text: str, name: str, values: str) -> str:
    """Replace the values of a line of the first tree."""
    before, _, rest = text.partition(f"\n{name}=")
    return f"{before}\n{name}={values}\n{rest.partition(chr(10))[2]}"


def test_what_lightgbm_writes_is_read() -> None:
    trees = read_trees(text())
    assert trees.n_trees == 2
    assert np.diff(trees.first_leaf).tolist() == [5, 5]
    assert np.diff(trees.first_node).tolist() == [4, 4]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("num_cat=0", "num_cat=1"),
        ("is_linear=0", "is_linear=1"),
        ("\nversion=", "\naverage_output\nversion="),
        ("num_tree_per_iteration=1", "num_tree_per_iteration=3"),
        ("leaf_value=", "leaf_valu="),
        ("threshold=", "threshold=0.5 "),
        ("max_feature_idx=5", "max_feature_idx=x"),
        ("tree\n", "forest\n"),
    ],
)
def test_trees_of_another_kind_are_refused(old: str, new: str) -> None:
    assert old in text()
    with pytest.raises(IntegrityError, match="cannot be read"):
        read_trees(text().replace(old, new))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("split_feature", "0 1 2 6"),
        ("split_feature", "0 1 -1 2"),
        ("threshold", "0 1 nan 2"),
        ("left_child", "1 2 3 9"),
        ("left_child", "1 2 3 -9"),
        ("left_child", "0 2 3 -1"),
        ("left_child", "1 1 3 -1"),
        ("left_child", "1 2 3 -99999999999999999999"),
        ("decision_type", "1 2 2 2"),
    ],
)
def test_splits_that_do_not_fit_together_are_refused(name: str, values: str) -> None:
    whole = with_values(text(), "left_child", "1 2 3 -1")
    whole = with_values(whole, "right_child", "-2 -3 -4 -5")
    assert read_trees(whole).left[:4].tolist() == [1, 2, 3, -1]
    with pytest.raises(IntegrityError, match="a tree is incomplete"):
        read_trees(with_values(whole, name, values))


@pytest.mark.parametrize(
    ("bounds", "words", "which"),
    [
        ("0 2", "5 1 7", "0"),
        ("1 2", "5 1", "0"),
        ("0 1 2", "5 1", "0"),
        ("0 2", "5 1", "1"),
        ("0 2", "5 1", "-1"),
    ],
)
def test_sets_that_are_not_there_are_refused(bounds: str, words: str, which: str) -> None:
    sets = with_values(text(), "num_cat", "1\ncat_boundaries=0 2\ncat_threshold=5 1")
    sets = with_values(with_values(sets, "decision_type", "1 2 2 2"), "threshold", "0 1 2 3")
    assert read_trees(sets).words[:3].tolist() == [5, 1, 0]
    broken = with_values(with_values(sets, "cat_boundaries", bounds), "cat_threshold", words)
    with pytest.raises(IntegrityError, match="a tree is incomplete"):
        read_trees(with_values(broken, "threshold", f"{which} 1 2 3"))
