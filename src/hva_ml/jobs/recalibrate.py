"""Recalibrate: the champion's trees as they are, map and level learned anew from the latest cohorts."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pyarrow as pa

from hva_ml import splits
from hva_ml.config import PipelineConfig
from hva_ml.errors import RefusedError
from hva_ml.evaluation import checks
from hva_ml.evaluation.metrics import ModelPrediction
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs import evidence
from hva_ml.jobs.fitting import Pair, Searched, bounded, enough, side_by_side
from hva_ml.jobs.high_value import relearned_best
from hva_ml.jobs.judgement import Judgement
from hva_ml.jobs.likelihood import calibrate
from hva_ml.jobs.model_checks import checked
from hva_ml.jobs.prepare import prepare, refuse_errors, refuse_leads
from hva_ml.jobs.profile import profile
from hva_ml.jobs.progress import LoggedProgress, Progress
from hva_ml.jobs.running import followed, told_of_nowcast
from hva_ml.jobs.segments import category, membership, shifted, unshifted
from hva_ml.jobs.train import Run, logged
from hva_ml.jobs.training_set import TrainingSet, run_key, seen_by, training_set
from hva_ml.jobs.valuation import Side, Worth, levelled, moved, relearned
from hva_ml.jobs.verdict import measured, suspected, told_of_calibration, told_of_value
from hva_ml.publication import lock
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.champion import champion
from hva_ml.registry.releases import read_release
from hva_ml.splits import Split
from hva_ml.training.run_rate import Steady
from hva_ml.training.search import SearchResult
from hva_ml.workspace import Workspace

PARENT = "parent"


@dataclass(frozen=True)
class Parent:
    """The release whose trees are kept."""

    version: str
    bundle: Bundle
    trained: tuple[date, ...]

    @property
    def searched(self) -> Searched:
        """The settings the trees were grown with."""
        told = self.bundle.metadata["settings"]
        return Searched(
            _settled("conversion", told["conversion"]), _settled("value", told["value"]), self.bundle.direct
        )


def recalibrate(
    ws: Workspace, pipeline: str, *, engine: str | None = None, progress: Progress | None = None
) -> Run:
    """Keep the champion's trees, and learn from the latest matured cohorts what their scores mean now.

    Calibration of the likelihood, its base rate, its bounds, the shifts of segments (if ``[models] segment``
    asks for them), and the level of values are learned anew. First for judging: on cohorts that had matured
    by the first test cutoff, measured on the latest ones beside the parent as it is and beside the plain
    rules. Then for the release: on the latest cohorts. Only cohorts after those that taught the trees count.
    The run is registered as the challenger; `promote` asks the same gates of it as of any other.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.
    engine : str, optional
        ``duckdb`` or ``spark``, instead of the pipeline's own; the run is the same.
    progress : Progress, optional
        Where stages are told; log lines by default.

    Returns
    -------
    Run
        With the results of the recalibrated model, of its parent, and of every baseline.

    Raises
    ------
    RefusedError
        If there is no champion, or it does not say which cohorts taught its trees.
    NotEnoughDataError
        If too few cohorts have matured since.
    ContractError
        If the data break the contract, or lack a feature of the champion.
    BusyError
        If another run of the pipeline is at work.
    """
    progress = progress or LoggedProgress()
    config = ws.config(pipeline).on(engine)
    refuse_leads(config, "hva recalibrate")
    with lock(ws.lock(config.name)):
        return _recalibrate(ws, config, progress)


def _recalibrate(ws: Workspace, config: PipelineConfig, progress: Progress) -> Run:
    parent = _parent(ws, config)
    progress.stage("Reading sources and checking the contract")
    prepared = prepare(ws, config)
    refuse_errors(config, prepared.tables.violations)
    progress.stage("Point-in-time features and labels")
    data = training_set(ws, config, prepared)
    category(config, parent.bundle.definitions, config.models.segment, "models")
    split, last = splits.recalibration(
        data.features.index, data.calendar, config.split, config.models.seed, parent.trained
    )
    progress.stage("Judging the recalibrated model, its parent and baselines on the latest cutoffs")
    judged = _refitted(parent.bundle, data, split, config)
    judged = followed(judged, seen_by(split.test_days[0], config, prepared, data))
    test = data.features.take(split.test)
    predictions = side_by_side(
        judged, data.features, data.targets, split.train | split.calibrate, test, config
    )
    said = parent.bundle.predict(test)
    predictions[PARENT] = ModelPrediction(
        said.probability, said.value_if_converted, said.expected_value,
        (said.value_low, said.value_high) if parent.bundle.value_spread else None,
    )  # fmt: skip
    metrics, totals = measured(config, data, split, predictions)
    progress.stage("Calibrating on the latest matured cutoffs")
    final = followed(_refitted(parent.bundle, data, last, config), data.running)
    found = checked(
        config, data.calendar, data.features, data.targets, split, parent.searched, judged, predictions,
        metrics,
    )  # fmt: skip
    judgement = Judgement(
        config, prepared, data.calendar, data.features, data.targets,
        (*suspected(prepared, data, metrics), *found, *checks.running(told_of_nowcast(final))),
        split, last, parent.searched, predictions, metrics, totals,
        told_of_calibration(final, judged, data, split),
        told_of_value(final, parent.searched, data, split, predictions, config),
        _key(config, data, parent),
        _kept_lifetime(parent),
    )  # fmt: skip
    bundle = replace(
        parent.bundle,
        config_text=(ws.pipelines / f"{config.name}.toml").read_text(encoding="utf-8"),
        conversion=final.conversion,
        calibrator=final.calibrator,
        value_log_scale=final.value_log_scale,
        outlook=final.outlook,
        value_spread=final.value_spread,
        high_value=final.high_value,
        metadata={
            **evidence.metadata(judgement),
            PARENT: {"version": parent.version, "release": parent.bundle.release},
        },
        profile=profile(judgement, FeatureSet(data.features.table, parent.bundle.definitions), final),
    )
    return logged(ws, judgement, bundle, progress, {PARENT: parent.version})


def _parent(ws: Workspace, config: PipelineConfig) -> Parent:
    version, _ = champion(ws, config.name)
    bundle = read_release(ws, config.name, version)
    released = bundle.metadata.get("released_on") or {}
    refit = bundle.metadata.get("calibration", {}).get("refit", "off") != "off"
    sides = ("train", "calibrate") if refit else ("train",)
    trained = [day for side in sides for day in released.get(side) or ()]
    if not trained or "settings" not in bundle.metadata:
        raise RefusedError(
            f"Version {version} does not say which cohorts taught its trees.",
            where=str(ws.models(config.name)),
            why="A map learned from cohorts that the trees know would promise too much.",
            fix=f"hva train {config.name}, then hva promote {config.name}",
        )
    return Parent(version, bundle, tuple(date.fromisoformat(d) for d in trained))


def _kept_lifetime(parent: Parent) -> dict[str, Any]:
    """Return how the kept windows did when they were learned, and by which version; nothing without any."""
    told = parent.bundle.metadata.get("lifetime")
    return {"kept_from": parent.version, **told} if told else {}


def _refitted(bundle: Bundle, data: TrainingSet, split: Split, config: PipelineConfig) -> Pair:
    """Return the parent's trees with map and level of the calibration side."""
    later = data.features.take(split.calibrate)
    converted, value = data.targets.converted[split.calibrate], data.targets.value[split.calibrate]
    enough(converted, "calibration")
    X = bundle.encoder.transform(later)
    market = data.targets.market
    outlook = relearned(bundle.outlook, data.features, market, split.train | split.calibrate, config)
    swing = moved(market[split.calibrate], outlook)
    trees = unshifted(bundle)
    margin = trees.margin(X) + swing + (outlook.odds if outlook else 0.0)
    calibrated = calibrate(margin, later, converted, config, membership(X, bundle.encoder, config))
    steady = Steady.of(bundle.metadata.get("value", {}).get("run_rate"))
    worth = Worth(bundle.value, bundle.value_log_scale, 0.0, bundle.direct, None, steady)
    worth = levelled(worth, Side(X, converted, value, swing), outlook)
    best = relearned_best(bundle.high_value, data.features, data.targets.value, split, bundle.encoder, config)
    trees = shifted(trees, calibrated, bundle.encoder)
    pair = Pair(bundle.encoder, trees, calibrated, worth, outlook, high_value=best)
    return bounded(pair, later, converted, value, config.models.interval)


def _settled(kind: Any, told: dict[str, Any]) -> SearchResult:
    """Return the settings of a model as a search that tried nothing."""
    params = {k: v for k, v in told.items() if k not in ("rounds", "distribution")}
    nothing = pa.table({})
    return SearchResult(
        kind, params, told.get("distribution"), int(told["rounds"]), float("nan"), "", nothing, {}, 0
    )


def _key(config: PipelineConfig, data: TrainingSet, parent: Parent) -> str:
    text = json.dumps(["recalibrate", run_key(config, data), parent.bundle.release])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
