"""Nowcast: what cohorts have brought whose horizon still runs, beside what was promised, moves the level."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hva_ml.calibration.level import LEVEL_PRIOR

Array = npt.NDArray[np.float64]

LEAST_DAYS = 28
LEAST_COHORTS = 3
MISS_SD = 0.15
MISS_WEIGHT = 2.0


@dataclass(frozen=True)
class Look:
    """One cohort, looked at before its horizon is over.

    Attributes
    ----------
    days : int
        Days since its cutoff.
    promised : float
        What was promised for the whole horizon.
    share : float
        Which part of it comes within these days, by the cohorts that are over.
    came : float
        What has come so far.
    ratio, error : float
        ln (came / (promised × share)), and its standard error.
    """

    days: int
    promised: float
    share: float
    came: float
    ratio: float
    error: float


@dataclass(frozen=True)
class Nowcast:
    """What looks at running cohorts say together.

    Attributes
    ----------
    moved : float
        What is to be added to the log of what is promised.
    ratio : float
        Mean of the looks, log scale; `moved` is as much of it as is believed.
    sd : float
        Standard deviation that `ratio` would have if no level moved: that of the looks, and of a cohort's
        swing.
    looks : tuple of Look
        None where there was too little to tell anything.
    """

    moved: float
    ratio: float
    sd: float
    looks: tuple[Look, ...]

    def record(self) -> dict[str, Any]:
        """Return a JSON-ready record."""
        return asdict(self)


def nowcast(
    over: Array,
    came: Sequence[float],
    days: Sequence[int],
    promised: Sequence[float],
    *,
    swing_sd: float,
    prior_sd: float = LEVEL_PRIOR,
) -> Nowcast:
    """Say by how much a level is to be moved after what cohorts have brought whose horizon still runs.

    The part of a horizon's total that comes within so many days is the geometric mean of the cohorts that are
    over (the chain ladder of actuaries: Mack 1993, ASTIN Bulletin 23, 213-225); how far these lie apart says
    how far such a look may mislead (0.15 on log scale before any of them, with the weight of two). Looks are
    weighted by their precision, but count together as one, for their days overlap. Their mean r is believed
    as `hva_ml.calibration.level` believes a cohort, with a standard deviation of `prior_sd` for the level and
    `swing_sd` for the swing of a cohort: r · prior² / (prior² + error² + swing²), credibility in the sense of
    Bühlmann (1967, ASTIN Bulletin 4, 199-207).

    Parameters
    ----------
    over : ndarray, shape (n_over, n_days + 1)
        What cohorts that are over had brought after 0, 1, … days; in the last column, all of it.
    came, promised : sequence of float, length n
        What each running cohort has brought so far, and what was promised of it for the whole horizon.
    days : sequence of int, length n
        Days since its cutoff, at most n_days.
    swing_sd, prior_sd : float
        Log scale, > 0.

    Returns
    -------
    Nowcast
        Nothing is moved with fewer than three cohorts that are over, or where nothing has come.

    Examples
    --------
    >>> even = np.tile(np.linspace(0.0, 100.0, 91), (20, 1))
    >>> found = nowcast(even, [20.0], [30], [120.0], swing_sd=0.25)
    >>> round(found.moved, 3), round(found.looks[0].share, 3), round(found.looks[0].ratio, 3)
    (-0.34, 0.333, -0.693)
    """
    looks = []
    for brought, age, expected in zip(came, days, promised, strict=True):
        known = (over[:, age] > 0) & (over[:, -1] > 0)
        if known.sum() < LEAST_COHORTS or not brought > 0 or not expected > 0:
            continue
        shares = np.log(over[known, age] / over[known, -1])
        apart = MISS_WEIGHT * MISS_SD**2 + float(((shares - shares.mean()) ** 2).sum())
        error = (apart / (MISS_WEIGHT + len(shares) - 1) * (1 + 1 / len(shares))) ** 0.5
        share = float(np.exp(shares.mean()))
        ratio = float(np.log(brought / (expected * share)))
        looks.append(Look(age, float(expected), share, float(brought), ratio, float(error)))
    if not looks:
        return Nowcast(0.0, 0.0, 0.0, ())
    weight = np.array([look.error**-2 for look in looks])
    mean = float(weight @ [look.ratio for look in looks] / weight.sum())
    variance = len(looks) / float(weight.sum()) + swing_sd**2
    believed = prior_sd**2 / (prior_sd**2 + variance)
    return Nowcast(believed * mean, mean, float(variance**0.5), tuple(looks))
