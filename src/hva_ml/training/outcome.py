"""What baselines share: the outcomes they learn from, the form of their predictions, a feature as numbers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hva_ml.errors import ContractError, NotEnoughDataError
from hva_ml.features.definition import FeatureSet

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BaselinePrediction:
    """What a baseline says of each row.

    Attributes
    ----------
    probability : numpy.ndarray of float64, shape (n_rows,)
        Likelihood of conversion within the horizon, in (0, 1).
    value_if_converted : numpy.ndarray of float64, shape (n_rows,)
        Currency units, >= 0.
    expected_value : numpy.ndarray of float64, shape (n_rows,)
        Product of the two, currency units.
    """

    probability: Floats
    value_if_converted: Floats
    expected_value: Floats


@dataclass(frozen=True)
class Outcome:
    """What became of the training rows.

    Attributes
    ----------
    converted, value : numpy.ndarray of float64, shape (n_rows,)
        1 or 0; currency units.
    """

    converted: Floats
    value: Floats

    @classmethod
    def of(cls, features: FeatureSet, converted: npt.ArrayLike, value: npt.ArrayLike) -> "Outcome":
        """Check outcomes against the rows they belong to.

        Raises
        ------
        ContractError
            If lengths differ or a number is missing.
        NotEnoughDataError
            If no row, or every row, converted.
        """
        won, worth = np.asarray(converted, dtype=np.float64), np.asarray(value, dtype=np.float64)
        rows = features.table.num_rows
        if won.shape != (rows,) or worth.shape != (rows,) or not np.isfinite([won, worth]).all():
            raise ContractError(
                f"{len(won)} outcomes and {len(worth)} values for {rows} rows, or some are missing.",
                where="baselines",
                fix="Give one outcome and one value for each row of the feature set, in its order.",
            )
        if not 0 < won.sum() < rows:
            raise NotEnoughDataError(
                f"{int(won.sum())} of {rows} training rows converted.",
                where="baselines",
                why="With one outcome only there is no rate to learn.",
                fix="Check [target], lengthen [horizon] days, or use more cutoffs.",
            )
        return cls(won, worth)

    @property
    def rate(self) -> float:
        """Share of rows that converted."""
        return float(self.converted.mean())

    @property
    def mean_value(self) -> float:
        """Mean value of those that converted, at least 0."""
        return max(float(self.value[self.converted > 0].mean()), 0.0)


def numbers(features: FeatureSet, name: str) -> Floats:
    """Return a numeric feature, NaN where unknown, shape (n_rows,).

    Raises
    ------
    ContractError
        If the feature set has no such column.
    """
    if name not in features.names:
        raise ContractError(
            f"The feature '{name}' is missing, baselines need it.",
            where="features",
            fix="Build the features with hva_ml.features.build, which always makes the cadence features.",
        )
    return np.asarray(features.table[name].to_numpy(zero_copy_only=False), dtype=np.float64)


def inside(probability: Floats) -> Floats:
    """Keep probabilities off 0 and 1 by one in a million."""
    return np.clip(probability, 1e-6, 1.0 - 1e-6)


def told(probability: Floats, value: Floats) -> BaselinePrediction:
    """Return a prediction with its product."""
    return BaselinePrediction(probability, value, probability * value)


def log_odds_of_rate(y: Floats, weights: Floats) -> float:
    """Return the log-odds of the weighted mean outcome: the margin that says the same of every row.

    Raises
    ------
    NotEnoughDataError
        If all rows have the same outcome.
    """
    rate = float((weights * y).sum() / weights.sum()) if weights.sum() > 0 else 0.0
    if not 0.0 < rate < 1.0:
        raise NotEnoughDataError(
            f"All {len(y)} rows have the same outcome.",
            where="conversion target",
            why="There is nothing to tell apart.",
            fix="Check what counts as won, or use more rows.",
        )
    return float(np.log(rate / (1 - rate)))
