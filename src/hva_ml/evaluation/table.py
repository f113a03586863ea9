"""The results table: every model, every metric, with intervals; pairs of models; totals of each cutoff."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.evaluation.bootstrap import group_codes, interval, weightings
from hva_ml.evaluation.metrics import METRICS, MODEL, Case, Metric, ModelPrediction, case
from hva_ml.evaluation.ranking import Floats

__all__ = ["COMPARISON", "MODEL", "RESULTS", "TOTALS", "ModelPrediction", "compare", "evaluate", "per_cutoff"]

RESULTS = pa.schema(
    [
        ("model", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("higher_is_better", pa.bool_()),
        ("reason", pa.string()),
    ]
)
COMPARISON = pa.schema(
    [
        ("metric", pa.string()),
        ("difference", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("share_of_resamples_better", pa.float64()),
        ("reason", pa.string()),
    ]
)
TOTALS = [
    ("model", pa.string()),
    ("rows", pa.int64()),
    ("predicted", pa.float64()),
    ("actual", pa.float64()),
    ("ratio", pa.float64()),
    ("predicted_conversions", pa.float64()),
    ("actual_conversions", pa.int64()),
]


def evaluate(
    predictions: Mapping[str, ModelPrediction],
    converted: npt.ArrayLike,
    value: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    resamples: int,
    seed: int,
    capacity: int,
) -> pa.Table:
    """Measure every model on the same rows, with 95 % percentile bootstrap intervals by group.

    Parameters
    ----------
    predictions : mapping of str to ModelPrediction
        By model name; each array of shape (n_rows,).
    converted, value : array-like, shape (n_rows,)
        1 or 0, and the actual value within the horizon in currency units.
    groups : array-like of str, shape (n_rows,)
        What is drawn again as a whole, e.g. the ultimate parent.
    resamples : int
        Number of bootstrap draws; 0 gives no intervals.
    seed : int
        Seed of the draws.
    capacity : int
        Rows that can be worked: ``precision_at_capacity`` looks at so many rows of highest expected value
        (over several cutoffs: capacity times cutoffs).

    Returns
    -------
    pyarrow.Table
        `RESULTS`: model, metric, value, low, high, higher_is_better (null where neither way is better),
        reason (why `value` is null, else null).

    Raises
    ------
    HvaError
        If there are no rows, lengths differ, or numbers are missing.
    """
    codes = group_codes(groups)
    rows: list[dict[str, Any]] = []
    for name, prediction in predictions.items():
        this = case(prediction, _floats(converted), _floats(value), capacity, name)
        points = this.measure(np.ones((1, len(codes))))
        draws = _resampled(this, codes, resamples, seed)
        for metric in METRICS:
            point = float(points[metric.name][0])
            between = interval(draws[metric.name]) if np.isfinite(point) and resamples else None
            rows.append(_result(name, metric, point, between, this))
    return pa.Table.from_pylist(rows, schema=RESULTS)


def compare(
    one: ModelPrediction,
    other: ModelPrediction,
    converted: npt.ArrayLike,
    value: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    resamples: int,
    seed: int,
    capacity: int,
) -> pa.Table:
    """Compare two models on the same rows and the same draws (paired bootstrap).

    Parameters are those of `evaluate`.

    Returns
    -------
    pyarrow.Table
        `COMPARISON`: metric, difference (`one` minus `other`) with its 95 % interval, and the share of draws
        in which `one` is better (a tie counts one half). Better means higher, lower, or nearer to the target,
        as the metric has it; null where no way is better.
    """
    codes = group_codes(groups)
    cases = [
        case(p, _floats(converted), _floats(value), capacity, n) for p, n in ((one, "one"), (other, "other"))
    ]
    ones = np.ones((1, len(codes)))
    (here, there), (mine, theirs) = (
        [c.measure(ones) for c in cases],
        [_resampled(c, codes, resamples, seed) for c in cases],
    )
    rows: list[dict[str, Any]] = []
    for metric in METRICS:
        name = metric.name
        point = float(here[name][0] - there[name][0])
        defined = bool(np.isfinite(point))
        between = interval(mine[name] - theirs[name]) if defined else None
        undefined = cases[0] if not np.isfinite(here[name][0]) else cases[1]
        rows.append(
            {
                "metric": name,
                "difference": point if defined else None,
                "low": between[0] if between else None,
                "high": between[1] if between else None,
                "share_of_resamples_better": _better(metric, mine[name], theirs[name]) if between else None,
                "reason": None if defined else undefined.reason(metric),
            }
        )
    return pa.Table.from_pylist(rows, schema=COMPARISON)


def per_cutoff(
    predictions: Mapping[str, ModelPrediction],
    converted: npt.ArrayLike,
    value: npt.ArrayLike,
    cutoffs: pa.Array | pa.ChunkedArray,
) -> pa.Table:
    """Return promised and actual totals of every cutoff, model by model.

    Parameters
    ----------
    predictions, converted, value
        As for `evaluate`.
    cutoffs : pyarrow array, shape (n_rows,)
        Cutoff of each row.

    Returns
    -------
    pyarrow.Table
        cutoff, model, rows, predicted and actual value (currency units), ratio (null if the actual
        value is not positive), predicted_conversions, actual_conversions; by cutoff, then in
        the order of the models.
    """
    times = cutoffs.combine_chunks() if isinstance(cutoffs, pa.ChunkedArray) else cutoffs
    encoded = times.dictionary_encode()
    codes, days = encoded.indices.to_numpy(), encoded.dictionary
    won, worth = _floats(converted), _floats(value)
    rows: list[dict[str, Any]] = []
    for k in days.to_pandas().argsort().tolist():
        here = codes == k
        actual = float(worth[here].sum())
        for name, p in predictions.items():
            predicted = float(p.expected_value[here].sum())
            rows.append(
                {
                    "cutoff": days[k].as_py(),
                    "model": name,
                    "rows": int(here.sum()),
                    "predicted": predicted,
                    "actual": actual,
                    "ratio": predicted / actual if actual > 0 else None,
                    "predicted_conversions": float(p.probability[here].sum()),
                    "actual_conversions": int(won[here].sum()),
                }
            )
    return pa.Table.from_pylist(rows, schema=pa.schema([("cutoff", times.type), *TOTALS]))


def _floats(numbers: npt.ArrayLike) -> Floats:
    return np.asarray(numbers, dtype=np.float64)


def _resampled(this: Case, codes: npt.NDArray[np.int64], resamples: int, seed: int) -> dict[str, Floats]:
    parts = [this.measure(weight) for weight in weightings(codes, resamples, seed)]
    return {m.name: np.concatenate([p[m.name] for p in parts]) if parts else np.empty(0) for m in METRICS}


def _result(
    model: str, metric: Metric, point: float, between: tuple[float, float] | None, this: Case
) -> dict[str, Any]:
    defined = bool(np.isfinite(point))
    return {
        "model": model,
        "metric": metric.name,
        "value": point if defined else None,
        "low": between[0] if between else None,
        "high": between[1] if between else None,
        "higher_is_better": metric.higher_is_better,
        "reason": None if defined else this.reason(metric),
    }


def _better(metric: Metric, mine: Floats, theirs: Floats) -> float | None:
    a, b = metric.goodness(mine), metric.goodness(theirs)
    both = np.isfinite(a) & np.isfinite(b)
    return float(((a > b) + 0.5 * (a == b))[both].mean()) if both.any() else None
