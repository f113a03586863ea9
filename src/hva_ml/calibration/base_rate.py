"""How the base rate moves from cohort to cohort, and where it stands for the cohort to be scored next."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal

import numpy as np
from scipy.special import expit

from hva_ml.calibration.later import Later
from hva_ml.calibration.level import COHORT_SD
from hva_ml.calibration.logistic import Array
from hva_ml.cutoffs import MICROSECONDS_PER_DAY

Rule = Literal["pooled", "drift"]

OFFSET_SD = 1.5
PRIOR_COHORTS = 4.0
QUARTER_DAYS = 90.0
DRIFT_SDS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0)
DRIFT_PRIOR_SD = 0.5
SWING_SDS = (0.25, 0.4, 0.7, 1.0)
_STEPS = 60


@dataclass(frozen=True)
class Cohort:
    """What became of one calibration cohort, beside what the pooled map promised.

    Attributes
    ----------
    cutoff : int
        Microseconds since the epoch.
    rows, converted : int
        Accounts, and those of them that converted.
    promised : float
        Mean probability by the map of all cohorts together.
    offset, error : float
        Log-odds to add for this cohort, drawn a little to 0, and their standard error.
    """

    cutoff: int
    rows: int
    converted: int
    promised: float
    offset: float
    error: float

    @property
    def day(self) -> float:
        """The cutoff in days since the epoch."""
        return self.cutoff / MICROSECONDS_PER_DAY

    @property
    def rate(self) -> float:
        """Share that converted."""
        return self.converted / self.rows


@dataclass(frozen=True)
class BaseRate:
    """Where the base rate stands for the next cohort.

    Attributes
    ----------
    offset : float
        Log-odds added to the pooled map; 0 by the rule ``pooled``.
    sd : float
        Standard deviation of the next cohort's log-odds around it, > 0.
    freedom : float
        Degrees of freedom with which `sd` is known, > 0.
    drift : float
        Standard deviation of the drift within 90 days that explains the cohorts best; 0 if none does.
    drifted : float
        Log-odds that the rule ``drift`` adds, or would add.
    cohorts : tuple of Cohort
        In the order of time.
    """

    offset: float
    sd: float
    freedom: float
    drift: float
    drifted: float
    cohorts: tuple[Cohort, ...]


def base_rate(later: Later, logit: Array, rule: Rule, wait_days: float) -> BaseRate:
    """Say where the base rate stands, and how surely.

    Each cohort's offset from the pooled map is a noisy look at a level. By ``pooled`` the level stands still
    and cohorts swing around it. By ``drift`` it is a random walk (a local level model: Harvey 1989,
    Forecasting, Structural Time Series Models and the Kalman Filter, ch. 2), seen with the swing of a cohort
    (standard deviation 0.25, as for totals, or more); step and swing are those under which every cohort was
    most likely *given only the cohorts that had matured by its own cutoff*, with a preference for small steps
    (half-normal, 0.5 per 90 days). Overlapping horizons so never look like persistence, and a season that
    turns before its outcomes are known speaks for swings, not for a drift. No drift is one of the choices.

    Parameters
    ----------
    later : Later
        Rows of the calibration side.
    logit : ndarray, shape (n_rows,)
        Log-odds by the map of all of them together.
    rule : {"pooled", "drift"}
        ``[models] base_rate``.
    wait_days : float
        Days from a cutoff until its outcomes are known: the next cohort lies so far ahead of the last.
    """
    cohorts = _cohorts(later, logit)
    step, swing = max(
        product(DRIFT_SDS, SWING_SDS), key=lambda sds: _likelihood(cohorts, *sds, wait_days=wait_days)
    )
    level, variance = _filtered(cohorts, step, swing, cohorts[-1].day + wait_days) if step else (0.0, 0.0)
    apart = 1.0 + (cohorts[-1].day - cohorts[0].day) / wait_days
    freedom = PRIOR_COHORTS + apart - 1
    if rule == "drift" and step > 0:
        return BaseRate(level, float(np.sqrt(variance + swing**2)), freedom, step, level, cohorts)
    return BaseRate(0.0, _swing(cohorts, apart), freedom, step, level, cohorts)


def _cohorts(later: Later, logit: Array) -> tuple[Cohort, ...]:
    found = []
    for cutoff in np.unique(later.cutoff):
        here = later.cutoff == cutoff
        offset, error = _offset(logit[here], later.converted[here])
        rows, converted = int(here.sum()), int(later.converted[here].sum())
        promised = float(expit(logit[here]).mean())
        found.append(Cohort(int(cutoff), rows, converted, promised, offset, error))
    return tuple(found)


def _offset(logit: Array, converted: Array) -> tuple[float, float]:
    """Return the log-odds that make predicted and actual conversions agree, drawn to 0 by a wide prior."""
    offset, information = 0.0, 1.0
    for _ in range(_STEPS):
        p = expit(logit + offset)
        information = float((p * (1 - p)).sum()) + OFFSET_SD**-2
        step = (float((converted - p).sum()) - offset * OFFSET_SD**-2) / information
        # Newton can leap where hardly anybody converts.
        offset += float(np.clip(step, -1.0, 1.0))
        if abs(step) < 1e-12:
            break
    return offset, information**-0.5


def _filtered(cohorts: Sequence[Cohort], step: float, swing: float, at: float) -> tuple[float, float]:
    """Return mean and variance of the level on day `at`, from cohorts in the order of time."""
    mean, variance, per_day = 0.0, swing**2, step**2 / QUARTER_DAYS
    for before, cohort in pairwise([None, *cohorts]):
        assert cohort is not None
        variance += per_day * (cohort.day - before.day if before else 0.0)
        gain = variance / (variance + cohort.error**2 + swing**2)
        mean, variance = mean + gain * (cohort.offset - mean), variance * (1 - gain)
    return mean, variance + per_day * max(0.0, at - cohorts[-1].day if cohorts else 0.0)


def _likelihood(cohorts: Sequence[Cohort], step: float, swing: float, *, wait_days: float) -> float:
    """Return the log density of all offsets, each foretold from what had matured by then, and of the step."""
    total = -0.5 * (step / DRIFT_PRIOR_SD) ** 2
    for k, cohort in enumerate(cohorts):
        matured = [c for c in cohorts[:k] if c.day + wait_days <= cohort.day]
        if matured:
            mean, variance = _filtered(matured, step, swing, cohort.day)
        else:
            mean, variance = 0.0, swing**2 + step**2 / QUARTER_DAYS * (cohort.day - cohorts[0].day)
        variance += cohort.error**2 + swing**2
        total -= 0.5 * (np.log(variance) + (cohort.offset - mean) ** 2 / variance)
    return float(total)


def _swing(cohorts: Sequence[Cohort], apart: float) -> float:
    """Return how far the next cohort may lie from the pooled level.

    What cohorts showed counts as many as there are without overlapping horizons (`apart`); a swing of 0.25
    stands before it with the weight of four. The pooled level is itself a mean of so many cohorts, and lies
    the nearer to each of them for it.
    """
    shown = max(0.0, float(np.mean([c.offset**2 - c.error**2 for c in cohorts])))
    variance = (PRIOR_COHORTS * COHORT_SD**2 + apart * shown) / (PRIOR_COHORTS + apart - 1)
    return float(np.sqrt(variance * (1 + 1 / apart)))
