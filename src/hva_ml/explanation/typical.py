"""The account in the middle of many: made up of medians, or the real one nearest to that."""

from collections.abc import Sequence

import numpy as np

from hva_ml.errors import IntegrityError
from hva_ml.training.trees import Floats


def typical(X: Floats, kinds: Sequence[str]) -> Floats:
    """Return the typical account: a made-up row that every score is compared with.

    A number is the lower median of the known values (so that it is a value which occurs), or NaN if more
    than half are unknown. A category is its most frequent code, NaN among them; ties go to the lower code,
    NaN last.

    Parameters
    ----------
    X : numpy.ndarray of float64, shape (n_rows, n_features)
        Encoded rows, at least one.
    kinds : sequence of str, length n_features
        ``number`` or ``category``.

    Returns
    -------
    numpy.ndarray of float64, shape (n_features,)

    Examples
    --------
    >>> typical(np.array([[1.0, 0.0], [4.0, 1.0], [np.nan, 1.0]]), ("number", "category")).tolist()
    [1.0, 1.0]
    """
    if not len(X) or X.shape[1] != len(kinds):
        raise IntegrityError(
            f"No typical account can be made of {X.shape[0]} rows, {X.shape[1]} columns, {len(kinds)} kinds.",
            where="reference account",
            fix="Give the encoded training rows and one kind for each column.",
        )
    found = np.empty(X.shape[1])
    for j, kind in enumerate(kinds):
        known = X[~np.isnan(X[:, j]), j]
        unknown = len(X) - len(known)
        if kind == "category":
            codes, counts = np.unique(known, return_counts=True)
            found[j] = codes[np.argmax(counts)] if len(codes) and counts.max() >= unknown else np.nan
        else:
            found[j] = np.sort(known)[(len(known) - 1) // 2] if 2 * unknown <= len(X) else np.nan
    return found


def medoid(X: Floats, kinds: Sequence[str]) -> Floats:
    """Return the row with the least Gower distance to the typical account; of equals the first.

    Parameters
    ----------
    X, kinds
        As for `typical`.

    Returns
    -------
    numpy.ndarray of float64, shape (n_features,)

    Examples
    --------
    >>> medoid(np.array([[1.0, 0.0], [4.0, 1.0], [9.0, 1.0]]), ("number", "category")).tolist()
    [4.0, 1.0]
    """
    home = typical(X, kinds)
    distance = np.zeros(len(X))
    for j, kind in enumerate(kinds):
        column = X[:, j]
        unknown = np.isnan(column)
        if np.isnan(home[j]):
            distance += ~unknown
        elif kind == "category":
            distance += column != home[j]
        else:
            known = np.sort(column[~unknown])
            rank = np.searchsorted(known, np.where(unknown, home[j], column), side="left") / len(known)
            distance += np.where(unknown, 1.0, np.abs(rank - np.searchsorted(known, home[j]) / len(known)))
    return np.array(X[int(np.argmin(distance))])
