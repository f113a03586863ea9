"""A night that is stopped takes up where it ended: the same bytes, and never half of it to be seen."""

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.jobs.nights.conftest import LAST, PIPELINE, TONIGHT, files_of

import hva_ml as hva
from hva_ml.publication import Shards, current, read
from hva_ml.scoring import Scored

ACCOUNTS, BLOCK = 500, 100
JOB = """
import os, signal, sys
import hva_ml as hva
from hva_ml.publication import Shards
from hva_ml.scoring import accounts
accounts.BLOCK = 100
keep, left = Shards.keep, [int(sys.argv[2])]
def kept_then_killed(self, *piece):
    keep(self, *piece)
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
Shards.keep = kept_then_killed
hva.nightly(hva.Workspace.find(sys.argv[1]), "dach_sample", as_of="2025-12-31")
"""


class StoppedError(BaseException):
    """The machine stops here."""


@pytest.fixture
def whole(fresh: Callable[[], hva.Workspace], small_blocks: None) -> dict[str, bytes]:
    """The files of a night that nobody stopped."""
    return made_of(fresh())


def made_of(ws: hva.Workspace) -> dict[str, bytes]:
    return files_of(ws.scores(PIPELINE) / "runs" / hva.nightly(ws, PIPELINE, as_of=TONIGHT).run_id)


def shards(ws: hva.Workspace) -> list[Path]:
    return sorted((ws.scores(PIPELINE) / "runs").glob(".*.shards"))


def stop_after(monkeypatch: pytest.MonkeyPatch, pieces: int) -> None:
    """Stop while the piece of that number, from 0, is written: its tables are there, its note is not."""
    real, left = Path.write_text, [pieces]

    def write(self: Path, *rest: Any, **more: Any) -> int:
        if self.suffix == ".json" and ".shards" in str(self):
            left[0] -= 1
            if left[0] < 0:
                raise StoppedError
        return real(self, *rest, **more)

    monkeypatch.setattr(Path, "write_text", write)


