"""Train: data to features to two models, judged on untouched later cutoffs, refitted, logged, registered."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml import labels, splits
from hva_ml.config import PipelineConfig
from hva_ml.contracts.decisions import Decisions
from hva_ml.contracts.records import Violation
from hva_ml.cutoffs import Calendar, instant, microseconds
from hva_ml.evaluation import checks
from hva_ml.evaluation.coverage import coverage
from hva_ml.evaluation.suspicion import hint, suspicious
from hva_ml.evaluation.table import MODEL, ModelPrediction, evaluate, per_cutoff
from hva_ml.explanation.composition import margins
from hva_ml.features.definition import FeatureSet, table_fingerprint
from hva_ml.features.leads import opened
from hva_ml.jobs import comparison, evidence
from hva_ml.jobs.features import build_features
from hva_ml.jobs.fitting import Pair, Searched, Targets, fit_pair, search_pair, side_by_side
from hva_ml.jobs.high_value import told_of_high_value
from hva_ml.jobs.judged import Judged
from hva_ml.jobs.judgement import Judgement
from hva_ml.jobs.leads.cohorts import months
from hva_ml.jobs.leads.decided import Decided, calendar_of, decided_leads
from hva_ml.jobs.leads.judging import judge
from hva_ml.jobs.lifetime import Learned, LifetimeLearner
from hva_ml.jobs.likelihood import before_and_after
from hva_ml.jobs.model_checks import checked
from hva_ml.jobs.prepare import Prepared, calendar, prepare, refuse_errors
from hva_ml.jobs.profile import profile
from hva_ml.jobs.progress import LoggedProgress, Progress
from hva_ml.jobs.running import Running, followed, latest, running, told_of_nowcast
from hva_ml.jobs.segments import category
from hva_ml.publication import lock
from hva_ml.registry import tracking
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.nowcast_words import nowcast_sentence
from hva_ml.registry.segment_words import segment_sentence
from hva_ml.registry.value_words import run_rate_sentence
from hva_ml.workspace import Workspace


@dataclass(frozen=True)
class Run:
    """One finished training.

    Attributes
    ----------
    workspace : Workspace
        Where it ran.
    pipeline, run_id, name, version : str
        Pipeline, MLflow run, readable name, registered model version.
    release : str
        Hash of the bundle; the same data, file and versions give the same one.
    metrics : pyarrow.Table
        model, metric, value, low, high on the untouched test cutoffs.
    report : pathlib.Path
        The run's report for people.
    findings : tuple of Violation
        What the checks found, about the data and the model.
    """

    workspace: Workspace
    pipeline: str
    run_id: str
    name: str
    version: str
    release: str
    metrics: pa.Table
    report: Path
    findings: tuple[Violation, ...] = ()

    def record(self) -> dict[str, object]:
        """Return the run as a JSON-ready record."""
        return {
            "pipeline": self.pipeline,
            "run_id": self.run_id,
            "name": self.name,
            "version": self.version,
            "release": self.release,
            "report": str(self.report),
            "metrics": self.metrics.to_pylist(),
            "findings": [f.record() for f in self.findings],
        }


@dataclass(frozen=True)
class TrainingSet:
    """Point-in-time features and labels of one pipeline."""

    calendar: Calendar
    features: FeatureSet
    labels: pa.Table
    targets: Targets
    told: Decisions | None = None
    running: Running | None = None

    def fingerprint(self) -> str:
        """Return a hash of features and labels, and of what cohorts have brought that still run."""
        text = self.features.fingerprint() + table_fingerprint(self.labels)
        text += self.running.fingerprint() if self.running else ""
        return hashlib.sha256(text.encode()).hexdigest()


def training_set(ws: Workspace, config: PipelineConfig, prepared: Prepared) -> TrainingSet:
    """Build features and labels at all matured cutoffs, or of all decided leads."""
    if config.leads is not None:
        return _leads(config, prepared)
    when = calendar(config, prepared.tables)
    features = build_features(ws, config, prepared.tables, when, prepared.own)
    table = labels.build(prepared.tables, features.index, config, when)
    _segments_are_there(config, features)
    return TrainingSet(
        when, features, table, Targets.of(table), running=latest(ws, config, prepared, when, features)
    )


def _segments_are_there(config: PipelineConfig, features: FeatureSet) -> None:
    comparison.segment_column(config, features.definitions)
    category(config, features.definitions, config.models.segment, "models")


def _leads(config: PipelineConfig, prepared: Prepared) -> TrainingSet:
    found, table = decided_leads(opened(prepared.tables, config))
    _segments_are_there(config, found.features)
    return TrainingSet(calendar_of(found, config), found.features, table, found.targets, found.told)


def train(
    ws: Workspace, pipeline: str, *, engine: str | None = None, progress: Progress | None = None
) -> Run:
    """Train, judge and register the models of a pipeline.

    The settings are searched on the training cutoffs, the models judged on the latest ones, which nothing
    has touched before. The registered model is the same procedure fitted again on all matured cutoffs.

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
        With the results table of the model and every baseline.

    Raises
    ------
    ContractError
        If the data break the contract.
    NotEnoughDataError
        If there is too little to learn from.
    BusyError
        If another run of the pipeline is at work.
    """
    progress = progress or LoggedProgress()
    config = ws.config(pipeline).on(engine)
    with lock(ws.lock(config.name)):
        return _train(ws, config, progress)


def _train(ws: Workspace, config: PipelineConfig, progress: Progress) -> Run:
    progress.stage("Reading sources and checking the contract")
    prepared = prepare(ws, config)
    refuse_errors(config, prepared.tables.violations)
    progress.stage("Point-in-time features and labels")
    data = training_set(ws, config, prepared)
    key = run_key(config, data)
    ws.mlruns.mkdir(parents=True, exist_ok=True)
    study = f"{config.name}-{key}"
    if data.told is not None:
        decided = Decided(data.features, data.targets, data.told)
        judged = judge(decided, config, ws.optuna_uri, study, progress)
    else:
        judged = _judged(ws, config, prepared, data, study, progress)
    learned = _lifetime(prepared, data, judged, config, progress)
    findings = (*suspected(prepared, data, judged.metrics), *judged.findings, *learned.findings)
    judgement = Judgement(
        config, prepared, data.calendar, data.features, data.targets, findings, judged.split, judged.last,
        judged.searched, judged.predictions, judged.metrics, judged.totals, judged.calibration,
        told_of_value(judged.final, judged.searched, data, judged.split, judged.predictions, config), key,
        learned.told,
    )  # fmt: skip
    bundle = replace(_bundle(ws, config, data, judged, judgement), lifetime=learned.model)
    return logged(ws, judgement, bundle, progress)


def _lifetime(
    prepared: Prepared, data: TrainingSet, judged: Judged, config: PipelineConfig, progress: Progress
) -> Learned:
    """Learn and judge what customers bring beyond the horizon, where the pipeline asks for it."""
    if not config.lifetime.days:
        return Learned(None, {}, ())
    progress.stage("Learning and judging the lifetime value of existing customers")
    learner = LifetimeLearner(prepared, data.calendar, data.features, data.targets, judged.searched, config)
    return learner.learn()


def _judged(
    ws: Workspace,
    config: PipelineConfig,
    prepared: Prepared,
    data: TrainingSet,
    study: str,
    progress: Progress,
) -> Judged:
    """Judge the models of accounts on the untouched latest cutoffs, and fit those that are released."""
    split = splits.split(data.features.index, data.calendar, config.split, config.models.seed)
    progress.stage(f"Searching settings, {config.search.trials} trials for each model")
    searched = search_pair(data.features, data.targets, split, config, ws.optuna_uri, study, progress)
    progress.stage("Judging model and baselines on the untouched latest cutoffs")
    judged = fit_pair(data.features, data.targets, split, searched, config)
    judged = followed(judged, seen_by(split.test_days[0], config, prepared, data))
    test = data.features.take(split.test)
    predictions = side_by_side(
        judged, data.features, data.targets, split.train | split.calibrate, test, config
    )
    metrics, totals = measured(config, data, split, predictions)
    progress.stage("Fitting the same procedure on all matured cutoffs")
    last = splits.release_split(data.features.index, data.calendar, config.split, config.models.seed)
    final = followed(fit_pair(data.features, data.targets, last, searched, config), data.running)
    found = checked(
        config, data.calendar, data.features, data.targets, split, searched, judged, predictions, metrics
    )
    calibration = told_of_calibration(final, judged, data, split)
    found = (*found, *checks.running(told_of_nowcast(final)))
    return Judged(split, last, searched, predictions, metrics, totals, final, found, calibration)


def seen_by(day: date, config: PipelineConfig, prepared: Prepared, data: TrainingSet) -> Running | None:
    """Return what was known on a day of cohorts whose horizon still ran then."""
    moment = microseconds(instant(day, config.pipeline.timezone))
    return running(prepared.tables, config, moment, data.features, data.calendar)


def measured(
    config: PipelineConfig, data: TrainingSet, split: splits.Split, predictions: dict[str, ModelPrediction]
) -> tuple[pa.Table, pa.Table]:
    """Return the results table on the test rows, and the totals of each test cutoff."""
    test = split.test
    groups = np.asarray(data.features.table["group_id"].to_pylist(), dtype=object)[test]
    converted, value = data.targets.converted[test], data.targets.value[test]
    metrics = evaluate(
        predictions, converted, value, groups,
        resamples=config.split.bootstrap, seed=config.models.seed,
        capacity=config.scoring.capacity * len(split.test_days),
    )  # fmt: skip
    cutoffs = data.features.table["cutoff"].filter(pa.array(test))
    return metrics, _by_day(per_cutoff(predictions, converted, value, cutoffs), data.calendar)


def logged(
    ws: Workspace, j: Judgement, bundle: Bundle, progress: Progress, tags: Mapping[str, str] | None = None
) -> Run:
    """Keep the evidence of a judged model, log the run to MLflow, and register it as the challenger."""
    if segments := segment_sentence(j.calibration):
        progress.stage(segments)
    if rate := run_rate_sentence(j.value):
        progress.stage(rate)
    if now := nowcast_sentence(j.calibration):
        progress.stage(now)
    progress.stage("Writing the report and logging the run to MLflow")
    kept, name = evidence.keep(ws, j, bundle), j.config.name
    record = tracking.log_run(
        ws, name, name=f"{name}-{j.key}", params=evidence.params(j), metrics=evidence.metrics(j),
        tags={**evidence.tags(j, bundle), **(tags or {})}, artifacts=kept.artifacts,
        bundle_folder=kept.bundle,
    )  # fmt: skip
    evidence.remember(ws, name, record.run_id, kept)
    return Run(
        ws, name, record.run_id, record.name, record.version, bundle.release, j.metrics, kept.report,
        j.findings,
    )  # fmt: skip


def run_key(config: PipelineConfig, data: TrainingSet) -> str:
    """Return a short hash of everything that decides the outcome: file, data and library versions."""
    text = json.dumps([config.fingerprint(), data.fingerprint(), evidence.versions()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def told_of_calibration(final: Pair, judged: Pair, data: TrainingSet, split: splits.Split) -> dict[str, Any]:
    """Return how the released map came about, and what calibration did to the evaluated fit's test rows."""
    margin, _ = margins(judged, judged.encoder.transform(data.features.take(split.test)))
    days = dict(zip(data.calendar.micros.tolist(), data.calendar.days, strict=True))
    steps = before_and_after([(judged.calibrated, margin)], data.targets.converted[split.test])
    nowcasts = {"released": told_of_nowcast(final), "evaluated": told_of_nowcast(judged)}
    return {**final.calibrated.record(days), "refit": final.refit, "steps": steps, "nowcast": nowcasts}


