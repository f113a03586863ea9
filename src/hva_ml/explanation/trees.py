"""LightGBM's trees as arrays, read from the model text with LightGBM's own rules for missing values."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hva_ml.errors import IntegrityError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# LightGBM takes |x| up to this float32 for zero where zero means missing.
NEARLY_ZERO = float(np.float32(1e-35))
MISSING_ZERO, MISSING_NAN = 1, 2

Condition = tuple[int, tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Path:
    """The way from the root to one leaf, its conditions grouped by feature.

    Attributes
    ----------
    value : float
        Value of the leaf.
    conditions : tuple of (feature, nodes left, nodes right)
        Each feature once: at which nodes of the tree it must go left, and at which right.
    """

    value: float
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Tree:
    """One tree: its splits as arrays of shape (n_nodes,), its leaves as paths."""

    feature: Ints
    threshold: Floats
    default_left: npt.NDArray[np.bool_]
    missing: Ints
    paths: tuple[Path, ...]

    def goes_left(self, X: Floats) -> npt.NDArray[np.bool_]:
        """Return at which nodes each row goes left, shape (n_nodes, n_rows).

        A NaN counts as 0 unless the node's missing type is NaN; where zero means missing, a zero takes the
        default way, where NaN does, a NaN.
        """
        x = X[:, self.feature].T
        unknown = np.isnan(x)
        learned = self.missing[:, None]
        x = np.where(unknown & (learned != MISSING_NAN), 0.0, x)
        default = ((learned == MISSING_NAN) & unknown) | (
            (learned == MISSING_ZERO) & (np.abs(x) <= NEARLY_ZERO)
        )
        return np.where(default, self.default_left[:, None], x <= self.threshold[:, None])


def read_trees(text: str) -> tuple[Tree, ...]:
    """Read the trees of a LightGBM model text.

    Raises
    ------
    IntegrityError
        For a text of another form, and for categorical splits, linear leaves or averaged forests, whose
        contributions would be wrong.
    """
    head, *blocks = text.split("\nend of trees")[0].split("\nTree=")
    if not head.startswith("tree") or "\naverage_output" in head or "num_tree_per_iteration=1\n" not in head:
        raise _unreadable("the model is no boosted sum of single trees")
    return tuple(_tree(block) for block in blocks)


def _tree(block: str) -> Tree:
    fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
    if fields.get("num_cat") != "0" or fields.get("is_linear", "0") != "0":
        raise _unreadable("a tree has categorical splits or linear leaves")
    try:
        feature, decision, left, right = (
            np.array(fields.get(name, "").split(), dtype=np.int64)
            for name in ("split_feature", "decision_type", "left_child", "right_child")
        )
        threshold = np.array(fields.get("threshold", "").split(), dtype=np.float64)
        leaves = np.array(fields["leaf_value"].split(), dtype=np.float64)
    except (KeyError, ValueError) as error:
        raise _unreadable("a tree is incomplete") from error
    if len({len(feature), len(decision), len(left), len(right), len(threshold), len(leaves) - 1}) != 1:
        raise _unreadable("a tree is incomplete")
    paths = _paths(feature, left, right, leaves)
    return Tree(feature, threshold, (decision & 2) > 0, (decision >> 2) & 3, paths)


def _paths(feature: Ints, left: Ints, right: Ints, leaves: Floats) -> tuple[Path, ...]:
    found: list[Path] = []
    start = 0 if len(feature) else -1
    waiting: list[tuple[int, tuple[tuple[int, bool], ...]]] = [(start, ())]
    while waiting:
        node, way = waiting.pop()
        if node >= 0:
            waiting.append((int(right[node]), (*way, (node, False))))
            waiting.append((int(left[node]), (*way, (node, True))))
            continue
        used = sorted({int(feature[n]) for n, _ in way})
        conditions = tuple(
            (
                j,
                tuple(n for n, goes_left in way if feature[n] == j and goes_left),
                tuple(n for n, goes_left in way if feature[n] == j and not goes_left),
            )
            for j in used
        )
        found.append(Path(float(leaves[~node]), conditions))
    return tuple(found)


def _unreadable(what: str) -> IntegrityError:
    return IntegrityError(
        f"The trees of the model cannot be explained: {what}.",
        where="booster text",
        why="A reason that is not exactly the model's is worse than none.",
        fix="Train again with hva train, or restore the model files.",
    )
