"""Cohorts whose true odds are known: groups that come back, a level that swings or drifts."""

import numpy as np
from scipy.special import expit

from hva_ml.calibration import Later
from hva_ml.cutoffs import MICROSECONDS_PER_DAY


def cohort_rows(
    levels: np.ndarray, per_cohort: int, seed: int, every_days: int = 90, slope: float = 0.8
) -> tuple[Later, np.random.Generator]:
    """Return the rows of one cohort per level, the true log-odds being slope · margin + level."""
    rng = np.random.default_rng(seed)
    many = len(levels) * per_cohort
    margin = rng.normal(-1.0, 1.2, many)
    cutoff = np.repeat(np.arange(len(levels)) * every_days * MICROSECONDS_PER_DAY, per_cohort)
    converted = (rng.random(many) < expit(slope * margin + np.repeat(levels, per_cohort))).astype(float)
    groups = [f"G{k}" for k in rng.integers(0, per_cohort, many)]
    return Later.of(margin, converted, cutoff, groups), rng
