"""The door to Optuna: a seeded search for each of the two models, stored, resumable, the same every time."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import optuna
import pyarrow as pa
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState
from scipy.special import expit
from sklearn.metrics import log_loss, mean_tweedie_deviance
from sqlalchemy.exc import SQLAlchemyError

from hva_ml import config as settings
from hva_ml.errors import ConfigError, WorkspaceError
from hva_ml.training.booster import TWEEDIE_POWER, Booster
from hva_ml.training.folds import Fold, folds
from hva_ml.training.value import Distribution, clipped, fit_value
from hva_ml.workspace import no_database

Array = npt.NDArray[np.float64]
Kind = Literal["conversion", "value"]
Progress = Callable[[int, int, float], None]

METRIC: dict[str, str] = {"conversion": "log_loss", "value": "relative_tweedie_deviance"}
STARTING_POINT: dict[str, float] = {
    "num_leaves": 15, "min_child_samples": 40, "feature_fraction": 0.7, "lambda_l2": 10.0,
}  # fmt: skip
_PATIENCE = 30
_SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("state", pa.string()),
        ("value", pa.float64()),
        ("rounds", pa.int64()),
        ("distribution", pa.string()),
        *((name, pa.float64()) for name in STARTING_POINT),
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
        Number of trees: the mean over the folds of where early stopping ended.
    value : float
        Loss of the best trial, lower is better.
    metric : str
        ``log_loss``, or ``relative_tweedie_deviance`` (1 is no better than the mean).
    trials : pyarrow.Table
        number, state, value, rounds, distribution, num_leaves, min_child_samples, feature_fraction,
        lambda_l2, seconds (wall time: the only column that differs between two identical searches).
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
) -> SearchResult:
    """Search the ranges of ``[search]`` with a tree-structured Parzen estimator.

    The first trial (for value: one per family) is a cautious starting point, moved into the ranges; so the
    search never ends worse than it. Every trial draws from its own seed, so a search that was interrupted
    and resumed chooses as one that was not. Models are judged as `hva_ml.training.folds.folds` says.

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

    Raises
    ------
    NotEnoughDataError
        If there are too few rows or conversions to validate on.
    ConfigError
        If a range is upside down.
    WorkspaceError
        If the storage cannot be opened.
    """
    space = _space(kind, config, models)
    parts = folds(groups, cutoff_codes, y > 0, models.seed)

    def judge(params: Mapping[str, Any]) -> tuple[float, int]:
        return _judge(kind, X, y, parts, params, models, names)

    with _quiet(), _study(storage, study_name) as study:
        done, ran = _complete(study), 0
        for ordinal in range(len(done), config.trials):
            _run(study, space, kind, models, ordinal, judge)
            done, ran = _complete(study), ran + 1
            if progress is not None:
                progress(len(done), config.trials, min(float(t.value or 0.0) for t in done))
        done = done[: config.trials]
    best = min(done, key=lambda t: (t.value, t.number))
    params = {"learning_rate": models.learning_rate, **{n: best.params[n] for n in STARTING_POINT}}
    return SearchResult(
        kind=kind,
        params=params,
        distribution=cast(Distribution, best.params["distribution"]) if kind == "value" else None,
        rounds=int(best.user_attrs["rounds"]),
        value=float(best.value or 0.0),
        metric=METRIC[kind],
        trials=_table(done),
        ran=ran,
    )


def _space(kind: Kind, config: settings.Search, models: settings.Models) -> dict[str, BaseDistribution]:
    for name in STARTING_POINT:
        low, high = getattr(config, name)
        least = {"num_leaves": 2, "min_child_samples": 1}.get(name, 1e-9)
        most = 1.0 if name == "feature_fraction" else np.inf
        if not least <= low <= high <= most:
            raise ConfigError(
                f"The range of {name} must be two numbers between {least:g} and {most:g}, low before high.",
                where=f"[search] {name} = [{low}, {high}]",
                fix=f"Leave the line out to search around {STARTING_POINT[name]:g}.",
            )
    space: dict[str, BaseDistribution] = {
        "num_leaves": IntDistribution(*config.num_leaves, log=True),
        "min_child_samples": IntDistribution(*config.min_child_samples, log=True),
        "feature_fraction": FloatDistribution(*config.feature_fraction),
        "lambda_l2": FloatDistribution(*config.lambda_l2, log=True),
    }
    if kind == "value":
        if not models.value:
            raise ConfigError(
                "No family for the value model is named.", where="[models] value", fix='value = ["tweedie"]'
            )
        space["distribution"] = CategoricalDistribution(tuple(models.value))
    return space


def _run(
    study: optuna.Study,
    space: dict[str, BaseDistribution],
    kind: Kind,
    models: settings.Models,
    ordinal: int,
    judge: Callable[[Mapping[str, Any]], tuple[float, int]],
) -> None:
    started = time.perf_counter()
    families = tuple(models.value) if kind == "value" else ("",)
    if ordinal < len(families):
        params = _start(space, families[ordinal])
        loss, rounds = judge(params)
        attributes = {"rounds": rounds, "seconds": time.perf_counter() - started}
        study.add_trial(
            optuna.trial.create_trial(params=params, distributions=space, value=loss, user_attrs=attributes)
        )
        return
    # A sampler of its own for each trial: a draw depends on the finished trials, not on when we began.
    study.sampler = optuna.samplers.TPESampler(
        seed=(models.seed * 1_000_003 + ordinal) % 2**32, n_startup_trials=len(families) + 4
    )
    trial = study.ask(space)
    loss, rounds = judge(trial.params)
    trial.set_user_attr("rounds", rounds)
    trial.set_user_attr("seconds", time.perf_counter() - started)
    study.tell(trial, loss)


def _start(space: Mapping[str, BaseDistribution], family: str) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for name, distribution in space.items():
        if isinstance(distribution, CategoricalDistribution):
            params[name] = family
        elif isinstance(distribution, IntDistribution | FloatDistribution):
            value = min(max(STARTING_POINT[name], distribution.low), distribution.high)
            params[name] = int(value) if isinstance(distribution, IntDistribution) else float(value)
    return params


def _judge(
    kind: Kind,
    X: Array,
    y: Array,
    parts: Sequence[Fold],
    params: Mapping[str, Any],
    models: settings.Models,
    names: Sequence[str],
) -> tuple[float, int]:
    """Return the loss pooled over the folds' rows, and the mean number of trees."""
    trees = {"learning_rate": models.learning_rate, **{n: params[n] for n in STARTING_POINT}}
    losses, rows, rounds = [], [], []
    for part in parts:
        common: dict[str, Any] = {
            "names": names, "params": trees, "rounds": models.rounds, "seed": models.seed,
            "valid": (X[part.valid], y[part.valid]), "patience": _PATIENCE,
        }  # fmt: skip
        if kind == "conversion":
            booster = Booster.fit(X[part.fit], y[part.fit], objective="binary", **common)
            probability = expit(booster.margin(X[part.valid]))
            loss = float(log_loss(y[part.valid], probability, labels=[0, 1]))
        else:
            fitted = fit_value(X[part.fit], y[part.fit], distribution=params["distribution"], **common)
            booster = fitted.booster
            loss = relative_deviance(y[part.valid], fitted.predict(X[part.valid]))
        losses.append(loss)
        rows.append(len(part.valid))
        rounds.append(booster.n_trees)
    return float(np.average(losses, weights=rows)), max(1, round(float(np.mean(rounds))))


