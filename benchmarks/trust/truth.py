"""Whether the promises hold: probabilities against the known truth of the simulated vendor, out of time.

`dach_sample` is trained as it is shipped; compared is, on the test cutoffs, what the model promises with the
probability from which the simulator drew what happened.
"""

import tempfile
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.compute as pc

import hva_ml as hva
from hva_ml.cutoffs import Calendar
from hva_ml.jobs import evidence
from hva_ml.jobs.train import Run
from hva_ml.starter.simulator import simulate

PIPELINE = "dach_sample"
BINS = 10


def against_truth(run: Run) -> dict[str, float]:
    """Return how far the promised probabilities of the test rows are from the true ones.

    Returns
    -------
    dict
        rows; calibration_error (mean gap between promised and true probability over ten bins of equal size);
        correlation; mean_promised; mean_true.
    """
    ws, config = run.workspace, run.workspace.config(run.pipeline)
    rows = evidence.recall(ws, run.pipeline, run.run_id).predictions
    s = config.simulation
    truth = simulate(
        accounts=s.accounts, seed=s.seed, first=s.first, last=s.last, events_per_account=s.events_per_account
    ).truth
    found, told = [], []
    for cutoff in sorted(set(rows["cutoff"].to_pylist())):
        here = rows.filter(pc.equal(rows["cutoff"], cutoff))
        day = cutoff.astimezone(ZoneInfo(config.pipeline.timezone)).date()
        calendar = Calendar((day,), config.horizon.days, config.horizon.gap_days, config.pipeline.timezone)
        found.append(truth.probability(here["account_id"].to_pylist(), *calendar.label_window(day)))
        told.append(here["probability"].to_numpy())
    true, promised = np.concatenate(found), np.concatenate(told)
    bins = np.array_split(np.argsort(promised, kind="stable"), BINS)
    gap = sum(len(b) * abs(promised[b].mean() - true[b].mean()) for b in bins) / len(promised)
    return {
        "rows": float(len(promised)),
        "calibration_error": float(gap),
        "correlation": float(np.corrcoef(promised, true)[0, 1]),
        "mean_promised": float(promised.mean()),
        "mean_true": float(true.mean()),
    }


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="hva-trust-") as folder:
        ws, _ = hva.init(folder)
        found: dict[str, Any] = against_truth(hva.train(ws, PIPELINE))
    for name, value in found.items():
        print(f"{name:24} {value:>12.4f}")
