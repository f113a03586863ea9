"""One training after the other, each as of its own day, measured on that day's cohort and on later ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Literal

from hva_ml import splits
from hva_ml.config import PipelineConfig
from hva_ml.errors import NotEnoughDataError
from hva_ml.evaluation import decay
from hva_ml.evaluation.backtest import Cohort, Measured, measured
from hva_ml.evaluation.metrics import MODEL, ModelPrediction
from hva_ml.jobs.fitting import Pair, Searched, fit_pair, search_pair, side_by_side
from hva_ml.jobs.history import History, Learnt
from hva_ml.jobs.progress import Progress
from hva_ml.jobs.running import followed
from hva_ml.splits import Split

Search = Literal["never", "first", "each"]

METRICS = (
    "roc_auc", "pr_auc", "captured_revenue_top_10", "captured_revenue_top_20", "normalized_gini", "spearman",
    "log_loss", "brier", "calibration_slope", "calibration_error", "mae", "total_ratio",
    "value_coverage",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Refit:
    """What was trained as of a day.

    Attributes
    ----------
    learnt : Learnt
        The rows known on the day.
    split : splits.Split
        Sides over these rows.
    searched : Searched
        The settings used.
    prediction : ModelPrediction
        Of our models for the cohort of the day.
    found : tuple of Measured
        Ours on the day's cohort and on later ones, each baseline on the day's.
    """

    learnt: Learnt
    split: Split
    searched: Searched
    prediction: ModelPrediction
    found: tuple[Measured, ...]


@dataclass(frozen=True, eq=False)
class Fold:
    """One day of a backtest: what was trained, or why nothing could be."""

    day: date
    refit: Refit | None
    reason: str = ""


def refits(
    history: History, cohorts: Mapping[date, Cohort], search: Search, progress: Progress
) -> Iterator[Fold]:
    """Train as of every cutoff that can be compared, in the order of time.

    Parameters
    ----------
    history : History
        What was known when.
    cohorts : mapping of datetime.date to Cohort
        What became of the accounts of each cutoff that can be compared.
    search : {"never", "first", "each"}
        See `hva_ml.jobs.backtest.backtest`.
    progress : Progress
        Moves by one cutoff.
    """
    searched: Searched | None = None
    progress.stage(f"Training as of each of {len(history.days)} cutoffs, scoring, comparing")
    for k, day in enumerate(history.days):
        try:
            learnt, split = sides(history, day)
            if searched is None or search == "each":
                searched = settings(history.config, learnt, split, search)
            pair = fit_pair(learnt.features, learnt.targets, split, searched, history.config)
            pair = followed(pair, history.running(day))
            yield Fold(day, _refit(history, cohorts, day, learnt, split, searched, pair))
        except NotEnoughDataError as error:
            yield Fold(day, None, error.what)
        progress.step(k + 1, len(history.days), str(day))


def sides(history: History, day: date) -> tuple[Learnt, Split]:
    """Return what one could have learned from on a day, and the sides of a release trained then.

    Raises
    ------
    NotEnoughDataError
        If no earlier cutoff had matured, or too few to train and to calibrate.
    """
    learnt = history.learnt(day)
    if learnt is None:
        raise NotEnoughDataError("No earlier cutoff had its horizon over by this day.")
    c = history.config
    return learnt, splits.release_split(learnt.features.index, learnt.calendar, c.split, c.models.seed)


def settings(config: PipelineConfig, learnt: Learnt, split: Split, search: Search) -> Searched:
    """Return settings searched on what was known on a day; `never` asks only how many trees they want."""
    if search == "never":
        # The first trial is the starting point; what is found is only how many trees it asks for, at once.
        only = replace(config.search, trials=1, learning_rate_factor=1.0)
        config = replace(config, search=only)
    return search_pair(learnt.features, learnt.targets, split, config, None, "backtest", None)


def _refit(
    history: History,
    cohorts: Mapping[date, Cohort],
    day: date,
    learnt: Learnt,
    split: Split,
    searched: Searched,
    pair: Pair,
) -> Refit:
    c = history.config
    measure = partial(measured, day, resamples=c.split.bootstrap, seed=c.models.seed)
    predictions = side_by_side(
        pair, learnt.features, learnt.targets, split.train | split.calibrate, history.at(day), c
    )
    found = [measure(m, p, cohorts[day], names=METRICS) for m, p in predictions.items()]
    found += [
        measure(MODEL, pair.told(history.at(later)), cohorts[later], names=decay.MEASURES)
        for later in cohorts
        if later > day
    ]
    return Refit(learnt, split, searched, predictions[MODEL], tuple(found))
