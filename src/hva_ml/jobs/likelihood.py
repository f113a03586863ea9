"""The conversion model of one split: fitted, then calibrated on later cohorts. It logs and stores nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import expit

from hva_ml import calibration
from hva_ml.calibration import Calibrated, Later, Membership
from hva_ml.config import Models, PipelineConfig
from hva_ml.evaluation import scoring
from hva_ml.features.definition import FeatureSet
from hva_ml.features.direction import directions
from hva_ml.training.booster import Booster
from hva_ml.training.recency import recency_weights
from hva_ml.training.search import SearchResult

Floats = npt.NDArray[np.float64]


def fit_conversion(
    train: FeatureSet,
    X: Floats,
    converted: npt.NDArray[np.int8],
    found: SearchResult,
    models: Models,
    start: Floats | None = None,
) -> Booster:
    """Fit the conversion model with the settings found, on encoded rows of the training side.

    With `start` the trees begin from these log-odds and leave them out.
    """
    return Booster.fit(
        X, converted.astype(np.float64), objective="binary", names=[d.name for d in train.definitions],
        params={**found.params, **known_before(train, models)}, rounds=found.rounds, seed=models.seed,
        weight=row_weights(train, models), start=start,
    )  # fmt: skip


def calibrate(
    margin: Floats, later: FeatureSet, converted: npt.NDArray[np.int8], config: PipelineConfig,
    segment: Membership | None = None,
) -> Calibrated:  # fmt: skip
    """Learn from later cohorts what probability a margin means, in each segment if segments are given."""
    models = config.models
    rows = Later.of(
        margin, converted, moments(later), later.table["group_id"].to_pylist(),
        recency_weights(moments(later), models.half_life_days), segment,
    )  # fmt: skip
    return calibration.calibrate(
        rows, models.calibration, models.base_rate,
        interval=models.interval, wait_days=config.wait_days, seed=models.seed,
    )  # fmt: skip


def before_and_after(
    parts: Sequence[tuple[Calibrated, Floats]], converted: npt.NDArray[np.int8]
) -> list[dict[str, Any]]:
    """Return how probabilities do on rows that nothing was fitted on, before and after each step.

    Parameters
    ----------
    parts : sequence of (Calibrated, numpy.ndarray of float64)
        Models, each with the margins of the rows that it judges, one behind the other.
    converted : numpy.ndarray of int8, shape (n_rows,)
        What became of these rows.

    Returns
    -------
    list of dict
        step (``model``: the raw score taken as log-odds; ``calibrated``: by the map of all calibration
        cohorts; ``moved``: with the base rate where it stands, if it moved), promised (mean probability),
        rate (share that converted), calibration_error, log_loss, brier.
    """
    steps = [
        ("model", np.concatenate([margin for _, margin in parts])),
        ("calibrated", np.concatenate([c.pooled.logit(margin) for c, margin in parts])),
    ]
    if any(c.moves for c, _ in parts):
        steps.append(("moved", np.concatenate([c.map.logit(margin) for c, margin in parts])))
    y, one = converted.astype(np.float64), np.ones((1, len(converted)))
    told = []
    for step, logit in steps:
        p = expit(logit)
        error = scoring.calibration_error(p, y, scoring.equal_mass_bins(p), one)
        told.append(
            {
                "step": step,
                "promised": float(p.mean()),
                "rate": float(y.mean()),
                "calibration_error": float(error[0]),
                "log_loss": float(scoring.log_loss(p, y, one)[0]),
                "brier": float(scoring.brier(p, y, one)[0]),
            }
        )
    return told


def known_before(train: FeatureSet, models: Models) -> Mapping[str, Any]:
    """Return the LightGBM parameters that no search decides: the direction of features, if any has one."""
    ways = directions(train.definitions, models.monotone)
    if not any(ways):
        return {}
    return {"monotone_constraints": list(ways), "monotone_constraints_method": "intermediate"}


def row_weights(train: FeatureSet, models: Models) -> Floats | None:
    """Return how much each row counts in training, 1 on average: penalties keep their meaning."""
    weight = recency_weights(moments(train), models.half_life_days)
    return None if weight is None else weight / weight.mean()


def moments(rows: FeatureSet) -> npt.NDArray[np.int64]:
    """Return the cutoff of each row in microseconds since the epoch, shape (n_rows,)."""
    return np.asarray(rows.table["cutoff"].cast(pa.int64()).to_numpy())
