"""From how models age to when to train again, or why nobody can say."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import isotonic_regression

from hva_ml.evaluation.backtest import Measured
from hva_ml.evaluation.bootstrap import LEVEL, interval
from hva_ml.evaluation.decay import Point, by_age
from hva_ml.evaluation.metrics import MODEL
from hva_ml.evaluation.ranking import Floats, ratio

# The two that a challenger must hold against the champion, and the probabilities themselves.
DECIDING = {
    "roc_auc": "ROC AUC",
    "captured_revenue_top_20": "the revenue captured by the top 20 %",
    "brier": "the Brier score",
}
MIN_PAIRS = 5
MIN_AGES = 3

Outcome = Literal["retrain", "no decay shown", "not applicable"]


@dataclass(frozen=True)
class Recommendation:
    """When to train again.

    Attributes
    ----------
    outcome : str
        ``retrain``: from `days` on a model is worse than a fresh one by more than the tolerance. ``no decay
        shown``: not up to `days`, and older models were not seen. ``not applicable``: nobody can say.
    days : int or None
        Age in days, never less than from one cutoff to the next; None if not applicable.
    low, high : int or None
        95 % interval of the age at which the tolerance is passed, if there is one; a `high` of None beside a
        `low` means beyond the ages seen.
    tolerance : float
        How much worse counts as worse, in units of the deciding metrics.
    oldest_days : int or None
        Oldest age at which enough pairs were seen.
    reason : str
        Why, in words.
    """

    outcome: Outcome
    days: int | None
    low: int | None
    high: int | None
    tolerance: float
    oldest_days: int | None
    reason: str

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        return asdict(self)

    def sentence(self) -> str:
        """Return it in one sentence.

        Examples
        --------
        >>> Recommendation("retrain", 90, 45, None, 0.01, 300, "so it is").sentence()
        'Retrain every 90 days (95 % interval 45 to more than 300): so it is.'
        """
        if self.outcome == "not applicable":
            return f"A recommendation is not applicable, because {self.reason}."
        if self.outcome == "no decay shown":
            return f"No need to retrain within {self.days} days was shown: {self.reason}."
        high = f"more than {self.oldest_days}" if self.high is None else str(self.high)
        return f"Retrain every {self.days} days (95 % interval {self.low} to {high}): {self.reason}."


def recommend(found: Sequence[Measured], tolerance: float, seed: int) -> Recommendation:
    """Return after how many days a model should be trained again.

    A model has aged when it is worse than a fresh one on the same accounts by more than `tolerance`, in ROC
    AUC, in the revenue captured by the top 20 %, or in the Brier score, whichever comes first. A metric has a
    say only if its loss, on average over all ages, is above 0 beyond doubt (95 % interval): noise alone
    passes any tolerance.

    The losses by age are smoothed so that they never fall with age (isotonic regression, weighted by pairs,
    0 at age 0), and read between two ages along a straight line. Ages with fewer than `MIN_PAIRS` pairs do
    not count, for an interval from a few cohorts is too narrow; with fewer than `MIN_AGES` such ages nobody
    can say. The interval comes from the same smoothing in every draw of accounts and cohorts.

    Parameters
    ----------
    found : sequence of Measured
        Our models on cohorts of their own day and later, each with at least one draw; others are passed over.
    tolerance : float
        Above 0; the pipeline's ``[gates] champion_tolerance``.
    seed : int
        Seed of the draws of cohorts.
    """
    enough = {
        metric: [p for p in by_age(found, metric, seed) if p.steps and p.pairs >= MIN_PAIRS]
        for metric in DECIDING
    }
    curves = {metric: points for metric, points in enough.items() if len(points) >= MIN_AGES}
    if not curves:
        return Recommendation("not applicable", None, None, None, tolerance, None, _too_few(found))
    losses = {metric: _mean_loss(points) for metric, points in curves.items()}
    oldest = round(max(points[-1].age_days for points in curves.values()))
    shown = {m: passing([p.age_days for p in c], [p.loss for p in c], [p.pairs for p in c], tolerance)
             for m, c in curves.items() if losses[m].low > 0}  # fmt: skip
    first = min(shown, key=lambda m: shown[m], default=None)
    if first is None or not np.isfinite(shown[first]):
        told = "; ".join(f"{DECIDING[m]} was {loss}" for m, loss in losses.items())
        reason = (
            f"compared with a fresh model on the same accounts, on average over ages up to {oldest} days "
            f"{told}; nowhere was it shown to be worse by more than {tolerance:g}"
        )
        return Recommendation("no decay shown", oldest, None, None, tolerance, oldest, reason)
    drawn = np.min([_passing_draws(curves[m], tolerance) for m in shown], axis=0)
    # By rank: between a day and "never seen" there is no mean.
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="inverted_cdf")
    # Nothing new has matured before the next cutoff.
    step = min(p.age_days / p.steps for points in curves.values() for p in points)
    reason = (
        f"from an age of {shown[first]:.0f} days on, {DECIDING[first]} is worse by more than {tolerance:g} "
        f"than a fresh model's on the same accounts; on average over ages up to {oldest} days it was "
        f"{losses[first]}; a new cohort comes every {step:.0f} days"
    )
    return Recommendation(
        "retrain", _days(max(shown[first], step)), _days(max(low, step)), _days(max(high, step)), tolerance,
        oldest, reason,
    )  # fmt: skip


@dataclass(frozen=True)
class _MeanLoss:
    """The loss on average over all ages, with its 95 % interval."""

    loss: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"worse by {self.loss:.3f} (95 % interval {self.low:.3f} to {self.high:.3f})"


def _mean_loss(points: list[Point]) -> _MeanLoss:
    pairs = np.array([float(p.pairs) for p in points])
    drawn = np.stack([p.draws for p in points], axis=1)
    weight = np.where(np.isfinite(drawn), pairs, 0.0)
    mean = ratio((weight * np.nan_to_num(drawn)).sum(axis=1), weight.sum(axis=1))
    low, high = interval(mean) or (-np.inf, np.inf)
    return _MeanLoss(float(np.average([p.loss for p in points], weights=pairs)), low, high)


def passing(ages: Sequence[float], losses: Sequence[float], pairs: Sequence[int], tolerance: float) -> float:
    """Return the age in days at which the smoothed loss passes the tolerance, infinite if it never does.

    Parameters
    ----------
    ages : sequence of float
        Days, increasing, above 0.
    losses : sequence of float
        Mean loss at each age.
    pairs : sequence of int
        Weight of each age.
    tolerance : float
        Above 0.

    Examples
    --------
    >>> passing([30.0, 60.0], [0.005, 0.015], [5, 4], 0.01)
    45.0
    >>> passing([30.0, 60.0], [0.005, 0.003], [5, 5], 0.01)
    inf
    """
    level = np.maximum(isotonic_regression(losses, weights=pairs).x, 0.0)
    days, reached = np.r_[0.0, ages], np.r_[0.0, level]
    above = np.flatnonzero(reached > tolerance)
    if not len(above):
        return float("inf")
    k = above[0]
    share = (tolerance - reached[k - 1]) / (reached[k] - reached[k - 1])
    return float(days[k - 1] + share * (days[k] - days[k - 1]))


def _passing_draws(points: list[Point], tolerance: float) -> Floats:
    """Return the passing age in each draw; a draw in which no age is defined passes nothing."""
    ages, pairs = (np.array([getattr(p, n) for p in points]) for n in ("age_days", "pairs"))
    drawn = np.stack([p.draws for p in points], axis=1)
    days = np.full(len(drawn), np.inf)
    for k, losses in enumerate(drawn):
        known = np.isfinite(losses)
        if known.any():
            days[k] = passing(ages[known].tolist(), losses[known].tolist(), pairs[known].tolist(), tolerance)
    return days


def _too_few(found: Sequence[Measured]) -> str:
    models = len({m.trained for m in found if m.model == MODEL})
    return (
        f"{models} models could be trained and compared; at least {MIN_AGES} ages with {MIN_PAIRS} pairs "
        f"each of an old and a fresh model on the same cohort are needed, which takes {MIN_AGES + MIN_PAIRS}"
    )


def _days(value: float) -> int | None:
    return max(1, round(float(value))) if np.isfinite(value) else None
