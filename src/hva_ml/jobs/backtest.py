"""Backtest: train as one would have at every past cutoff, score, wait, compare, and see how models age."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pyarrow as pa

from hva_ml.errors import NotEnoughDataError, UsageError, nearest
from hva_ml.evaluation import decay
from hva_ml.evaluation.backtest import averages, over_time
from hva_ml.evaluation.retraining import Recommendation, recommend
from hva_ml.jobs import backtest_evidence
from hva_ml.jobs.history import History
from hva_ml.jobs.prepare import prepare, refuse_errors, refuse_leads
from hva_ml.jobs.progress import LoggedProgress, Progress
from hva_ml.jobs.refits import Fold, Search, refits
from hva_ml.jobs.training_set import run_key, training_set
from hva_ml.publication import lock
from hva_ml.workspace import Workspace


@dataclass(frozen=True)
class Backtest:
    """A finished backtest.

    Attributes
    ----------
    pipeline, key, search : str
        Pipeline; hash of file, data, versions and search; how settings came about.
    recommendation : Recommendation
        When to train again, or why nobody can say.
    over_time : pyarrow.Table
        Every model on the cohort of the day it was trained (`evaluation.backtest.OVER_TIME`).
    averages : pyarrow.Table
        The means over the cutoffs (`evaluation.backtest.AVERAGES`).
    pairs : pyarrow.Table
        Every model on every later cohort beside that day's fresh one (`evaluation.decay.PAIRS`).
    decay : pyarrow.Table
        How much worse a model is by its age (`evaluation.decay.DECAY`).
    folds : pyarrow.Table
        One row per cutoff: what was learned on what, or why not (`jobs.backtest_evidence.FOLDS`).
    run_id : str
        MLflow run.
    folder, report : pathlib.Path
        Where all of it lies, and the page for people.
    """

    pipeline: str
    key: str
    search: Search
    recommendation: Recommendation
    over_time: pa.Table
    averages: pa.Table
    pairs: pa.Table
    decay: pa.Table
    folds: pa.Table
    run_id: str
    folder: Path
    report: Path

    def record(self) -> dict[str, object]:
        """Return the backtest as a JSON-ready record."""
        return {
            "pipeline": self.pipeline,
            "key": self.key,
            "search": self.search,
            "run_id": self.run_id,
            "report": str(self.report),
            "recommendation": self.recommendation.record(),
            "averages": self.averages.to_pylist(),
            "decay": self.decay.to_pylist(),
            "folds": backtest_evidence.plain(self.folds),
        }


def backtest(
    ws: Workspace, pipeline: str, *, search: Search = "first", progress: Progress | None = None
) -> Backtest:
    """Train as one would have at every past cutoff, score its accounts, wait, and compare.

    At each matured cutoff both models and all baselines are fitted on what was known then: cutoffs whose
    horizon and embargo were over, features as of each cutoff, outcomes and parents as known on that day. The
    split is that of a release: the latest known cohorts calibrate, earlier ones train. All accounts of the
    cutoff are scored, and compared when its own horizon and embargo are over. Each of our models is also
    measured on all later cohorts, beside the model trained on that later day.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.
    search : {"first", "never", "each"}
        Whether settings are searched on the first day that allows it and then kept, never (the cautious
        starting point, with as many trees as the first window asks for), or on each day anew.
    progress : Progress, optional
        Where stages are told; log lines by default.

    Returns
    -------
    Backtest
        Also written below ``data/training/<pipeline>/backtest/`` and logged to MLflow.

    Raises
    ------
    UsageError
        If `search` is none of the three.
    ContractError
        If the data break the contract.
    NotEnoughDataError
        If no cutoff has enough matured ones before it.
    BusyError
        If another run of the pipeline is at work.
    """
    if search not in get_args(Search):
        raise UsageError(
            f"'{str(search)[:20]}' is no way to search settings.{nearest(str(search), get_args(Search))}",
            where="--search",
            fix="Use --search first, never or each.",
        )
    progress = progress or LoggedProgress()
    config = ws.config(pipeline)
    refuse_leads(config, "hva backtest")
    with lock(ws.lock(config.name)):
        progress.stage("Reading sources and checking the contract")
        prepared = prepare(ws, config)
        refuse_errors(config, prepared.tables.violations)
        progress.stage("Point-in-time features and labels")
        data = training_set(ws, config, prepared)
        history = History(config, prepared.tables, data.calendar, data.features)
        key = hashlib.sha256(f"{run_key(config, data)} {search}".encode()).hexdigest()[:12]
        cohorts = {day: history.cohort(day) for day in history.days}
        folds = tuple(refits(history, cohorts, search, progress))
        found = [m for fold in folds if fold.refit for m in fold.refit.found]
        if not found:
            raise _nothing(history, folds)
        progress.stage("Averages, ageing, and when to train again")
        seed = config.models.seed
        told = backtest_evidence.Told(
            config, key, search, history, cohorts, folds,
            backtest_evidence.changed_since(history, cohorts, data.targets),
            recommend(found, config.gates.champion_tolerance, seed),
            over_time(found), averages(found, seed), decay.pairs(found), decay.curve(found, seed),
        )  # fmt: skip
        progress.stage("Writing the report and logging the run to MLflow")
        folder = backtest_evidence.keep(ws, told)
        run_id = backtest_evidence.log(ws, told, folder)
    return Backtest(
        config.name, key, search, told.recommendation, told.over_time, told.averages, told.pairs, told.decay,
        told.folds, run_id, folder, folder / backtest_evidence.REPORT,
    )  # fmt: skip


def _nothing(history: History, folds: tuple[Fold, ...]) -> NotEnoughDataError:
    c = history.config
    return NotEnoughDataError(
        f"At none of the {len(history.calendar.days)} matured cutoffs could a model be trained as one would "
        "have then." + (f" At the last one: {folds[-1].reason}" if folds else ""),
        where=f"[cutoffs] {history.calendar.days[0]} to {history.calendar.days[-1]}; horizon "
        f"{c.horizon.gap_days + c.horizon.days} days, embargo {c.split.embargo_days} days, "
        f"{c.split.calibrate_cutoffs} calibration cutoffs",
        why="A backtest learns only from cohorts whose horizon was over on the day, and needs one more to "
        "compare with.",
        fix="Begin [cutoffs] first earlier, lower [split] calibrate_cutoffs, or shorten [horizon] days.",
    )
