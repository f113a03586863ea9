"""hva promote --from: a release travels as files, is held to its hashes, and scores where it arrives."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.errors import IntegrityError, RefusedError, UsageError
from hva_ml.registry import history, promotion, tracking
from hva_ml.registry.champion import champion

PIPELINE = "dach_sample"
EASY = """[gates]
min_converted = 1
min_roc_auc = 0.01
max_calibration_error = 0.99
total_ratio = [0.0001, 1000.0]
beat_baselines = []
champion_tolerance = 1.0
"""


@pytest.fixture
def brought(two_nights: hva.Workspace, tmp_path: Path) -> Path:
    """Releases as somebody has copied them."""
    return Path(shutil.copytree(two_nights.models(PIPELINE), tmp_path / "brought"))


@pytest.fixture
def ws(small_workspace: Callable[[Path], hva.Workspace], tmp_path: Path) -> hva.Workspace:
    """Another workspace with the same pipeline, whose gates are easily held, and that has never trained."""
    ws = small_workspace(tmp_path / "production")
    path = ws.pipelines / f"{PIPELINE}.toml"
    text = path.read_text(encoding="utf-8")
    begins, ends = text.index("[gates]"), text.index("# ---- What sales gets")
    path.write_text(text[:begins] + EASY + text[ends:], encoding="utf-8")
    return ws


def test_a_release_scores_elsewhere_as_it_did_at_home(
    ws: hva.Workspace, brought: Path, main_job: Any
) -> None:
    home = main_job.release
    done = CliRunner().invoke(
        app,
        ["promote", PIPELINE, "--from", str(brought / "1"), "--expect", home.release[:16], "--root",
         str(ws.root), "--json"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["version"], told["release"], told["forced"]) == ("1", home.release, "")
    assert {g["name"] for g in told["gates"]} >= {"roc_auc", "total_ratio", "data_checks"}
    # The gates of this workspace differ, and so does its file from the one that was trained with.
    assert any("pipeline.toml" in n for n in told["notes"])
    record = promotion.verified(ws.models(PIPELINE) / "1")
    assert record["origin"]["run_id"] == main_job.run.run_id
    assert [g["name"] for g in record["origin"]["gates"]] == [g.name for g in home.gates]
    card = (ws.models(PIPELINE) / "1" / "card.md").read_text(encoding="utf-8")
    assert "Brought here as files from another workspace: version 1 there" in card
    assert champion(ws, PIPELINE) == ("1", True)
    shutil.rmtree(brought)
    assert hva.score(ws, PIPELINE, as_of="2025-12-31").table.equals(main_job.scores.table)
    shutil.rmtree(ws.mlruns)
    again = hva.score(ws, PIPELINE, as_of="2025-12-31")
    assert not again.published


def test_the_next_release_follows_and_the_way_back_is_open(ws: hva.Workspace, brought: Path) -> None:
    first = hva.promote_from(ws, PIPELINE, brought / "1")
    again = hva.promote_from(ws, PIPELINE, brought / "1")
    assert (again.version, again.path) == (first.version, first.path)
    assert [s.version for s in history.steps(ws.models(PIPELINE))] == ["1"]
    second = hva.promote_from(ws, PIPELINE, brought / "2")
    assert second.version == "2"
    apart = [g for g in second.gates if g.name.endswith("against champion")]
    assert len(apart) == 2
    assert all("each on its own test rows" in g.what and g.measured is not None for g in apart)
    assert hva.rollback(ws, PIPELINE).version == "1"
    assert champion(ws, PIPELINE) == ("1", True)
    assert [(r.version, r.aliases) for r in tracking.runs(ws, PIPELINE)] == [("2", ()), ("1", ("champion",))]


def test_whatever_is_changed_is_refused(ws: hva.Workspace, brought: Path, tmp_path: Path) -> None:
    for name in sorted(p.name for p in (brought / "1").iterdir()):
        folder = Path(shutil.copytree(brought / "1", tmp_path / "tampered"))
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)
        with pytest.raises(IntegrityError):
            hva.promote_from(ws, PIPELINE, folder)
        (folder / name).unlink()
        with pytest.raises(IntegrityError):
            hva.promote_from(ws, PIPELINE, folder)
        shutil.rmtree(folder)
    (brought / "1" / "more.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(IntegrityError, match="does not belong to it"):
        hva.promote_from(ws, PIPELINE, brought / "1")
    manifest = brought / "2" / "manifest.json"
    record = json.loads(manifest.read_text(encoding="utf-8"))
    record["files"]["../1/card.md"] = record["files"].pop("value.txt")
    manifest.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(IntegrityError):
        hva.promote_from(ws, PIPELINE, brought / "2")
    assert not list(ws.models(PIPELINE).glob("*/release.json"))
    assert not ws.mlruns.exists() or not tracking.runs(ws, PIPELINE)


def test_another_release_than_expected_is_refused(ws: hva.Workspace, brought: Path, main_job: Any) -> None:
    other = promotion.verified(brought / "2")["release"]
    with pytest.raises(RefusedError, match="not the one that was expected"):
        hva.promote_from(ws, PIPELINE, brought / "1", expect=other)
    for short in ("abc", "x" * 16, main_job.release.release[:11]):
        with pytest.raises(UsageError, match="no beginning of a release's hash"):
            hva.promote_from(ws, PIPELINE, brought / "1", expect=short)
    with pytest.raises(UsageError, match="no such folder"):
        hva.promote_from(ws, PIPELINE, brought / "9")
    with pytest.raises(UsageError, match="needs a reason"):
        hva.promote_from(ws, PIPELINE, brought / "1", force=" ")


def test_a_release_of_another_pipeline_is_refused(ws: hva.Workspace, brought: Path) -> None:
    with pytest.raises(RefusedError, match=r"of the pipeline 'dach_sample', not of 'online_retail'"):
        hva.promote_from(ws, "online_retail", brought / "1")


def test_the_gates_of_this_workspace_decide(ws: hva.Workspace, brought: Path) -> None:
    path = ws.pipelines / f"{PIPELINE}.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("min_roc_auc = 0.01", "min_roc_auc = 0.999"),
        encoding="utf-8",
    )
    with pytest.raises(RefusedError, match=r"ROC AUC is 0\.\d+, asked for is at least 0\.999") as caught:
        hva.promote_from(ws, PIPELINE, brought / "1")
    assert "--force" in caught.value.fix
    assert not list(ws.models(PIPELINE).glob("*"))
    forced = hva.promote_from(ws, PIPELINE, brought / "1", force="agreed with sales")
    assert forced.forced == "agreed with sales"
    assert promotion.verified(forced.path)["forced"] == "agreed with sales"


def test_a_champion_whose_rows_are_elsewhere_is_compared_by_its_metrics(
    two_nights: hva.Workspace, tmp_path: Path
) -> None:
    shutil.copytree(two_nights.root, tmp_path / "ws")
    ws = hva.Workspace.find(tmp_path / "ws")
    hva.rollback(ws, PIPELINE, to="1")
    before = tracking.champion(ws, PIPELINE)
    (ws.training(PIPELINE) / "runs" / before.run_id).unlink()
    done = CliRunner().invoke(
        app, ["promote", PIPELINE, "--run", "2", "--force", "a test", "--root", str(ws.root), "--json"]
    )
    assert done.exit_code == 0, done.output
    told = {g["name"]: g for g in json.loads(done.stdout)["gates"]}
    latest = tracking.champion(ws, PIPELINE)
    assert latest.version == "2"
    difference = latest.metrics["test.roc_auc"] - before.metrics["test.roc_auc"]
    assert told["roc_auc against champion"]["measured"] == pytest.approx(difference, abs=1e-12)