@pytest.mark.parametrize("pieces", [0, 1, 4])
def test_stopped_at_any_piece_it_goes_on_there(
    ws: hva.Workspace, whole: dict[str, bytes], pieces: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_after(patch, pieces)
        with pytest.raises(StoppedError):
            hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert current(ws.scores(PIPELINE)).identity["as_of"] == LAST
    night = hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert (night.outcome, night.taken_up) == ("published", BLOCK * pieces)
    assert files_of(ws.scores(PIPELINE) / "runs" / night.run_id) == whole
    assert not shards(ws)


@pytest.mark.parametrize("step", ["hva_ml.publication.runs.file_entry", "hva_ml.publication.runs.point"])
def test_stopped_while_it_is_published_nothing_is_explained_again(
    ws: hva.Workspace, whole: dict[str, bytes], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(step, stop)
        with pytest.raises(StoppedError):
            hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert current(ws.scores(PIPELINE)).identity["as_of"] == LAST
    with monkeypatch.context() as patch:
        patch.setattr("hva_ml.scoring.Scored.part", stop)
        night = hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert (night.outcome, night.taken_up) == ("published", ACCOUNTS if step.endswith("file_entry") else 0)
    assert files_of(ws.scores(PIPELINE) / "runs" / night.run_id) == whole
    assert not shards(ws)


def test_a_piece_with_a_single_changed_bit_is_made_again(
    ws: hva.Workspace, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_after(patch, 4)
        with pytest.raises(StoppedError):
            hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    (folder,) = shards(ws)
    first = sorted(folder.glob("000000000-*"))
    assert {p.name.rpartition(".")[2] for p in first} == {"scores", "explanations", "json"}
    damaged = [sorted(folder.glob(f"{100 * k:09d}-*"))[k] for k in range(3)]
    for path in damaged:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    # A file that is missing, and one that was cut off.
    sorted(folder.glob("000000300-*"))[0].unlink()
    night = hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert night.taken_up == 0
    assert files_of(ws.scores(PIPELINE) / "runs" / night.run_id) == whole


def test_pieces_of_other_inputs_are_of_no_use(
    ws: hva.Workspace, small_blocks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_after(patch, 3)
        with pytest.raises(StoppedError):
            hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    (before,) = shards(ws)
    path = ws.queries(PIPELINE) / "accounts.sql"
    text = path.read_text(encoding="utf-8")
    assert "    employees," in text
    # Of few accounts, or the audit of rewritten rows would hold the night.
    more = "    employees + CASE WHEN hash(company_id) % 50 = 0 THEN 1 ELSE 0 END AS employees,"
    path.write_text(text.replace("    employees,", more), encoding="utf-8")
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(StoppedError):
            hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    (after,) = shards(ws)
    assert after != before
    assert hva.nightly(ws, PIPELINE, as_of=TONIGHT).taken_up == 2 * BLOCK


def test_hva_score_takes_up_what_a_night_has_explained(
    ws: hva.Workspace, small_blocks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_after(patch, 3)
        with pytest.raises(StoppedError):
            hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    real, asked = Scored.part, []

    def part(self: Scored, first: int, last: int) -> Any:
        asked.append((first, last))
        return real(self, first, last)

    monkeypatch.setattr(Scored, "part", part)
    assert hva.score(ws, PIPELINE, as_of=TONIGHT).published
    assert asked == [(300, 400), (400, 500)]
    assert not shards(ws)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("pieces", [1, 3])
def test_killed_for_good_it_goes_on_there_and_says_who_died(
    ws: hva.Workspace,
    whole: dict[str, bytes],
    pieces: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "hva_ml")
    done = subprocess.run(
        [sys.executable, "-c", JOB, str(ws.root), str(pieces)], capture_output=True, timeout=300
    )
    assert done.returncode == -9, done.stderr
    run = current(ws.scores(PIPELINE))
    assert run.identity["as_of"] == LAST
    assert read(ws.scores(PIPELINE)).num_rows == ACCOUNTS
    assert [r.name for r in sorted((ws.scores(PIPELINE) / "runs").glob("[0-9a-f]*"))] == [run.run_id]
    night = hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert night.taken_up == BLOCK * pieces
    assert night.died is not None
    assert f"process {night.died}, died at work" in caplog.text
    assert f"{BLOCK * pieces} accounts taken up from a run that was stopped" in caplog.text
    assert files_of(ws.scores(PIPELINE) / "runs" / night.run_id) == whole


def test_shards_give_back_exactly_what_they_were_given(tmp_path: Path, small_blocks: None) -> None:
    import pyarrow as pa

    empty = pa.table({"a": pa.array([], pa.float64())})
    piece = {"scores": pa.table({"a": [1.0, float("nan"), None], "b": [["x"], [], None]}), "texts": empty}
    kept = Shards(tmp_path, "0" * 16)
    assert kept.kept(0, 3) is None
    kept.keep(0, 3, piece)
    again = Shards(tmp_path, "0" * 16).kept(0, 3)
    assert list(again) == ["scores", "texts"]
    assert again["scores"].schema == piece["scores"].schema
    assert repr(again["scores"].to_pylist()) == repr(piece["scores"].to_pylist())
    assert kept.kept(0, 4) is None
    Shards(tmp_path, "1" * 16)
    assert kept.kept(0, 3) is None


def test_what_a_kill_right_after_publishing_left_goes_with_the_next_run(ws: hva.Workspace) -> None:
    hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    left = ws.scores(PIPELINE) / "runs" / f".{current(ws.scores(PIPELINE)).run_id}.shards"
    left.mkdir()
    assert hva.nightly(ws, PIPELINE, as_of=TONIGHT, dry_run=True).outcome == "rehearsed"
    assert left.is_dir()
    assert hva.nightly(ws, PIPELINE, as_of=TONIGHT).outcome == "unchanged"
    assert not left.exists()
