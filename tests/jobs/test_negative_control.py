"""On data without a signal a training says so, nothing is promoted, and no score is confident."""

import shutil
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from benchmarks.negative_control import permuted

import hva_ml as hva
from hva_ml import labels
from hva_ml.errors import NotEnoughDataError, RefusedError

PIPELINE = "dach_sample"


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_learned_from_permuted_outcomes(
    main_job: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    shutil.copytree(main_job.ws.root, tmp_path / "ws")
    ws = hva.Workspace.find(tmp_path / "ws")
    before = hva.compare(ws, PIPELINE)
    monkeypatch.setattr(labels, "build", permuted(seed))
    try:
        run = hva.train(ws, PIPELINE)
    except NotEnoughDataError as error:
        assert "Nothing to learn here" in str(error)  # noqa: PT017  (either way is an honest end)
        assert hva.compare(ws, PIPELINE) == before
        return
    codes = {f.code: f for f in run.findings if f.severity == "error"}
    assert {"HVA002", "HVA003"} & set(codes)
    with pytest.raises(RefusedError):
        hva.promote(run)
    rows = hva.compare(ws, PIPELINE, "latest", "prevalence")
    assert rows.metrics.filter(pc.field("metric") == "roc_auc")["value"].to_pylist()[0] < 0.6
