"""LightGBM's trees as flat arrays, read from the model text with everything LightGBM can put into a split."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from hva_ml.errors import IntegrityError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint32]

CATEGORICAL = 1
# LightGBM takes |x| up to this float32 for zero where zero means missing.
NEARLY_ZERO = float(np.float32(1e-35))


@dataclass(frozen=True, eq=False)
class Ensemble:
    """All trees of one model, one after the other.

    Attributes
    ----------
    first_node, first_leaf : numpy.ndarray of int64, shape (n_trees + 1,)
        Where the splits and the leaves of each tree begin; a tree has one leaf more than splits.
    feature : numpy.ndarray of int64, shape (n_nodes,)
        Column each split looks at.
    threshold : numpy.ndarray of float64, shape (n_nodes,)
        A number goes left up to it.
    decision : numpy.ndarray of int64, shape (n_nodes,)
        LightGBM's bits: 1 categorical, 2 default left, then the missing type (0 none, 1 zero, 2 NaN).
    first_word, last_word : numpy.ndarray of int64, shape (n_nodes,)
        Where the bits of a categorical split lie in `words`: category c goes left if bit c is set.
    words : numpy.ndarray of uint32
        Sets of categories, an empty word behind each.
    left, right : numpy.ndarray of int64, shape (n_nodes,)
        Children within the tree; ``~leaf`` for a leaf.
    node_count, leaf_count : numpy.ndarray of float64
        Training rows that reached each split and leaf.
    leaf_value : numpy.ndarray of float64, shape (n_leaves,)
        What a leaf adds to the margin, shrinkage included.
    """

    first_node: Ints
    first_leaf: Ints
    feature: Ints
    threshold: Floats
    decision: Ints
    first_word: Ints
    last_word: Ints
    words: Words
    left: Ints
    right: Ints
    node_count: Floats
    leaf_count: Floats
    leaf_value: Floats

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.first_node) - 1


@dataclass(frozen=True, eq=False)
class _Tree:
    nodes: dict[str, Any]
    leaf_value: Floats
    leaf_count: Floats
    words: Words


_NODES: dict[str, tuple[str, type]] = {
    "feature": ("split_feature", np.int64),
    "threshold": ("threshold", np.float64),
    "decision": ("decision_type", np.int64),
    "left": ("left_child", np.int64),
    "right": ("right_child", np.int64),
    "node_count": ("internal_count", np.float64),
}


@lru_cache(maxsize=8)
def read_trees(text: str) -> Ensemble:
    """Read the trees of a LightGBM model text.

    Raises
    ------
    IntegrityError
        For a text of another form, for trees whose splits do not lead to every leaf once, and for linear
        leaves, averaged forests and models with several outputs, whose scores are no plain sum of leaves.
    """
    head, *blocks = text.split("\nend of trees")[0].split("\nTree=")
    columns = re.search(r"^max_feature_idx=(\d{1,9})$", head, re.MULTILINE)
    if not head.startswith("tree") or not columns:
        raise _unreadable("the text is no LightGBM model")
    if "num_tree_per_iteration=1\n" not in head:
        raise _unreadable("the model has several outputs")
    if "\naverage_output" in head:
        raise _unreadable("the model is an averaged forest, no boosted sum")
    trees = [_tree(block, int(columns[1]) + 1) for block in blocks]
    words = 0
    for tree in trees:
        for name in ("first_word", "last_word"):
            tree.nodes[name] = tree.nodes[name] + words
        words += len(tree.words)
    first_leaf = np.cumsum([0] + [len(t.leaf_value) for t in trees], dtype=np.int64)
    node = {name: [t.nodes[name] for t in trees] for name in (*_NODES, "first_word", "last_word")}
    return Ensemble(
        first_node=first_leaf - np.arange(len(trees) + 1),
        first_leaf=first_leaf,
        feature=_ints(node["feature"]),
        threshold=_floats(node["threshold"]),
        decision=_ints(node["decision"]),
        first_word=_ints(node["first_word"]),
        last_word=_ints(node["last_word"]),
        words=np.concatenate([np.zeros(0, dtype=np.uint32), *(t.words for t in trees)]),
        left=_ints(node["left"]),
        right=_ints(node["right"]),
        node_count=_floats(node["node_count"]),
        leaf_count=_floats([t.leaf_count for t in trees]),
        leaf_value=_floats([t.leaf_value for t in trees]),
    )


def _tree(block: str, n_features: int) -> _Tree:
    fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
    if fields.get("is_linear", "0") != "0":
        raise _unreadable("a tree has linear leaves")
    try:
        nodes = {name: _array(fields.get(key, ""), kind) for name, (key, kind) in _NODES.items()}
        value = _array(fields["leaf_value"], np.float64)
        count = _array(fields["leaf_count"], np.float64) if "leaf_count" in fields else np.zeros(len(value))
        bounds = _array(fields.get("cat_boundaries", ""), np.int64)
        words = _array(fields.get("cat_threshold", ""), np.uint32)
        n_sets = int(fields["num_cat"])
    except (KeyError, ValueError, OverflowError) as error:
        raise _unreadable("a tree is incomplete") from error
    n = len(value) - 1
    sets = (nodes["decision"] & CATEGORICAL) > 0
    bounds = bounds if n_sets else np.zeros(2, dtype=np.int64)
    if (
        not all(len(v) == n for v in nodes.values())
        or len(count) != n + 1
        or not _connected(nodes, n_features)
        or sets.sum() != n_sets
        or len(bounds) != max(n_sets, 1) + 1
        or not _whole(nodes["threshold"][sets], bounds, len(words))
    ):
        raise _unreadable("a tree is incomplete")
    place = np.where(sets, nodes["threshold"], 0).astype(np.int64)
    # An empty word behind each set stands for every category beyond it.
    words = np.insert(words, bounds[1:], 0)
    first = bounds[place] + place
    nodes["first_word"], nodes["last_word"] = first, first + bounds[place + 1] - bounds[place]
    return _Tree(nodes, value, count, words)


def _whole(which: Floats, bounds: Ints, n_words: int) -> bool:
    """Say whether sets lie one behind the other in the words, and splits name sets that are there."""
    laid_out = bounds[0] == 0 and bounds[-1] == n_words and bool((np.diff(bounds) >= 0).all())
    return laid_out and bool(((which >= 0) & (which < len(bounds) - 1)).all())


def _connected(nodes: dict[str, Any], n_features: int) -> bool:
    """Say whether every leaf, and every split but the first, hangs once below an earlier split."""
    n = len(nodes["left"])
    if not n:
        return True
    child = np.concatenate([nodes["left"], nodes["right"]])
    earlier = np.tile(np.arange(n), 2) < np.where(child < 0, n, child)
    each = np.sort(child)[n + 1 :], np.sort(~child)[n - 1 :]
    return bool(
        earlier.all()
        and np.array_equal(each[0], np.arange(1, n))
        and np.array_equal(each[1], np.arange(n + 1))
        and 0 <= nodes["feature"].min() <= nodes["feature"].max() < n_features
        and not np.isnan(nodes["threshold"]).any()
    )


def _array(text: str, kind: type) -> Any:
    return np.array(text.split(), dtype=kind)


def _ints(parts: list[Any]) -> Ints:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts]).astype(np.int64)


def _floats(parts: list[Any]) -> Floats:
    return np.concatenate([np.zeros(0), *parts]).astype(np.float64)


def _unreadable(what: str) -> IntegrityError:
    return IntegrityError(
        f"The trees of the model cannot be read: {what}.",
        where="booster text",
        why="A score or a reason that is not exactly the model's is worse than none.",
        fix="Train again with hva train, or restore the model files.",
    )
