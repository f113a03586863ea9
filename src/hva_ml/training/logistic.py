"""The straight alternative to trees: logistic regression, kept as a booster of one tree per column.

Ridge logistic regression (Hastie, Tibshirani & Friedman 2009, ch. 4.4 and 3.4.1). Where times change it often
beats trees and steps: it goes on beyond what training has seen, as far as four standard deviations.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from hva_ml.training.booster import Booster
from hva_ml.training.cuts import Cut, codes, kept, log_loss
from hva_ml.training.matrix import EncodedColumn
from hva_ml.training.outcome import log_odds_of_rate

Floats = npt.NDArray[np.float64]

PENALTIES = (0.1, 1.0, 10.0, 100.0)
"""What a search may try: half of it times the squared coefficient of each standardised column is added."""
FURTHEST = 4.0
CELLS = 64
"""So many steps stand for the straight line of a number: each an eighth of a standard deviation wide."""
RARE = 20
NEWTON = 50
HALVINGS = 30
TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False)
class _Column:
    """One column cut into steps, and what each means: a row for each step, a column for each coefficient."""

    cut: Cut
    table: Floats


def fit_logistic(
    X: Floats,
    y: Floats,
    columns: Sequence[EncodedColumn],
    *,
    penalty: float,
    weight: Floats | None = None,
) -> Booster:
    """Fit by penalised likelihood; the same bits for any number of threads, not for any order of rows.

    Numbers are taken as signed log1p, standardised, unknown ones at the median with a coefficient of their
    own, and rounded to an eighth of a standard deviation. Categories have a coefficient for each value; those
    with fewer than 20 rows, and unseen ones, have one together. A constant column says nothing.

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

    Raises
    ------
    NotEnoughDataError
        If all rows have the same outcome.
    """
    weights = np.ones(len(y)) if weight is None else weight
    start = log_odds_of_rate(y, weights)
    used = weights > 0
    cut = [
        _category(j, X[:, j], c, used) if c.kind == "category" else _number(j, X[:, j], used)
        for j, c in enumerate(columns)
    ]
    design = np.concatenate([np.ones((len(y), 1)), *(c.table[c.cut.step] for c in cut)], axis=1)
    held = np.full(design.shape[1], penalty)
    held[0] = 0.0
    # A matrix product may depend on the number of threads.
    with threadpool_limits(1, user_api="blas"):
        found = _newton(design[used], y[used], weights[used], held, start)
    ends = np.cumsum([1, *(c.table.shape[1] for c in cut)])
    said = [(c.table * found[a:b]).sum(axis=1) for c, a, b in zip(cut, ends[:-1], ends[1:], strict=True)]
    return kept([c.cut for c in cut], said, float(found[0]), weights, start, columns)


def _number(place: int, values: Floats, used: npt.NDArray[np.bool_]) -> _Column:
    """Cut a number into equal steps of its standardised signed log."""
    known = values[used & ~np.isnan(values)]
    bent = np.sign(known) * np.log1p(np.abs(known))
    middle, spread = (float(bent.mean()), float(bent.std())) if len(bent) else (0.0, 0.0)
    edges = np.linspace(-FURTHEST, FURTHEST, CELLS + 1)
    at = middle + spread * edges[1:-1]
    thresholds, first = np.unique(np.sign(at) * np.expm1(np.abs(at)), return_index=True)
    if len(known) == 0 or known.min() == known.max() or len(thresholds) < 2:
        return _nothing(place, values)
    centres = (edges[1:] + edges[:-1]) / 2
    cells = np.append(centres[first], centres[-1])
    median = cells[Cut.of(place, np.array([np.median(known)]), thresholds).step[0]]
    cut, line = Cut.of(place, values, thresholds), np.append(cells, median)[:, None]
    if not np.isnan(values[used]).any():
        return _Column(cut, line)
    flag = np.append(np.zeros(len(cells)), 1.0)[:, None]
    return _Column(cut, np.concatenate([line, flag], axis=1))


def _category(place: int, values: Floats, column: EncodedColumn, used: npt.NDArray[np.bool_]) -> _Column:
    """Give each value of a category a step, and its own coefficient if it has rows enough."""
    cut = Cut.of(place, values, codes(column))
    often = np.bincount(cut.step[used], minlength=cut.n_steps + 1) >= RARE
    table = np.zeros((len(often), int(often.sum()) + 1))
    table[np.flatnonzero(often), np.arange(int(often.sum()))] = 1.0
    table[~often, -1] = 1.0
    return _Column(cut, table)


def _nothing(place: int, values: Floats) -> _Column:
    return _Column(Cut.of(place, values, np.zeros(1)), np.zeros((3, 0)))


def _newton(design: Floats, y: Floats, weights: Floats, held: Floats, start: float) -> Floats:
    """Return the coefficients of least penalised loss, by Newton steps that are halved until they help."""
    found = np.zeros(design.shape[1])
    found[0] = start
    loss = _loss(design @ found, y, weights, held, found)
    for _ in range(NEWTON):
        p = 1.0 / (1.0 + np.exp(-(design @ found)))
        slope = design.T @ (weights * (p - y)) + held * found
        curve = (design * (weights * np.maximum(p * (1 - p), 1e-6))[:, None]).T @ design
        move = np.linalg.solve(curve + np.diag(np.maximum(held, 1e-9)), slope)
        for _ in range(HALVINGS):
            new = _loss(design @ (found - move), y, weights, held, found - move)
            if new <= loss:
                break
            move = move / 2
        else:
            return found
        found, gained, loss = found - move, loss - new, new
        if gained <= TOLERANCE * abs(loss):
            break
    return found


def _loss(margin: Floats, y: Floats, weights: Floats, held: Floats, found: Floats) -> float:
    return log_loss(margin, y, weights) + 0.5 * float((held * found**2).sum())
