"""After a promotion the published stable scores go on where those of the champion before ended."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import PIPELINE

import hva_ml as hva
from hva_ml.jobs.continued import continued
from hva_ml.jobs.published import find_run, numeric, open_run
from hva_ml.jobs.shadow import scored_beside
from hva_ml.publication import current, read
from hva_ml.registry.releases import continuity_of, read_release


def test_thresholds_do_not_jump_at_a_promotion(two_nights: hva.Workspace) -> None:
    ws = two_nights
    goes_on = continuity_of(ws, PIPELINE, "2")
    assert continuity_of(ws, PIPELINE, "1") is None
    assert goes_on is not None
    assert goes_on.version == "1"
    before = open_run(ws, PIPELINE, find_run(ws, PIPELINE, "2025-11-30"))
    assert before.run_id == goes_on.run_id
    assert before.scores["stable_score"].equals(before.scores["expected_value"])
    theirs = numeric(before.scores["stable_score"])
    beside = scored_beside(ws.config(PIPELINE), before, read_release(ws, PIPELINE, "2"), "2")
    ours = goes_on.stable(beside.expected)
    for share in (0.2, 0.5, 0.8, 0.9, 0.95):
        threshold = np.quantile(theirs, share)
        assert (ours > threshold).mean() == pytest.approx((theirs > threshold).mean(), abs=0.011)
    tonight = read(ws.scores(PIPELINE))
    assert set(tonight["model_version"].to_pylist()) == {"2"}
    expected = numeric(tonight["expected_value"])
    stable = numeric(tonight["stable_score"])
    np.testing.assert_array_equal(stable, goes_on.stable(expected))
    assert (np.diff(stable[np.argsort(expected, kind="stable")]) >= 0).all()


def test_what_there_is_to_say(two_nights: hva.Workspace, tmp_path: Path) -> None:
    config = two_nights.config(PIPELINE)
    first, second = (read_release(two_nights, PIPELINE, v) for v in ("1", "2"))
    # The model of the current run goes on as itself; that before it reads a feature the night does not hold.
    assert continued(two_nights, config, second, "2") == (None, ())
    found, (said,) = continued(two_nights, config, first, "3")
    assert found is None
    assert "this night does not hold" in said
    assert "begins anew" in said
    shutil.copytree(two_nights.root, tmp_path / "ws")
    ws = hva.Workspace.find(tmp_path / "ws")
    scores = ws.scores(PIPELINE)
    file = current(scores).path / "scores.parquet"
    file.write_bytes(file.read_bytes()[:-9])
    assert "begins anew" in continued(ws, config, first, "3")[1][0]
    shutil.rmtree(scores)
    assert continued(ws, config, first, "3") == (None, ())
