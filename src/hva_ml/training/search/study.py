"""The trials of one search, each drawn from those before it."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from hva_ml.training.search.race import Hopeless, Outcome, Pace
from hva_ml.training.search.store import KEPT, Kept

MANY = 12
"""Trials from which on only the best quarter goes on, instead of the better half."""


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
            user_attrs={KEPT: asdict(kept)},
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
def spared() -> Iterator[None]:
    """Spare what is in memory already from Python's search for garbage while the block runs.

    A search makes many small objects with Python's lock held, and looking through all the libraries for
    garbage again and again took a twelfth of its time.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
