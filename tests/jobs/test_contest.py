"""Models against each other: on the same rows, paired, with words that say what was measured."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.errors import HvaError, UsageError

PIPELINE = "dach_sample"


def test_a_run_against_its_baselines_is_what_the_training_told(main_job: Any) -> None:
    found = hva.compare(main_job.ws, PIPELINE, "latest", "run_rate", "prevalence")
    told = {(r["model"], r["metric"]): r for r in main_job.run.metrics.to_pylist()}
    known = {"latest": "hva_ml", "run_rate": "run_rate", "prevalence": "prevalence"}
    for row in found.metrics.to_pylist():
        trained = told[known[row["model"]], row["metric"]]
        assert row["value"] == (
            None if trained["value"] is None else pytest.approx(trained["value"], rel=1e-6)
        )
    differences = {(r["model"], r["metric"]): r for r in found.differences.to_pylist()}
    lead = differences["run_rate", "roc_auc"]
    assert lead["difference"] == pytest.approx(
        told["hva_ml", "roc_auc"]["value"] - told["run_rate", "roc_auc"]["value"]
    )
    assert lead["low"] < lead["difference"] < lead["high"]
    assert any("run_rate: better by" in s and "ROC AUC" in s for s in found.sentences)
    assert found.report.is_file()
    assert (found.report.parent / "gains.png").read_bytes().startswith(b"\x89PNG")
    assert json.dumps(found.record(), default=str)


def test_a_model_against_itself_is_a_tie(main_job: Any) -> None:
    found = hva.compare(main_job.ws, PIPELINE, "champion", "latest")
    rows = [r for r in found.differences.to_pylist() if r["difference"] is not None]
    assert rows
    assert all(r["difference"] == r["low"] == r["high"] == 0 for r in rows)
    assert {r["share_of_resamples_better"] for r in rows} <= {0.5, None}
    assert found.rows == found.own_rows["champion"] > 100


def test_two_models_share_rows_and_draws(two_nights: hva.Workspace) -> None:
    runs = hva.compare(two_nights, PIPELINE)
    one, two = (str(r["version"]) for r in runs[:2])
    there = hva.compare(two_nights, PIPELINE, one, two)
    back = hva.compare(two_nights, PIPELINE, two, one)
    for a, b in zip(there.differences.to_pylist(), back.differences.to_pylist(), strict=True):
        assert a["difference"] == (None if b["difference"] is None else pytest.approx(-b["difference"]))
        if a["low"] is not None:
            assert (a["low"], a["high"]) == (pytest.approx(-b["high"]), pytest.approx(-b["low"]))
    assert there.rows == back.rows == there.own_rows[one] == there.own_rows[two]


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (("latest",), "two models"),
        (("latest", "latest"), "named twice"),
        (("latest", "run_rat"), "Did you mean 'run_rate'"),
        (("nobody", "latest"), "no run and no baseline"),
    ],
)
def test_what_cannot_be_compared_is_said(main_job: Any, names: tuple[str, ...], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        hva.compare(main_job.ws, PIPELINE, *names)


def test_other_outcomes_are_no_common_ground(main_job: Any, tmp_path: Path) -> None:
    shutil.copytree(main_job.ws.root, tmp_path / "ws")
    ws = hva.Workspace.find(tmp_path / "ws")
    path = ws.pipelines / f"{PIPELINE}.toml"
    text = path.read_text(encoding="utf-8")
    assert "\ndays = 90" in text
    path.write_text(text.replace("\ndays = 90", "\ndays = 60"), encoding="utf-8")
    hva.train(ws, PIPELINE)
    with pytest.raises(HvaError, match="another outcome") as caught:
        hva.compare(ws, PIPELINE, "latest", "champion")
    assert "different questions" in str(caught.value)


def test_the_command_shows_it(main_job: Any) -> None:
    root = str(main_job.ws.root)
    shown = CliRunner().invoke(app, ["compare", PIPELINE, "champion", "run_rate", "--root", root])
    assert shown.exit_code == 0, shown.output
    assert "champion against run_rate" in shown.output
    told = CliRunner().invoke(app, ["compare", PIPELINE, "champion", "run_rate", "--root", root, "--json"])
    assert json.loads(told.output)["models"] == ["champion", "run_rate"]
    wrong = CliRunner().invoke(app, ["compare", PIPELINE, "champion", "--root", root])
    assert wrong.exit_code == 2
    listed = CliRunner().invoke(app, ["compare", PIPELINE, "--root", root, "--json"])
    assert isinstance(json.loads(listed.output), list)


def test_nothing_about_an_account_is_on_the_page(main_job: Any) -> None:
    page = hva.compare(main_job.ws, PIPELINE, "latest", "run_rate").report.read_text(encoding="utf-8")
    ids = main_job.scores.table["account_id"].to_pylist()
    assert not [i for i in ids if i in page]
    assert pc.count_distinct(main_job.scores.table["account_id"]).as_py() == len(ids)
