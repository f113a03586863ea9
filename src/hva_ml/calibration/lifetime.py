"""What customers bring over several horizons: a sum of windows that continue the pipeline's own horizon."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from hva_ml.calibration.maps import Calibrator, from_dict
from hva_ml.calibration.outlook import DRIFT_SD, SWING_SD, SWING_WEIGHT
from hva_ml.errors import ContractError

Array = npt.NDArray[np.float64]
YEAR_DAYS = 365.0
KNOWN_BY = "cadence.recency_days"
"""The feature that is known of accounts that have bought before, and of no other."""


def lasting(differences: Array, beside: float) -> float:
    """Return how far a difference between a later window and the horizon is believed to last.

    What a cohort brings in a later window, over as many days of its horizon, differs by what customers do as
    they age, which lasts, and by the seasons of the two, which the next cohort has not. The first is taken
    to lie around none with a standard deviation of 0.15, the second to have twice the variance of the swing
    of a market, 0.2, until cohorts tell (with the weight of two). So the mean of the cohorts is weighted
    T² / (T² + s² / n), credibility in the sense of Bühlmann (1967, ASTIN Bulletin 4, 199-207).

    Parameters
    ----------
    differences : ndarray, shape (n_cohorts,)
        ln of what came in the window over what came in the horizon, both a day; at least one.
    beside : float
        How many cohorts fit beside each other without sharing a day, >= 1.

    Returns
    -------
    float
        In (0, 1).

    Examples
    --------
    >>> round(lasting(np.array([0.3]), 1.0), 2), round(lasting(np.full(36, 0.3), 12.0), 2)
    (0.3, 0.96)
    """
    each = min(1.0, beside / len(differences))
    seen = each * len(differences)
    spread = SWING_WEIGHT * 2 * SWING_SD**2 + each * float(((differences - differences.mean()) ** 2).sum())
    spread /= SWING_WEIGHT + seen
    return DRIFT_SD**2 / (DRIFT_SD**2 + spread / seen)


@dataclass(frozen=True, eq=False)
class LifetimeWindow:
    """How a window after the horizon of the pipeline follows from it.

    Attributes
    ----------
    until_days : int
        Where it ends; it begins where the one before ends.
    bought : Calibrator
        Log-odds of buying within the horizon to likelihood of buying in the window.
    log_factor : float
        ln of what a purchase in the window brings over what one within the horizon does.
    """

    until_days: int
    bought: Calibrator
    log_factor: float


@dataclass(frozen=True, eq=False)
class Curve:
    """What is said of existing customers, one column for each window.

    Attributes
    ----------
    probability, value_if_active : numpy.ndarray of float64, shape (n_rows, n_windows)
        Likelihood of buying in the window, and undiscounted value if so, in currency units, > 0.
    value_in_window, value : numpy.ndarray of float64, shape (n_rows, n_windows)
        Their product, discounted; and its sum over this window and all before, which never falls.
    survival : numpy.ndarray of float64, shape (n_rows, n_windows)
        Likelihood of buying anything from the beginning of the window to the longest horizon; never rises,
        and is never below the likelihood of this or a later window.
    """

    probability: Array
    value_if_active: Array
    value_in_window: Array
    value: Array
    survival: Array


@dataclass(frozen=True, eq=False)
class LifetimeValue:
    """The windows after the horizon of the pipeline, and who still buys.

    Attributes
    ----------
    horizon_days : int
        End of the first window, which the pipeline's own two models tell.
    windows : tuple of LifetimeWindow
        Those after it, at least one.
    survival : tuple of Calibrator
        Log-odds of buying within the horizon to likelihood of still buying, for the beginning of every window
        but the last: there it is the likelihood of the window itself.
    discount_per_year : float
        0 for none.
    """

    horizon_days: int
    windows: tuple[LifetimeWindow, ...]
    survival: tuple[Calibrator, ...]
    discount_per_year: float = 0.0

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in pairwise(self.edges))
        if not self.windows or len(self.survival) != len(self.windows) or not rising:
            raise ContractError(
                f"{len(self.windows)} windows with {len(self.survival)} survivals do not make a lifetime.",
                where="lifetime",
                fix="Give windows that end later and later, and a survival for each of them.",
            )

    @property
    def edges(self) -> tuple[int, ...]:
        """Days at which windows begin and end, from 0."""
        return (0, self.horizon_days, *(w.until_days for w in self.windows))

    @property
    def discounts(self) -> Array:
        """What money of each window is worth today, in (0, 1]."""
        edges = np.array(self.edges, dtype=np.float64)
        middle = (edges[:-1] + edges[1:]) / 2
        return np.asarray((1 + self.discount_per_year) ** (-middle / YEAR_DAYS))

    def curve(self, probability: Array, value_if_converted: Array) -> Curve:
        """Return what is said of existing customers.

        Parameters
        ----------
        probability, value_if_converted : ndarray of float64, shape (n_rows,)
            Of the pipeline's own horizon; 0 < probability < 1, value > 0.
        """
        z = logit(probability)
        bought = np.column_stack([probability, *(w.bought.probability(z) for w in self.windows)])
        factors = np.exp([0.0, *(w.log_factor for w in self.windows)])
        worth = value_if_converted[:, None] * factors
        left = np.column_stack([*(s.probability(z) for s in self.survival), bought[:, -1]])
        # Who buys in a later window is still there before it, whatever two maps say.
        left = np.maximum.accumulate(np.maximum(left, bought)[:, ::-1], axis=1)[:, ::-1]
        increment = bought * worth * self.discounts
        return Curve(bought, worth, increment, np.cumsum(increment, axis=1), left)

    def record(self) -> dict[str, Any]:
        """Return a JSON-ready record."""
        return {
            "horizon_days": self.horizon_days,
            "discount_per_year": self.discount_per_year,
            "windows": [
                {
                    "until_days": w.until_days,
                    "bought": w.bought.to_dict(),
                    "log_factor": float(w.log_factor),
                }
                for w in self.windows
            ],
            "survival": [s.to_dict() for s in self.survival],
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """Return what a record tells; raises ``KeyError``, ``TypeError`` or ``ValueError`` otherwise."""
        windows = tuple(
            LifetimeWindow(int(w["until_days"]), from_dict(w["bought"]), float(w["log_factor"]))
            for w in record["windows"]
        )
        survival = tuple(from_dict(s) for s in record["survival"])
        return cls(int(record["horizon_days"]), windows, survival, float(record["discount_per_year"]))
