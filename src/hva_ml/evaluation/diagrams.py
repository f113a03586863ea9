"""What diagrams of one or several models show: gains, reach, promise against outcome, cohorts.

Compute only; charts draw it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.evaluation.calibration_curve import calibration_curve
from hva_ml.evaluation.captured_curve import POINTS, captured_curve
from hva_ml.evaluation.metrics import ModelPrediction, case
from hva_ml.evaluation.ranking import Floats, Gains, Order, captured
from hva_ml.evaluation.scoring import equal_mass_bins

COHORT = ("roc_auc", "calibration_error", "captured_revenue_top_20", "total_ratio", "value_coverage")
RESIDUAL_BINS = 10
_Z = 1.959963984540054


@dataclass(frozen=True)
class Diagrams:
    """Tables for the diagrams of models judged on the same rows; each begins with the column model.

    Attributes
    ----------
    gains : pyarrow.Table
        share (of rows, likeliest first), gained (share of all conversions), lift (their ratio, null at 0).
    captured : pyarrow.Table
        share (of rows, highest expected value first), captured (share of all value); with ``perfect``.
    calibration : pyarrow.Table
        bin, predicted, observed, n, low, high: ten bins of equal size.
    capacity : pyarrow.Table
        k (accounts worked at each cutoff, highest expected value first), precision (share that converted),
        value (actual value of those, per cutoff, currency units).
    residuals : pyarrow.Table
        bin, promised, actual (mean expected and actual value, currency units), low, high (95 % interval of
        the mean actual value), n: ten bins of equal size by promised value.
    cohorts : pyarrow.Table
        cutoff, rows, conversions, and the metrics of `COHORT` (null where not defined).
    """

    gains: pa.Table
    captured: pa.Table
    calibration: pa.Table
    capacity: pa.Table
    residuals: pa.Table
    cohorts: pa.Table


def diagrams(
    predictions: Mapping[str, ModelPrediction],
    converted: npt.ArrayLike,
    value: npt.ArrayLike,
    days: Sequence[date],
    capacity: int,
) -> Diagrams:
    """Return what there is to draw about models judged on the same rows.

    Parameters
    ----------
    predictions : mapping of str to ModelPrediction
        By model name.
    converted, value : array-like, shape (n_rows,)
        1 or 0, and the actual value in currency units.
    days : sequence of datetime.date, length n_rows
        Cutoff of each row.
    capacity : int
        Accounts that can be worked at each cutoff; the capacity diagram reaches to four times as many.

    Raises
    ------
    HvaError
        As `evaluation.table.evaluate`.
    """
    won, worth = np.asarray(converted, dtype=np.float64), np.asarray(value, dtype=np.float64)
    for name, p in predictions.items():
        case(p, won, worth, capacity, name)
    of_day = {day: np.flatnonzero([d == day for d in days]) for day in sorted(set(days))}
    curves = {m: calibration_curve(p.probability, won) for m, p in predictions.items()}
    return Diagrams(
        gains=_named({m: _gains(p.probability, won) for m, p in predictions.items()}),
        captured=captured_curve({m: p.expected_value for m, p in predictions.items()}, worth),
        calibration=_named({m: c.to_pylist() for m, c in curves.items()}),
        capacity=_named(
            {m: _reach(p.expected_value, won, worth, of_day, 4 * capacity) for m, p in predictions.items()}
        ),
        residuals=_named({m: _residuals(p.expected_value, worth) for m, p in predictions.items()}),
        cohorts=_named({m: _cohorts(p, won, worth, of_day, capacity) for m, p in predictions.items()}),
    )


def _named(rows: Mapping[str, Sequence[Mapping[str, object]]]) -> pa.Table:
    return pa.Table.from_pylist([{"model": model, **row} for model, found in rows.items() for row in found])


def _gains(probability: Floats, won: Floats) -> list[dict[str, object]]:
    if not won.any():
        return []
    gains = Gains.of(Order.of(probability), won, np.ones((1, len(won))))
    rows: list[dict[str, object]] = [{"share": 0.0, "gained": 0.0, "lift": None}]
    for k in range(1, POINTS + 1):
        share = k / POINTS
        gained = float(captured(gains, share)[0])
        rows.append({"share": share, "gained": gained, "lift": gained / share})
    return rows


def _reach(
    expected: Floats, won: Floats, worth: Floats, of_day: Mapping[date, npt.NDArray[np.int64]], most: int
) -> list[dict[str, object]]:
    """Return the precision and value of the best k rows of each cutoff, for up to 40 different k.

    A tie at the border counts with the share of it that fits, so that no order of rows is better.
    """
    most = min(most, *(len(rows) for rows in of_day.values()))
    ks = np.unique(np.linspace(1, most, min(40, most)).round().astype(np.int64))
    total = np.zeros((2, len(ks)))
    for rows in of_day.values():
        order, ones = Order.of(expected[rows]), np.ones((1, len(rows)))
        for j, outcome in enumerate((won[rows], worth[rows])):
            gains = Gains.of(order, outcome, ones)
            total[j] += [float(gains.within(np.array([float(k)]))[0]) for k in ks]
    days = len(of_day)
    return [
        {"k": int(k), "precision": float(hits / (k * days)), "value": float(money / days)}
        for k, hits, money in zip(ks, *total, strict=True)
    ]


def _residuals(expected: Floats, worth: Floats) -> list[dict[str, object]]:
    bins = equal_mass_bins(expected, RESIDUAL_BINS)
    rows: list[dict[str, object]] = []
    for k, found in enumerate(np.unique(bins)):
        actual = worth[bins == found]
        n, mean = len(actual), float(actual.mean())
        half = _Z * float(actual.std(ddof=1)) / np.sqrt(n) if n > 1 else 0.0
        rows.append(
            {
                "bin": k, "promised": float(expected[bins == found].mean()), "actual": mean,
                "low": mean - half, "high": mean + half, "n": n,
            }
        )  # fmt: skip
    return rows


def _cohorts(
    p: ModelPrediction,
    won: Floats,
    worth: Floats,
    of_day: Mapping[date, npt.NDArray[np.int64]],
    capacity: int,
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for day, here in of_day.items():
        this = case(p.take(here), won[here], worth[here], capacity, "cohort")
        told = this.measure(np.ones((1, len(here))), COHORT)
        found = {name: float(told[name][0]) for name in COHORT}
        kept = {name: v if np.isfinite(v) else None for name, v in found.items()}
        rows.append({"cutoff": day, "rows": len(here), "conversions": int(won[here].sum()), **kept})
    return rows