def told_of_value(
    final: Pair,
    searched: Searched,
    data: TrainingSet,
    split: splits.Split,
    predictions: Mapping[str, ModelPrediction],
    config: PipelineConfig,
) -> dict[str, Any]:
    """Return how the released values came about (approach, tail, level, outlook), and if bounds held."""
    bounds, ours, test = final.value_spread, predictions[MODEL], split.test
    held: list[dict[str, Any]] = []
    if ours.value_bounds is not None and (config.leads is None or config.leads.clock == "days"):
        held = coverage(
            ours, data.targets.converted[test], data.targets.value[test], _days(data, test, config)
        )
    return {
        **({"of": "leads"} if config.leads else {}),
        **final.worth.record(),
        "compared": searched.compared.record() if searched.compared else None,
        "outlook": final.outlook.record() if final.outlook else None,
        "bounds": bounds.record() if bounds else None,
        "high_value": told_of_high_value(
            predictions[MODEL], data.features, data.targets.value, split, config
        ),
        "coverage": held,
    }


def _days(data: TrainingSet, rows: npt.NDArray[np.bool_], config: PipelineConfig) -> list[date]:
    """Return the cutoff of each of some rows; of leads the month of contact."""
    if data.told is not None:
        return months(data.told.take(rows), config)
    days = dict(zip(data.calendar.cutoffs, data.calendar.days, strict=True))
    return [days[m] for m in data.features.table["cutoff"].filter(pa.array(rows)).to_pylist()]


