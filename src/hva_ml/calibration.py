"""Margin -> probability, and predicted -> actual total: smooth, increasing maps learned on later data.

Nothing here ties two accounts that the model tells apart, so that explanations carry through.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from hva_ml.errors import ContractError, HvaError, IntegrityError, NotEnoughDataError

Array = npt.NDArray[np.float64]
Kind = Literal["platt", "beta"]

MIN_SLOPE = 1e-3
LEVEL_PRIOR = 0.25
COHORT_SD = 0.25
_MAX_STEPS = 200


class _Increasing:
    """What every map has: a calibrated logit that rises with the margin."""

    def logit(self, margin: Array) -> Array:
        raise NotImplementedError

    def log_probability(self, margin: Array) -> Array:
        """Return ln p ≤ 0, finite for any |margin| up to 700 and beyond."""
        return _log_sigmoid(self.logit(margin))

    def probability(self, margin: Array) -> Array:
        """Return p in [0, 1]; always exp of `log_probability`."""
        return np.asarray(np.exp(self.log_probability(margin)))


@dataclass(frozen=True)
class Platt(_Increasing):
    """``logit p = slope · margin + intercept`` (Platt 1999, Advances in Large Margin Classifiers, 61-74).

    Attributes
    ----------
    slope : float
        > 0.
    intercept : float
        Finite.
    """

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        if not (np.isfinite([self.slope, self.intercept]).all() and self.slope > 0):
            raise _not_increasing("Platt", asdict(self))

    @classmethod
    def fit(cls, margin: Array, y: Array) -> "Platt":
        """Learn from later data; see the module's `fit`."""
        margin, target = _checked(margin, y)
        slope, intercept = _increasing_logistic([margin], target)
        return cls(slope, intercept)

    def logit(self, margin: Array) -> Array:
        """Return the calibrated log-odds, shape of `margin`."""
        return self.slope * np.asarray(margin, dtype=np.float64) + self.intercept

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready record."""
        return {"kind": "platt", **asdict(self)}


@dataclass(frozen=True)
class Beta(_Increasing):
    """``logit p = a · ln s − b · ln(1 − s) + c`` with s = sigmoid(margin) (Kull et al. 2017, AISTATS).

    Attributes
    ----------
    a, b : float
        > 0: how steep the map is at the lower and at the upper end.
    c : float
        Finite.
    """

    a: float
    b: float
    c: float

    def __post_init__(self) -> None:
        if not (np.isfinite([self.a, self.b, self.c]).all() and self.a > 0 and self.b > 0):
            raise _not_increasing("Beta", asdict(self))

    @classmethod
    def fit(cls, margin: Array, y: Array) -> "Beta":
        """Learn from later data; see the module's `fit`."""
        margin, target = _checked(margin, y)
        a, b, c = _increasing_logistic([_log_sigmoid(margin), -_log_sigmoid(-margin)], target)
        return cls(a, b, c)

    def logit(self, margin: Array) -> Array:
        """Return the calibrated log-odds, shape of `margin`."""
        m = np.asarray(margin, dtype=np.float64)
        return self.a * _log_sigmoid(m) - self.b * _log_sigmoid(-m) + self.c

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready record."""
        return {"kind": "beta", **asdict(self)}


Calibrator = Platt | Beta


def fit(kind: Kind, margin: Array, y: Array) -> Calibrator:
    """Learn a calibrator from accounts the model has not seen, at later cutoffs.

    Targets are Platt's: (n₁ + 1)/(n₁ + 2) and 1/(n₀ + 2) instead of 1 and 0, so that even perfectly
    separated data give finite parameters.

    Parameters
    ----------
    kind : {"platt", "beta"}
        Family of the map.
    margin : ndarray, shape (n_rows,)
        Raw scores, finite; the order of rows does not matter.
    y : ndarray, shape (n_rows,)
        1 where the account converted, else 0.

    Raises
    ------
    NotEnoughDataError
        With one class only, or if higher margins do not go with more conversions.

    Examples
    --------
    >>> map_ = fit("platt", np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), np.array([0, 0, 1, 0, 1]))
    >>> map_.probability(np.array([-2.0, 2.0])).round(2).tolist()
    [0.21, 0.65]
    """
    return Platt.fit(margin, y) if kind == "platt" else Beta.fit(margin, y)


def from_dict(record: Mapping[str, Any]) -> Calibrator:
    """Rebuild a calibrator from `to_dict`.

    Raises
    ------
    IntegrityError
        If the record is of no known kind, incomplete, or not increasing.
    """
    try:
        if record["kind"] == "platt":
            return Platt(float(record["slope"]), float(record["intercept"]))
        if record["kind"] == "beta":
            return Beta(float(record["a"]), float(record["b"]), float(record["c"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable() from error
    raise _unreadable()


def level(actual: Array, predicted: Array, *, cohort_sd: float = COHORT_SD) -> float:
    """Return the log factor that brings predicted totals to actual ones, shrunk where evidence is thin.

    The raw factor is r = ln(Σ actual / Σ predicted). Its standard error s comes from the delta method for a
    ratio of totals, s² = Σ (aᵢ − e^r pᵢ)² / (Σ a)². With a normal prior of standard deviation 0.25 around 0
    (a model's lasting level is usually within a quarter), the posterior mean is
    r · 0.25² / (0.25² + s² + cohort_sd²): credibility in the sense of Bühlmann (1967, ASTIN Bulletin 4,
    199-207). The third term is there because one cohort is one season: its total also swings for reasons
    that will not last, however many accounts it has. On Online Retail II (seven rolling test cutoffs with
    overlapping horizons, so few independent ones) the mean absolute log error of the total among converters
    was 0.35 without levelling, 0.33 with all of r and 0.25 with half of it; the default gives that half.

    Parameters
    ----------
    actual, predicted : ndarray, shape (n_rows,)
        Realised and predicted value of the calibration cohort, in one unit; `actual` may be negative where
        more was returned than bought, `predicted` is > 0.
    cohort_sd : float
        Standard deviation of a cohort's log total around the lasting level, ≥ 0. With 0 a large cohort is
        believed to the full.

    Returns
    -------
    float
        Add it to the log of a prediction.

    Raises
    ------
    NotEnoughDataError
        With no rows, or if the actual total is not positive.
    ContractError
        If predictions are not positive, or lengths differ.

    Examples
    --------
    >>> round(level(np.full(400, 1.2), np.ones(400)), 3)
    0.091
    >>> round(level(np.full(400, 1.2), np.ones(400), cohort_sd=0), 3)
    0.182
    """
    a, p = np.asarray(actual, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if a.shape != p.shape or not np.isfinite(a).all() or not (np.isfinite(p).all() and (p > 0).all()):
        raise ContractError(
            f"Levelling needs positive finite predictions and as many finite values: {p.shape}, {a.shape}.",
            where="calibration side",
            fix="Predict with the value model for exactly the rows whose values are given.",
        )
    # Sorted, so that the sum does not depend on the order of rows to the last bit.
    order = np.lexsort((a, p))
    a, p = a[order], p[order]
    if not len(a) or not a.sum() > 0:
        raise NotEnoughDataError(
            f"The {len(a)} accounts of the calibration side have no value in total.",
            where="[split] calibrate_cutoffs",
            why="The level of predicted values cannot be compared with nothing.",
            fix="Raise calibrate_cutoffs or calibrate_share in [split], or check the value table.",
        )
    raw = float(np.log(a.sum() / p.sum()))
    variance = float(((a - np.exp(raw) * p) ** 2).sum() / a.sum() ** 2)
    return raw * LEVEL_PRIOR**2 / (LEVEL_PRIOR**2 + variance + cohort_sd**2)


def _log_sigmoid(x: Array) -> Array:
    return np.asarray(-np.logaddexp(0.0, -np.asarray(x, dtype=np.float64)))


def _checked(margin: Array, y: Array) -> tuple[Array, Array]:
    margin, y = np.asarray(margin, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if margin.shape != y.shape or not np.isfinite(margin).all() or not np.isin(y, (0.0, 1.0)).all():
        raise ContractError(
            f"Calibration needs finite margins and as many labels 0 or 1: {margin.shape}, {y.shape}.",
            where="calibration side",
            fix="Give the margin of every calibration row and its label.",
        )
    positives, negatives = int((y == 1).sum()), int((y == 0).sum())
    if not positives or not negatives:
        raise NotEnoughDataError(
            f"The calibration side has {positives} conversions and {negatives} others; both are needed.",
            where="[split] calibrate_cutoffs",
            why="A probability can only be checked against accounts that converted and such that did not.",
            fix="Raise calibrate_cutoffs or calibrate_share in [split].",
        )
    order = np.lexsort((y, margin))
    target = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    return margin[order], target[order]


def _increasing_logistic(columns: Sequence[Array], target: Array) -> list[float]:
    """Fit logit p = Σ coefₖ · columnₖ + intercept with all coefₖ ≥ MIN_SLOPE, by projected Newton steps.

    Returns the coefficients, then the intercept. Sums are NumPy's pairwise ones: independent of threads.
    """
    design = np.vstack([*columns, np.ones_like(target)])
    scale = np.append(np.maximum(np.std(design[:-1], axis=1), 1e-12), 1.0)
    centre = np.append(np.mean(design[:-1], axis=1), 0.0)
    design = (design - centre[:, None]) / scale[:, None]
    low = np.append(MIN_SLOPE * scale[:-1], -np.inf)
    beta = np.append(np.maximum(1.0, low[:-1]), float(np.log(target.mean() / (1 - target.mean()))))
    loss, gradient, hessian = _logistic_loss(design, target, beta)
    for _ in range(_MAX_STEPS):
        free = (beta > low) | (gradient < 0)
        step = np.zeros_like(beta)
        ridge = 1e-10 * np.eye(int(free.sum()))
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)] + ridge, gradient[free])
        size, found = 1.0, False
        while size > 1e-10 and not found:
            trial = np.maximum(beta - size * step, low)
            new = _logistic_loss(design, target, trial)
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
            "The model does not order later accounts: higher scores do not go with more conversions.",
            where=f"calibration side, {len(target)} rows",
            why="A probability made from such scores would be no better than the average.",
            fix="Use more cutoffs or a longer history, add features, or raise calibrate_cutoffs in [split].",
        )
    coefficients = beta[:-1] / scale[:-1]
    intercept = float(beta[-1] - (coefficients * centre[:-1]).sum())
    return [*map(float, coefficients), intercept]


def _logistic_loss(design: Array, target: Array, beta: Array) -> tuple[float, Array, Array]:
    """Return the mean log loss, its gradient (k,) and its Hessian (k, k) for a design of shape (k, n)."""
    logit = (design * beta[:, None]).sum(axis=0)
    p = np.exp(_log_sigmoid(logit))
    loss = float(np.mean(np.logaddexp(0.0, logit) - target * logit))
    gradient = np.mean(design * (p - target), axis=1)
    weighted = design * (p * (1 - p))
    hessian = np.array([[np.mean(w * d) for d in design] for w in weighted])
    return loss, gradient, hessian


def _not_increasing(kind: str, values: Mapping[str, float]) -> IntegrityError:
    return IntegrityError(
        f"A {kind} calibration must be finite and increasing: {dict(values)}.",
        where="calibrator record",
        why="A higher score must never mean a lower probability.",
        fix="Restore the model files, or train again.",
    )


def _unreadable() -> IntegrityError:
    return IntegrityError(
        "The stored calibrator is not in the form this version writes.",
        where="calibrator record",
        fix="Restore the model files, or train again.",
    )
