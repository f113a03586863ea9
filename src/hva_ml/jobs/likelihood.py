"""The conversion model of one split: fitted, then calibrated on later cohorts. It logs and stores nothing."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml import calibration, config
from hva_ml.calibration import Calibrator
from hva_ml.features.definition import FeatureSet
from hva_ml.features.direction import directions
from hva_ml.training.booster import Booster
from hva_ml.training.recency import recency_weights
from hva_ml.training.search import SearchResult

Floats = npt.NDArray[np.float64]


def fit_conversion(
    train: FeatureSet, X: Floats, converted: npt.NDArray[np.int8], found: SearchResult, models: config.Models
) -> Booster:
    """Fit the conversion model with the settings found, on encoded rows of the training side."""
    return Booster.fit(
        X, converted.astype(np.float64), objective="binary", names=[d.name for d in train.definitions],
        params={**found.params, **known_before(train, models)}, rounds=found.rounds, seed=models.seed,
        weight=row_weights(train, models),
    )  # fmt: skip


def calibrate(
    margin: Floats, later: FeatureSet, converted: npt.NDArray[np.int8], models: config.Models
) -> Calibrator:
    """Learn from later cohorts what probability a margin means."""
    y, weight = converted.astype(np.float64), _recency(later, models)
    kind = models.calibration
    if kind == "auto":
        groups = later.table["group_id"].to_pylist()
        kind = calibration.choose(margin, y, groups, models.seed, weight).kind
    return calibration.fit(kind, margin, y, weight)


def known_before(train: FeatureSet, models: config.Models) -> Mapping[str, Any]:
    """Return the LightGBM parameters that no search decides: the direction of features, if any has one."""
    ways = directions(train.definitions, models.monotone)
    if not any(ways):
        return {}
    return {"monotone_constraints": list(ways), "monotone_constraints_method": "intermediate"}


def row_weights(train: FeatureSet, models: config.Models) -> Floats | None:
    """Return how much each row counts in training, 1 on average: penalties keep their meaning."""
    weight = _recency(train, models)
    return None if weight is None else weight / weight.mean()


def _recency(rows: FeatureSet, models: config.Models) -> Floats | None:
    moments = np.asarray(rows.table["cutoff"].cast(pa.int64()).to_numpy())
    return recency_weights(moments, models.half_life_days)