def relative_deviance(actual: Array, predicted: Array) -> float:
    """Return the Tweedie deviance (power 1.5) of levelled predictions over that of the mean; 0 is perfect.

    Parameters
    ----------
    actual : ndarray, shape (n_rows,)
        Realised values; negative ones count as 0. At least one is positive.
    predicted : ndarray, shape (n_rows,)
        Predicted means > 0, of any level: they are scaled to the total of `actual`.

    Examples
    --------
    >>> relative_deviance(np.array([10.0, 30.0]), np.array([1.0, 3.0]))
    0.0
    """
    actual, _ = clipped(actual, "tweedie")
    levelled = predicted * (actual.sum() / predicted.sum())
    constant = np.full_like(actual, actual.mean())
    worst = float(mean_tweedie_deviance(actual, constant, power=TWEEDIE_POWER))
    found = max(0.0, float(mean_tweedie_deviance(actual, levelled, power=TWEEDIE_POWER)))
    # Equal values everywhere leave nothing to explain: the mean is then as good as can be.
    return found / worst if worst > 1e-12 * float(actual.mean()) ** 0.5 else 1.0 + found


def _complete(study: optuna.Study) -> list[FrozenTrial]:
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return sorted(trials, key=lambda t: t.number)


def _table(trials: Sequence[FrozenTrial]) -> pa.Table:
    rows = [
        {
            "number": number,
            "state": trial.state.name.lower(),
            "value": float(trial.value or 0.0),
            "rounds": int(trial.user_attrs["rounds"]),
            "distribution": trial.params.get("distribution"),
            **{name: float(trial.params[name]) for name in STARTING_POINT},
            "seconds": float(trial.user_attrs["seconds"]),
        }
        for number, trial in enumerate(trials)
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


@contextmanager
def _quiet() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


@contextmanager
def _study(storage: str | None, study_name: str) -> Iterator[optuna.Study]:
    """Open the study; trials left running by a process that ended are closed as failed."""
    backend: Any = None
    if storage is not None:
        if no_database(storage):
            raise _no_storage(storage)
        try:
            backend = optuna.storages.RDBStorage(storage)
        except (optuna.exceptions.OptunaError, SQLAlchemyError, ImportError) as error:
            raise _no_storage(storage) from error
    try:
        study = optuna.create_study(
            storage=backend, study_name=study_name, direction="minimize", load_if_exists=True
        )
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)
        yield study
    finally:
        if backend is not None:
            backend.remove_session()
            backend.engine.dispose()


def _no_storage(storage: str) -> WorkspaceError:
    return WorkspaceError(
        "The store of the search trials cannot be opened.",
        where=storage.split("@")[-1],
        fix="Check that the folder exists and can be written, or move the file away to begin a new one.",
    )
