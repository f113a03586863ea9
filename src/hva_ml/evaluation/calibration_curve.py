"""Promised against seen conversion rates in bins, for a reliability diagram. Compute only; charts draw it."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import ndtri

from hva_ml.evaluation.scoring import BINS, equal_mass_bins

CURVE = pa.schema(
    [
        ("bin", pa.int64()),
        ("predicted", pa.float64()),
        ("observed", pa.float64()),
        ("n", pa.int64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
    ]
)


def wilson(successes: float, trials: float, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of a rate (Wilson 1927); ``trials > 0``, ``0 < level < 1``.

    Examples
    --------
    >>> tuple(round(x, 3) for x in wilson(0, 10))
    (0.0, 0.278)
    """
    z = float(ndtri(0.5 + level / 2.0))
    rate = successes / trials
    centre = (rate + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * np.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == trials else centre + half
    return float(low), float(high)


def calibration_curve(
    probability: npt.NDArray[np.float64], converted: npt.ArrayLike, bins: int = BINS
) -> pa.Table:
    """Return mean promised and seen rate of each bin of equal size; tied probabilities share a bin.

    Parameters
    ----------
    probability : numpy.ndarray, shape (n_rows,)
        In [0, 1].
    converted : array-like, shape (n_rows,)
        1 or 0.
    bins : int
        Wished number of bins; ties can leave fewer.

    Returns
    -------
    pyarrow.Table
        bin (from 0, by rising probability), predicted, observed, n, low, high (95 % Wilson interval).
    """
    won = np.asarray(converted, dtype=np.float64)
    bin_of_row = equal_mass_bins(probability, bins)
    rows = []
    for k, found in enumerate(np.unique(bin_of_row)):
        here = bin_of_row == found
        low, high = wilson(float(won[here].sum()), int(here.sum()))
        rows.append(
            {
                "bin": k,
                "predicted": float(probability[here].mean()),
                "observed": float(won[here].mean()),
                "n": int(here.sum()),
                "low": low,
                "high": high,
            }
        )
    return pa.Table.from_pylist(rows, schema=CURVE)
