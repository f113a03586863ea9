"""Three public tables of leads, through `hva train` as it is shipped: how well leads are ranked and promised.

`python -m benchmarks.leads [--size small|full] [--json FILE]` needs HVA_DATASETS. Nothing is tuned on test
leads: settings are searched on leads before them. `small` takes Salvirt and Olist; `full` adds Bank Marketing
in time order, and what the checks say of `duration`. `brier_uncorrected` is that of the same model without
following the base rate, where it was found to move; `full` also has the trees of `benchmarks.calibration`, by
one map for ever and by one that is learned anew each month, and `benchmarks.leads_ceiling`. `--only` measures
a part anew and keeps the other rows of the file.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hva_ml as hva
from benchmarks import calibration
from benchmarks.leads_ceiling import ceiling
from benchmarks.results import tell, with_others
from hva_ml.jobs.train import Run
from hva_ml.registry.bundle import Bundle

METRICS = ("roc_auc", "brier", "calibration_error", "total_ratio")
BANK = "bank_marketing"
PARTS = ("olist", "ceiling", "salvirt", "bank", "monthly", "duration")
DURATION = 'duration = { kind = "number", unit = "number", de = "Dauer", en = "length of the call" }\n'


def trained(ws: hva.Workspace, pipeline: str, case: str) -> list[dict[str, Any]]:
    """Train a pipeline; returns the model's row, then those of the plain rules."""
    run = hva.train(ws, pipeline)
    found = {(r["model"], r["metric"]): r for r in run.metrics.to_pylist()}
    rows = []
    for model in dict.fromkeys(model for model, _ in found):
        row: dict[str, Any] = {"case": case, "model": model}
        for metric in METRICS:
            row[metric] = found[model, metric]["value"]
            if metric in METRICS[:2]:
                row[f"{metric}_interval"] = "{low:.3f} to {high:.3f}".format(**found[model, metric])
        rows.append(row)
    return [rows[0] | _uncorrected(run), *rows[1:]]


def _uncorrected(run: Run) -> dict[str, float]:
    """Return the Brier score of the same model without following the base rate, and what following it won."""
    told = Bundle.read(run.report.parent / "bundle").metadata["calibration"]
    brier = {step["step"]: step["brier"] for step in told["steps"]}
    if "moved" not in brier:
        return {}
    before, after = brier["calibrated"], brier["moved"]
    return {"brier_uncorrected": before, "better_percent": 100 * (1 - after / before)}


def both(ws: hva.Workspace, pipeline: str, case: str, every: int, unit: str) -> list[dict[str, Any]]:
    """Train with one model for all test leads, as shipped, then with one for every so many of them."""
    path = ws.pipelines / f"{pipeline}.toml"
    shipped = path.read_text("utf-8")
    once = trained(ws, pipeline, f"{case}, one model")
    path.write_text(shipped.replace("[leads]\n", f"[leads]\nrefit_every = {every}\n"), "utf-8")
    anew = trained(ws, pipeline, f"{case}, made anew every {every:,} {unit}")
    path.write_text(shipped, "utf-8")
    return [*once, *anew]


def monthly(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield how trees are promised by a map of each month, beside one map for ever."""
    for row in calibration.cases(folder, True):
        if ", drift" in row["case"]:
            told = row["case"].removeprefix("bank, ").replace(", drift", "")
            yield {
                "case": f"Bank Marketing without duration, last 20 %, {told}",
                "model": "trees, a map each month", "roc_auc": row["roc_auc_recalibrated"],
                "brier": row["brier_recalibrated"], "calibration_error": row["error_recalibrated"],
                "brier_uncorrected": row["brier"], "better_percent": row["better_percent"],
            }  # fmt: skip


def named(ws: hva.Workspace) -> dict[str, Any]:
    """Return what the checks say if the length of the call is declared a feature."""
    path = ws.pipelines / f"{BANK}.toml"
    text = path.read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("after_outcome")]
    path.write_text("\n".join(lines).replace("[leads.features]\n", "[leads.features]\n" + DURATION) + "\n")
    report = hva.check(ws, BANK, cutoffs=3)
    path.write_text(text, "utf-8")
    codes = sorted({v.code for v in report.violations if "duration" in v.where})
    return {"case": f"Bank Marketing with duration: named by {', '.join(codes) or 'nothing'}"}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=("small", "full"), default="small")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=PARTS, nargs="+")
    given = parser.parse_args()
    parts = given.only or (PARTS if given.size == "full" else ("olist", "salvirt"))
    data = Path(os.environ["HVA_DATASETS"])
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        ws, _ = hva.init(Path(folder))
        if "olist" in parts:
            rows += both(ws, "olist", "Olist, won within 90 days, contacts from 2018-03", 30, "days")
        if "ceiling" in parts:
            rows += ceiling(data)
        if "salvirt" in parts:
            rows += trained(ws, "salvirt", "Salvirt, 365 distinct deals, three times ten folds")
        if "bank" in parts:
            rows += both(ws, BANK, "Bank Marketing without duration, last 20 %", 1000, "leads")
        if "monthly" in parts:
            rows += monthly(data)
        if "duration" in parts:
            rows.append(named(ws))
    told = with_others(rows, given.json, given.size) if given.only else rows
    tell("leads", told, given.json, size=given.size)


if __name__ == "__main__":
    main()
