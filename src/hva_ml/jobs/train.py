"""Train: data to features to two models, judged on untouched later cutoffs, refitted, logged, registered."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from hva_ml import splits
from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import Violation
from hva_ml.evaluation import checks
from hva_ml.jobs import comparison, evidence
from hva_ml.jobs.fitting import fit_pair, search_pair, side_by_side
from hva_ml.jobs.judged import Judged
from hva_ml.jobs.judgement import Judgement
from hva_ml.jobs.leads.decided import Decided
from hva_ml.jobs.leads.judging import judge
from hva_ml.jobs.lifetime import Learned, LifetimeLearner
from hva_ml.jobs.model_checks import checked
from hva_ml.jobs.prepare import Prepared, prepare, refuse_errors
from hva_ml.jobs.profile import profile
from hva_ml.jobs.progress import LoggedProgress, Progress
from hva_ml.jobs.running import followed, told_of_nowcast
from hva_ml.jobs.training_set import TrainingSet, run_key, seen_by, training_set
from hva_ml.jobs.verdict import measured, suspected, told_of_calibration, told_of_value
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
