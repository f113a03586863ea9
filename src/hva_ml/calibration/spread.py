"""How sure a probability is: of its map, fitted on so many groups, and of the level of the next cohort."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, stdtrit

from hva_ml.calibration.base_rate import BaseRate
from hva_ml.calibration.later import Later
from hva_ml.calibration.logistic import Array
from hva_ml.errors import IntegrityError


@dataclass(frozen=True)
class Spread:
    """How sure a map is.

    Attributes
    ----------
    covariance : tuple of tuple of float
        Of the map's parameters, in their order.
    level_sd : float
        Standard deviation of the log-odds of a coming cohort around the map, > 0.
    freedom : float
        Degrees of freedom of Student's t, >= 1.
    level : float
        How often the bounds are to hold, 0 < level < 1.
    """

    covariance: tuple[tuple[float, ...], ...]
    level_sd: float
    freedom: float
    level: float

    def __post_init__(self) -> None:
        matrix = np.array(self.covariance, dtype=np.float64)
        square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
        finite = np.isfinite([*matrix.ravel(), self.level_sd, self.freedom]).all()
        if not (square and finite and self.level_sd > 0 and self.freedom >= 1 and 0 < self.level < 1):
            raise IntegrityError(
                "The stored calibrator does not say how sure it is in a way that can be.",
                where="calibrator record",
                fix="Restore the model files, or train again.",
            )

    @classmethod
    def of(cls, later: Later, columns: Array, logit: Array, base: BaseRate, level: float) -> "Spread":
        """Return how sure a map is that was fitted on these rows.

        The parameters' covariance is the sandwich of the logistic likelihood, clustered by group (Liang and
        Zeger 1986, Biometrika 73, 13-22): what resampling of groups tends to, without drawing. With so few
        groups that it falls below the covariance that the model itself implies, the latter is taken.
        Student's t has as many degrees of freedom as the rarer class has groups, less the parameters, or as
        the swing of cohorts is known with, if those are fewer.

        Parameters
        ----------
        later : Later
            Rows of the calibration side.
        columns : ndarray, shape (n_parameters, n_rows)
            What the parameters of the map are multiplied with.
        logit : ndarray, shape (n_rows,)
            The map's log-odds.
        base : BaseRate
            How far the next cohort may lie from the map.
        level : float
            How often the bounds are to hold.
        """
        p, weight, k = expit(logit), later.weight, len(columns)
        weighted = columns * (weight * p * (1 - p))
        hessian = np.array([[(w * c).sum() for c in columns] for w in weighted]) + 1e-9 * np.eye(k)
        model, many = np.linalg.inv(hessian), len(later.names)
        scores = [np.bincount(later.group, c * weight * (later.converted - p), many) for c in columns]
        meat = np.array([[(a * b).sum() for b in scores] for a in scores])
        sandwich = model @ meat @ model * (many / max(1, many - 1))
        covariance = sandwich if np.trace(hessian @ sandwich) >= k else model
        rarer = min(len(np.unique(later.group[later.converted == c])) for c in (0.0, 1.0))
        told = tuple(tuple(map(float, row)) for row in (covariance + covariance.T) / 2)
        return cls(told, base.sd, max(1.0, min(float(rarer - k), base.freedom)), level)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Spread":
        """Rebuild from ``dataclasses.asdict``; KeyError, TypeError or ValueError if it is not that."""
        covariance = tuple(tuple(float(v) for v in row) for row in record["covariance"])
        return cls(covariance, float(record["level_sd"]), float(record["freedom"]), float(record["level"]))

    def half_width(self, columns: Array) -> Array:
        """Return half the width of the interval of log-odds, shape (n_rows,), for columns (k, n_rows)."""
        variance = np.zeros(columns.shape[1])
        for row, left in zip(self.covariance, columns, strict=True):
            for cell, right in zip(row, columns, strict=True):
                variance += cell * left * right
        deviation = np.sqrt(np.maximum(variance, 0.0) + self.level_sd**2)
        return np.asarray(stdtrit(self.freedom, 0.5 + self.level / 2) * deviation)
