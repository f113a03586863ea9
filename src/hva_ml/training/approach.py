"""Likelihood times value, or the expected value at once: both judged on the same held-out accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from hva_ml.training.booster import Booster
from hva_ml.training.folds import Fold, folds
from hva_ml.training.search import SearchResult
from hva_ml.training.search.judging import unit_deviance
from hva_ml.training.value import clipped, fit_value

Array = npt.NDArray[np.float64]
Approach = Literal["hurdle", "direct"]


@dataclass(frozen=True)
class Compared:
    """How both approaches did on held-out accounts.

    Attributes
    ----------
    chosen : str
        ``hurdle`` (likelihood times value) or ``direct``.
    hurdle, direct : float
        Relative Tweedie deviance of the expected value (1 is no better than the mean, less is better).
    gain, error : float
        By how much ``direct`` is better, and the standard error of that by groups of accounts.
    """

    chosen: Approach
    hurdle: float
    direct: float
    gain: float
    error: float

    def record(self) -> dict[str, Any]:
        """Return a JSON-ready record."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Sides:
    """What both approaches learn from.

    Attributes
    ----------
    X : numpy.ndarray of float64, shape (n_rows, n_features)
        Encoded rows of the training side.
    converted, value : numpy.ndarray of float64, shape (n_rows,)
        1 or 0, and the value within the horizon.
    groups, codes : length n_rows
        As in `hva_ml.training.folds.folds`.
    names : sequence of str, length n_features
        Feature names.
    weight : numpy.ndarray of float64, shape (n_rows,), optional
        How much a row counts for the likelihood.
    fixed : mapping
        LightGBM parameters that the conversion model has besides its settings.
    """

    X: Array
    converted: Array
    value: Array
    groups: Sequence[str]
    codes: npt.NDArray[np.int64]
    names: Sequence[str]
    weight: Array | None
    fixed: Mapping[str, Any]


def compare(
    sides: Sides,
    conversion: SearchResult,
    value: SearchResult,
    direct: SearchResult,
    seed: int,
    winsorise: float | None,
) -> Compared:
    """Judge both approaches with the settings found for each, on the folds that a search is judged on.

    Predictions are levelled to the total of each fold, for the level is set later. The direct model is taken
    only if it is better by more than one standard error: likelihood and value told apart say more.

    Parameters
    ----------
    sides : Sides
        Rows of the training side.
    conversion, value, direct : SearchResult
        Settings.
    seed : int
        Seed of folds and models.
    winsorise : float or None
        See `hva_ml.training.tail.winsorised`.
    """
    parts = folds(sides.groups, sides.codes, sides.converted > 0, seed)
    groups = np.asarray(sides.groups, dtype=object)
    losses: list[list[Array]] = [[], [], []]
    for part in parts:
        fitted = (
            _hurdle(sides, part, conversion, value, seed, winsorise),
            _fit(sides, part.fit, direct, seed, winsorise).predict(sides.X[part.valid]),
            np.ones(len(part.valid)),
        )
        actual, _ = clipped(sides.value[part.valid], "tweedie")
        for found, predicted in zip(losses, fitted, strict=True):
            found.append(unit_deviance(actual, predicted * (actual.sum() / predicted.sum())))
    hurdle, once, mean = (np.concatenate(found) for found in losses)
    worst = float(mean.mean())
    if not worst > 0:
        return Compared("hurdle", 1.0, 1.0, 0.0, 0.0)
    judged = groups[np.concatenate([p.valid for p in parts])]
    gain, error = by_groups((hurdle - once) / worst, judged.tolist())
    chosen: Approach = "direct" if gain > error else "hurdle"
    return Compared(chosen, float(hurdle.mean()) / worst, float(once.mean()) / worst, gain, error)


def by_groups(difference: Array, groups: Sequence[str]) -> tuple[float, float]:
    """Return the mean of differences and its standard error, whole groups being drawn together.

    Parameters
    ----------
    difference : numpy.ndarray of float64, shape (n_rows,)
    groups : sequence of str, length n_rows

    Examples
    --------
    >>> by_groups(np.array([1.0, 3.0]), ["A", "B"]), by_groups(np.array([1.0, 3.0]), ["A", "A"])
    ((2.0, 0.7071067811865476), (2.0, 0.0))
    """
    _, code = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    mean = float(difference.mean())
    by_group = np.bincount(code, difference - mean)
    return mean, float(np.sqrt((by_group**2).sum())) / len(difference)


def _hurdle(
    sides: Sides,
    part: Fold,
    conversion: SearchResult,
    value: SearchResult,
    seed: int,
    winsorise: float | None,
) -> Array:
    weight = None if sides.weight is None else sides.weight[part.fit]
    likely = Booster.fit(
        sides.X[part.fit], sides.converted[part.fit], objective="binary", names=sides.names,
        params={**conversion.params, **sides.fixed}, rounds=conversion.rounds, seed=seed, weight=weight,
    )  # fmt: skip
    won = part.fit[sides.converted[part.fit] == 1]
    worth = _fit(sides, won, value, seed, winsorise).predict(sides.X[part.valid])
    return np.asarray(expit(likely.margin(sides.X[part.valid])) * worth)


def _fit(
    sides: Sides, rows: npt.NDArray[np.int64], found: SearchResult, seed: int, winsorise: float | None
) -> Any:
    return fit_value(
        sides.X[rows], sides.value[rows], distribution=found.distribution or "tweedie", names=sides.names,
        params=found.params, rounds=found.rounds, seed=seed, winsorise=winsorise,
    )  # fmt: skip
