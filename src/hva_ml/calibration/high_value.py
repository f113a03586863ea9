"""The likelihood of ending among the accounts of highest value, learned and calibrated as such."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hva_ml.calibration.maps import Calibrator
from hva_ml.training.booster import Booster

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HighValue:
    """A model of who will be among the best, beside the two that make the expected value.

    Attributes
    ----------
    booster : Booster
        Trees; their margin rises with the likelihood.
    calibrator : Platt or Beta
        Margin to likelihood, taught by later cohorts.
    share : float
        Which share of the accounts of a cutoff counts as best, 0 < share < 1.
    """

    booster: Booster
    calibrator: Calibrator
    share: float

    def likelihood(self, X: Array) -> Array:
        """Return the likelihood of each encoded row, shape (n_rows,), in (0, 1)."""
        return self.calibrator.probability(self.booster.margin(X))


def among_the_best(value: Array, cutoffs: npt.NDArray[np.int64], share: float) -> npt.NDArray[np.int8]:
    """Return 1 for rows whose value is among the highest of their cutoff, else 0.

    As many rows as `share` of the cutoff's rows (rounded up) are the best, and those that tie with the last
    of them; a row without a positive value never is, so that there may be fewer.

    Parameters
    ----------
    value : ndarray, shape (n_rows,)
        What was brought within the horizon, in any unit.
    cutoffs : ndarray of int64, shape (n_rows,)
        Cutoff of each row.
    share : float
        0 < share < 1.

    Examples
    --------
    >>> value = np.array([0.0, 5.0, 9.0, 7.0, 7.0, 0.0, 0.0, 1.0])
    >>> among_the_best(value, np.array([1, 1, 1, 1, 1, 2, 2, 2]), 0.4).tolist()
    [0, 0, 1, 1, 1, 0, 0, 1]
    """
    found = np.zeros(len(value), dtype=np.int8)
    for moment in np.unique(cutoffs):
        here = cutoffs == moment
        few = np.ceil(share * here.sum() - 1e-9).astype(np.int64)
        least = np.sort(value[here])[-few]
        found[here] = (value[here] >= least) & (value[here] > 0)
    return found
