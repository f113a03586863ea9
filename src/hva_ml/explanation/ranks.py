"""Ranks: where a value stands among all, and whether two columns order things alike."""

import math

import numpy as np
from scipy.stats import rankdata

from hva_ml.training.trees import Floats


def levels(values: Floats) -> Floats:
    """Return where each value stands among the known ones, in (0, 1); equals share a place, NaN keeps none.

    Parameters
    ----------
    values : numpy.ndarray of float64, shape (n_rows,)

    Examples
    --------
    >>> levels(np.array([5.0, np.nan, 1.0, 5.0, 9.0])).tolist()
    [0.5, nan, 0.125, 0.5, 0.875]
    """
    found = np.full(len(values), np.nan)
    known = ~np.isnan(values)
    if known.any():
        found[known] = (rankdata(values[known]) - 0.5) / known.sum()
    return found


def correlation(first: Floats, second: Floats) -> float | None:
    """Return Spearman's rank correlation, ties at their mean rank; None where a side does not vary.

    Sums are exact (centred ranks are halves), so that the order of the rows changes no bit.

    Parameters
    ----------
    first, second : numpy.ndarray of float64, shape (n_rows,)
        No NaN.

    Examples
    --------
    >>> correlation(np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 15.0]))
    0.5
    """
    if len(first) < 2:
        return None
    middle = (len(first) + 1) / 2
    a, b = rankdata(first) - middle, rankdata(second) - middle
    both, left, right = (math.fsum((x * y).tolist()) for x, y in ((a, b), (a, a), (b, b)))
    if left == 0.0 or right == 0.0:
        return None
    return both / math.sqrt(left * right)
