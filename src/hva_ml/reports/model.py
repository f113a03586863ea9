"""One run's report: what was learned on what, and how the model did beside plain rules on later data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from hva_ml.config import UNDATED
from hva_ml.contracts.records import Violation
from hva_ml.evaluation.diagrams import Diagrams
from hva_ml.evaluation.metrics import BY_NAME
from hva_ml.reports import model_charts, pages
from hva_ml.reports.charts import WIDE, Chart
from hva_ml.reports.diagrams import NOTES, drawings
from hva_ml.reports.figures import MODEL
from hva_ml.reports.language import Tongue
from hva_ml.reports.pages import figure, render

SHOWN = ("roc_auc", "brier", "captured_revenue_top_20", "normalized_gini", "calibration_error", "total_ratio")
LABELS = {
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "brier": "Brier score",
    "log_loss": "Log loss",
    "mae": "Mean absolute error of value",
    "captured_revenue_top_20": "Revenue in the best 20%",
    "normalized_gini": "Gini of value",
    "calibration_error": "Calibration error",
    "total_ratio": "Total promised / actual",
    "value_coverage": "Values between their bounds",
}
MOST_IMPORTANT = 15


@dataclass(frozen=True)
class Side:
    """One side of the split: its cutoffs and what lies in them."""

    name: str
    cutoffs: tuple[date, ...]
    rows: int
    accounts: int
    conversions: int
    value: float


@dataclass(frozen=True)
class GateRow:
    """One gate, and what was measured for it."""

    name: str
    passed: bool
    sentence: str


@dataclass(frozen=True)
class ModelView:
    """Everything the page of one training run shows.

    Attributes
    ----------
    pipeline, title, run : str
        Name and title of the pipeline, name of the run.
    currency : str
        ISO 4217 code.
    horizon_days, gap_days : int
        Labels lie in ``[cutoff + gap, cutoff + gap + horizon)``.
    sides : tuple of Side
        Train, calibrate, test, in this order.
    metrics : pyarrow.Table
        model, metric, value, low, high (nullable), as made by ``evaluation.table.evaluate``; ours is
        ``hva_ml``.
    diagrams : Diagrams
        Of the model and every baseline.
    capacity : int
        Accounts that can be worked at each cutoff.
    totals : pyarrow.Table
        cutoff, model, predicted, actual, ratio (nullable), as made by ``evaluation.table.per_cutoff``.
    importance : pyarrow.Table
        label, family, mean_abs_log_factor, one row per topic, in any order.
    violations : tuple of Violation
        Findings about the data.
    quirks : tuple of dict
        quirk, rows, what: what the source queries set right.
    gates : tuple of GateRow
        Empty before a promotion.
    trials : pyarrow.Table, optional
        What the search tried: model, number, state, value, grown (rounds), seconds, settings (in words),
        chosen.
    parameters : tuple of (str, float)
        Share of the loss that each searched parameter explains, of both models.
    calibrated : mapping
        How probabilities were calibrated: ``steps`` (step, promised, rate, calibration_error, log_loss,
        brier), ``cohorts`` (cutoff, rows, converted, rate, promised), ``kind``, ``offset`` and
        ``drift_per_quarter``, and ``segments`` where some were asked for; empty where nobody knows.
    nowcast : str
        What cohorts taught whose horizon still ran, in sentences; empty where none could.
    segmented : str
        Whether segments have shifts of their own, and why, in one sentence.
    valued : tuple of str
        How the values came about, in sentences.
    facts : tuple of (str, str)
        Further facts: settings, hashes, versions.
    simulated : bool
        Whether the data are made up.
    timezone : str
        IANA name; a cutoff given as an instant is shown as the day it begins there.
    leads : bool
        Whether rows are leads, each looked at once.
    judged : str
        On what the model was measured, in one sentence.
    """

    pipeline: str
    title: str
    run: str
    currency: str
    horizon_days: int
    gap_days: int
    sides: tuple[Side, ...]
    metrics: pa.Table
    diagrams: Diagrams
    capacity: int
    totals: pa.Table
    importance: pa.Table
    violations: tuple[Violation, ...] = ()
    quirks: tuple[dict[str, Any], ...] = ()
    gates: tuple[GateRow, ...] = ()
    trials: pa.Table | None = None
    parameters: tuple[tuple[str, float], ...] = ()
    calibrated: Mapping[str, Any] = field(default_factory=dict)
    nowcast: str = ""
    segmented: str = ""
    valued: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = field(default_factory=tuple)
    simulated: bool = False
    timezone: str = "UTC"
    leads: bool = False
    judged: str = "Measured on the latest cutoffs, which nothing has been fitted or chosen on."


def html(view: ModelView) -> str:
    """Return the page of one training run, in English: its readers are data scientists."""
    tongue = Tongue("en")
    rows = view.metrics.to_pylist()
    found = {(r["model"], r["metric"]): r for r in rows}
    models = list(dict.fromkeys(r["model"] for r in rows))
    return render(
        "model.html",
        tongue,
        view=view,
        models=[(m, tongue.model(m)) for m in models],
        headline=_headline(found),
        results=_results(found, models),
        totals=_totals(view),
        cohorts=[
            r for r in view.diagrams.cohorts.to_pylist() if r["model"] == MODEL and r["cutoff"] != UNDATED
        ],
        notes=NOTES,
        trials=[] if view.trials is None else view.trials.to_pylist(),
        figures={name: figure(draw) for name, draw in _drawings(view, tongue).items()},
    )


def _headline(found: dict[tuple[str, str], dict[str, Any]]) -> list[tuple[str, str, str]]:
    tiles = []
    for metric in ("roc_auc", "captured_revenue_top_20", "calibration_error", "total_ratio"):
        row = found.get((MODEL, metric))
        if row is not None:
            value, interval = written(row)
            tiles.append((LABELS[metric], value, interval and f"95% interval {interval}"))
    return tiles


def _results(found: dict[tuple[str, str], dict[str, Any]], models: list[str]) -> list[dict[str, Any]]:
    """Return one line per metric: label, meaning, direction, and value with interval of every model."""
    lines = []
    for name in dict.fromkeys(metric for _, metric in found):
        known = BY_NAME.get(name)
        lines.append(
            {
                "label": label(name),
                "meaning": known.meaning if known else "",
                "better": better(name),
                "cells": [(m == MODEL, *written(found.get((m, name)))) for m in models],
            }
        )
    return lines


def plots(view: ModelView, tongue: Tongue | None = None, width: int = WIDE) -> dict[str, Chart]:
    """Return the charts of a run by name; one whose table is empty is left out."""
    return {name: draw(width) for name, draw in _drawings(view, tongue or Tongue("en")).items()}


def _drawings(view: ModelView, tongue: Tongue) -> dict[str, Callable[[int], Chart]]:
    found = {(r["model"], r["metric"]): r for r in view.metrics.to_pylist()}
    models = list(dict.fromkeys(m for m, _ in found))
    compared = [
        {**found[m, name], "metric": f"{label(name)} ({better(name)})", "target": BY_NAME[name].target}
        for name in SHOWN for m in models if (m, name) in found
    ]  # fmt: skip
    totals = _totals(view)
    weighed = sorted(view.importance.to_pylist(), key=lambda r: (-r["mean_abs_log_factor"], r["label"]))
    parameters = [{"label": name, "share": share} for name, share in view.parameters]
    drawn: dict[str, tuple[list[dict[str, Any]], Callable[[int], Chart]]] = {
        "metrics": (compared, lambda w: model_charts.metrics(compared, tongue, w)),
        "totals": (totals, lambda w: model_charts.totals(totals, view.currency, tongue, w)),
        "importance": (weighed, lambda w: model_charts.importance(weighed[:MOST_IMPORTANT], tongue, w)),
        "parameters": (parameters, lambda w: model_charts.parameters(parameters, tongue, w)),
    }
    shared = drawings(view.diagrams, view.capacity, view.currency, tongue, MODEL)
    return {name: draw for name, (rows, draw) in drawn.items() if rows} | shared


def label(metric: str) -> str:
    """Return what a metric is called in the report.

    Examples
    --------
    >>> label("roc_auc"), label("lift_top_5")
    ('ROC AUC', 'Lift in the best 5%')
    """
    if metric in LABELS:
        return LABELS[metric]
    for prefix, words in (
        ("lift_top_", "Lift in the best"),
        ("captured_revenue_top_", "Revenue in the best"),
    ):
        if metric.startswith(prefix):
            return f"{words} {metric.removeprefix(prefix)}%"
    words = metric.replace("_", " ")
    return words[:1].upper() + words[1:]


def better(metric: str) -> str:
    """Return which way a metric is better, in words; empty for an unknown one."""
    known = BY_NAME.get(metric)
    if known is None:
        return ""
    if known.target is not None:
        return f"{known.target:g} is right"
    return {True: "higher is better", False: "lower is better", None: "neither way is better"}[
        known.higher_is_better
    ]


def written(row: dict[str, Any] | None) -> tuple[str, str]:
    """Return a value and its interval as text, or a dash and the reason why there is none."""
    if row is None or row["value"] is None:
        return "–", str(row.get("reason") or "") if row else ""
    interval = "" if row["low"] is None else f"{_figure(row['low'])} to {_figure(row['high'])}"
    return _figure(row["value"]), interval


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:z.3f}"


def _totals(view: ModelView) -> list[dict[str, Any]]:
    """Return the rows of our model with each cutoff as a day of the pipeline's time zone."""

    def day(cutoff: date | datetime) -> date:
        if not isinstance(cutoff, datetime):
            return cutoff
        return (cutoff.astimezone(ZoneInfo(view.timezone)) if cutoff.tzinfo else cutoff).date()

    return [{**r, "cutoff": day(r["cutoff"])} for r in view.totals.to_pylist() if r["model"] == MODEL]


def write(view: ModelView, path: Path) -> Path:
    """Write the page of one training run, whole or not at all; returns `path`."""
    return pages.write(path, html(view))
