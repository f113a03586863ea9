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


def _with_segments(ws: hva.Workspace, run: dict[str, Any], told: dict[str, Any]) -> None:
    """Let the release of a run tell of segments, as one of `[models] segment` does."""
    key = (ws.training(PIPELINE) / "runs" / run["run_id"]).read_text(encoding="utf-8").strip()
    path = ws.training(PIPELINE) / key / "bundle" / "metadata.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    assert "segments" not in facts["metadata"]["calibration"]
    facts["metadata"]["calibration"]["segments"] = told
    path.write_text(json.dumps(facts), encoding="utf-8")


def test_runs_with_other_segments_say_so(two_nights: hva.Workspace, tmp_path: Path) -> None:
    shutil.copytree(two_nights.root, tmp_path / "ws")
    ws = hva.Workspace.find(tmp_path / "ws")
    runs = hva.compare(ws, PIPELINE)[:2]
    one, two = (str(r["version"]) for r in runs)
    alike = hva.compare(ws, PIPELINE, one, two)
    assert alike.segments == {one: None, two: None}
    assert not any("egments" in s for s in alike.sentences)
    told = {"feature": "firmographic.country", "kept": True, "sd": 0.2, "judged": "later", "gain": 0.004,
            "error": 0.001}  # fmt: skip
    _with_segments(ws, runs[0], {**told, "segments": [{"segment": "AT"}]})
    found = hva.compare(ws, PIPELINE, one, two, "run_rate")
    assert found.segments == {one: told, two: None}
    assert found.record()["segments"] == found.segments
    kept, none = found.sentences[-2:]
    assert kept == (
        f"{one}: Segments of firmographic.country have shifts of their own: on cohorts later than those that "
        "taught them, shifts of their own lowered the log loss by 0.00400 ± 0.00100 a row."
    )
    assert none == f"{two}: No segments were asked for."
    page = found.report.read_text(encoding="utf-8")
    assert page.index(kept) < page.index(none) < page.index("On the rows that all of them")
    _with_segments(ws, runs[1], {**told, "segments": []})
    assert not any("egments" in s for s in hva.compare(ws, PIPELINE, one, two).sentences)
    shown = CliRunner().invoke(app, ["compare", PIPELINE, one, "run_rate", "--root", str(ws.root)])
    assert "Segments of" not in shown.output


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
