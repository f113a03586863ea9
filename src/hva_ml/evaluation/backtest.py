"""Tables of a backtest: every model on every later cohort, over time and on average over cutoffs.

It is given predictions and outcomes; what was known when is the business of those who make them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.evaluation.bootstrap import CELLS_AT_ONCE, interval, named_weights, share_above
from hva_ml.evaluation.metrics import BY_NAME, METRICS, MODEL, ModelPrediction, case
from hva_ml.evaluation.ranking import Floats

OVER_TIME = pa.schema(
    [
        ("cutoff", pa.date32()),
        ("model", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("higher_is_better", pa.bool_()),
        ("reason", pa.string()),
    ]
)
AVERAGES = pa.schema(
    [
        ("model", pa.string()),
        ("metric", pa.string()),
        ("cutoffs", pa.int64()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("higher_is_better", pa.bool_()),
        ("ahead", pa.float64()),
        ("ahead_low", pa.float64()),
        ("ahead_high", pa.float64()),
        ("share_of_resamples_ahead", pa.float64()),
    ]
)


@dataclass(frozen=True, eq=False)
class Cohort:
    """What became of the accounts of one cutoff.

    Attributes
    ----------
    day : datetime.date
        The cutoff.
    converted, value : numpy.ndarray, shape (n_rows,)
        1 or 0, and the actual value within the horizon in currency units.
    groups : numpy.ndarray of str, shape (n_rows,)
        What is drawn again as a whole, e.g. the ultimate parent.
    capacity : int
        Rows that can be worked.
    """

    day: date
    converted: npt.NDArray[Any]
    value: Floats
    groups: npt.NDArray[Any]
    capacity: int

    @cached_property
    def coded(self) -> tuple[list[str], npt.NDArray[np.int64]]:
        """The groups' names, sorted, and each row's place among them."""
        names, codes = np.unique(self.groups.astype(str), return_inverse=True)
        return names.tolist(), codes.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Measured:
    """One model on one cohort.

    Attributes
    ----------
    trained, cutoff : datetime.date
        The day as of which the model was trained, and the cohort's cutoff, not before it.
    model : str
        Name of the model.
    points : dict of str to float
        Metrics; NaN where undefined.
    draws : dict of str to numpy.ndarray, shape (resamples,)
        The same under the bootstrap draws. Draw k means the same accounts in every cohort.
    reasons : dict of str to str
        Why a metric is undefined.
    """

    trained: date
    cutoff: date
    model: str
    points: dict[str, float]
    draws: dict[str, Floats]
    reasons: dict[str, str]

    @property
    def age_days(self) -> int:
        """Age of the model at the cutoff."""
        return (self.cutoff - self.trained).days


def measured(
    trained: date,
    model: str,
    prediction: ModelPrediction,
    cohort: Cohort,
    *,
    resamples: int,
    seed: int,
    names: Collection[str] | None = None,
) -> Measured:
    """Measure one model on one cohort, under whole groups drawn again by their names.

    Parameters
    ----------
    trained : datetime.date
        When the model was trained.
    model : str
        Its name.
    prediction : ModelPrediction
        Arrays of shape (n_rows,), in the order of the cohort.
    cohort : Cohort
        The outcomes.
    resamples, seed : int
        Number of bootstrap draws, and their seed.
    names : collection of str, optional
        Metrics wanted; all by default.

    Raises
    ------
    HvaError
        If there are no rows, lengths differ, or numbers are missing.
    """
    this = case(prediction, cohort.converted, cohort.value, cohort.capacity, model)
    wanted = [m for m in METRICS if names is None or m.name in names]
    asked = {m.name for m in wanted}
    groups, codes = cohort.coded
    weights = named_weights(groups, resamples, seed)
    points = {n: float(v[0]) for n, v in this.measure(np.ones((1, len(codes))), asked).items()}
    draws = {n: np.full(resamples, np.nan) for n in asked}
    at_once = max(1, CELLS_AT_ONCE // len(codes))
    # A draw of nobody measures nothing.
    some = np.flatnonzero(weights.any(axis=1))
    for first in range(0, len(some), at_once):
        now = some[first : first + at_once]
        for name, values in this.measure(weights[now].astype(np.float64)[:, codes], asked).items():
            draws[name][now] = values
    reasons = {m.name: this.reason(m) for m in wanted if not np.isfinite(points[m.name])}
    return Measured(trained, cohort.day, model, points, draws, reasons)


def over_time(found: Sequence[Measured]) -> pa.Table:
    """Return every model on the cohort of the day it was trained, with 95 % intervals by group.

    Parameters
    ----------
    found : sequence of Measured
        Those on later cohorts are passed over.

    Returns
    -------
    pyarrow.Table
        `OVER_TIME`: cutoff, model, metric, value, low, high, higher_is_better, reason (why `value` is null);
        by cutoff, then in the order of the models, then of the metrics.
    """
    rows: list[dict[str, Any]] = []
    for m in sorted((m for m in found if m.trained == m.cutoff), key=lambda m: m.cutoff):
        for name, point in m.points.items():
            between = interval(m.draws[name]) if np.isfinite(point) and len(m.draws[name]) else None
            rows.append(
                {
                    "cutoff": m.cutoff,
                    "model": m.model,
                    "metric": name,
                    "value": point if np.isfinite(point) else None,
                    "low": between[0] if between else None,
                    "high": between[1] if between else None,
                    "higher_is_better": BY_NAME[name].higher_is_better,
                    "reason": m.reasons.get(name),
                }
            )
    return pa.Table.from_pylist(rows, schema=OVER_TIME)


def averages(found: Sequence[Measured], seed: int) -> pa.Table:
    """Return the mean of each metric over the cutoffs, and how far ours is ahead of each other model.

    Both accounts and cutoffs are drawn again (the pigeonhole bootstrap, Owen 2007, rather wide than narrow):
    the intervals speak of other accounts at other times, not only of other accounts.

    Parameters
    ----------
    found : sequence of Measured
        Models on the cohort of the day they were trained; others are passed over.
    seed : int
        Seed of the draws of cutoffs.

    Returns
    -------
    pyarrow.Table
        `AVERAGES`: model, metric, cutoffs (at which it is defined), value, low, high, higher_is_better; for
        every other model also ahead (ours minus theirs where higher is better, else theirs minus ours or
        their distance to the target minus our distance; on the cutoffs where both are defined) with its
        interval, and the share of draws in which ours is ahead.
    """
    at = {(m.model, m.cutoff): m for m in found if m.trained == m.cutoff}
    models = list(dict.fromkeys(m for m, _ in at))
    days = sorted({d for _, d in at})
    rows = []
    for model in models:
        for metric in METRICS:
            here = [at[model, d] for d in days if (model, d) in at and metric.name in at[model, d].points]
            if not here:
                continue
            row = _mean([m.points[metric.name] for m in here], [m.draws[metric.name] for m in here],
                        [m.cutoff for m in here], seed)  # fmt: skip
            row |= {"model": model, "metric": metric.name, "higher_is_better": metric.higher_is_better}
            if model != MODEL:
                both = [(at[MODEL, m.cutoff], m) for m in here if (MODEL, m.cutoff) in at]
                row |= _ahead(metric.name, both, seed)
            rows.append(row)
    return pa.Table.from_pylist(rows, schema=AVERAGES)


def mean_draws(draws: Sequence[Floats], days: Sequence[date], seed: int) -> Floats:
    """Return the mean over cohorts in each draw, cohorts drawn again too, shape (resamples,).

    Parameters
    ----------
    draws : sequence of ndarray, each of shape (resamples,)
        One per cohort; NaN where undefined.
    days : sequence of datetime.date
        The cohorts' cutoffs, distinct.
    seed : int
        Seed of the draws of cohorts.
    """
    values = np.stack(draws, axis=1)
    weight = named_weights([d.isoformat() for d in days], len(values), seed, "cohorts").astype(np.float64)
    weight[~np.isfinite(values)] = 0.0
    total = weight.sum(axis=1)
    mean = np.full(len(values), np.nan)
    np.divide((weight * np.nan_to_num(values)).sum(axis=1), total, out=mean, where=total > 0)
    return mean


def better(metric: str, ours: Measured, theirs: Measured) -> tuple[float, Floats]:
    """Return by how much the first is better in units of the metric: the point, and under each draw.

    NaN where either is undefined, or neither way is better.
    """
    goodness = BY_NAME[metric].goodness
    mine, other = (goodness(np.r_[m.points[metric], m.draws[metric]]) for m in (ours, theirs))
    difference = mine - other
    return float(difference[0]), difference[1:]


def _mean(points: list[float], draws: list[Floats], days: list[date], seed: int) -> dict[str, Any]:
    defined = [k for k, p in enumerate(points) if np.isfinite(p)]
    if not defined:
        return {"cutoffs": 0}
    drawn = mean_draws([draws[k] for k in defined], [days[k] for k in defined], seed)
    between = interval(drawn) if len(drawn) and len(defined) > 1 else None
    return {
        "cutoffs": len(defined),
        "value": float(np.mean([points[k] for k in defined])),
        "low": between[0] if between else None,
        "high": between[1] if between else None,
    }


def _ahead(metric: str, both: list[tuple[Measured, Measured]], seed: int) -> dict[str, Any]:
    points, draws = [], []
    for ours, theirs in both:
        point, drawn = better(metric, ours, theirs)
        points.append(point)
        draws.append(drawn)
    days = [ours.cutoff for ours, _ in both]
    told = _mean(points, draws, days, seed)
    if not told["cutoffs"]:
        return {}
    return {
        "ahead": told["value"],
        "ahead_low": told["low"],
        "ahead_high": told["high"],
        "share_of_resamples_ahead": share_above(mean_draws(draws, days, seed)),
    }
