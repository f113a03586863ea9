"""How fast a model ages: an old model beside the fresh one of the day, on the same accounts, by age."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from hva_ml.evaluation.backtest import Measured, better, mean_draws
from hva_ml.evaluation.bootstrap import interval, share_above
from hva_ml.evaluation.metrics import MODEL
from hva_ml.evaluation.ranking import Floats

MEASURES = (
    "roc_auc", "captured_revenue_top_10", "captured_revenue_top_20", "normalized_gini", "brier",
    "total_ratio",
)  # fmt: skip

PAIRS = pa.schema(
    [
        ("trained", pa.date32()),
        ("cutoff", pa.date32()),
        ("steps", pa.int64()),
        ("age_days", pa.int64()),
        ("metric", pa.string()),
        ("aged", pa.float64()),
        ("fresh", pa.float64()),
        ("loss", pa.float64()),
    ]
)
DECAY = pa.schema(
    [
        ("metric", pa.string()),
        ("steps", pa.int64()),
        ("age_days", pa.float64()),
        ("pairs", pa.int64()),
        ("aged", pa.float64()),
        ("fresh", pa.float64()),
        ("loss", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("share_of_resamples_worse", pa.float64()),
    ]
)


@dataclass(frozen=True)
class _Pair:
    """An old model and the fresh one on the same cohort."""

    aged: Measured
    fresh: Measured
    steps: int

    @property
    def cutoff(self) -> date:
        return self.fresh.cutoff


def _paired(found: Sequence[Measured]) -> list[_Pair]:
    ours = [m for m in found if m.model == MODEL]
    fresh = {m.cutoff: m for m in ours if m.trained == m.cutoff}
    place = {day: k for k, day in enumerate(sorted({d for m in ours for d in (m.trained, m.cutoff)}))}
    pairs = [_Pair(m, fresh[m.cutoff], place[m.cutoff] - place[m.trained]) for m in ours if m.cutoff in fresh]
    return sorted(pairs, key=lambda p: (p.steps, p.cutoff))


def pairs(found: Sequence[Measured]) -> pa.Table:
    """Return every model on every later cohort, beside the model trained on that cohort's own day.

    Parameters
    ----------
    found : sequence of Measured
        Our models on cohorts of their own day and later; other models are passed over.

    Returns
    -------
    pyarrow.Table
        `PAIRS`: trained, cutoff, steps (cutoffs between the two), age_days, metric, aged, fresh, loss (by how
        much the fresh one is better in units of the metric; for a ratio of totals: nearer to 1; null where
        undefined); by steps, then cutoff, then metric. Pairs of a model with itself are left out.
    """
    rows = []
    for p in _paired(found):
        for metric in MEASURES if p.steps else ():
            loss, _ = better(metric, p.fresh, p.aged)
            rows.append(
                {
                    "trained": p.aged.trained,
                    "cutoff": p.cutoff,
                    "steps": p.steps,
                    "age_days": p.aged.age_days,
                    "metric": metric,
                    "aged": _or_none(p.aged.points[metric]),
                    "fresh": _or_none(p.fresh.points[metric]),
                    "loss": _or_none(loss),
                }
            )
    return pa.Table.from_pylist(rows, schema=PAIRS)


@dataclass(frozen=True, eq=False)
class Point:
    """What was seen of one metric at one age.

    Attributes
    ----------
    steps : int
        Cutoffs between training and cohort.
    age_days : float
        Mean age of the pairs.
    pairs : int
        Number of pairs.
    aged, fresh, loss : float
        Means over the pairs.
    draws : numpy.ndarray, shape (resamples,)
        The mean loss with accounts and cohorts drawn again.
    """

    steps: int
    age_days: float
    pairs: int
    aged: float
    fresh: float
    loss: float
    draws: Floats


def by_age(found: Sequence[Measured], metric: str, seed: int) -> list[Point]:
    """Return what was seen of one metric, by rising age, age 0 included; parameters as for `curve`."""
    ages: dict[int, list[_Pair]] = {}
    for p in _paired(found):
        if np.isfinite(better(metric, p.fresh, p.aged)[0]):
            ages.setdefault(p.steps, []).append(p)
    points = []
    for steps, here in sorted(ages.items()):
        losses = [better(metric, p.fresh, p.aged) for p in here]
        points.append(
            Point(
                steps, float(np.mean([p.aged.age_days for p in here])), len(here),
                float(np.mean([p.aged.points[metric] for p in here])),
                float(np.mean([p.fresh.points[metric] for p in here])),
                float(np.mean([loss for loss, _ in losses])),
                mean_draws([draws for _, draws in losses], [p.cutoff for p in here], seed),
            )
        )  # fmt: skip
    return points


def curve(found: Sequence[Measured], seed: int) -> pa.Table:
    """Return how much worse a model is than a fresh one, by its age.

    Parameters
    ----------
    found : sequence of Measured
        As for `pairs`.
    seed : int
        Seed of the draws of cohorts.

    Returns
    -------
    pyarrow.Table
        `DECAY`: metric, steps, age_days (mean of the pairs), pairs, aged and fresh (means over the same
        cohorts), loss (mean paired difference, above 0: the fresh one is better) with its 95 % interval
        (accounts and cohorts drawn again), share_of_resamples_worse. Age 0 is the fresh model itself.
    """
    rows = []
    for metric in MEASURES:
        for p in by_age(found, metric, seed):
            between = interval(p.draws) if p.pairs > 1 and len(p.draws) else None
            rows.append(
                {
                    "metric": metric,
                    "steps": p.steps,
                    "age_days": p.age_days,
                    "pairs": p.pairs,
                    "aged": p.aged,
                    "fresh": p.fresh,
                    "loss": p.loss,
                    "low": between[0] if between else None,
                    "high": between[1] if between else None,
                    "share_of_resamples_worse": share_above(p.draws),
                }
            )
    return pa.Table.from_pylist(rows, schema=DECAY)


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
