"""What a training leaves behind: tables, report, bundle and the facts that MLflow and the model card tell."""

import json
import shutil
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hva_ml.config import UNDATED
from hva_ml.errors import UsageError
from hva_ml.evaluation.table import MODEL
from hva_ml.jobs.judgement import Judgement
from hva_ml.jobs.neighbours import FEATURES, OUTCOMES
from hva_ml.jobs.pages import write_model_page
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.gates import gates
from hva_ml.workspace import Workspace

BASELINES = "baseline_rows.parquet"
BOUNDS = ("value_low", "value_high")
LIBRARIES = ("hva-ml", "lightgbm", "numpy", "pyarrow", "scikit-learn", "duckdb", "optuna", "mlflow")


def versions() -> dict[str, str]:
    """Return the versions of the libraries that touch the numbers."""
    return {name: version(name) for name in LIBRARIES}


@dataclass(frozen=True)
class Kept:
    """The evidence of a run on disk.

    Attributes
    ----------
    folder, bundle, report : pathlib.Path
        The run's folder, the model bundle in it, and the report for people.
    table : pyarrow.Table
        The results table.
    predictions : pyarrow.Table
        Test rows with outcome and the model's prediction; stays in the workspace, never goes to MLflow.
    baselines : pyarrow.Table
        account_id, cutoff, model, probability, expected_value of every baseline on these rows; empty for
        a run of before they were kept.
    summary : dict
        Counts and findings that gates ask for.
    """

    folder: Path
    bundle: Path
    report: Path
    table: pa.Table
    predictions: pa.Table
    baselines: pa.Table
    summary: dict[str, Any]

    @property
    def artifacts(self) -> dict[str, Path]:
        """Files for MLflow: none of them holds a row about an account."""
        names = ("results.json", "totals.json", "checks.json", "trials.json", "pipeline.toml")
        found = {name: self.folder / name for name in names}
        found["report.html"] = self.report
        return found | {p.name: p for p in sorted((self.folder / "plots").glob("*"))}


def test_rows(j: Judgement) -> pa.Table:
    """Return the untouched rows with outcome and prediction, sorted by (cutoff, account_id).

    Bounds of the value are there if the model tells any.
    """
    model = j.predictions[MODEL]
    mask = pa.array(j.split.test)
    index = j.features.index.filter(mask)
    for name, column in (
        ("converted", j.targets.converted[j.split.test]),
        ("value", j.targets.value[j.split.test]),
        ("probability", model.probability),
        ("expected_value", model.expected_value),
    ):
        index = index.append_column(name, pa.array(column))
    for name, bound in zip(BOUNDS, model.value_bounds or (), strict=False):
        index = index.append_column(name, pa.array(bound))
    return index


def baseline_rows(j: Judgement) -> pa.Table:
    """Return what every baseline said of the untouched rows: account_id, cutoff, model and its numbers."""
    index = j.features.index.filter(pa.array(j.split.test)).select(["account_id", "cutoff"])
    parts = [
        index.append_column("model", pa.array([name] * index.num_rows, pa.string()))
        .append_column("probability", pa.array(said.probability))
        .append_column("expected_value", pa.array(said.expected_value))
        for name, said in j.predictions.items() if name != MODEL
    ]  # fmt: skip
    return pa.concat_tables(parts)


def _outcomes(j: Judgement) -> pa.Table:
    """Return what became of every matured row, in the order of the features: explanations show such cases."""
    columns = {"converted": j.targets.converted, "value": j.targets.value}
    table = j.features.index
    for name, column in columns.items():
        table = table.append_column(name, pa.array(column))
    return table


def summary(j: Judgement) -> dict[str, Any]:
    """Return counts by side, the findings and the totals, JSON-ready."""
    sides = j.split.sides
    days = {"train": j.split.train_days, "calibrate": j.split.calibrate_days, "test": j.split.test_days}
    accounts = np.asarray(j.features.table["account_id"].to_pylist(), dtype=object)
    return {
        "sides": {
            side: {
                "cutoffs": [d.isoformat() for d in days[side]],
                "rows": int(mask.sum()),
                "accounts": len(set(accounts[mask])),
                "converted": int(j.targets.converted[mask].sum()),
                "value": float(j.targets.value[mask].sum()),
            }
            for side, mask in sides.items()
        },
        **({"judged": j.config.leads.judged} if j.config.leads else {}),
        "released_on": {
            "train": [d.isoformat() for d in j.last.train_days],
            "calibrate": [d.isoformat() for d in j.last.calibrate_days],
        },
        "findings": [v.record() for v in j.findings],
        "quirks": j.prepared.quirks,
        "totals": _plain(j.totals.to_pylist()),
    }


