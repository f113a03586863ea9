"""hva prune on real runs: what goes is said before, and the way back stays open."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.errors import BusyError, IntegrityError, UsageError
from hva_ml.publication import current, lock, read, reading

PIPELINE = "dach_sample"


@pytest.fixture
def ws(two_nights: hva.Workspace, tmp_path: Path) -> hva.Workspace:
    """Version 1 has scored three days, version 2 the last one; by files alone."""
    shutil.copytree(two_nights.root, tmp_path / "ws")
    shutil.rmtree(tmp_path / "ws" / "mlruns")
    return hva.Workspace.find(tmp_path / "ws")


def left(ws: hva.Workspace) -> list[tuple[str, str]]:
    found = reading.runs(ws.scores(PIPELINE))
    return [(str(r.identity["as_of"]), str(r.identity["model_version"])) for r in found]


def call(ws: hva.Workspace, *words: str) -> Any:
    return CliRunner().invoke(app, ["prune", PIPELINE, *words, "--root", str(ws.root)])


def test_a_dry_run_says_what_then_goes_and_nothing_else(ws: hva.Workspace) -> None:
    before = left(ws)
    assert before[-2:] == [("2025-12-31", "1"), ("2025-12-31", "2")]
    planned = json.loads(call(ws, "--keep", "1", "--dry-run", "--json").stdout)
    assert left(ws) == before
    free = sum(f.stat().st_size for f in ws.root.rglob("*") if f.is_file())
    done = call(ws, "--keep", "1", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {**planned, "dry_run": False}
    assert [g["as_of"] for g in planned["goes"]] == [day for day, _ in before[:-2]]
    assert planned["bytes"] == free - sum(f.stat().st_size for f in ws.root.rglob("*") if f.is_file())
    assert left(ws) == before[-2:]
    assert sorted(planned["stays"].values()) == [
        "it is the current run", "the way back to version 1 needs it",
    ]  # fmt: skip
    again = call(ws, "--keep", "1")
    assert "0 runs gone, 0 bytes; 2 stay" in again.output
    # The way back is as it was.
    assert hva.rollback(ws, PIPELINE).as_of == "2025-12-31"
    assert read(ws.scores(PIPELINE)).num_rows > 0


def test_days_are_counted_back_from_the_latest_run(ws: hva.Workspace) -> None:
    assert [o.as_of for o in hva.prune(ws, PIPELINE, keep_days=32, dry_run=True).goes] == ["2025-10-31"]
    assert [o.as_of for o in hva.prune(ws, PIPELINE, keep_days=31, dry_run=True).goes] == [
        "2025-10-31", "2025-11-30",
    ]  # fmt: skip
    assert hva.prune(ws, PIPELINE, keep=9).goes == ()


def test_the_latest_whole_run_stays_where_the_latest_is_damaged(ws: hva.Workspace) -> None:
    mine = [r for r in reading.runs(ws.scores(PIPELINE)) if r.identity["model_version"] == "1"]
    (mine[-1].path / "scores.parquet").write_bytes(b"")
    done = hva.prune(ws, PIPELINE, keep=1)
    assert done.stays[mine[-2].run_id] == "the way back to version 1 needs it"
    assert hva.rollback(ws, PIPELINE).run_id == mine[-2].run_id


def test_runs_of_a_release_that_is_gone_are_old_and_of_one_that_is_damaged_are_not(ws: hva.Workspace) -> None:
    path = ws.models(PIPELINE) / "1" / "value.txt"
    kept = path.read_bytes()
    path.write_bytes(kept + b" ")
    assert ("2025-12-31", "1") not in [(o.as_of, o.version) for o in hva.prune(ws, PIPELINE, keep=1).goes]
    shutil.rmtree(path.parent)
    assert [(o.as_of, o.version) for o in hva.prune(ws, PIPELINE, keep=1).goes] == [("2025-12-31", "1")]
    assert current(ws.scores(PIPELINE)).identity["model_version"] == "2"


def test_mistakes_remove_nothing(ws: hva.Workspace) -> None:
    before = left(ws)
    for words in ((), ("--keep", "3", "--keep-days", "3"), ("--keep", "0"), ("--keep-days", "-1")):
        refused = call(ws, *words)
        assert refused.exit_code == 2
        assert "--dry-run" in refused.output
    with pytest.raises(UsageError, match="Did you mean 'dach_sample'"):
        hva.prune(ws, "dach_sampel", keep=1)
    with lock(ws.lock(PIPELINE)), pytest.raises(BusyError):
        hva.prune(ws, PIPELINE, keep=1)
    (ws.scores(PIPELINE) / "CURRENT").write_text("broken", encoding="utf-8")
    with pytest.raises(IntegrityError):
        hva.prune(ws, PIPELINE, keep=1)
    assert left(ws) == before
