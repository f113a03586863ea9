"""The checks of a training: what they look at is collected, and the conversion model refitted for them."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import Violation
from hva_ml.cutoffs import Calendar, series
from hva_ml.evaluation.bootstrap import group_codes, share_above, weightings
from hva_ml.evaluation.checks import Judged, Refits, Side, model_checks
from hva_ml.evaluation.metrics import MODEL, ModelPrediction
from hva_ml.evaluation.scoring import log_loss
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.fitting import Pair, Searched, Targets, sampled
from hva_ml.jobs.likelihood import calibrate, fit_conversion
from hva_ml.jobs.valuation import unseasoned
from hva_ml.scoring.tiers import tiers
from hva_ml.splits import Split, group_uniform

Floats = npt.NDArray[np.float64]
SEEDS = 2
HALF = 0.5


def checked(
    config: PipelineConfig,
    calendar: Calendar,
    features: FeatureSet,
    targets: Targets,
    split: Split,
    searched: Searched,
    pair: Pair,
    predictions: dict[str, ModelPrediction],
    metrics: pa.Table,
) -> tuple[Violation, ...]:
    """Return what the checks HVA001 … find about a model that was judged on the untouched cutoffs."""
    learned = split.train | split.calibrate
    train, test = features.take(learned), features.take(split.test)
    declared = series(config.cutoffs.first, config.cutoffs.last, config.cutoffs.every)
    judged = Judged(
        train=train,
        test=test,
        sides={name: _side(targets, rows) for name, rows in split.sides.items() if rows.any()},
        disjoint=config.split.groups == "disjoint",
        predictions=predictions,
        converted=targets.converted[split.test].astype(np.float64),
        value=targets.value[split.test],
        tier=_tiers(config, test, predictions[MODEL]),
        metrics=metrics,
        matrix=pair.encoder.transform(train),
        columns=pair.conversion.names,
        gain={"conversion": pair.conversion.gain, "value": pair.value.gain},
        unseen=pair.encoder.unseen(test),
        not_over=len(declared) - len(calendar.days),
        population=config.population.table,
        must_beat=config.gates.beat_baselines,
        resamples=config.split.bootstrap,
        seed=config.models.seed,
        interval=config.models.interval,
    )
    refits = None
    if config.checks.refits:
        refits = _refits(config, features, targets, split, searched, pair, predictions[MODEL])
    return model_checks(judged, refits)


def _side(targets: Targets, rows: npt.NDArray[np.bool_]) -> Side:
    converted = int(targets.converted[rows].sum())
    return Side(converted, int(rows.sum()) - converted)


def _tiers(config: PipelineConfig, test: FeatureSet, said: ModelPrediction) -> npt.NDArray[np.str_]:
    """Return the tier of each row among the accounts of its cutoff."""
    ids = np.asarray(test.table["account_id"].to_pylist(), dtype=np.str_)
    found = np.full(len(ids), "C")
    for here in _cutoffs(test):
        nothing = np.full(len(here), np.nan)
        found[here] = tiers(ids[here], said.expected_value[here], nothing, config.scoring).tier
    return found


def _cutoffs(rows: FeatureSet) -> list[npt.NDArray[np.int64]]:
    """Return the positions of the rows of each cutoff, by time."""
    moments = rows.table["cutoff"].cast(pa.int64()).to_numpy()
    return [np.flatnonzero(moments == m) for m in np.unique(moments)]


def _refits(
    config: PipelineConfig, features: FeatureSet, targets: Targets, split: Split, searched: Searched,
    pair: Pair, said: ModelPrediction,
) -> Refits:  # fmt: skip
    """Fit the conversion model with other seeds and with half of the groups; encoding and value stay."""
    rows = sampled(features, split.train, config)
    train, test, later = features.take(rows), features.take(split.test), features.take(split.calibrate)
    X, X_test, X_later = (
        unseasoned(pair.encoder.transform(side), pair.outlook) for side in (train, test, later)
    )
    converted, converted_later = targets.converted[rows], targets.converted[split.calibrate]
    outcome = targets.converted[split.test].astype(np.float64)

    def probability(seed: int, kept: npt.NDArray[np.bool_]) -> Floats:
        models = replace(config.models, seed=seed)
        booster = fit_conversion(train.take(kept), X[kept], converted[kept], searched.conversion, models)
        found = calibrate(booster.margin(X_later), later, converted_later, replace(config, models=models))
        return np.asarray(found.map.probability(booster.margin(X_test)))

    seed, everyone = config.models.seed, np.ones(len(X), dtype=np.bool_)
    half = group_uniform(train.table["group_id"].to_pylist(), seed, "learning curve") < HALF
    last = _cutoffs(test)[-1]
    top = min(config.scoring.capacity, max(1, len(last) // 5))
    whole = probability(seed, everyone)
    best = _best(whole * said.value_if_converted, last, top)
    others = [
        _best(probability(seed + 1 + k, everyone) * said.value_if_converted, last, top) for k in range(SEEDS)
    ]
    if min(converted[half].sum(), (1 - converted[half]).sum()) < 10:
        return Refits(tuple(len(best & o) / top for o in others), top, (), (), None)
    less = probability(seed, half)
    codes = group_codes(test.table["group_id"].to_pylist())
    ones = np.ones((1, len(outcome)))
    lead = [
        log_loss(less, outcome, w) - log_loss(whole, outcome, w)
        for w in weightings(codes, config.split.bootstrap, seed)
    ]
    return Refits(
        overlap=tuple(len(best & o) / top for o in others),
        top=top,
        conversions=(int(converted[half].sum()), int(converted.sum())),
        loss=tuple(float(log_loss(p, outcome, ones)[0]) for p in (less, whole)),
        sure=share_above(np.concatenate(lead)),
    )


def _best(expected: Floats, here: npt.NDArray[np.int64], top: int) -> set[int]:
    order = np.argsort(-expected[here], kind="stable")[:top]
    return set(here[order].tolist())
