"""The model of who will be among the best, of one split: trees, and their map. It stores nothing."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.calibration import HighValue, among_the_best
from hva_ml.config import PipelineConfig
from hva_ml.evaluation.high_value import high_value_result
from hva_ml.evaluation.metrics import ModelPrediction
from hva_ml.features.definition import FeatureSet
from hva_ml.features.outlook import OUTLOOK, SEEN
from hva_ml.jobs.likelihood import calibrate, fit_conversion
from hva_ml.splits import Split
from hva_ml.training.matrix import Encoder
from hva_ml.training.search import SearchResult

Floats = npt.NDArray[np.float64]
MIN_BEST = 10


def best_of(features: FeatureSet, value: Floats, share: float) -> npt.NDArray[np.int8]:
    """Return whether each row is among the best of all rows of its cutoff; see `among_the_best`."""
    return among_the_best(value, features.table["cutoff"].cast(pa.int64()).to_numpy(), share)


def high_value(
    features: FeatureSet,
    value: Floats,
    split: Split,
    encoder: Encoder,
    found: SearchResult,
    config: PipelineConfig,
) -> HighValue | None:
    """Fit on the training side with the settings of the conversion model, calibrate on the later side.

    Who is best is told by rank, so the level of a season is not in it; the outlook is left out.

    Returns
    -------
    HighValue or None
        None where it is not asked for, or a side has fewer than ten of the best, or of the others.
    """
    share = config.models.high_value
    if not share:
        return None
    best = best_of(features, value, share)
    if min(_rarer(best[split.train]), _rarer(best[split.calibrate])) < MIN_BEST:
        return None
    train = features.take(split.train)
    booster = fit_conversion(train, _levelled(encoder, train), best[split.train], found, config.models)
    later = features.take(split.calibrate)
    margin = booster.margin(_levelled(encoder, later))
    return HighValue(booster, calibrate(margin, later, best[split.calibrate], config).map, share)


def relearned_best(
    model: HighValue | None, features: FeatureSet, value: Floats, split: Split, encoder: Encoder,
    config: PipelineConfig,
) -> HighValue | None:  # fmt: skip
    """Return the same trees with the map of the later side; the old one where that side has too few."""
    if model is None:
        return None
    best = best_of(features, value, model.share)[split.calibrate]
    if _rarer(best) < MIN_BEST:
        return model
    later = features.take(split.calibrate)
    margin = model.booster.margin(_levelled(encoder, later))
    return replace(model, calibrator=calibrate(margin, later, best, config).map)


def told_of_high_value(
    prediction: ModelPrediction, features: FeatureSet, value: Floats, split: Split, config: PipelineConfig
) -> dict[str, Any] | None:
    """Return how well the best of the test side were known before, JSON-ready; None where nobody asked."""
    share = config.models.high_value
    if prediction.high_value is None or not share:
        return None
    groups = np.asarray(features.table["group_id"].to_pylist(), dtype=object)[split.test]
    result = high_value_result(
        prediction.high_value, prediction.expected_value, prediction.probability,
        best_of(features, value, share)[split.test], groups,
        share=share, resamples=config.split.bootstrap, seed=config.models.seed,
    )  # fmt: skip
    return result.record() if result else None


def _rarer(best: npt.NDArray[np.int8]) -> int:
    return int(min(best.sum(), (1 - best).sum()))


def _levelled(encoder: Encoder, rows: FeatureSet) -> Floats:
    """Return encoded rows without the outlook, which is the same for all accounts of a day."""
    X = encoder.transform(rows)
    for name in {OUTLOOK, SEEN}.intersection(encoder.names):
        X[:, encoder.names.index(name)] = 0.0
    return X
