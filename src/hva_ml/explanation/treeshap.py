"""Exact interventional SHAP values of a booster against one reference account.

Against a single reference a leaf's game has a closed form, so no sampling and no recursion over coalitions is
needed. (shap 0.51 holds leaves as float32 and sends every NaN the default way, whereas LightGBM reads it as
zero where training had none; its values miss the margin by 1e-7 to several units. Here they meet it to 1e-9.)
"""

from math import factorial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hva_ml.errors import IntegrityError
from hva_ml.explanation.trees import Condition, Floats, Tree, read_trees

TOLERANCE = 1e-9
ROWS_AT_ONCE = 4096


class Margins(Protocol):
    """What is asked of a booster: its text and its raw scores."""

    def to_text(self) -> str:
        """Return LightGBM's own text form."""
        ...

    def margin(self, X: Floats) -> Floats:
        """Return the raw score of each row, shape (n_rows,)."""
        ...


def interventional(booster: Margins, X: Floats, reference: Floats) -> Floats:
    """Return the contribution of every feature to every margin, measured from the reference's margin.

    The Shapley value of the game in which features outside the coalition take the reference's values
    (interventional SHAP; Lundberg et al. 2020, Nature Machine Intelligence 2, with one background row).

    Parameters
    ----------
    booster : Booster
        Without categorical splits.
    X : numpy.ndarray of float64, shape (n_rows, n_features)
        NaN where unknown.
    reference : numpy.ndarray of float64, shape (n_features,)
        The account to compare with.

    Returns
    -------
    numpy.ndarray of float64, shape (n_rows, n_features)
        ``contributions.sum(axis=1) + margin(reference) == margin(X)`` within 1e-9, checked on every call.

    Raises
    ------
    IntegrityError
        If a row's contributions miss its margin, or the trees cannot be read.
    """
    X = np.ascontiguousarray(X, dtype=np.float64)
    reference = np.asarray(reference, dtype=np.float64)
    found = np.zeros((X.shape[1], X.shape[0]))
    for tree in read_trees(booster.to_text()):
        home = tree.goes_left(reference[None, :])[:, 0]
        for first in range(0, len(X), ROWS_AT_ONCE):
            part = slice(first, first + ROWS_AT_ONCE)
            _add_tree(tree, tree.goes_left(X[part]), home, found[:, part])
    contributions = np.ascontiguousarray(found.T)
    if len(X):
        _check(contributions, booster.margin(X) - booster.margin(reference[None, :])[0])
    return contributions


def _add_tree(tree: Tree, left: npt.NDArray[np.bool_], home: npt.NDArray[np.bool_], found: Floats) -> None:
    """Add one tree's contributions to `found`, shape (n_features, n_rows).

    On the way to a leaf, a feature of which both the row and the reference meet the conditions plays no part;
    if neither meets them, no coalition reaches the leaf. Let p features be met by the row only and q by the
    reference only: exactly the coalitions with all of the p and none of the q reach it. Each of the p then
    earns (p-1)! q! / (p+q)! of the leaf's value, each of the q minus p! (q-1)! / (p+q)! of it.
    """
    right = ~left
    for path in tree.paths:
        rows_only: list[Condition] = []
        others: list[Condition] = []
        for condition in path.conditions:
            _, lefts, rights = condition
            at_home = all(home[n] for n in lefts) and not any(home[n] for n in rights)
            (others if at_home else rows_only).append(condition)
        live = np.ones(left.shape[1], dtype=np.bool_)
        for condition in rows_only:
            live &= _met(left, right, condition)
        rows = np.flatnonzero(live)
        if not len(rows):
            continue
        gone = [(condition[0], ~_met(left, right, condition)[rows]) for condition in others]
        q = np.zeros(len(rows), dtype=np.int64)
        for _, missed in gone:
            q += missed
        gain, loss = _weights(len(rows_only), len(gone))
        for j, _, _ in rows_only:
            found[j, rows] += path.value * gain[q]
        for j, missed in gone:
            found[j, rows[missed]] -= path.value * loss[q[missed]]


def _met(
    left: npt.NDArray[np.bool_], right: npt.NDArray[np.bool_], condition: Condition
) -> npt.NDArray[np.bool_]:
    _, lefts, rights = condition
    return np.asarray(np.logical_and.reduce([left[n] for n in lefts] + [right[n] for n in rights]))


def _weights(p: int, most: int) -> tuple[Floats, Floats]:
    """Return the Shapley weights of the two sides for q = 0 … most."""
    gain = [factorial(p - 1) * factorial(q) / factorial(p + q) if p else 0.0 for q in range(most + 1)]
    loss = [factorial(p) * factorial(q - 1) / factorial(p + q) if q else 0.0 for q in range(most + 1)]
    return np.array(gain), np.array(loss)


def _check(contributions: Floats, difference: Floats) -> None:
    error = np.abs(contributions.sum(axis=1) - difference)
    worst = int(np.argmax(error))
    if not error[worst] <= TOLERANCE:
        raise IntegrityError(
            f"The contributions of row {worst} miss its margin by {error[worst]:.3g}.",
            where=f"{int((~(error <= TOLERANCE)).sum())} of {len(error)} rows",
            why="Reasons that do not add up to the score are no reasons.",
            fix="Report this with the model text; until then score without reasons.",
        )
