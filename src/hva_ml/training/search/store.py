"""Where the trials of a search are kept, so that they outlive the process that ran them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from hva_ml.errors import WorkspaceError
from hva_ml.training.search.race import Outcome
from hva_ml.workspace import no_database

LOOK_SECONDS = 1.0
"""So old is, at most, what we know of the trials of other processes. (Measured: a look takes as long as ten
trees on 5,000 rows, with Python's lock held, so that no fold begins its next one.)"""
_DONE = (TrialState.COMPLETE, TrialState.PRUNED)
KEPT = "kept"


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
        return cls(**trial.user_attrs[KEPT])


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
            if KEPT in trial.user_attrs:
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
