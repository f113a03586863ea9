"""What a backtest leaves behind: tables, page, and what MLflow shows of it, which is no row of an account."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hva_ml.config import PipelineConfig
from hva_ml.evaluation.backtest import Cohort
from hva_ml.evaluation.metrics import MODEL
from hva_ml.evaluation.retraining import Recommendation
from hva_ml.jobs.evidence import versions
from hva_ml.jobs.fitting import Searched, Targets
from hva_ml.jobs.history import History
from hva_ml.jobs.refits import Fold, Search
from hva_ml.registry import tracking
from hva_ml.reports import backtest as page
from hva_ml.reports import charts
from hva_ml.workspace import Workspace

REPORT = "report.html"
TABLES = ("over_time", "averages", "pairs", "decay", "folds")

FOLDS = pa.schema(
    [
        ("trained", pa.date32()),
        ("reason", pa.string()),
        ("train_from", pa.date32()),
        ("train_to", pa.date32()),
        ("calibrate_from", pa.date32()),
        ("calibrate_to", pa.date32()),
        ("train_rows", pa.int64()),
        ("train_converted", pa.int64()),
        ("calibrate_rows", pa.int64()),
        ("rows", pa.int64()),
        ("converted", pa.int64()),
        ("predicted", pa.float64()),
        ("actual", pa.float64()),
        ("settings", pa.string()),
    ]
)


@dataclass(frozen=True, eq=False)
class Told:
    """Everything known at the end of a backtest, before it is stored.

    Attributes
    ----------
    config, key, search
        The pipeline, the hash of all that went in, how settings came about.
    history : History
        What was known when.
    cohorts : mapping of datetime.date to Cohort
        What became of the accounts of each cutoff.
    done : tuple of Fold
        One per cutoff.
    changed : int
        Compared rows whose outcome looks different by now.
    recommendation : Recommendation
        When to train again.
    over_time, averages, pairs, decay : pyarrow.Table
        See `hva_ml.evaluation.backtest` and `hva_ml.evaluation.decay`.
    """

    config: PipelineConfig
    key: str
    search: Search
    history: History
    cohorts: Mapping[date, Cohort]
    done: tuple[Fold, ...]
    changed: int
    recommendation: Recommendation
    over_time: pa.Table
    averages: pa.Table
    pairs: pa.Table
    decay: pa.Table

    @property
    def name(self) -> str:
        """Readable name of the run."""
        return f"{self.config.name}-backtest-{self.key}"

    @cached_property
    def folds(self) -> pa.Table:
        """One row per cutoff, `FOLDS`: sides, counts, promised and actual value, settings as JSON.

        `reason` says why nothing could be trained; the columns of the model are then null.
        """
        return pa.Table.from_pylist([_row(f, self.cohorts[f.day]) for f in self.done], schema=FOLDS)

    @cached_property
    def predictions(self) -> pa.Table:
        """What our models said of each account on their own day, and what became of it."""
        return pa.concat_tables([_predictions(f, self.history, self.cohorts) for f in self.done if f.refit])


def changed_since(history: History, cohorts: Mapping[date, Cohort], today: Targets) -> int:
    """Count rows whose outcome on the day of the comparison was not what it looks like today."""
    changed = 0
    for day, cohort in cohorts.items():
        here = history.place(day)
        changed += int(
            ((cohort.converted != today.converted[here]) | (cohort.value != today.value[here])).sum()
        )
    return changed


def summary(told: Told) -> dict[str, Any]:
    """Return what the backtest found, JSON-ready."""
    return {
        "pipeline": told.config.name,
        "key": told.key,
        "search": told.search,
        "recommendation": told.recommendation.record(),
        "averages": told.averages.to_pylist(),
        "decay": told.decay.to_pylist(),
        "folds": plain(told.folds),
        "outcomes_changed_since": told.changed,
        "compared_rows": sum(len(c.converted) for c in told.cohorts.values()),
        "versions": versions(),
    }


def keep(ws: Workspace, told: Told) -> Path:
    """Write everything under ``data/training/<pipeline>/backtest/<key>/``, as one whole."""
    folder = ws.training(told.config.name) / "backtest" / told.key
    part = folder.with_name(f".{told.key}.part")
    shutil.rmtree(part, ignore_errors=True)
    (part / "plots").mkdir(parents=True)
    for name in (*TABLES, "predictions"):
        pq.write_table(getattr(told, name), part / f"{name}.parquet")
    text = json.dumps(summary(told), indent=1, sort_keys=True)
    (part / "summary.json").write_text(text, encoding="utf-8")
    view = _view(told)
    page.write(view, part / REPORT)
    for name, chart in page.plots(view).items():
        (part / "plots" / f"{name}.png").write_bytes(charts.to_png(chart))
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return folder


def log(ws: Workspace, told: Told, folder: Path) -> str:
    """Log the backtest to MLflow, in an experiment of its own beside the trainings; return the run's id."""
    config, advice = told.config, told.recommendation
    means: dict[str, float] = {}
    for row in told.averages.to_pylist():
        prefix = "mean" if row["model"] == MODEL else f"baseline.{row['model']}"
        for part, key in (("", "value"), (".low", "low"), (".high", "high")):
            if row[key] is not None:
                means[f"{prefix}.{row['metric']}{part}"] = row[key]
    if advice.days is not None:
        means["retrain.days"] = float(advice.days)
    days = sorted(told.cohorts)
    series = [
        (days.index(r["cutoff"]), f"cutoff.{r['metric']}", r["value"])
        for r in told.over_time.to_pylist() if r["model"] == MODEL and r["value"] is not None
    ]  # fmt: skip
    artifacts = {f"{name}.parquet": folder / f"{name}.parquet" for name in TABLES}
    artifacts |= {name: folder / name for name in ("summary.json", REPORT)}
    artifacts |= {p.name: p for p in sorted((folder / "plots").glob("*"))}
    return tracking.log_evidence(
        ws, f"{config.name}.backtest", name=told.name,
        params={
            "search": told.search, "horizon_days": config.horizon.days, "gap_days": config.horizon.gap_days,
            "embargo_days": config.split.embargo_days, "first_cutoff": days[0], "last_cutoff": days[-1],
            "models": sum(f.refit is not None for f in told.done), "tolerance": advice.tolerance,
            "seed": config.models.seed,
        },
        metrics=means, series=series,
        tags={"pipeline": config.name, "key": told.key, "recommendation": advice.outcome,
              "recommendation.reason": advice.reason, "pipeline_file_sha256": config.fingerprint()},
        artifacts=artifacts, source=f"hva backtest {config.name}",
    )  # fmt: skip


