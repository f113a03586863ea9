"""Exact interventional SHAP values of each row against a row of its own, e.g. an account's own past."""

from collections.abc import Sequence
from math import factorial

import numpy as np
import numpy.typing as npt

from hva_ml.errors import IntegrityError
from hva_ml.explanation.trees import Floats, Tree, read_trees
from hva_ml.explanation.treeshap import TOLERANCE, Margins

Flags = npt.NDArray[np.bool_]
ROWS_AT_ONCE = 8192


def between(booster: Margins, before: Floats, after: Floats) -> Floats:
    """Return what each feature adds to the margin on the way from `before` to `after`, row by row.

    The Shapley value of the game in which features outside the coalition keep their old value. A feature that
    has not changed gets exactly 0. (Against one reference for all rows see ``treeshap.interventional``; a
    leaf's game has the closed form told there.)

    Parameters
    ----------
    booster : Booster
        The model whose margins are explained.
    before, after : numpy.ndarray of float64, shape (n_rows, n_features)
        NaN where unknown.

    Returns
    -------
    numpy.ndarray of float64, shape (n_rows, n_features)
        ``margin(before) + sum(axis=1) == margin(after)`` within 1e-9, checked on every call.

    Raises
    ------
    IntegrityError
        If a row's contributions miss the difference of its margins.
    """
    before, after = (np.ascontiguousarray(x, dtype=np.float64) for x in (before, after))
    found = np.zeros(after.shape)
    moved = np.flatnonzero(~((before == after) | (np.isnan(before) & np.isnan(after))).all(axis=1))
    if not len(moved):
        return found
    trees = read_trees(booster.to_text())
    for first in range(0, len(moved), ROWS_AT_ONCE):
        rows = moved[first : first + ROWS_AT_ONCE]
        found[rows] = _block(trees, before[rows], after[rows])
    error = np.abs(found.sum(axis=1) - (booster.margin(after) - booster.margin(before)))
    worst = int(np.argmax(np.where(np.isnan(error), np.inf, error)))
    if not error[worst] <= TOLERANCE:
        raise IntegrityError(
            f"The parts of a change miss the change of the margin by {error[worst]:.3g}.",
            where=f"{int((~(error <= TOLERANCE)).sum())} of {len(error)} rows",
            why="Reasons that do not add up to the change are no reasons.",
            fix="Restore the model files, or train and promote again.",
        )
    return found


def _block(trees: Sequence[Tree], before: Floats, after: Floats) -> Floats:
    found = np.zeros((after.shape[1], len(after)))
    for tree in trees:
        old, new = tree.goes_left(before), tree.goes_left(after)
        rows = np.flatnonzero((old != new).any(axis=0))
        if len(rows):
            _add_tree(tree, old[:, rows], new[:, rows], rows, found)
    return np.ascontiguousarray(found.T)


def _add_tree(tree: Tree, old: Flags, new: Flags, rows: npt.NDArray[np.int64], found: Floats) -> None:
    for path in tree.paths:
        gains: list[tuple[int, Flags]] = []
        losses: list[tuple[int, Flags]] = []
        alive = np.ones(len(rows), dtype=np.bool_)
        p, q = (np.zeros(len(rows), dtype=np.int64) for _ in range(2))
        for j, lefts, rights in path.conditions:
            was, now = _met(old, lefts, rights), _met(new, lefts, rights)
            alive &= was | now
            gains.append((j, now & ~was))
            losses.append((j, was & ~now))
            p += gains[-1][1]
            q += losses[-1][1]
        gain, loss = _weights(len(path.conditions))
        for weights, members in ((gain, gains), (-loss, losses)):
            for j, here in members:
                touched = np.flatnonzero(alive & here)
                found[j, rows[touched]] += path.value * weights[p[touched], q[touched]]


def _met(left: Flags, lefts: tuple[int, ...], rights: tuple[int, ...]) -> Flags:
    parts = [left[n] for n in lefts] + [~left[n] for n in rights]
    return np.asarray(np.logical_and.reduce(parts))


def _weights(most: int) -> tuple[Floats, Floats]:
    """Return the Shapley weights for p features met now only and q met before only, shape (p, q)."""
    gain, loss = np.zeros((most + 1, most + 1)), np.zeros((most + 1, most + 1))
    for p in range(most + 1):
        for q in range(most + 1 - p):
            if p:
                gain[p, q] = factorial(p - 1) * factorial(q) / factorial(p + q)
            if q:
                loss[p, q] = factorial(p) * factorial(q - 1) / factorial(p + q)
    return gain, loss
