"""One booster on rows that are binned once, grown a few rounds at a time and judged after each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from hva_ml.training.booster import binned, check_target, native, settings_of

Array = npt.NDArray[np.float64]
Loss = Callable[[Array], float]


@dataclass(frozen=True, eq=False)
class Ground:
    """The rows of one fold, binned: every trial of a search stands on them.

    Attributes
    ----------
    X : ndarray of float64, shape (n_fit, n_features)
        Rows that fit.
    names : tuple of str
        Feature names.
    seed : int
        Seed of all of LightGBM's draws.
    fit, valid : lightgbm.Dataset
        Rows that fit and rows that judge, in the same bins.
    """

    X: Array
    names: tuple[str, ...]
    seed: int
    fit: Any
    valid: Any

    @classmethod
    def of(cls, X: Array, X_valid: Array, names: Sequence[str], seed: int) -> "Ground":
        """Bin rows of shape (n, n_features), NaN where unknown; it costs as much as many trees."""
        data = binned(X, names, seed)
        return cls(X, tuple(names), seed, data, binned(X_valid, names, seed, data))

    def grower(
        self, y: Array, *, objective: str, params: Mapping[str, Any], loss: Loss, weight: Array | None = None
    ) -> "Grower":
        """Begin a booster; its trees are those of `Booster.fit` with the same arguments, to the last bit.

        Parameters
        ----------
        y, objective, params, weight
            As in `Booster.fit`.
        loss : callable
            Takes predictions for the judging rows, shape (n_valid,), on the scale of the target (probability,
            mean, or the regression itself); lower is better.

        Raises
        ------
        NotEnoughDataError, ContractError
            As in `Booster.fit`.
        """
        check_target(self.X, y, objective, self.names)
        self.fit.set_label(y)
        self.fit.set_weight(weight)
        settings = settings_of(self.X, objective, params, self.seed)
        return Grower(native(settings, self.fit, self.valid), loss, settings["num_threads"] == 1)


@dataclass(eq=False)
class Grower:
    """A booster at work, and its loss after every round.

    Attributes
    ----------
    booster : lightgbm.Booster
        The library's object.
    loss : callable
        See `Ground.grower`.
    alone : bool
        Whether it keeps to one thread, so that several can grow beside each other.
    curve : list of float
        Loss on the judging rows after each round so far.
    """

    booster: Any
    loss: Loss
    alone: bool
    curve: list[float] = field(default_factory=list)

    def grow(self, rounds: int) -> None:
        """Add so many trees."""

        def judged(predicted: Array, _: Any) -> tuple[str, float, bool]:
            return "loss", self.loss(predicted), False

        for _ in range(rounds):
            self.booster.update()
            self.curve.append(self.booster.eval_valid(judged)[0][2])