def suspected(prepared: Prepared, data: TrainingSet, metrics: pa.Table) -> tuple[Violation, ...]:
    """Return what the contract and the suspicion rules found, and the hint if the model knows too much."""
    asked = suspicious(data.features, data.targets.converted, data.calendar)
    power = next(r["value"] for r in metrics.to_pylist() if (r["model"], r["metric"]) == (MODEL, "roc_auc"))
    known = hint(power, data.features, data.targets.converted == 1) if power is not None else ()
    return (*prepared.tables.violations, *(v for p in asked for v in p.violations), *known)


def _by_day(totals: pa.Table, calendar: Calendar) -> pa.Table:
    """Name each cutoff by its local day: the instant of a midnight in Berlin is the evening before in UTC."""
    days = dict(zip(calendar.cutoffs, calendar.days, strict=True))
    column = pa.array([days[c] for c in totals["cutoff"].to_pylist()], pa.date32())
    return totals.set_column(totals.schema.get_field_index("cutoff"), "cutoff", column)


def _bundle(
    ws: Workspace,
    config: PipelineConfig,
    data: TrainingSet,
    judged: Judged,
    judgement: Judgement,
) -> Bundle:
    final, rows = judged.final, judged.last.train | judged.last.calibrate
    return Bundle(
        pipeline=config.name,
        config_text=(ws.pipelines / f"{config.name}.toml").read_text(encoding="utf-8"),
        definitions=data.features.definitions,
        encoder=final.encoder,
        conversion=final.conversion,
        calibrator=final.calibrator,
        value=final.value,
        value_log_scale=final.value_log_scale,
        value_distribution=judged.searched.value.distribution or "constant",
        references=comparison.reference_accounts(
            config, data.features.take(rows), data.targets.converted[rows], final
        ),
        currency=config.pipeline.currency,
        horizon_days=config.horizon_days,
        gap_days=config.horizon.gap_days,
        metadata=evidence.metadata(judgement),
        outlook=final.outlook,
        value_spread=final.value_spread,
        high_value=final.high_value,
        direct=final.direct,
        profile=None if config.leads else profile(judgement, data.features, final),
    )
