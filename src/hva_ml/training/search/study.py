"""The trials of one search: drawn from those before, and kept in a store that outlives the process."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from hva_ml.errors import WorkspaceError
from hva_ml.training.search.race import Hopeless, Outcome, Pace
from hva_ml.workspace import no_database

MANY = 12
"""Trials from which on only the best quarter goes on, instead of the better half."""
LOOK_SECONDS = 1.0
"""So old is, at most, what we know of the trials of other processes. (Measured: a look takes as long as ten
trees on 5,000 rows, with Python's lock held, so that no fold begins its next one.)"""
_DONE = (TrialState.COMPLETE, TrialState.PRUNED)
_KEPT = "kept"


@dataclass(frozen=True)
class Kept:
    """What is kept of a trial beside its parameters and its curve.

    Attributes
    ----------
    ordinal : int
        Its place in the search.
    loss, rounds, grown
        As in `Outcome`.
    seconds : float
        Wall time.
    """

    ordinal: int
    loss: float
    rounds: int
    grown: int
    seconds: float

    @classmethod
    def of(cls, trial: FrozenTrial) -> "Kept":
        """Read it from a trial."""
        return cls(**trial.user_attrs[_KEPT])


@dataclass(frozen=True)
class Settled:
    """Rounds of the model to fit, and the least pooled loss, both at its own learning rate."""

    rounds: int
    loss: float


@dataclass(eq=False)
class Store:
    """The finished trials of a study, by ordinal: its place in the search, whatever process ran it.

    A trial is written once, when it has ended, so a process that is killed leaves nothing half-done. Two
    processes at one study draw the same trials; the first to finish one is believed.
    """

    study: optuna.Study
    _seen: dict[int, FrozenTrial] = field(default_factory=dict, init=False)
    _looked: float = field(default=0.0, init=False)

    def finished(self) -> dict[int, FrozenTrial]:
        """Return the trials that have ended so far."""
        self._looked, self._seen = time.monotonic(), {}
        for trial in self.study.get_trials(deepcopy=False, states=_DONE):
            if _KEPT in trial.user_attrs:
                self._seen.setdefault(Kept.of(trial).ordinal, trial)
        return self._seen

    def add(self, trial: FrozenTrial) -> dict[int, FrozenTrial]:
        """Keep a trial; returns those that had ended when it last looked, at most a second ago."""
        self.study.add_trial(trial)
        return self.finished() if time.monotonic() - self._looked >= LOOK_SECONDS else self._seen

    def settled(self, trial: FrozenTrial) -> Settled | None:
        """Return how the settings of a trial did at their real rate, if that was found before."""
        found = self.study.user_attrs.get(_settled(trial))
        return None if found is None else Settled(int(found["rounds"]), float(found["loss"]))

    def settle(self, trial: FrozenTrial, outcome: Outcome) -> Settled:
        """Keep that."""
        found = Settled(outcome.rounds, outcome.loss)
        self.study.set_user_attr(_settled(trial), asdict(found))
        return found

    @property
    def ended(self) -> int | None:
        """Number of trials after which the minutes were over, if that ever happened."""
        found = self.study.user_attrs.get("ended")
        return None if found is None else int(found)

    def end(self, n_trials: int) -> None:
        """Say that the minutes were over: the study counts as finished from now on."""
        self.study.set_user_attr("ended", n_trials)


def _settled(trial: FrozenTrial) -> str:
    return f"settled {Kept.of(trial).ordinal}"


class Drawing:
    """Draws the trials of a study one after the other, each from its own seed and those before it.

    Parameters
    ----------
    space : mapping
        What may be drawn.
    seed : int
        Seed of the search.
    n_first : int
        Trials before the estimator begins, and before any may be given up.
    pace : Pace
        When a trial is asked whether it is hopeless.
    """

    def __init__(self, space: Mapping[str, BaseDistribution], seed: int, n_first: int, pace: Pace) -> None:
        self._space = dict(space)
        self._seed, self._n_first, self._pace = seed, n_first, pace
        self._study = optuna.create_study(direction="minimize")

    def know(self, trial: FrozenTrial) -> None:
        """Add a trial that has ended."""
        self._study.add_trial(trial)

    def run(
        self,
        ordinal: int,
        first: Mapping[str, Any] | None,
        judge: Callable[[Mapping[str, Any], Hopeless], tuple[Outcome, float]],
    ) -> FrozenTrial:
        """Draw one trial, or take the parameters `first`, and return it with its outcome and seconds."""
        # A sampler of its own for each trial: a draw depends on the finished trials, not on when we began.
        self._study.sampler = optuna.samplers.TPESampler(
            seed=(self._seed * 1_000_003 + ordinal) % 2**32, n_startup_trials=self._n_first
        )
        self._study.pruner = optuna.pruners.PercentilePruner(
            50.0 if ordinal < MANY else 25.0, n_startup_trials=self._n_first,
            n_warmup_steps=self._pace.warm_up, interval_steps=self._pace.stride,
        )  # fmt: skip
        if first is not None:
            self._study.enqueue_trial(dict(first))
        asked = self._study.ask(self._space)

        def hopeless(step: int, loss: float) -> bool:
            asked.report(loss, step)
            return asked.should_prune()

        params = dict(asked.params)
        outcome, seconds = judge(params, hopeless)
        # What counts is the trial as it is kept, so that memory and store can never differ.
        self._study.tell(asked, state=TrialState.FAIL)
        kept = Kept(ordinal, outcome.loss, outcome.rounds, outcome.grown, seconds)
        return optuna.trial.create_trial(
            state=TrialState.PRUNED if outcome.pruned else TrialState.COMPLETE,
            value=None if outcome.pruned else outcome.loss,
            params=params,
            distributions=self._space,
            # One attribute, not five: each costs the store three queries.
            user_attrs={_KEPT: asdict(kept)},
            intermediate_values=dict(outcome.curve),
        )


def importances(trials: Sequence[FrozenTrial], seed: int) -> dict[str, float]:
    """Return the share of the loss's variance that each parameter explains, of complete trials only.

    By functional ANOVA (Hutter et al. 2014, ICML); empty if all trials were alike.
    """
    study = optuna.create_study(direction="minimize")
    study.add_trials([t for t in trials if t.state == TrialState.COMPLETE])
    try:
        found = optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=seed)
        )
    except (RuntimeError, ValueError):
        return {}
    return {name: float(share) for name, share in found.items()}


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna's own log lines to warnings while the block runs."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


@contextmanager
def opened(storage: str | None, study_name: str) -> Iterator[Store]:
    """Open the study in a store, or in memory.

    Raises
    ------
    WorkspaceError
        If the store cannot be opened or written.
    """
    backend: Any = None
    if storage is not None:
        if no_database(storage):
            raise _no_storage(storage)
        try:
            backend = optuna.storages.RDBStorage(storage)
        except (optuna.exceptions.OptunaError, SQLAlchemyError, ImportError) as error:
            raise _no_storage(storage) from error
    try:
        yield Store(
            optuna.create_study(
                storage=backend, study_name=study_name, direction="minimize", load_if_exists=True
            )
        )
    except (optuna.exceptions.StorageInternalError, SQLAlchemyError) as error:
        if storage is None:
            raise
        raise _no_storage(storage) from error
    finally:
        if backend is not None:
            backend.remove_session()
            backend.engine.dispose()


def _no_storage(storage: str) -> WorkspaceError:
    return WorkspaceError(
        "The store of the search trials cannot be opened or written.",
        where=storage.split("@")[-1],
        fix="Check that the folder can be written and has room, or move the file away to begin a new one.",
    )
