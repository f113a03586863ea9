"""One trial: boosters of all folds grow side by side, and their pooled loss says when to stop."""

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
PATIENCE = 30


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
        Round (counted from 1) and least pooled loss until then, every ten rounds.
    """

    loss: float
    rounds: int
    grown: int
    pruned: bool
    curve: tuple[tuple[int, float], ...]


def race(growers: Sequence[Grower], weights: Sequence[float], most: int, hopeless: Hopeless) -> Outcome:
    """Grow until the pooled loss has not improved for 30 rounds, `most` are done, or it is hopeless.

    Parameters
    ----------
    growers : sequence of Grower
        One for each fold, without trees yet.
    weights : sequence of float
        Weight of each fold in the pooled loss: its judging rows.
    most : int
        Most rounds.
    hopeless : callable
        Asked every ten rounds with the round and the least pooled loss so far.
    """
    pooled: list[float] = []
    curve: list[tuple[int, float]] = []
    with ThreadPoolExecutor(min(len(growers), cores()), initializer=hush) as pool:
        while len(pooled) < most:
            stride = min(STRIDE, most - len(pooled))
            _grow(growers, stride, pool)
            losses = np.array([g.curve[-stride:] for g in growers])
            pooled += np.average(losses, axis=0, weights=weights).tolist()
            best = int(np.argmin(pooled))
            curve.append((len(pooled), pooled[best]))
            if len(pooled) - 1 - best >= PATIENCE:
                break
            if hopeless(*curve[-1]):
                return Outcome(pooled[best], best + 1, len(pooled), True, tuple(curve))
    best = int(np.argmin(pooled))
    return Outcome(pooled[best], best + 1, len(pooled), False, tuple(curve))


def _grow(growers: Sequence[Grower], rounds: int, pool: ThreadPoolExecutor) -> None:
    # LightGBM works without Python's lock; boosters that keep to one thread grow beside each other.
    if all(g.alone for g in growers):
        for done in [pool.submit(g.grow, rounds) for g in growers]:
            done.result()
    else:
        for grower in growers:
            grower.grow(rounds)
