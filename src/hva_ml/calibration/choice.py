"""Platt or beta: the form of the map, chosen on accounts that it was not fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hva_ml.calibration.maps import Kind, fit
from hva_ml.errors import NotEnoughDataError
from hva_ml.splits import group_uniform

Array = npt.NDArray[np.float64]

FOLDS = 3
LEAST_OF_A_CLASS = 30


@dataclass(frozen=True)
class Choice:
    """The form of the map, and why.

    Attributes
    ----------
    kind : {"platt", "beta"}
        What was chosen.
    gain : float
        Log loss of Platt's map less that of the beta map on held-out accounts, mean per row.
    error : float
        Standard error of the gain, by group.
    """

    kind: Kind
    gain: float
    error: float


def choose(margin: Array, y: Array, groups: Sequence[str], seed: int, weight: Array | None = None) -> Choice:
    """Choose the form of the map out of sample.

    A hash deals each group to one of three folds; both maps are fitted on two and judged on the third. The
    beta map, which has one parameter more, is taken only if it wins by more than a standard error.

    Parameters
    ----------
    margin, y, weight : ndarray, shape (n_rows,)
        As in `fit`.
    groups : sequence of str, length n_rows
        Ultimate parents: what belongs together is held out together.
    seed : int
        Seed of the hash.

    Examples
    --------
    >>> margin = np.tile(np.linspace(-3, 3, 101), 4)
    >>> y = (np.arange(404) % 7 < 2 + margin).astype(float)
    >>> choose(margin, y, [f"g{k}" for k in range(404)], 7).kind
    'platt'
    """
    margin, y = np.asarray(margin, dtype=np.float64), np.asarray(y, dtype=np.float64)
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    if min(int((y == 1).sum()), int((y == 0).sum())) < LEAST_OF_A_CLASS:
        return Choice("platt", 0.0, 0.0)
    names, code = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    fold = np.minimum(
        (group_uniform(names.tolist(), seed, "calibration form") * FOLDS).astype(int), FOLDS - 1
    )
    gain = np.zeros(len(y))
    for k in range(FOLDS):
        held = fold[code] == k
        try:
            maps = [fit(kind, margin[~held], y[~held], w[~held]) for kind in ("platt", "beta")]
        except NotEnoughDataError:
            return Choice("platt", 0.0, 0.0)
        platt, beta = (
            np.logaddexp(0.0, m.logit(margin[held])) - y[held] * m.logit(margin[held]) for m in maps
        )
        gain[held] = platt - beta
    order = np.lexsort((gain, code))
    share = w[order] / w.sum()
    mean = float((share * gain[order]).sum())
    by_group = np.bincount(code[order], weights=share * (gain[order] - mean), minlength=len(names))
    error = float(np.sqrt((by_group**2).sum()))
    return Choice("beta" if mean > error else "platt", mean, error)
