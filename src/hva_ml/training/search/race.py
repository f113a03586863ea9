"""One trial: boosters of all folds grow side by side, and their pooled loss says when to stop."""

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hva_ml.compiled import cores
from hva_ml.training.booster import hush
from hva_ml.training.growing import Grower

Array = npt.NDArray[np.float64]
Hopeless = Callable[[int, float], bool]

STRIDE = 10
PIECE = 2
"""Rounds after which a core takes the fold that is furthest behind; it changes the time, never a bit."""


@dataclass(frozen=True)
class Pace:
    """How fast the boosters of a search learn, as a multiple of the rate of the model that it is for.

    Trees that learn twice as much need half as many rounds, so all that is counted in rounds is divided.
    """

    rate: float = 1.0

    @property
    def stride(self) -> int:
        """Rounds between two questions whether a trial is hopeless."""
        return max(round(STRIDE / self.rate), 1)

    @property
    def warm_up(self) -> int:
        """Rounds before the first of them."""
        return 2 * self.stride

    @property
    def patience(self) -> int:
        """Rounds without a better loss after which a trial ends."""
        return 3 * self.stride

    def rounds(self, most: int) -> int:
        """Return the most rounds of a trial, from those of the model."""
        return max(math.ceil(most / self.rate), 1)


@dataclass(frozen=True)
class Outcome:
    """What a trial came to.

    Attributes
    ----------
    loss : float
        Least pooled loss.
    rounds : int
        Number of trees with it, ≥ 1.
    grown : int
        Rounds that were trained.
    pruned : bool
        Whether it was given up because others stood better at the same round.
    curve : tuple of (int, float)
        Round (counted from 1) and least pooled loss until then, at every stride.
    """

    loss: float
    rounds: int
    grown: int
    pruned: bool
    curve: tuple[tuple[int, float], ...]


def race(
    growers: Sequence[Grower], weights: Sequence[float], most: int, hopeless: Hopeless, pace: Pace
) -> Outcome:
    """Grow until patience with the pooled loss is over, `most` rounds are done, or it is hopeless.

    Parameters
    ----------
    growers : sequence of Grower
        One for each fold, without trees yet.
    weights : sequence of float
        Weight of each fold in the pooled loss: its judging rows.
    most : int
        Most rounds.
    hopeless : callable
        Asked at every stride with the round and the least pooled loss so far.
    pace : Pace
        Stride and patience.
    """
    pooled: list[float] = []
    curve: list[tuple[int, float]] = []
    with ThreadPoolExecutor(min(len(growers), cores()), initializer=hush) as pool:
        while len(pooled) < most:
            stride = min(pace.stride, most - len(pooled))
            _grow(growers, stride, pool)
            losses = np.array([g.curve[-stride:] for g in growers])
            pooled += np.average(losses, axis=0, weights=weights).tolist()
            best = int(np.argmin(pooled))
            curve.append((len(pooled), pooled[best]))
            if len(pooled) - 1 - best >= pace.patience:
                break
            if hopeless(*curve[-1]):
                return Outcome(pooled[best], best + 1, len(pooled), True, tuple(curve))
    best = int(np.argmin(pooled))
    return Outcome(pooled[best], best + 1, len(pooled), False, tuple(curve))


def _grow(growers: Sequence[Grower], rounds: int, pool: ThreadPoolExecutor) -> None:
    # LightGBM works without Python's lock; boosters that keep to one thread grow beside each other.
    if not all(g.alone for g in growers):
        for grower in growers:
            grower.grow(rounds)
        return
    left, busy, lock = dict.fromkeys(range(len(growers)), rounds), set[int](), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                free = [k for k in left if k not in busy]
                if not free:
                    return
                k = max(free, key=left.__getitem__)
                busy.add(k)
            piece = min(PIECE, left[k])
            growers[k].grow(piece)
            with lock:
                busy.remove(k)
                left[k] -= piece
                if not left[k]:
                    del left[k]

    for done in [pool.submit(work) for _ in range(min(len(growers), cores()))]:
        done.result()
