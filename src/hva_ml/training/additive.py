"""The linear alternative to trees: a logistic model that adds up one step function for each column.

A generalised additive model (Hastie & Tibshirani 1990, ch. 6) with quadratic penalties, fitted by Newton
steps, column by column. With few rows it often beats trees; it is kept as a booster of one tree per column.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hva_ml.compiled import kernel
from hva_ml.training.booster import Booster
from hva_ml.training.cuts import Cut, codes, kept, log_loss
from hva_ml.training.matrix import EncodedColumn
from hva_ml.training.outcome import log_odds_of_rate

Floats = npt.NDArray[np.float64]

PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0)
"""What a search may try: pseudo-rows that hold each step of a category at nothing."""
MOST_STEPS = 16
LEAST_ROWS = 10
LEVEL = 0.1
"""Numbers are held smooth by the whole penalty, and at nothing by this part of it."""
LEAST_CURVE = 0.01
"""Keeps a step finite where every row of it is certain."""
CYCLES = 500
TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class _Column:
    """One column cut into steps, and what of them is penalised."""

    cut: Cut
    penalty: Floats
    smooth: bool


def fit_additive(
    X: Floats,
    y: Floats,
    columns: Sequence[EncodedColumn],
    *,
    penalty: float,
    weight: Floats | None = None,
    ordered: frozenset[str] = frozenset(),
) -> Booster:
    """Fit by penalised likelihood; the same bits for any order of threads, not of rows.

    Categories have one step for each value, held at nothing (ridge): a rare one says little, an unseen one
    nothing. Numbers have up to 16 steps of equal counts, and ordered categories one for each value, held
    close to their neighbours. Unknown is a step of its own.

    Parameters
    ----------
    X : ndarray, shape (n_rows, n_columns)
        Encoded rows, NaN where unknown.
    y : ndarray, shape (n_rows,)
        Share of the row that converted, within [0, 1].
    columns : sequence of EncodedColumn
        What the columns of `X` are.
    penalty : float
        > 0.
    weight : ndarray, shape (n_rows,), optional
        Weights >= 0.
    ordered : frozenset of str
        Names of categories whose codes have an order.

    Raises
    ------
    NotEnoughDataError
        If all rows have the same outcome.
    """
    weights = np.ones(len(y)) if weight is None else weight
    start = log_odds_of_rate(y, weights)
    cut = [
        _column(j, X[:, j], column, penalty, smooth=column.kind == "number" or column.name in ordered)
        for j, column in enumerate(columns)
    ]
    intercept, steps = _descended(cut, y, weights, start)
    return kept([c.cut for c in cut], steps, intercept, weights, start, columns)


def _column(place: int, values: Floats, column: EncodedColumn, penalty: float, *, smooth: bool) -> _Column:
    cut = Cut.of(place, values, codes(column) if column.kind == "category" else _thresholds(values))
    n = cut.n_steps
    held = np.full(n + 1, penalty)
    if not smooth:
        return _Column(cut, np.diag(held), smooth)
    held[:n] *= LEVEL
    difference = np.diff(np.eye(n), axis=0)
    matrix = np.diag(held)
    matrix[:n, :n] += penalty * (difference.T @ difference)
    return _Column(cut, matrix, smooth)


def _thresholds(column: Floats) -> Floats:
    """Return cuts between neighbouring values, so that steps hold about equally many rows."""
    known = column[~np.isnan(column)]
    values, counts = np.unique(known, return_counts=True)
    if len(values) < 2:
        return np.empty(0)
    most = int(np.clip(len(known) // LEAST_ROWS, 2, MOST_STEPS))
    if len(values) > most:
        wanted = np.arange(1, most) * len(known) / most
        last = np.unique(np.searchsorted(np.cumsum(counts), wanted, side="left"))
        last = last[last < len(values) - 1]
    else:
        last = np.arange(len(values) - 1)
    return np.asarray(values[last] + (values[last + 1] - values[last]) / 2)


def _descended(cut: list[_Column], y: Floats, weights: Floats, start: float) -> tuple[float, list[Floats]]:
    """Return intercept and steps of least penalised loss, by Newton steps for one column after the other."""
    intercept, margin = start, np.full(len(y), start)
    steps = [np.zeros(len(c.penalty)) for c in cut]
    penalties = [c.penalty.sum() for c in cut]
    loss = _loss(margin, y, weights, cut, steps)
    for _ in range(CYCLES):
        slope, curve = _derivatives(margin, y, weights)
        shift = -slope.sum() / max(curve.sum(), 1e-12)
        intercept, margin = intercept + shift, margin + shift
        for k, c in enumerate(cut):
            slope, curve = np.zeros((2, len(c.penalty)))
            _of_steps(np.exp(-margin), y, weights, c.cut.step, slope, curve)
            move = -_solved(curve, c, slope + _times(c.penalty, steps[k]))
            margin = margin + move[c.cut.step]
            # What all steps have in common costs nothing in the intercept.
            common = _times(c.penalty, steps[k] + move).sum() / penalties[k]
            steps[k], intercept = steps[k] + move - common, intercept + common
        new = _loss(margin, y, weights, cut, steps)
        if abs(loss - new) <= TOLERANCE * abs(new):
            break
        loss = new
    return float(intercept), steps


def _derivatives(margin: Floats, y: Floats, weights: Floats) -> tuple[Floats, Floats]:
    p = 1.0 / (1.0 + np.exp(-margin))
    return weights * (p - y), weights * np.maximum(p * (1 - p), LEAST_CURVE)


@kernel
def _of_steps(exponential, y, weights, step, slope, curve):  # type: ignore[no-untyped-def]
    """Add the derivatives of rows up for each step, in the order of the rows: the bits of np.bincount."""
    for r in range(len(step)):
        p = 1.0 / (1.0 + exponential[r])
        slope[step[r]] += weights[r] * (p - y[r])
        curve[step[r]] += weights[r] * max(p * (1.0 - p), LEAST_CURVE)


def _solved(curve: npt.NDArray[Any], column: _Column, gradient: Floats) -> Floats:
    if not column.smooth:
        return np.asarray(gradient / (curve + np.diag(column.penalty)))
    return np.asarray(np.linalg.solve(np.diag(curve) + column.penalty, gradient))


def _times(matrix: Floats, vector: Floats) -> Floats:
    # NumPy's own sums: a matrix product may depend on the number of threads.
    return np.asarray((matrix * vector).sum(axis=1))


def _loss(margin: Floats, y: Floats, weights: Floats, cut: list[_Column], steps: list[Floats]) -> float:
    held = sum(float((s * _times(c.penalty, s)).sum()) for c, s in zip(cut, steps, strict=True))
    return log_loss(margin, y, weights) + 0.5 * held
