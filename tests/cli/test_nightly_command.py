"""`hva nightly` in a terminal and as JSON lines: its words, its exit codes, and nothing personal."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.publication import current, lock, read

PIPELINE = "dach_sample"
LAST, TONIGHT = "2025-12-30", "2025-12-31"


@pytest.fixture(scope="module")
def ws(main_job: Any, tmp_path_factory: pytest.TempPathFactory) -> hva.Workspace:
    root = tmp_path_factory.mktemp("nightly-command") / "ws"
    shutil.copytree(main_job.ws.root, root)
    ws = hva.Workspace.find(root)
    hva.score(ws, PIPELINE, as_of=LAST)
    return ws


@pytest.fixture
def night(ws: hva.Workspace) -> Callable[..., Any]:
    def call(*words: str) -> Any:
        return CliRunner().invoke(app, ["nightly", PIPELINE, *words, "--root", str(ws.root)])

    return call


def test_each_stage_is_a_line_and_the_end_is_a_sentence(night: Callable[..., Any]) -> None:
    done = night("--as-of", TONIGHT, "--dry-run")
    assert done.exit_code == 0
    begun = [line.split()[0] for line in done.stdout.splitlines()[:6]]
    assert begun == ["ingest", "features", "score", "explain", "audit", "publish"]
    assert f"The night of {PIPELINE} as of {TONIGHT} could be published: 500 accounts" in done.stdout
    told = night("--as-of", TONIGHT, "--dry-run", "--json")
    assert json.loads(told.stdout)["outcome"] == "rehearsed"


def test_several_nights_are_a_line_each(night: Callable[..., Any], ws: hva.Workspace) -> None:
    done = night("--backfill", "2025-12-28", LAST)
    assert done.exit_code == 0
    written = [day for day in ("2025-12-28", "2025-12-29", LAST) if f"as of {day} is written" in done.stdout]
    assert written == ["2025-12-28", "2025-12-29"]
    assert current(ws.scores(PIPELINE)).identity["as_of"] == LAST
    again = night("--backfill", "2025-12-28", LAST)
    assert (again.exit_code, "Every day is there already." in again.stdout) == (0, True)
    assert json.loads(night("--backfill", "2025-12-28", LAST, "--json").stdout) == []


@pytest.mark.parametrize(
    "words",
    [
        (), ("--as-of", TONIGHT, "--backfill", LAST, TONIGHT), ("--as-of", "yesterday"),
        ("--as-of", TONIGHT, "--log", "xml"), ("--backfill", TONIGHT, LAST),
        ("--as-of", TONIGHT, "--force", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_exits_with_2(night: Callable[..., Any], words: tuple[str, ...]) -> None:
    done = night(*words)
    assert (done.exit_code, "Traceback" in done.output) == (2, False)


def test_a_held_lock_exits_with_4(night: Callable[..., Any], ws: hva.Workspace) -> None:
    with lock(ws.lock(PIPELINE)):
        done = night("--as-of", TONIGHT)
        lines = [json.loads(line) for line in night("--as-of", TONIGHT, "--log", "json").stderr.splitlines()]
    assert done.exit_code == 4
    assert (lines[-1]["event"], lines[-1]["error"], lines[-1]["level"]) == ("error", "BusyError", "error")


def run(ws: hva.Workspace, *words: str) -> tuple[int, str, list[dict[str, Any]]]:
    """Run the command as a scheduler does: exit code, standard output, and the lines of the log."""
    command = [sys.executable, "-m", "hva_ml.cli", "nightly", PIPELINE, *words, "--log", "json"]
    done = subprocess.run(
        [*command, "--root", str(ws.root)],
        capture_output=True, text=True, timeout=300, env={**os.environ, "HVA_SECRET_CANARY": "canary-in-env"},
    )  # fmt: skip
    return done.returncode, done.stdout, [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.slow
def test_the_log_is_lines_of_json_that_belong_to_a_night(ws: hva.Workspace, tmp_path: Path) -> None:
    copied = hva.Workspace(tmp_path / "ws")
    shutil.copytree(ws.root, copied.root)
    code, out, lines = run(copied, "--as-of", TONIGHT)
    assert code == 0
    stages = [line for line in lines if line.get("event") == "stage"]
    assert [s["stage"] for s in stages] == [
        "ingest", "features", "score", "explain", "audit", "publish", "page", "deliver", "monitor",
    ]  # fmt: skip
    assert all({"rows", "seconds", "peak_bytes", "outcome"} <= s.keys() for s in stages)
    inside = [line for line in lines if "attempt" in line]
    assert inside[0]["event"] == "begin"
    assert (inside[-1]["event"], inside[-1]["outcome"], inside[-1]["exit_code"]) == ("end", "published", 0)
    assert {(line["pipeline"], line["as_of"], line["attempt"]) for line in inside} == {
        (PIPELINE, TONIGHT, inside[0]["attempt"])
    }
    run_id = current(copied.scores(PIPELINE)).run_id
    assert {s.get("run_id") for s in stages[2:]} == {run_id}
    told = json.dumps(lines) + out
    accounts = read(copied.scores(PIPELINE), "accounts")
    assert not [n for c in ("account_id", "name") for n in accounts[c].to_pylist() if n and n in told]
    assert "canary-in-env" not in told


@pytest.mark.slow
def test_a_refused_night_exits_with_3_and_names_no_account_in_its_log(
    ws: hva.Workspace, tmp_path: Path
) -> None:
    copied = hva.Workspace(tmp_path / "ws")
    shutil.copytree(ws.root, copied.root)
    path = copied.queries(PIPELINE) / "accounts.sql"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("    employees,", "    CAST(NULL AS INTEGER) AS employees,"), encoding="utf-8"
    )
    code, _, lines = run(copied, "--as-of", TONIGHT)
    assert code == 3
    end, error = lines[-2:]
    assert (end["event"], end["outcome"], error["event"], error["error"]) == (
        "end", "refused", "error", "AuditError"
    )  # fmt: skip
    assert "--force" in error["fix"]
    accounts = read(copied.scores(PIPELINE), "accounts")["account_id"].to_pylist()
    assert not [a for a in accounts if a in json.dumps(lines)]