def _unnamed(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the ids: what goes to MLflow, or with a release to others, names no account."""
    return [{k: v for k, v in f.items() if k != "ids"} for f in findings]


def metadata(j: Judgement) -> dict[str, Any]:
    """Return what the bundle and the model card tell of a run."""
    told = summary(j)
    told.pop("totals")
    return {
        **told,
        "findings": _unnamed(told["findings"]),
        "key": j.key,
        "title": j.config.pipeline.title,
        "simulated": any(s.kind == "simulated" for s in j.config.sources.values()),
        "data": dict(sorted(j.prepared.tables.fingerprints.items())),
        "features": j.features.fingerprint(),
        "metrics": _plain(j.metrics.to_pylist()),
        "calibration": j.calibration,
        "value": j.value,
        **({"lifetime": j.lifetime} if j.lifetime else {}),
        "settings": {
            "conversion": {**j.searched.conversion.params, "rounds": j.searched.conversion.rounds},
            "value": {
                **j.searched.value.params,
                "rounds": j.searched.value.rounds,
                "distribution": j.searched.value.distribution,
            },
        },
        "versions": versions(),
    }


def params(j: Judgement) -> dict[str, Any]:
    """Return the parameters that MLflow shows."""
    c = j.config
    return {
        "horizon_days": c.horizon_days,
        "gap_days": c.horizon.gap_days,
        **_period(j),
        "features": len(j.features.names),
        "seed": c.models.seed,
        "calibration": j.calibration["kind"],
        "base_rate": c.models.base_rate,
        "base_rate.offset": round(j.calibration["offset"], 6),
        "half_life_days": c.models.half_life_days or "none",
        "monotone": c.models.monotone if isinstance(c.models.monotone, str) else "by feature",
        **{f"conversion.{k}": v for k, v in sorted(j.searched.conversion.params.items())},
        **{f"value.{k}": v for k, v in sorted(j.searched.value.params.items())},
        "conversion.rounds": j.searched.conversion.rounds,
        "value.rounds": j.searched.value.rounds,
        "value.distribution": j.searched.value.distribution,
        "value.approach": j.value["approach"],
        "value.level": round(j.value["level"], 6),
        "value.run_rate": (j.value.get("run_rate") or {"share": 0.0})["share"],
        "value.winsorise": c.models.winsorise or "none",
    }


def _period(j: Judgement) -> dict[str, Any]:
    """Return from when to when cutoffs reach; nothing where leads have no days."""
    days = j.calendar.days
    if days == (UNDATED,):
        return {}
    return {"first_cutoff": days[0].isoformat(), "last_cutoff": days[-1].isoformat(), "cutoffs": len(days)}


def metrics(j: Judgement) -> dict[str, float]:
    """Return the metrics that MLflow shows: ``test.*`` of the model, ``baseline.<name>.*`` of the others."""
    found = {}
    for row in j.metrics.to_pylist():
        if row["value"] is None:
            continue
        prefix = "test" if row["model"] == MODEL else f"baseline.{row['model']}"
        found[f"{prefix}.{row['metric']}"] = float(row["value"])
        if row["model"] == MODEL and row["low"] is not None:
            found[f"{prefix}.{row['metric']}.low"] = float(row["low"])
            found[f"{prefix}.{row['metric']}.high"] = float(row["high"])
    if best := j.value["high_value"]:
        found |= {f"test.hva.{k}": float(best[k]) for k in ("roc_auc", "calibration_error", "brier")}
    # What was kept from another version was not measured here.
    measured_here = "kept_from" not in j.lifetime
    for horizon in j.lifetime.get("horizons", ()) if measured_here else ():
        for rule in horizon["rules"]:
            prefix = "test" if rule["rule"] == MODEL else f"baseline.{rule['rule']}"
            told = {k: rule[k] for k in ("total_ratio", "spearman", "mae") if rule[k] is not None}
            found |= {f"{prefix}.lifetime_{horizon['horizon_days']}.{k}": float(v) for k, v in told.items()}
    for side, count in summary(j)["sides"].items():
        found[f"{side}.rows"] = float(count["rows"])
        found[f"{side}.converted"] = float(count["converted"])
    return found


def tags(j: Judgement, bundle: Bundle) -> dict[str, str]:
    """Return the tags that MLflow shows, data hashes among them."""
    found = {
        "pipeline": j.config.name,
        "pipeline_file_sha256": j.config.fingerprint(),
        "features_sha256": j.features.fingerprint(),
        "release": bundle.release,
        "key": j.key,
    }
    return found | {f"data.{t}.sha256": h for t, h in sorted(j.prepared.tables.fingerprints.items())}


def keep(ws: Workspace, j: Judgement, bundle: Bundle) -> Kept:
    """Write the evidence of a run under ``data/training/<pipeline>/<key>/``, as one whole."""
    folder = ws.training(j.config.name) / j.key
    part = folder.with_name(f".{j.key}.part")
    shutil.rmtree(part, ignore_errors=True)
    (part / "plots").mkdir(parents=True)
    rows, told = test_rows(j), summary(j)
    pq.write_table(rows, part / "test_rows.parquet")
    pq.write_table(baseline_rows(j), part / BASELINES)
    pq.write_table(j.metrics, part / "results.parquet")
    pq.write_table(j.features.table, part / FEATURES)
    pq.write_table(_outcomes(j), part / OUTCOMES)
    for name in sorted(j.prepared.tables.quarantine):
        pieces = j.prepared.tables.aside(name)
        first = next(pieces)
        with pq.ParquetWriter(part / f"quarantine_{name}.parquet", first.schema) as writer:
            for piece in chain([first], pieces):
                writer.write_table(piece)
    trials = {k: _plain(getattr(j.searched, k).trials.to_pylist()) for k in ("conversion", "value")}
    for name, record in (
        ("results.json", _plain(j.metrics.to_pylist())),
        ("totals.json", told["totals"]),
        ("checks.json", _unnamed(told["findings"])),
        ("trials.json", trials),
        ("summary.json", told),
    ):
        (part / name).write_text(json.dumps(record, indent=1, sort_keys=True, default=str), encoding="utf-8")
    (part / "pipeline.toml").write_text(bundle.config_text, encoding="utf-8")
    bundle.write(part / "bundle")
    held = gates(
        j.config.gates, j.metrics, told, challenger=rows, champion=None,
        resamples=j.config.split.bootstrap, seed=j.config.models.seed,
    )  # fmt: skip
    write_model_page(part, j, bundle, told, held)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return _open(folder)


def remember(ws: Workspace, pipeline: str, run_id: str, kept: Kept) -> None:
    """Note which folder holds the evidence of an MLflow run."""
    place = ws.training(pipeline) / "runs"
    place.mkdir(parents=True, exist_ok=True)
    (place / run_id).write_text(kept.folder.name, encoding="utf-8")


def recall(ws: Workspace, pipeline: str, run_id: str) -> Kept:
    """Return the evidence of an MLflow run.

    Raises
    ------
    UsageError
        If it is not in this workspace.
    """
    note = ws.training(pipeline) / "runs" / run_id
    if not note.is_file():
        raise UsageError(
            f"The evidence of run {run_id[:12]} is not in this workspace.",
            where=str(ws.training(pipeline)),
            why="A promotion is decided on the test rows, which stay where the run was trained.",
            fix=f"hva train {pipeline}",
        )
    return _open(ws.training(pipeline) / note.read_text(encoding="utf-8").strip())


def _open(folder: Path) -> Kept:
    return Kept(
        folder,
        folder / "bundle",
        folder / "report.html",
        pq.read_table(folder / "results.parquet"),
        rows := pq.read_table(folder / "test_rows.parquet"),
        pq.read_table(folder / BASELINES) if (folder / BASELINES).is_file() else rows.slice(0, 0),
        json.loads((folder / "summary.json").read_text(encoding="utf-8")),
    )


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v.isoformat() if isinstance(v, date) else v for k, v in row.items()} for row in rows]
