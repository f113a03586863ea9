"""On simulated data the true odds are known: probabilities must be calibrated against them, out of time."""

from pathlib import Path

import pytest
from benchmarks.trust.truth import PIPELINE, against_truth

import hva_ml as hva


@pytest.mark.slow
def test_probabilities_are_calibrated_against_the_known_truth_on_later_cutoffs(tmp_path: Path) -> None:
    ws, _ = hva.init(tmp_path)
    path = ws.pipelines / f"{PIPELINE}.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\ntrials = 12", "\ntrials = 2"), encoding="utf-8")
    found = against_truth(hva.train(ws, PIPELINE))
    assert found["rows"] > 2000
    assert found["calibration_error"] < 0.02
    assert found["correlation"] > 0.5
