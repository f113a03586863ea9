"""What the checks of a training look at: what was learned from, what was promised, what came."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.evaluation.metrics import MODEL, ModelPrediction
from hva_ml.evaluation.ranking import Floats
from hva_ml.features.definition import FeatureSet


@dataclass(frozen=True)
class Side:
    """Rows of one side of the split, by outcome."""

    converted: int
    others: int


@dataclass(frozen=True, eq=False)
class Judged:
    """A model and its baselines on the untouched rows, with what they were learned from.

    Attributes
    ----------
    train, test : FeatureSet
        Rows that were learned from (calibration among them), and untouched ones.
    sides : dict of str to Side
        ``train``, ``calibrate``, ``test``.
    disjoint : bool
        Whether accounts of one parent are to stand on one side only.
    predictions : mapping of str to ModelPrediction
        Of the test rows, `MODEL` among them.
    converted, value : numpy.ndarray of float64, shape (n_test,)
        What came.
    tier : numpy.ndarray of str, shape (n_test,)
        Tier of each row at its cutoff.
    metrics : pyarrow.Table
        The results table.
    matrix : numpy.ndarray, shape (n_train, n_columns)
        The encoded rows that were learned from.
    columns : tuple of str
        Names of its columns.
    gain : dict of str to numpy.ndarray, shape (n_columns,)
        Loss that each column saved, by model (``conversion``, ``value``).
    unseen : dict of str to int
        Test rows with a category that training has not seen, by feature.
    not_over : int
        Declared cutoffs whose horizon is not over yet.
    population : str
        Contract table in which an account must have a row.
    must_beat : tuple of str
        Baselines of the gates.
    resamples, seed : int
        Of the paired bootstrap.
    interval : float
        How often the bounds of a value are to hold.
    """

    train: FeatureSet
    test: FeatureSet
    sides: Mapping[str, Side]
    disjoint: bool
    predictions: Mapping[str, ModelPrediction]
    converted: Floats
    value: Floats
    tier: npt.NDArray[np.str_]
    metrics: pa.Table
    matrix: Floats
    columns: tuple[str, ...]
    gain: Mapping[str, Floats]
    unseen: Mapping[str, int]
    not_over: int
    population: str
    must_beat: tuple[str, ...]
    resamples: int
    seed: int
    interval: float = 0.8

    @property
    def ours(self) -> ModelPrediction:
        """What the model said."""
        return self.predictions[MODEL]

    def metric(self, name: str) -> tuple[float | None, float | None, float | None]:
        """Return value, low and high of a metric of the model; None where not defined."""
        for row in self.metrics.to_pylist():
            if (row["model"], row["metric"]) == (MODEL, name):
                return row["value"], row["low"], row["high"]
        return None, None, None


@dataclass(frozen=True)
class Refits:
    """What refitted models say, for the checks of stability and of the learning curve.

    Attributes
    ----------
    overlap : tuple of float
        Share of the best accounts of the last test cutoff that another seed puts there, too.
    top : int
        Number of these best accounts.
    conversions : tuple of int
        Conversions that each point of the learning curve learned from, rising.
    loss : tuple of float
        Log loss on the test rows of each point.
    sure : float or None
        Share of paired resamples in which the last point is better than the one before it.
    """

    overlap: tuple[float, ...]
    top: int
    conversions: tuple[int, ...]
    loss: tuple[float, ...]
    sure: float | None
