"""Are the probabilities and amounts right, not only their order? Proper scores, calibration and totals.

As in ranking, weights have shape (n_weightings, n_rows) and every measure comes back as (n_weightings,).
"""

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from hva_ml.evaluation.ranking import Floats, Order, ratio

BINS = 10
SMALLEST = 1e-15
STEPS = 60
STEEPEST = 1e3


def equal_mass_bins(score: Floats, bins: int = BINS) -> npt.NDArray[np.int64]:
    """Return the bin number of each row, shape (n_rows,): bins of nearly equal size, ties never parted.

    A row's bin follows from its mean rank, so equal scores share a bin and the order of rows plays no part.

    Examples
    --------
    >>> equal_mass_bins(np.array([0.1, 0.2, 0.3, 0.3]), 2).tolist()
    [0, 0, 1, 1]
    """
    order = Order.of(-score)
    sizes = np.diff(np.r_[order.starts, len(score)])
    middle = (order.starts + 0.5 * sizes) / len(score)
    bin_of_block = np.minimum((middle * bins).astype(np.int64), bins - 1)
    return np.asarray(bin_of_block[order.block_of_row])


def mean(mass: Floats, weight: Floats) -> Floats:
    """Return the weighted mean of a mass of shape (n_rows,)."""
    return np.asarray((weight @ mass) / weight.sum(axis=1))


def log_loss(probability: Floats, converted: Floats, weight: Floats) -> Floats:
    """Return the mean negative log likelihood; probabilities are kept 1e-15 away from 0 and 1."""
    p = np.clip(probability, SMALLEST, 1.0 - SMALLEST)
    return mean(-np.where(converted > 0, np.log(p), np.log1p(-p)), weight)


def brier(probability: Floats, converted: Floats, weight: Floats) -> Floats:
    """Return the mean squared difference between probability and outcome."""
    return mean((probability - converted) ** 2, weight)


def murphy(
    probability: Floats, converted: Floats, bin_of_row: npt.NDArray[np.int64], weight: Floats
) -> tuple[Floats, Floats, Floats]:
    """Split the Brier score: ``brier = reliability - resolution + uncertainty``, exactly.

    Murphy (1973) over bins; since probabilities differ within a bin, the resolution is the generalized one
    (resolution - within-bin variance + within-bin covariance; Stephenson, Coelho and Jolliffe 2008), without
    which the three parts would not add up.

    Returns
    -------
    tuple of numpy.ndarray
        Reliability (0 is best), generalized resolution (high is best), uncertainty (the data's own).
    """
    mass, predicted, observed = _binned(probability, converted, bin_of_row, weight)
    rows = weight.sum(axis=1)
    base = mean(converted, weight)
    uncertainty = base * (1.0 - base)
    reliability = np.asarray((mass * (predicted - observed) ** 2).sum(axis=1) / rows)
    resolution = reliability + uncertainty - brier(probability, converted, weight)
    return reliability, resolution, uncertainty


def calibration_error(
    probability: Floats, converted: Floats, bin_of_row: npt.NDArray[np.int64], weight: Floats
) -> Floats:
    """Return the expected calibration error: mean absolute gap between promised and seen rate over the bins.

    With `equal_mass_bins`; even a perfectly calibrated model shows a small positive error in a finite sample.
    """
    mass, predicted, observed = _binned(probability, converted, bin_of_row, weight)
    return np.asarray((mass * np.abs(predicted - observed)).sum(axis=1) / weight.sum(axis=1))


def _binned(
    probability: Floats, converted: Floats, bin_of_row: npt.NDArray[np.int64], weight: Floats
) -> tuple[Floats, Floats, Floats]:
    member = np.zeros((len(probability), int(bin_of_row.max()) + 1))
    member[np.arange(len(probability)), bin_of_row] = 1.0
    mass = weight @ member
    predicted, observed = (
        np.nan_to_num(ratio(weight @ (member * y[:, None]), mass)) for y in (probability, converted)
    )
    return mass, predicted, observed


