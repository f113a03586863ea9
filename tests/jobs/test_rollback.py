"""hva rollback: one command back to the release before and its last scores, whenever it is stopped."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.errors import BusyError, IntegrityError, RefusedError, UsageError
from hva_ml.publication import current, lock, reading
from hva_ml.registry import history, promotion, tracking
from hva_ml.registry.connection import connected
from hva_ml.registry.releases import champion_release

PIPELINE = "dach_sample"


@pytest.fixture
def ws(two_nights: hva.Workspace, tmp_path: Path) -> hva.Workspace:
    """A workspace whose champion is version 2; version 1 has scored two months before."""
    shutil.copytree(two_nights.root, tmp_path / "ws")
    return hva.Workspace.find(tmp_path / "ws")


@pytest.fixture
def files(ws: hva.Workspace) -> hva.Workspace:
    """The same by files alone, as where no MLflow is."""
    shutil.rmtree(ws.mlruns)
    return ws


def last_run(ws: hva.Workspace, version: str) -> Any:
    return [r for r in reading.runs(ws.scores(PIPELINE)) if r.identity["model_version"] == version][-1]


def tags(ws: hva.Workspace, version: str) -> dict[str, str]:
    with connected(ws) as (_, client):
        return dict(client.get_model_version(PIPELINE, version).tags)


def test_one_command_goes_back_and_the_next_promotion_goes_on(ws: hva.Workspace) -> None:
    assert champion_release(ws, PIPELINE)[0] == "2"
    gates = tags(ws, "1")["gates"]
    done = CliRunner().invoke(
        app, ["rollback", PIPELINE, "--reason", "values doubled", "--root", str(ws.root), "--json"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    run = last_run(ws, "1")
    assert (told["version"], told["before"], told["changed"]) == ("1", "2", True)
    assert (told["run_id"], told["as_of"]) == (run.run_id, run.identity["as_of"])
    version, bundle = champion_release(ws, PIPELINE)
    assert (version, bundle.release) == ("1", run.identity["release"])
    assert promotion.pointed(ws.models(PIPELINE)) == tracking.champion_version(ws, PIPELINE) == "1"
    assert current(ws.scores(PIPELINE)).run_id == run.run_id
    # Noted in the history beside the releases, and in MLflow at both versions; gates stay as they were.
    step = history.steps(ws.models(PIPELINE))[-1]
    assert (step.version, step.before, step.reason, step.run_id) == ("1", "2", "values doubled", run.run_id)
    assert step.done
    assert tags(ws, "2")["withdrawn"] == "values doubled"
    assert (tags(ws, "1")["restored_from"], tags(ws, "1")["gates"]) == ("2", gates)
    # The present pipeline file is not the one of version 1: that is said, for scoring needs its features.
    assert any("pipeline.toml" in note for note in told["notes"])

    with pytest.raises(RefusedError, match="no champion before version 1") as caught:
        hva.rollback(ws, PIPELINE)
    assert f"hva rollback {PIPELINE} --to 2" in caught.value.fix
    forward = hva.rollback(ws, PIPELINE, to="2")
    assert (forward.version, current(ws.scores(PIPELINE)).run_id) == ("2", last_run(ws, "2").run_id)
    again = hva.rollback(ws, PIPELINE, to="2")
    assert (again.changed, again.notes) == (False, ("Nothing was to be changed.",))
    assert "is version 1" in CliRunner().invoke(app, ["rollback", PIPELINE, "--root", str(ws.root)]).output


def test_scores_of_an_earlier_day_are_put_back_as_stale(files: hva.Workspace) -> None:
    shutil.rmtree(last_run(files, "1").path)
    done = hva.rollback(files, PIPELINE, reason="wrong currency")
    run = current(files.scores(PIPELINE))
    assert (run.identity["as_of"], run.stale.as_of) == ("2025-11-30", "2025-12-31")
    assert "rolled back to version 1. wrong currency" in run.stale.what
    page = files.reports(PIPELINE) / done.as_of / "scores.html"
    assert "no valid scores as of Dec 31, 2025" in page.read_text(encoding="utf-8")


def test_a_damaged_run_is_passed_over_and_said(files: hva.Workspace) -> None:
    damaged = last_run(files, "1")
    (damaged.path / "features.parquet").write_bytes(b"")
    done = hva.rollback(files, PIPELINE)
    assert done.run_id != damaged.run_id
    assert f"The run {damaged.run_id} as of 2025-12-31 is damaged" in done.notes[0]
    assert current(files.scores(PIPELINE)).run_id == done.run_id


def test_without_scores_of_its_own_the_release_is_champion_and_the_command_says_how_to_score(
    files: hva.Workspace,
) -> None:
    for run in reading.runs(files.scores(PIPELINE)):
        if run.identity["model_version"] == "1":
            shutil.rmtree(run.path)
    shown = current(files.scores(PIPELINE))
    done = hva.rollback(files, PIPELINE)
    assert (done.run_id, champion_release(files, PIPELINE)[0]) == ("", "1")
    assert any(f"hva score {PIPELINE} --as-of DAY" in note for note in done.notes)
    now = current(files.scores(PIPELINE))
    assert (now.run_id, now.stale.as_of) == (shown.run_id, "")


def test_a_damaged_pointer_is_no_obstacle(files: hva.Workspace) -> None:
    (files.scores(PIPELINE) / "CURRENT").write_text("broken", encoding="utf-8")
    done = hva.rollback(files, PIPELINE)
    assert current(files.scores(PIPELINE)).run_id == done.run_id == last_run(files, "1").run_id


def test_a_pipeline_file_that_cannot_be_read_is_no_obstacle(files: hva.Workspace) -> None:
    (files.pipelines / f"{PIPELINE}.toml").write_text("[pipeline", encoding="utf-8")
    done = hva.rollback(files, PIPELINE)
    assert champion_release(files, PIPELINE)[0] == "1"
    assert any("page of the run was not written" in note for note in done.notes)


def state(ws: hva.Workspace) -> tuple[Any, ...]:
    run = current(ws.scores(PIPELINE))
    return promotion.pointed(ws.models(PIPELINE)), run.run_id, run.stale, history.steps(ws.models(PIPELINE))


def test_what_cannot_be_rolled_back_is_refused_with_the_remedy_and_changes_nothing(ws: hva.Workspace) -> None:
    before = state(ws)
    with pytest.raises(UsageError, match="has not been released") as caught:
        hva.rollback(ws, PIPELINE, to="9")
    assert "1, 2" in caught.value.fix
    with pytest.raises(UsageError, match="Did you mean 'dach_sample'"):
        hva.rollback(ws, "dach_sampel")
    with pytest.raises(UsageError):
        hva.rollback(ws, "../pipelines/dach_sample")
    with lock(ws.lock(PIPELINE)), pytest.raises(BusyError):
        hva.rollback(ws, PIPELINE)
    assert CliRunner().invoke(app, ["rollback", PIPELINE, "--to", "9", "--root", str(ws.root)]).exit_code == 2
    path = ws.models(PIPELINE) / "1" / "value.txt"
    kept = path.read_bytes()
    path.write_bytes(kept[:-9] + b"x" + kept[-8:])
    with pytest.raises(IntegrityError, match="has been changed"):
        hva.rollback(ws, PIPELINE)
    path.write_bytes(kept)
    with connected(ws) as (_, client):
        client.delete_model_version(PIPELINE, "1")
    with pytest.raises(RefusedError, match="MLflow no longer knows version 1") as refused:
        hva.rollback(ws, PIPELINE)
    assert "train and promote again" in refused.value.fix
    assert state(ws) == before
    empty, _ = hva.init(ws.root / "empty")
    with pytest.raises(RefusedError, match="hva promote"):
        hva.rollback(empty, PIPELINE)


class StoppedError(BaseException):
    """The machine stops here."""


def stop_at(monkeypatch: pytest.MonkeyPatch, asked: int) -> None:
    """Stop right before the rename of that number; every change of a file ends with one."""
    real, left = Path.replace, [asked]

    def replace(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] == 0:
            raise StoppedError
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)


def test_stopped_at_any_step_it_is_finished_by_the_next_one(
    files: hva.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = last_run(files, "1").run_id
    seen = []
    for asked in range(1, 8):
        shutil.copytree(files.root, tmp_path / f"{asked}")
        ws = hva.Workspace.find(tmp_path / f"{asked}")
        with monkeypatch.context() as patch:
            stop_at(patch, asked)
            try:
                hva.rollback(ws, PIPELINE, reason="it was wrong")
                ended = True
            except StoppedError:
                ended = False
        # Readers see the scores of one release or the other, and a champion that can score.
        champion, scores, _, steps = state(ws)
        seen.append((champion_release(ws, PIPELINE)[0], scores == last, [s.done for s in steps[1:]], ended))
        if steps[-1].done and steps[-1].how == "rolled back":
            continue
        done = hva.rollback(ws, PIPELINE)
        assert (done.version, done.before) == ("1", "2")
        champion, scores, _, steps = state(ws)
        assert (champion, scores, steps[-1].done) == ("1", last, True)
        assert (steps[-1].before, len(steps)) == ("2", 3)
        assert asked == 1 or steps[-1].reason == "it was wrong"
    # Before the intention, CHAMPION, CURRENT, done, the page that is kept, the page; then nothing stops it.
    assert seen == [
        ("2", False, [True], False),
        ("2", False, [True, False], False),
        ("1", False, [True, False], False),
        ("1", True, [True, False], False),
        ("1", True, [True, True], False),
        ("1", True, [True, True], False),
        ("1", True, [True, True], True),
    ]
