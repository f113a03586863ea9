"""How much an older cohort still counts: half as much for every half-life."""

import numpy as np
import numpy.typing as npt

from hva_ml.cutoffs import MICROSECONDS_PER_DAY

Array = npt.NDArray[np.float64]


def recency_weights(cutoffs: npt.NDArray[np.int64], half_life_days: float | None) -> Array | None:
    """Return a weight in (0, 1] for each row, 1 at the latest cutoff; None where all count alike.

    Parameters
    ----------
    cutoffs : ndarray of int64, shape (n_rows,)
        Cutoffs as microseconds since the epoch.
    half_life_days : float or None
        Days after which a cohort counts half as much, > 0.

    Examples
    --------
    >>> recency_weights(np.array([0, 30, 60]) * MICROSECONDS_PER_DAY, 30.0).tolist()
    [0.25, 0.5, 1.0]
    """
    if half_life_days is None or not len(cutoffs):
        return None
    halvings = (cutoffs.max() - cutoffs) / (MICROSECONDS_PER_DAY * half_life_days)
    # Far below any influence, but above 0: a weight of 0 would be no row at all.
    return np.asarray(np.exp2(-np.minimum(halvings, 30.0)), dtype=np.float64)
