"""The page of a comparison: models on the same rows, the first held against each of the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from hva_ml.evaluation.diagrams import Diagrams
from hva_ml.evaluation.metrics import BY_NAME
from hva_ml.reports import model_charts, pages
from hva_ml.reports.charts import WIDE, Chart
from hva_ml.reports.diagrams import NOTES, drawings
from hva_ml.reports.language import Tongue
from hva_ml.reports.model import SHOWN, better, label, written
from hva_ml.reports.pages import figure, render

HEADLINES = ("roc_auc", "captured_revenue_top_20", "normalized_gini", "brier", "mae", "total_ratio")


@dataclass(frozen=True)
class ContestView:
    """Everything the page of a comparison shows.

    Attributes
    ----------
    pipeline, title, currency : str
        Name and title of the pipeline, ISO 4217 code.
    horizon_days : int
        Horizon of the labels.
    models : tuple of str
        In the order asked for; the first is held against the others.
    rows : int
        Test rows that all were judged on.
    own_rows : dict of str to int
        Test rows of each.
    metrics : pyarrow.Table
        As made by ``evaluation.table.evaluate``.
    differences : pyarrow.Table
        model, metric, difference, low, high, share_of_resamples_better, reason.
    diagrams : Diagrams
        Of all models.
    capacity : int
        Accounts that can be worked at each cutoff.
    simulated : bool
        Whether the data are made up.
    segments : tuple of str
        What runs whose segments are not alike say of them.
    """

    pipeline: str
    title: str
    currency: str
    horizon_days: int
    models: tuple[str, ...]
    rows: int
    own_rows: dict[str, int]
    metrics: pa.Table
    differences: pa.Table
    diagrams: Diagrams
    capacity: int
    simulated: bool = False
    segments: tuple[str, ...] = ()


def sentences(models: Sequence[str], differences: pa.Table) -> tuple[str, ...]:
    """Return the headline differences of the first model in words.

    Examples
    --------
    >>> row = {"model": "run_rate", "metric": "roc_auc", "difference": 0.012, "low": 0.002, "high": 0.022,
    ...        "share_of_resamples_better": 0.97}
    >>> sentences(("latest", "run_rate"), pa.Table.from_pylist([row]))
    ('latest against run_rate: better by 0.012 (0.002 to 0.022) in ROC AUC; 97 % of resamples',)
    """
    found = []
    for row in differences.to_pylist():
        if row["metric"] not in HEADLINES or row["difference"] is None:
            continue
        known, share = BY_NAME[row["metric"]], row["share_of_resamples_better"]
        size, span = f"{abs(row['difference']):.3g}", ""
        if row["low"] is not None:
            low, high = sorted((row["low"], row["high"]), key=lambda v: v if row["difference"] >= 0 else -v)
            sign = 1 if row["difference"] >= 0 else -1
            span = f" ({sign * low:.3g} to {sign * high:.3g})"
        if known.target is not None:
            way = f"{'higher' if row['difference'] >= 0 else 'lower'} by"
            better_in = "nearer to 1 in"
        else:
            good = (row["difference"] >= 0) == bool(known.higher_is_better)
            way, better_in = ("better by" if good else "worse by"), "better in"
        told = "" if share is None else f"; {_share(share, way)}"
        if known.target is not None and share is not None:
            told = f"; {better_in} {share:.0%} of resamples".replace("%", " %")
        tie = row["low"] is not None and row["low"] <= 0 <= row["high"]
        tied = ", within chance" if tie else ""
        found.append(
            f"{models[0]} against {row['model']}: {way} {size}{span} in {label(row['metric'])}{told}{tied}"
        )
    return tuple(found)


def _share(share: float, way: str) -> str:
    """Return in how many of the resamples the difference points the same way."""
    same = share if way == "better by" else 1.0 - share
    return f"{100 * same:.0f} % of resamples"


def html(view: ContestView) -> str:
    """Return the page of a comparison, in English: its readers are data scientists."""
    tongue = Tongue("en")
    found = {(r["model"], r["metric"]): r for r in view.metrics.to_pylist()}
    return render(
        "contest.html",
        tongue,
        view=view,
        models=[(m, tongue.model(m)) for m in view.models],
        sentences=(*sentences(view.models, view.differences), *view.segments),
        results=_lines(found, view),
        cohorts=view.diagrams.cohorts.to_pylist(),
        notes=NOTES,
        figures={name: figure(draw) for name, draw in _drawings(view, tongue).items()},
    )


def _lines(found: dict[tuple[str, str], dict[str, Any]], view: ContestView) -> list[dict[str, Any]]:
    """Return one line per metric: each model's value, and under the others the first one's lead."""
    apart = {(r["model"], r["metric"]): r for r in view.differences.to_pylist()}
    lines = []
    for name in dict.fromkeys(metric for _, metric in found):
        known = BY_NAME.get(name)
        cells = []
        for model in view.models:
            value, interval = written(found.get((model, name)))
            row, notes = apart.get((model, name)), [interval] if interval else []
            if row is not None and row["difference"] is not None:
                told, between = written({**row, "value": row["difference"]})
                share = row["share_of_resamples_better"]
                better_in = "" if share is None else f"; better in {100 * share:.0f}% of resamples"
                notes.append(f"difference {told}{f' ({between})' if between else ''}{better_in}")
            cells.append((model == view.models[0], value, notes))
        meaning = known.meaning if known else ""
        lines.append({"label": label(name), "meaning": meaning, "better": better(name), "cells": cells})
    return lines


def plots(view: ContestView, tongue: Tongue | None = None, width: int = WIDE) -> dict[str, Chart]:
    """Return the charts of a comparison by name; one whose table is empty is left out."""
    return {name: draw(width) for name, draw in _drawings(view, tongue or Tongue("en")).items()}


def _drawings(view: ContestView, tongue: Tongue) -> dict[str, Callable[[int], Chart]]:
    found = {(r["model"], r["metric"]): r for r in view.metrics.to_pylist()}
    compared = [
        {**found[m, name], "metric": f"{label(name)} ({better(name)})", "target": BY_NAME[name].target}
        for name in SHOWN for m in view.models if (m, name) in found
    ]  # fmt: skip
    drawn = drawings(view.diagrams, view.capacity, view.currency, tongue)
    return {"metrics": lambda w: model_charts.metrics(compared, tongue, w), **drawn}


def write(view: ContestView, path: Path) -> Path:
    """Write the page of a comparison, whole or not at all; returns `path`."""
    return pages.write(path, html(view))
