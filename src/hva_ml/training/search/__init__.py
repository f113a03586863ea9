"""The door to Optuna: a seeded search for each of the two models, stored, resumable, the same every time."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from optuna.trial import FrozenTrial, TrialState

from hva_ml import config as settings
from hva_ml.training.folds import Fold, folds
from hva_ml.training.growing import Ground
from hva_ml.training.search.judging import METRIC, Kind, begin, relative_deviance
from hva_ml.training.search.race import Hopeless, Outcome, Pace, race
from hva_ml.training.search.space import PARAMETERS, families, space_of, start, trees
from hva_ml.training.search.store import Kept, Settled, Store, opened
from hva_ml.training.search.study import Drawing, importances, quiet, spared
from hva_ml.training.value import Distribution

__all__ = ["PARAMETERS", "Kind", "SearchResult", "relative_deviance", "search"]

Array = npt.NDArray[np.float64]
Progress = Callable[[int, int, float], None]

FIRST = 4
TELLING = 6
_SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("state", pa.string()),
        ("value", pa.float64()),
        ("rounds", pa.int64()),
        ("grown", pa.int64()),
        ("distribution", pa.string()),
        *((name, pa.float64()) for name in PARAMETERS),
        ("seconds", pa.float64()),
    ]
)


@dataclass(frozen=True)
class SearchResult:
    """What the search chose.

    Attributes
    ----------
    kind : str
        ``conversion`` or ``value``.
    params : mapping
        LightGBM parameters of the best trial, with the learning rate: ready for `Booster.fit`.
    distribution : str or None
        Family of the value model; None for conversion.
    rounds : int
        Number of trees at which the loss pooled over the folds was least, at the learning rate in `params`.
    value : float
        That loss, lower is better.
    metric : str
        ``log_loss``, or ``relative_tweedie_deviance`` (1 is no better than the mean).
    trials : pyarrow.Table
        number, state (``complete`` or ``pruned``), value (of a pruned one the least loss until then),
        rounds, grown (rounds trained), distribution, the parameters (null where not searched), seconds
        (wall time: the only column that differs between two identical searches). Rounds and value are those
        at the rate of the search.
    importance : mapping
        Share of the loss's variance among complete trials that each parameter explains, largest first; empty
        with fewer than six of them.
    ran : int
        Trials run in this call; 0 if the study was finished before.
    """

    kind: Kind
    params: Mapping[str, float | int]
    distribution: Distribution | None
    rounds: int
    value: float
    metric: str
    trials: pa.Table
    importance: Mapping[str, float]
    ran: int


def search(
    kind: Kind,
    X: Array,
    y: Array,
    groups: Sequence[str],
    cutoff_codes: npt.NDArray[np.int64],
    *,
    config: settings.Search,
    models: settings.Models,
    names: Sequence[str],
    storage: str | None,
    study_name: str,
    progress: Progress | None = None,
    weight: Array | None = None,
    fixed: Mapping[str, Any] | None = None,
    parts: Sequence[Fold] | None = None,
) -> SearchResult:
    """Search the ranges of ``[search]`` with a tree-structured Parzen estimator.

    The first trial (for value: one per family) is a cautious starting point, moved into the ranges; so the
    search, at its rate, never ends worse than it. Every trial draws from its own seed, so a search that was
    interrupted and resumed, or that two processes share, chooses as one that was not. The rows of each fold
    are binned once for all trials; the folds of a trial grow side by side, and a trial is given up when, at
    the same round, its loss is worse than the median of those before it, from the thirteenth trial on when
    it is not among the best quarter. With ``learning_rate_factor`` trees learn faster while searching; the
    settings found are then grown once more, at their real rate, to count the rounds. Models are judged as
    `hva_ml.training.folds.folds` says.

    Conversion is judged by log loss. Value models of all families are judged alike: Tweedie deviance
    (power 1.5) of predicted means, levelled to the fold's total and divided by the deviance of the mean.
    It rewards the right order and size of accounts and ignores the overall level, which calibration sets.

    Parameters
    ----------
    kind : {"conversion", "value"}
        Which model; for value give only the rows that converted.
    X : ndarray, shape (n_rows, n_features)
        Encoded rows of the training side.
    y : ndarray, shape (n_rows,)
        0 or 1, or the value within the horizon.
    groups, cutoff_codes : length n_rows
        As in `hva_ml.training.folds.folds`.
    config, models : hva_ml.config.Search, hva_ml.config.Models
        Sections of the pipeline file.
    names : sequence of str, length n_features
        Feature names.
    storage : str or None
        Optuna storage URI, such as ``sqlite:///mlruns/optuna.db``; None keeps the study in memory.
    study_name : str
        Must carry a hash of all that goes in: a study of that name is continued, and reused once finished.
    progress : callable, optional
        Called after each trial with (finished, all, best loss).
    weight : ndarray, shape (n_rows,), optional
        How much a row counts where models fit; all rows that judge count alike.
    fixed : mapping, optional
        LightGBM parameters that every trial has and no result holds.
    parts : sequence of Fold, optional
        Folds to judge by, instead of those of `hva_ml.training.folds.folds`.

    Raises
    ------
    NotEnoughDataError
        If there are too few rows or conversions to validate on.
    ConfigError
        If a range is upside down.
    WorkspaceError
        If the storage cannot be opened.
    """
    space = space_of(kind, config, models)
    if parts is None:
        parts = folds(groups, cutoff_codes, y > 0, models.seed)
    grounds: list[Ground] = []
    pace = Pace(config.learning_rate_factor)

    def judge(
        params: Mapping[str, Any], hopeless: Hopeless = _never, pace: Pace = pace
    ) -> tuple[Outcome, float]:
        started = time.perf_counter()
        if not grounds:
            grounds.extend(Ground.of(X[p.fit], X[p.valid], names, models.seed) for p in parts)
        family = params.get("distribution", "")
        fit = {**trees(params, models), **(fixed or {})}
        fit["learning_rate"] = min(fit["learning_rate"] * pace.rate, 1.0)
        growers = [
            begin(kind, ground, part, y, fit, family, weight, models.winsorise)
            for ground, part in zip(grounds, parts, strict=True)
        ]
        outcome = race(growers, [len(p.valid) for p in parts], pace.rounds(models.rounds), hopeless, pace)
        return outcome, time.perf_counter() - started

    first = [start(space, family, models) for family in families(kind, models)]
    with quiet(), spared(), opened(storage, study_name) as store:
        drawing = Drawing(space, models.seed, len(first) + FIRST, pace)
        trials, ran = _all(store, drawing, first, judge, config, progress)
        told = importances(trials, models.seed) if _complete(trials) >= TELLING else {}
        best = min((t for t in trials if t.state == TrialState.COMPLETE), key=lambda t: t.value or 0.0)
        settled = Settled(Kept.of(best).rounds, float(best.value or 0.0))
        if pace.rate != 1.0:
            settled = store.settled(best) or store.settle(best, judge(best.params, pace=Pace())[0])
    return SearchResult(
        kind=kind,
        params=trees(best.params, models),
        distribution=cast(Distribution, best.params["distribution"]) if kind == "value" else None,
        rounds=settled.rounds,
        value=settled.loss,
        metric=METRIC[kind],
        trials=_table(trials),
        importance=told,
        ran=ran,
    )


def _all(
    store: Store,
    drawing: Drawing,
    first: Sequence[Mapping[str, Any]],
    judge: Callable[[Mapping[str, Any], Hopeless], tuple[Outcome, float]],
    config: settings.Search,
    progress: Progress | None,
) -> tuple[list[FrozenTrial], int]:
    """Return all trials in order, those of before and those run now, and how many the latter are."""
    deadline = time.monotonic() + 60 * config.minutes if config.minutes else None
    trials: list[FrozenTrial] = []
    most, ran = min(config.trials, store.ended or config.trials), 0
    seen, kept = store.finished(), None
    # A trial is written while the next one grows; who else may have finished it said the same of it.
    with ThreadPoolExecutor(1) as pen:
        while len(trials) < most:
            ordinal = len(trials)
            known = seen.get(ordinal)
            if known is None:
                if deadline is not None and ordinal >= len(first) and time.monotonic() > deadline:
                    store.end(ordinal)
                    break
                known = drawing.run(ordinal, first[ordinal] if ordinal < len(first) else None, judge)
                seen = _written(kept, seen)
                kept = pen.submit(store.add, known)
                ran += 1
            drawing.know(known)
            trials.append(known)
            if progress is not None:
                best = min(float(t.value or 0.0) for t in trials if t.state == TrialState.COMPLETE)
                progress(len(trials), most, best)
        _written(kept, seen)
    return trials, ran


def _written(
    kept: Future[dict[int, FrozenTrial]] | None, before: dict[int, FrozenTrial]
) -> dict[int, FrozenTrial]:
    return before if kept is None else kept.result()


def _never(_step: int, _loss: float) -> bool:
    return False


def _complete(trials: Sequence[FrozenTrial]) -> int:
    return sum(t.state == TrialState.COMPLETE for t in trials)


def _table(trials: Sequence[FrozenTrial]) -> pa.Table:
    rows = [
        {
            "number": number,
            "state": trial.state.name.lower(),
            "value": kept.loss,
            "rounds": kept.rounds,
            "grown": kept.grown,
            "distribution": trial.params.get("distribution"),
            **{name: float(trial.params[name]) for name in PARAMETERS if name in trial.params},
            "seconds": kept.seconds,
        }
        for number, (trial, kept) in enumerate((t, Kept.of(t)) for t in trials)
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)
