"""The main job, measured: train, promote, score and explain one pipeline in a fresh workspace.

`python -m benchmarks.main_job [--pipeline NAME] [--as-of DAY] [--size small|full] [--json FILE] [--readme]`.
It prints the seconds of each verb and the results table; `--readme` writes that table into the README.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

import hva_ml as hva
from benchmarks.results import machine

ROOT = Path(__file__).resolve().parent.parent
AS_OF = {
    "online_retail": date(2011, 9, 1),
    "adventureworks": date(2013, 11, 1),
    "dach_sample": date(2025, 12, 31),
}
LABELS = {
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "log_loss": "Log loss",
    "brier": "Brier",
    "calibration_error": "Calibration error",
    "lift_top_10": "Lift, top 10 %",
    "captured_revenue_top_5": "Captured revenue, top 5 %",
    "captured_revenue_top_20": "Captured revenue, top 20 %",
    "normalized_gini": "Normalized Gini of value",
    "spearman": "Spearman of value",
    "mae": "MAE of value",
    "total_ratio": "Total predicted / total actual",
}


def timed(verb: str, call: Callable[[], Any], rows: list[dict[str, Any]]) -> Any:
    """Call and note the wall seconds."""
    began = time.perf_counter()
    result = call()
    rows.append({"case": verb, "seconds": round(time.perf_counter() - began, 1)})
    return result


def main_job(pipeline: str, as_of: date) -> tuple[list[dict[str, Any]], pa.Table]:
    """Run the main job in a fresh workspace; returns the measured rows and the results table."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="hva-bench-") as folder:
        ws, _ = hva.init(folder)
        run = timed("train", lambda: hva.train(ws, pipeline), rows)
        timed("promote", lambda: hva.promote(run, force="a benchmark"), rows)
        scores = timed("score", lambda: hva.score(ws, pipeline, as_of=as_of), rows)
        best = scores.table["account_id"][0].as_py()
        timed("explain", lambda: hva.explain(ws, pipeline, best), rows)
        again = timed("score again (no-op)", lambda: hva.score(ws, pipeline, as_of=as_of), rows)
        assert not again.published
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rows.append({"case": "peak memory, GiB", "seconds": round(peak, 2)})
    return rows, run.metrics


def markdown(table: pa.Table) -> str:
    """Return the results table as Markdown: a metric a line, a model a column."""
    cells = {(r["model"], r["metric"]): r for r in table.to_pylist()}
    models = list(dict.fromkeys(m for m, _ in cells))
    heads = ("**hva_ml**" if m == "hva_ml" else m.replace("_", " ") for m in models)
    lines = ["| later cutoffs | " + " | ".join(heads) + " |"]
    lines.append("|---|" + "---|" * len(models))
    for metric, label in LABELS.items():
        if any((m, metric) in cells for m in models):
            lines.append(f"| {label} | " + " | ".join(_cell(cells.get((m, metric))) for m in models) + " |")
    return "\n".join(lines)


def _cell(row: dict[str, Any] | None) -> str:
    if row is None or row["value"] is None:
        return "–"
    digits = 0 if abs(row["value"]) >= 100 else 3
    text = f"{row['value']:,.{digits}f}"
    if row["low"] is None:
        return text
    return f"{text} ({row['low']:,.{digits}f}–{row['high']:,.{digits}f})"


def write_readme(text: str) -> None:
    """Replace what stands between the markers of the README."""
    path = ROOT / "README.md"
    before, rest = path.read_text(encoding="utf-8").split("<!-- results:begin -->")
    after = rest.split("<!-- results:end -->")[1]
    path.write_text(f"{before}<!-- results:begin -->\n{text}\n<!-- results:end -->{after}", encoding="utf-8")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pipeline", default="", choices=["", *AS_OF])
    parser.add_argument("--size", choices=["small", "full"], default="small")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--readme", action="store_true")
    asked = parser.parse_args()
    real = bool(os.environ.get("HVA_DATASETS"))
    pipeline = asked.pipeline or ("online_retail" if asked.size == "full" or real else "dach_sample")
    rows, table = main_job(pipeline, AS_OF[pipeline])
    print(f"{pipeline} on {machine()}")
    for row in rows:
        print(f"{row['case']:24} {row['seconds']:>8}")
    print()
    print(markdown(table))
    if asked.json:
        record = {
            "name": "main_job",
            "machine": machine(),
            "pipeline": pipeline,
            "rows": rows,
            "results": table.to_pylist(),
        }
        asked.json.write_text(json.dumps(record, indent=1), encoding="utf-8")
    if asked.readme:
        seconds = {r["case"]: r["seconds"] for r in rows}
        told = f"Trained in {seconds['train']:.0f} s and scored in {seconds['score']:.0f} s on {machine()}."
        write_readme(f"{markdown(table)}\n\n{told}")


if __name__ == "__main__":
    main()