def plain(table: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of a table with days as ISO text."""
    return [
        {k: v.isoformat() if isinstance(v, date) else v for k, v in row.items()} for row in table.to_pylist()
    ]


def _row(fold: Fold, cohort: Cohort) -> dict[str, Any]:
    row = {
        "trained": fold.day,
        "reason": fold.reason or None,
        "rows": len(cohort.converted),
        "converted": int(cohort.converted.sum()),
        "actual": float(cohort.value.sum()),
    }
    if fold.refit is None:
        return row
    r = fold.refit
    return row | {
        "train_from": r.split.train_days[0],
        "train_to": r.split.train_days[-1],
        "calibrate_from": r.split.calibrate_days[0],
        "calibrate_to": r.split.calibrate_days[-1],
        "train_rows": int(r.split.train.sum()),
        "train_converted": int(r.learnt.targets.converted[r.split.train].sum()),
        "calibrate_rows": int(r.split.calibrate.sum()),
        "predicted": float(r.prediction.expected_value.sum()),
        "settings": json.dumps(settings(r.searched), sort_keys=True),
    }


def settings(searched: Searched) -> dict[str, Any]:
    """Return the settings of both models."""
    return {
        "conversion": {**searched.conversion.params, "rounds": searched.conversion.rounds},
        "value": {
            **searched.value.params,
            "rounds": searched.value.rounds,
            "distribution": searched.value.distribution,
        },
    }


def _predictions(fold: Fold, history: History, cohorts: Mapping[date, Cohort]) -> pa.Table:
    assert fold.refit is not None
    told, cohort = fold.refit.prediction, cohorts[fold.day]
    nothing = np.full(len(cohort.value), np.nan)
    table = history.at(fold.day).index.select(["account_id", "cutoff"])
    for name, column in (
        ("converted", cohort.converted),
        ("value", cohort.value),
        ("probability", told.probability),
        ("expected_value", told.expected_value),
        ("hva_likelihood", nothing if told.high_value is None else told.high_value),
    ):
        table = table.append_column(name, pa.array(column))
    return table


def _view(told: Told) -> page.BacktestView:
    c = told.config
    return page.BacktestView(
        pipeline=c.name, title=c.pipeline.title, run=told.name, currency=c.pipeline.currency,
        horizon_days=c.horizon.days, gap_days=c.horizon.gap_days, embargo_days=c.split.embargo_days,
        search=told.search, recommendation=told.recommendation, over_time=told.over_time,
        averages=told.averages, decay=told.decay, folds=told.folds,
        compared=sum(len(k.converted) for k in told.cohorts.values()), changed=told.changed,
        simulated=any(s.kind == "simulated" for s in c.sources.values()),
        facts=(("key", told.key), ("seed", str(c.models.seed)),
               *((f"version of {k}", v) for k, v in versions().items())),
    )  # fmt: skip
