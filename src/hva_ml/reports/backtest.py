"""The page of a backtest: the model beside plain rules at every past cutoff, how it ages, when to retrain."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from hva_ml.evaluation.metrics import BY_NAME
from hva_ml.evaluation.retraining import DECIDING, MIN_PAIRS, Recommendation
from hva_ml.reports import backtest_charts, pages
from hva_ml.reports.charts import WIDE, Chart
from hva_ml.reports.figures import MODEL
from hva_ml.reports.language import Tongue
from hva_ml.reports.model import better, label, written
from hva_ml.reports.pages import figure, render

SHOWN = (
    "roc_auc", "captured_revenue_top_10", "captured_revenue_top_20", "normalized_gini", "brier",
    "calibration_slope", "total_ratio", "value_coverage",
)  # fmt: skip
TILES = ("roc_auc", "captured_revenue_top_20", "brier", "total_ratio")
SEARCHES = {
    "first": "Settings were searched once, on the first day that allowed it, and kept.",
    "never": "Settings were not searched: the cautious starting point, with as many trees as the first "
    "window asked for.",
    "each": "Settings were searched on each day anew, on what was known then.",
}


@dataclass(frozen=True)
class BacktestView:
    """Everything the page of a backtest shows.

    Attributes
    ----------
    pipeline, title, run, currency : str
        Name and title of the pipeline, name of the run, ISO 4217 code.
    horizon_days, gap_days, embargo_days : int
        How long a cohort takes until it can be compared.
    search : str
        ``first``, ``never`` or ``each``.
    recommendation : Recommendation
        When to train again.
    over_time, averages, decay : pyarrow.Table
        As made by `evaluation.backtest` and `evaluation.decay`.
    folds : pyarrow.Table
        One row per cutoff: trained, reason (why nothing could be), train_from, train_to, calibrate_from,
        calibrate_to, train_rows, train_converted, calibrate_rows, rows, converted, predicted, actual.
    compared, changed : int
        Compared rows, and how many outcomes look different by now.
    facts : tuple of (str, str)
        Hashes and versions.
    simulated : bool
        Whether the data are made up.
    """

    pipeline: str
    title: str
    run: str
    currency: str
    horizon_days: int
    gap_days: int
    embargo_days: int
    search: str
    recommendation: Recommendation
    over_time: pa.Table
    averages: pa.Table
    decay: pa.Table
    folds: pa.Table
    compared: int
    changed: int
    facts: tuple[tuple[str, str], ...] = ()
    simulated: bool = False


def html(view: BacktestView) -> str:
    """Return the page of a backtest, in English: its readers are data scientists."""
    tongue = Tongue("en")
    averages = view.averages.to_pylist()
    found = {(r["model"], r["metric"]): r for r in averages}
    models = list(dict.fromkeys(r["model"] for r in averages))
    advice, _, because = view.recommendation.sentence().partition(": ")
    return render(
        "backtest.html",
        tongue,
        view=view,
        advice=advice,
        because=because,
        tolerance=f"{view.recommendation.tolerance:g}",
        searched=SEARCHES[view.search],
        models=[(m, tongue.model(m)) for m in models],
        headline=[
            (label(m), value, note and f"95% interval {note}")
            for m in TILES if (MODEL, m) in found for value, note in (written(found[MODEL, m]),)
        ],
        results=[
            {"label": label(name), "meaning": BY_NAME[name].meaning, "better": better(name),
             "cells": [(m == MODEL, *_cell(found.get((m, name)))) for m in models]}
            for name in dict.fromkeys(metric for _, metric in found)
        ],
        ages=_ages(view),
        measures=[label(m) for m in dict.fromkeys(view.decay["metric"].to_pylist())],
        deciding=", ".join(DECIDING.values()),
        folds=view.folds.to_pylist(),
        trained=sum(r["reason"] is None for r in view.folds.to_pylist()),
        figures={name: figure(draw) for name, draw in _drawings(view, tongue).items()},
    )  # fmt: skip


def _cell(row: dict[str, Any] | None) -> tuple[str, tuple[str, ...]]:
    value, note = written(row)
    notes = [note] if note else []
    if row is not None and row["ahead"] is not None:
        low, high = row["ahead_low"], row["ahead_high"]
        notes.append(f"ours ahead by {row['ahead']:+.3g}")
        notes += [] if low is None else [f"({low:+.3g} to {high:+.3g})"]
    return value, tuple(notes)


def _ages(view: BacktestView) -> list[dict[str, Any]]:
    """Return one line per age: days, pairs, and loss with interval of each metric."""
    metrics = list(dict.fromkeys(view.decay["metric"].to_pylist()))
    ages: dict[int, dict[str, dict[str, Any]]] = {}
    for row in view.decay.to_pylist():
        ages.setdefault(row["steps"], {})[row["metric"]] = row
    ages.pop(0, None)
    lines = []
    for _, by in sorted(ages.items()):
        most = max(by.values(), key=lambda r: r["pairs"])
        cells = [_loss(by.get(m)) for m in metrics]
        lines.append({"days": most["age_days"], "pairs": most["pairs"], "few": most["pairs"] < MIN_PAIRS,
                      "cells": cells})  # fmt: skip
    return lines


def _loss(row: dict[str, Any] | None) -> tuple[str, str]:
    if row is None:
        return "–", ""
    return f"{row['loss']:z.3f}", "" if row["low"] is None else f"{row['low']:z.3f} to {row['high']:z.3f}"


def plots(view: BacktestView, width: int = WIDE) -> dict[str, Chart]:
    """Return the charts of a backtest by name; one whose table is empty is left out."""
    return {name: draw(width) for name, draw in _drawings(view, Tongue("en")).items()}


def _drawings(view: BacktestView, tongue: Tongue) -> dict[str, Callable[[int], Chart]]:
    over_time = [
        {**r, "metric": f"{label(name)} ({better(name)})", "target": BY_NAME[name].target}
        for name in SHOWN for r in view.over_time.to_pylist() if r["metric"] == name
    ]  # fmt: skip
    aged = [r for r in view.decay.to_pylist() if r["steps"]]
    decay = [
        {**r, "metric": label(r["metric"]), "decides": r["metric"] in DECIDING}
        for name in dict.fromkeys((*DECIDING, *SHOWN)) for r in aged if r["metric"] == name
    ]  # fmt: skip
    tolerance = view.recommendation.tolerance
    drawn: dict[str, tuple[list[dict[str, Any]], Callable[[int], Chart]]] = {
        "over_time": (over_time, lambda w: backtest_charts.over_time(over_time, tongue, w)),
        "decay": (decay, lambda w: backtest_charts.decay(decay, tolerance, MIN_PAIRS, tongue, w)),
    }
    return {name: draw for name, (rows, draw) in drawn.items() if rows}


def write(view: BacktestView, path: Path) -> Path:
    """Write the page of a backtest, whole or not at all; returns `path`."""
    return pages.write(path, html(view))