def calibration_line(probability: Floats, converted: Floats, weight: Floats) -> Floats:
    """Return Cox's calibration slope: the factor on the log odds that would fit best; 1 is right.

    Below 1 the probabilities are too extreme, above 1 too timid. NaN with one class only, with equal
    probabilities, or where the outcomes are perfectly parted so that no finite slope fits.
    """
    return _logistic(_log_odds(probability), converted, weight, slope=True)


def calibration_shift(probability: Floats, converted: Floats, weight: Floats) -> Floats:
    """Return calibration in the large: the shift of the log odds that makes totals agree; 0 is right.

    Positive: conversions were promised too low. The slope is held at 1 (Van Calster et al. 2019).
    """
    return _logistic(_log_odds(probability), converted, weight, slope=False)


def _log_odds(probability: Floats) -> Floats:
    p = np.clip(probability, SMALLEST, 1.0 - SMALLEST)
    return np.asarray(np.log(p) - np.log1p(-p))


def _logistic(z: Floats, converted: Floats, weight: Floats, *, slope: bool) -> Floats:
    """Fit ``logit = shift + slope * z``, one fit for each weighting; the mean weighting gives the start."""
    centre = float(z.mean()) if slope else 0.0
    start = np.array([[centre, 1.0]])
    if len(weight) > 1:
        first = _fit(z - centre, converted, weight.mean(axis=0, keepdims=True), start, slope)
        start = first if np.isfinite(first).all() else start
    return _fit(z - centre, converted, weight, start, slope)[:, 1 if slope else 0]


def _fit(z: Floats, converted: Floats, weight: Floats, start: Floats, slope: bool) -> Floats:
    """Damped Newton steps for all weightings at once; NaN where no finite fit exists."""
    beta, step = np.repeat(start, len(weight), axis=0), np.zeros((len(weight), 2))
    loss, result = np.full(len(weight), np.inf), np.full((len(weight), 2), np.nan)
    rows, positives = weight.sum(axis=1), weight @ converted
    active = (positives > 0) & (positives < rows)
    if slope:
        active &= (weight @ z**2) - (weight @ z) ** 2 / rows > 1e-9 * rows
    todo = np.flatnonzero(active)
    for _ in range(STEPS):
        if not len(todo):
            break
        w, trial = weight[todo], beta[todo] + step[todo]
        eta = trial[:, :1] + trial[:, 1:] * z
        now = (w * (np.logaddexp(0.0, eta) - converted * eta)).sum(axis=1)
        better = now <= loss[todo] * (1.0 + 1e-13)
        full = _newton(w, z, expit(eta), converted, slope)
        step[todo] = np.where(better[:, None], full, 0.5 * step[todo])
        beta[todo] = np.where(better[:, None], trial, beta[todo])
        loss[todo] = np.where(better, now, loss[todo])
        # Newton's error is squared by each step: a last one this small lands on the solution.
        found = np.abs(step[todo]).max(axis=1) < 1e-7
        result[todo[found]] = beta[todo[found]] + step[todo[found]]
        # Perfectly parted outcomes leave no curvature: the step is then no number.
        goes_on = np.isfinite(step[todo]).all(axis=1) & (np.abs(beta[todo]).max(axis=1) < STEEPEST)
        todo = todo[~found & goes_on]
    return result


def _newton(w: Floats, z: Floats, p: Floats, converted: Floats, slope: bool) -> Floats:
    residual, curve = w * (converted - p), w * p * (1.0 - p)
    g0, h00 = residual.sum(axis=1), curve.sum(axis=1)
    if not slope:
        return np.column_stack([ratio(g0, h00), np.zeros(len(w))])
    g1, h01, h11 = residual @ z, curve @ z, curve @ z**2
    determinant = h00 * h11 - h01**2
    return np.column_stack([ratio(h11 * g0 - h01 * g1, determinant), ratio(h00 * g1 - h01 * g0, determinant)])
