"""Logistic regression whose coefficients may not fall: what all maps are fitted by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hva_ml.errors import ContractError, HvaError, NotEnoughDataError

Array = npt.NDArray[np.float64]

MIN_SLOPE = 1e-3
_MAX_STEPS = 200


def log_sigmoid(x: Array) -> Array:
    """Return ln(1 / (1 + e^-x)), finite for any finite x."""
    return np.asarray(-np.logaddexp(0.0, -np.asarray(x, dtype=np.float64)))


@dataclass(frozen=True, eq=False)
class Sample:
    """What a map is fitted on, in an order that hangs on the numbers alone.

    Attributes
    ----------
    margin, target, weight : ndarray, shape (n_rows,)
        Raw score; Platt's target, near 0 or 1; weight in (0, 1].
    """

    margin: Array
    target: Array
    weight: Array

    @classmethod
    def of(cls, margin: Array, y: Array, weight: Array | None = None) -> "Sample":
        """Check rows and put them in order.

        Raises
        ------
        NotEnoughDataError
            With one class only.
        ContractError
            If margins or labels are not what they should be.
        """
        margin, y = np.asarray(margin, dtype=np.float64), np.asarray(y, dtype=np.float64)
        w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
        right = margin.shape == y.shape == w.shape and np.isfinite(margin).all() and np.isin(y, (0, 1)).all()
        if not right or not (np.isfinite(w) & (w > 0)).all():
            raise ContractError(
                f"Calibration needs finite margins and as many labels 0 or 1: {margin.shape}, {y.shape}.",
                where="calibration side",
                fix="Give the margin of every calibration row and its label; weights, if any, above 0.",
            )
        positives, negatives = int((y == 1).sum()), int((y == 0).sum())
        if not positives or not negatives:
            raise NotEnoughDataError(
                f"The calibration side has {positives} conversions and {negatives} others; both are needed.",
                where="[split] calibrate_cutoffs",
                why="A probability is checked against accounts that converted and such that did not.",
                fix="Raise calibrate_cutoffs or calibrate_share in [split].",
            )
        order = np.lexsort((w, y, margin))
        margin, y, w = margin[order], y[order], w[order]
        ones, zeros = float(w[y == 1].sum()), float(w[y == 0].sum())
        return cls(margin, np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2)), w)


def increasing_logistic(columns: Sequence[Array], target: Array, weight: Array) -> list[float]:
    """Fit logit p = Σ coefₖ · columnₖ + intercept with all coefₖ ≥ MIN_SLOPE, by projected Newton steps.

    Returns the coefficients, then the intercept. Sums are NumPy's pairwise ones: independent of threads.

    Raises
    ------
    NotEnoughDataError
        If higher margins do not go with more conversions.
    """
    weight = weight / weight.mean()
    design = np.vstack([*columns, np.ones_like(target)])
    scale = np.append(np.maximum(np.std(design[:-1], axis=1), 1e-12), 1.0)
    centre = np.append(np.mean(design[:-1], axis=1), 0.0)
    design = (design - centre[:, None]) / scale[:, None]
    low = np.append(MIN_SLOPE * scale[:-1], -np.inf)
    share = float(np.mean(weight * target))
    beta = np.append(np.maximum(1.0, low[:-1]), float(np.log(share / (1 - share))))
    loss, gradient, hessian = _logistic_loss(design, target, weight, beta)
    for _ in range(_MAX_STEPS):
        free = (beta > low) | (gradient < 0)
        step = np.zeros_like(beta)
        ridge = 1e-10 * np.eye(int(free.sum()))
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)] + ridge, gradient[free])
        size, found = 1.0, False
        while size > 1e-10 and not found:
            trial = np.maximum(beta - size * step, low)
            new = _logistic_loss(design, target, weight, trial)
            found, size = new[0] < loss, size / 2
        if not found:
            break
        done = loss - new[0] < 1e-15 * abs(loss)
        beta, (loss, gradient, hessian) = trial, new
        if done:
            break
    else:
        raise HvaError("The calibration did not converge.", where="calibration side")
    if not (beta[:-1] > low[:-1] * (1 + 1e-9)).any() or not (np.ptp(design[:-1], axis=1) > 0).any():
        raise NotEnoughDataError(
            "Nothing to learn here: higher scores do not go with more conversions at later cutoffs.",
            where=f"calibration side, {len(target)} rows",
            why="A probability made from such scores would be no better than the average.",
            fix="Use more cutoffs or a longer history, add features, or raise calibrate_cutoffs in [split].",
        )
    coefficients = beta[:-1] / scale[:-1]
    intercept = float(beta[-1] - (coefficients * centre[:-1]).sum())
    return [*map(float, coefficients), intercept]


def _logistic_loss(design: Array, target: Array, weight: Array, beta: Array) -> tuple[float, Array, Array]:
    """Return the mean log loss, its gradient (k,) and its Hessian (k, k); the design is (k, n)."""
    logit = (design * beta[:, None]).sum(axis=0)
    p = np.exp(log_sigmoid(logit))
    loss = float(np.mean(weight * (np.logaddexp(0.0, logit) - target * logit)))
    gradient = np.mean(design * (weight * (p - target)), axis=1)
    weighted = design * (weight * p * (1 - p))
    hessian = np.array([[np.mean(w * d) for d in design] for w in weighted])
    return loss, gradient, hessian
