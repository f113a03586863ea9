"""Validation inside the training side: whole accounts held out, judged at the later cutoffs.

The calibration and test sides are never touched here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hva_ml.errors import NotEnoughDataError
from hva_ml.splits import group_uniform

FOLDS = 3
MIN_VALID_ROWS = 30
MIN_VALID_POSITIVES = 5


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows that fit and rows that judge, both as increasing positions into the training rows.

    `weight` says how much each judging row counts, shape (n_valid,); without it all count alike.
    """

    fit: npt.NDArray[np.int64]
    valid: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64] | None = None


def folds(
    groups: Sequence[str],
    cutoff_codes: npt.NDArray[np.int64],
    positive: npt.NDArray[np.bool_],
    seed: int,
) -> tuple[Fold, ...]:
    """Deal the training rows to three folds.

    A hash deals each ultimate parent to one fold. In each fold its parents are held out everywhere, the
    model fits on all others at all cutoffs, and is judged on the held-out ones at the last third of the
    cutoffs: unknown accounts, as late as training can see. Where those rows are too few (under 30, or
    under 5 positive), held-out accounts are judged at all cutoffs instead.

    Parameters
    ----------
    groups : sequence of str, length n_rows
        Ultimate parents.
    cutoff_codes : ndarray of int, shape (n_rows,)
        Any increasing number per cutoff.
    positive : ndarray of bool, shape (n_rows,)
        Conversions, or rows of positive value.
    seed : int
        Seed of the hash.

    Raises
    ------
    NotEnoughDataError
        If a fold has under 5 positive rows, on either side, even so.
    """
    uniform = group_uniform(groups, seed, "validation")
    fold_of_row = np.minimum((uniform * FOLDS).astype(np.int64), FOLDS - 1)
    codes = np.unique(cutoff_codes)
    later = cutoff_codes >= codes[len(codes) - max(1, len(codes) // 3)] if len(codes) else positive
    held_out = [fold_of_row == k for k in range(FOLDS)]
    if not all(_enough(h & later, positive) for h in held_out):
        later = np.ones(len(positive), dtype=np.bool_)
    found = [int((h & positive).sum()) for h in held_out]
    if min(found) < MIN_VALID_POSITIVES:
        raise NotEnoughDataError(
            f"Too few conversions to compare models: {' / '.join(map(str, found))} in the three "
            f"validation folds, at least {MIN_VALID_POSITIVES} needed in each.",
            where=f"training side, {len(positive)} rows, {int(positive.sum())} conversions",
            why="With so few, the search would choose by chance.",
            fix="Begin [cutoffs] first earlier, lengthen [horizon] days, or lower test_share and "
            "calibrate_share in [split].",
        )
    return tuple(Fold(np.flatnonzero(~h), np.flatnonzero(h & later)) for h in held_out)


def _enough(rows: npt.NDArray[np.bool_], positive: npt.NDArray[np.bool_]) -> bool:
    return int(rows.sum()) >= MIN_VALID_ROWS and int((rows & positive).sum()) >= MIN_VALID_POSITIVES
