"""On simulated data the true odds are known: probabilities must be calibrated against them, out of time."""

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.compute as pc
import pytest

import hva_ml as hva
from hva_ml.cutoffs import Calendar
from hva_ml.jobs import evidence
from hva_ml.starter.simulator import simulate

PIPELINE = "dach_sample"


@pytest.mark.slow
def test_probabilities_are_calibrated_against_the_known_truth_on_later_cutoffs(tmp_path: Path) -> None:
    ws, _ = hva.init(tmp_path)
    path = ws.pipelines / f"{PIPELINE}.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\ntrials = 12", "\ntrials = 2"), encoding="utf-8")
    run = hva.train(ws, PIPELINE)
    rows = evidence.recall(ws, PIPELINE, run.run_id).predictions
    config = ws.config(PIPELINE)
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
    true, p = np.concatenate(found), np.concatenate(told)
    bins = np.array_split(np.argsort(p, kind="stable"), 10)
    error = sum(len(b) * abs(p[b].mean() - true[b].mean()) for b in bins) / len(p)
    assert len(p) > 3000
    assert error < 0.02
    assert np.corrcoef(p, true)[0, 1] > 0.5
