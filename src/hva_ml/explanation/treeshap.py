"""Exact SHAP values of a booster: against one reference account, or against the covers of its own training.

Both go through one kernel (`quadrature`), hold every row to its margin, and give the same bits for any order
of rows and number of threads. (shap 0.51 holds leaves as float32 and sends every NaN the default way, whereas
LightGBM reads it as zero where training had none; its values miss the margin by 1e-7 to several units.)
"""

from typing import Protocol

import numpy as np

from hva_ml.errors import IntegrityError
from hva_ml.explanation.program import Program, cover_ratios, folded, program, tables
from hva_ml.explanation.quadrature import contributions, satisfied
from hva_ml.training.trees import Floats, Ints

TOLERANCE = 1e-9


class Margins(Protocol):
    """What is asked of a booster: its text and its raw scores."""

    def to_text(self) -> str:
        """Return LightGBM's own text form."""
        ...

    def margin(self, X: Floats) -> Floats:
        """Return the raw score of each row, shape (n_rows,)."""
        ...


def interventional(
    booster: Margins,
    X: Floats,
    reference: Floats,
    which: Ints | None = None,
    *,
    margins: Floats | None = None,
    threads: int | None = None,
) -> Floats:
    """Return the contribution of every feature to every margin, measured from a reference's margin.

    The Shapley value of the game in which features outside the coalition take the reference's values
    (interventional SHAP; Lundberg et al. 2020, Nature Machine Intelligence 2, with one background row).

    Parameters
    ----------
    booster : Booster
        With one output.
    X : numpy.ndarray of float64, shape (n_rows, n_features)
        NaN where unknown.
    reference : numpy.ndarray of float64, shape (n_features,) or (n_references, n_features)
        The account to compare with, or several.
    which : numpy.ndarray of int64, shape (n_rows,), optional
        With several references: which of them each row is compared with.
    margins : numpy.ndarray of float64, shape (n_rows,), optional
        ``booster.margin(X)``, if it is already known.
    threads : int, optional
        At most so many.

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
    references = np.atleast_2d(np.asarray(reference, dtype=np.float64))
    which = np.zeros(len(X), dtype=np.int64) if which is None else np.asarray(which, dtype=np.int64)
    walk = program(booster.to_text())
    found = np.zeros(X.shape)
    for number in np.unique(which):
        background = tables(walk, folded(walk, satisfied(walk, references[number])))
        rows = np.flatnonzero(which == number)
        if len(rows) == len(X):
            found = contributions(walk, background, X, threads)
        else:
            found[rows] = contributions(walk, background, np.ascontiguousarray(X[rows]), threads)
    if len(X):
        _check(found, (booster.margin(X) if margins is None else margins) - booster.margin(references)[which])
    return found


def path_dependent(
    booster: Margins, X: Floats, *, margins: Floats | None = None, threads: int | None = None
) -> tuple[Floats, float]:
    """Return the contributions measured from the mean of the training rows, and that mean.

    Features outside the coalition are averaged by the training rows that went each way (path-dependent
    TreeSHAP; Lundberg et al. 2020): what LightGBM's ``pred_contrib`` gives.

    Parameters
    ----------
    booster, X, margins, threads
        As for `interventional`.

    Returns
    -------
    tuple of numpy.ndarray of float64, shape (n_rows, n_features), and float
        ``contributions.sum(axis=1) + mean == margin(X)`` within 1e-9, checked on every call.

    Raises
    ------
    IntegrityError
        If a row's contributions miss its margin, or the trees cannot be read.
    """
    X = np.ascontiguousarray(X, dtype=np.float64)
    walk = program(booster.to_text())
    share = cover_ratios(walk)
    found = contributions(walk, tables(walk, folded(walk, share)), X, threads)
    mean = _mean(walk)
    if len(X):
        _check(found, (booster.margin(X) if margins is None else margins) - mean)
    return found, mean


def _mean(walk: Program) -> float:
    """Return the mean margin of the training rows, by the covers of the leaves."""
    e = walk.ensemble
    total = 0.0
    for tree in range(e.n_trees):
        leaves = slice(e.first_leaf[tree], e.first_leaf[tree + 1])
        value, count = e.leaf_value[leaves], e.leaf_count[leaves]
        total += float(value[0] if len(value) == 1 else np.dot(value, count) / count.sum())
    return total


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
