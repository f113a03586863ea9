"""Sums of models as one model: weighted trees of several boosters, or steps of a column, as LightGBM's text.

What is written here is scored, explained and stored like any trained booster.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hva_ml.errors import ContractError
from hva_ml.training.booster import Booster

Floats = npt.NDArray[np.float64]

_LARGEST = float(np.finfo(np.float64).max)
_NAN_RIGHT = 8
"""LightGBM's bits: NaN is missing and goes right."""
_FIRST_TREE = "\nTree=0\n"
_END = "end of trees"


@dataclass(frozen=True, eq=False)
class Steps:
    """A function of one column that is constant between thresholds.

    Attributes
    ----------
    column : int
        Which column of the matrix.
    thresholds : numpy.ndarray of float64, shape (n_steps - 1,)
        Strictly increasing; a value up to the first one takes the first step.
    values : numpy.ndarray of float64, shape (n_steps,)
        What each step adds to the margin.
    unknown : float
        What NaN adds.
    gain : float
        How much it improves the fit, for importance only; >= 0.
    """

    column: int
    thresholds: Floats
    values: Floats
    unknown: float
    gain: float = 0.0


def combined(boosters: Sequence[Booster], weights: Sequence[float]) -> Booster:
    """Return the booster whose margin is the weighted sum of the margins of several.

    Parameters
    ----------
    boosters : sequence of Booster
        Of the same columns, at least one.
    weights : sequence of float
        One for each; those of weight 0 are left out.

    Raises
    ------
    ContractError
        If they read different columns, or all weights are 0.
    """
    used = [(b, w) for b, w in zip(boosters, weights, strict=True) if w != 0]
    if not used or any(b.names != used[0][0].names for b, _ in used):
        raise ContractError(
            "Only models of the same columns can be added up.",
            where="combined",
            fix="Train them with one encoder, and give one of them a weight.",
        )
    head = used[0][0].text.split(_FIRST_TREE)[0]
    trees = [_scaled(tree, weight) for booster, weight in used for tree in _trees(booster.text)]
    return _written(head, trees)


def additive(intercept: float, parts: Sequence[Steps], names: Sequence[str]) -> Booster:
    """Return the booster whose margin is an intercept and a sum of steps, one tree for each column.

    Parameters
    ----------
    intercept : float
        Margin where no part adds anything.
    parts : sequence of Steps
        At most one for each column.
    names : sequence of str
        Of all columns of the matrix.

    Examples
    --------
    >>> known = Steps(0, np.array([1.5]), np.array([-1.0, 1.0]), 0.25)
    >>> additive(0.5, [known], ["a"]).margin(np.array([[1.0], [2.0], [np.nan]])).tolist()
    [-0.5, 1.5, 0.75]
    """
    head = "\n".join(
        [
            "tree", "version=v4", "num_class=1", "num_tree_per_iteration=1", "label_index=0",
            f"max_feature_idx={len(names) - 1}", "objective=binary sigmoid:1",
            f"feature_names={' '.join(names)}", f"feature_infos={' '.join(['none'] * len(names))}",
        ]
    )  # fmt: skip
    return _written(head, [_leaf(intercept), *map(_tree, parts)])


def without_last(booster: Booster, column: str) -> Booster:
    """Return a sum without what was added last, the steps of one column as `additive` writes them.

    Raises
    ------
    ContractError
        If something else was added last.
    """
    head, trees = booster.text.split(_FIRST_TREE)[0], _trees(booster.text)
    read = re.search(r"^split_feature=(.*)$", trees[-1], flags=re.MULTILINE) if trees else None
    place = str(booster.names.index(column)) if column in booster.names else ""
    if read is None or not place or set(read[1].split()) != {place} or _leaf(0.0) != trees[-2]:
        raise ContractError(
            f"The last trees of the model are not the steps of '{column[:60]}'.",
            where="without_last",
            fix="Restore the model files, or train again.",
        )
    return _written(head, trees[:-2])


def _trees(text: str) -> list[str]:
    """Return the blocks of a model text without their numbers."""
    body = text.split(_FIRST_TREE, 1)[1].rsplit(_END, 1)[0] if _FIRST_TREE in text else ""
    return [block.strip("\n") for block in re.split(r"(?:^|\n)Tree=\d+\n", body) if block.strip()]


def _scaled(tree: str, weight: float) -> str:
    def times(line: re.Match[str]) -> str:
        return f"{line[1]}={_numbers(np.array(line[2].split(), dtype=np.float64) * weight)}"

    return re.sub(r"^(leaf_value|internal_value|split_gain)=(.*)$", times, tree, flags=re.MULTILINE)


def _written(head: str, trees: Sequence[str]) -> Booster:
    blocks = [f"Tree={k}\n{tree}\n\n\n" for k, tree in enumerate(trees)]
    sizes = " ".join(str(len(b.encode())) for b in blocks)
    kept = [line for line in head.splitlines() if line and not line.startswith("tree_sizes=")]
    return Booster.from_text("\n".join([*kept, f"tree_sizes={sizes}", "", "".join(blocks) + _END, ""]))


def _leaf(value: float) -> str:
    return f"num_leaves=1\nnum_cat=0\nsplit_feature=\nsplit_gain=\nthreshold=\ndecision_type=\n" \
        f"left_child=\nright_child=\nleaf_value={value!r}\nleaf_weight=0\nleaf_count=0\ninternal_value=\n" \
        f"internal_weight=\ninternal_count=\nis_linear=0\nshrinkage=1"  # fmt: skip


def _tree(steps: Steps) -> str:
    """Write one column's steps as a tree: NaN goes its own way first, then halves of the thresholds."""
    threshold, left, right = [_LARGEST], [0], [~0]

    def grow(first: int, last: int) -> int:
        """Add the splits for steps first to last; returns the node, or the leaf (1 + step) as ~leaf."""
        if first == last:
            return ~(1 + first)
        node, middle = len(threshold), (first + last) // 2
        threshold.append(float(steps.thresholds[middle]))
        left.append(0)
        right.append(0)
        left[node] = grow(first, middle)
        right[node] = grow(middle + 1, last)
        return node

    left[0] = grow(0, len(steps.values) - 1)
    n = len(threshold)
    zeros, gain = " ".join(["0"] * n), _numbers(np.full(n, steps.gain / n))
    leaves = _numbers(np.concatenate([[steps.unknown], steps.values]))
    return "\n".join(
        [
            f"num_leaves={n + 1}", "num_cat=0", f"split_feature={' '.join([str(steps.column)] * n)}",
            f"split_gain={gain}", f"threshold={_numbers(np.array(threshold))}",
            f"decision_type={' '.join([str(_NAN_RIGHT)] * n)}",
            f"left_child={' '.join(map(str, left))}", f"right_child={' '.join(map(str, right))}",
            f"leaf_value={leaves}", f"leaf_weight={zeros} 0", f"leaf_count={zeros} 0",
            f"internal_value={zeros}", f"internal_weight={zeros}", f"internal_count={zeros}",
            "is_linear=0", "shrinkage=1",
        ]
    )  # fmt: skip


def _numbers(values: Floats) -> str:
    return " ".join(repr(float(v)) for v in values)
