"""Margin -> probability: smooth, increasing maps, which tie no two accounts that the model tells apart."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from hva_ml.calibration.logistic import Sample, increasing_logistic, log_sigmoid
from hva_ml.calibration.spread import Spread
from hva_ml.errors import IntegrityError

Array = npt.NDArray[np.float64]
Kind = Literal["platt", "beta"]


class _Increasing:
    """What every map has: a calibrated logit that rises with the margin, and how sure it is of it."""

    spread: Spread | None

    def logit(self, margin: Array) -> Array:
        raise NotImplementedError

    def columns(self, margin: Array) -> Array:
        """Return what the parameters are multiplied with, shape (n_parameters, n_rows)."""
        raise NotImplementedError

    def log_probability(self, margin: Array) -> Array:
        """Return ln p ≤ 0, finite for any |margin| up to 700 and beyond."""
        return log_sigmoid(self.logit(margin))

    def probability(self, margin: Array) -> Array:
        """Return p in [0, 1]; always exp of `log_probability`."""
        return np.asarray(np.exp(self.log_probability(margin)))

    def interval(self, margin: Array) -> tuple[Array, Array]:
        """Return bounds around the probability; NaN for a map that does not know how sure it is.

        Of many accounts with this margin in one coming cohort, the share that converts lies between the
        bounds with the probability `Spread.level`. A single account converts or does not.
        """
        logit = self.logit(margin)
        if self.spread is None:
            return np.full_like(logit, np.nan), np.full_like(logit, np.nan)
        half = self.spread.half_width(self.columns(margin))
        low, high = (np.exp(log_sigmoid(bound)) for bound in (logit - half, logit + half))
        return np.asarray(low), np.asarray(high)


@dataclass(frozen=True)
class Platt(_Increasing):
    """``logit p = slope · margin + intercept`` (Platt 1999, Advances in Large Margin Classifiers, 61-74).

    Attributes
    ----------
    slope : float
        > 0.
    intercept : float
        Finite.
    spread : Spread or None
        How sure it is.
    """

    slope: float
    intercept: float
    spread: Spread | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite([self.slope, self.intercept]).all() and self.slope > 0):
            raise _not_increasing("Platt", {"slope": self.slope, "intercept": self.intercept})

    @classmethod
    def fit(cls, margin: Array, y: Array, weight: Array | None = None) -> "Platt":
        """Learn from later data; see the module's `fit`."""
        rows = Sample.of(margin, y, weight)
        slope, intercept = increasing_logistic([rows.margin], rows.target, rows.weight)
        return cls(slope, intercept)

    def logit(self, margin: Array) -> Array:
        """Return the calibrated log-odds, shape of `margin`."""
        return self.slope * np.asarray(margin, dtype=np.float64) + self.intercept

    def columns(self, margin: Array) -> Array:
        """Return margin and 1, shape (2, n_rows)."""
        m = np.asarray(margin, dtype=np.float64)
        return np.vstack([m, np.ones_like(m)])

    def shifted(self, by: float) -> "Platt":
        """Return the map with `by` added to its log-odds."""
        return replace(self, intercept=self.intercept + by)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready record."""
        return _record("platt", self)


@dataclass(frozen=True)
class Beta(_Increasing):
    """``logit p = a · ln s − b · ln(1 − s) + c`` with s = sigmoid(margin) (Kull et al. 2017, AISTATS).

    Attributes
    ----------
    a, b : float
        > 0: how steep the map is at the lower and at the upper end.
    c : float
        Finite.
    spread : Spread or None
        How sure it is.
    """

    a: float
    b: float
    c: float
    spread: Spread | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite([self.a, self.b, self.c]).all() and self.a > 0 and self.b > 0):
            raise _not_increasing("Beta", {"a": self.a, "b": self.b, "c": self.c})

    @classmethod
    def fit(cls, margin: Array, y: Array, weight: Array | None = None) -> "Beta":
        """Learn from later data; see the module's `fit`."""
        rows = Sample.of(margin, y, weight)
        columns = [log_sigmoid(rows.margin), -log_sigmoid(-rows.margin)]
        a, b, c = increasing_logistic(columns, rows.target, rows.weight)
        return cls(a, b, c)

    def logit(self, margin: Array) -> Array:
        """Return the calibrated log-odds, shape of `margin`."""
        m = np.asarray(margin, dtype=np.float64)
        return self.a * log_sigmoid(m) - self.b * log_sigmoid(-m) + self.c

    def columns(self, margin: Array) -> Array:
        """Return ln s, -ln(1 - s) and 1, shape (3, n_rows)."""
        m = np.asarray(margin, dtype=np.float64)
        return np.vstack([log_sigmoid(m), -log_sigmoid(-m), np.ones_like(m)])

    def shifted(self, by: float) -> "Beta":
        """Return the map with `by` added to its log-odds."""
        return replace(self, c=self.c + by)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready record."""
        return _record("beta", self)


Calibrator = Platt | Beta


def fit(kind: Kind, margin: Array, y: Array, weight: Array | None = None) -> Calibrator:
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
    weight : ndarray, shape (n_rows,), optional
        In (0, 1]: how much a row still counts.

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
    return Platt.fit(margin, y, weight) if kind == "platt" else Beta.fit(margin, y, weight)


def from_dict(record: Mapping[str, Any]) -> Calibrator:
    """Rebuild a calibrator from `to_dict`.

    Raises
    ------
    IntegrityError
        If the record is of no known kind, incomplete, or not increasing.
    """
    try:
        sure = Spread.from_dict(record["spread"]) if "spread" in record else None
        if record["kind"] == "platt":
            return Platt(float(record["slope"]), float(record["intercept"]), sure)
        if record["kind"] == "beta":
            return Beta(float(record["a"]), float(record["b"]), float(record["c"]), sure)
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable() from error
    raise _unreadable()


def _record(kind: str, map_: "Platt | Beta") -> dict[str, Any]:
    told = {"kind": kind, **asdict(map_)}
    if map_.spread is None:
        told.pop("spread")
    return told


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
