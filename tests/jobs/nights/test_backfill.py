"""Days that were missed: each as it would have been, finished ones left alone, nothing current gets older."""

import shutil
from collections.abc import Callable
from typing import Any

import pytest
from tests.jobs.nights.conftest import LAST, PIPELINE, TONIGHT, files_of

import hva_ml as hva
from hva_ml.errors import BusyError, SourceError, UsageError
from hva_ml.publication import current, lock
from hva_ml.publication.reading import manifest_of, runs


def days(ws: hva.Workspace) -> list[str]:
    return [r.identity["as_of"] for r in runs(ws.scores(PIPELINE))]


def test_every_day_is_the_one_that_a_night_would_have_made(fresh: Callable[[], hva.Workspace]) -> None:
    ws, other = fresh(), fresh()
    made = hva.backfill(ws, PIPELINE, first="2025-12-28", last=TONIGHT)
    assert [(str(n.as_of), n.outcome) for n in made] == [
        ("2025-12-28", "beside"), ("2025-12-29", "beside"), (TONIGHT, "published")
    ]  # fmt: skip
    assert current(ws.scores(PIPELINE)).identity["as_of"] == TONIGHT
    for night in made:
        alone = hva.nightly(other, PIPELINE, as_of=night.as_of)
        assert (alone.run_id, alone.accounts, alone.tiers) == (night.run_id, night.accounts, night.tiers)
        one, two = (files_of(w.scores(PIPELINE) / "runs" / night.run_id) for w in (ws, other))
        # What it was compared with, and in which order it was written, stands in the manifest alone.
        assert {k: v for k, v in one.items() if k != "manifest.json"} == {
            k: v for k, v in two.items() if k != "manifest.json"
        }
    assert hva.backfill(ws, PIPELINE, first="2025-12-28", last=TONIGHT) == ()


def test_each_day_is_held_against_the_one_before_it(ws: hva.Workspace) -> None:
    made = hva.backfill(ws, PIPELINE, first="2025-12-27", last="2025-12-29")
    night = [manifest_of(ws.scores(PIPELINE) / "runs" / n.run_id)["night"] for n in made]
    assert [n["against"] for n in night] == ["", made[0].run_id, made[1].run_id]
    assert current(ws.scores(PIPELINE)).identity["as_of"] == LAST


def test_a_stopped_backfill_goes_on_with_the_day_that_is_missing(
    ws: hva.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    hva.backfill(ws, PIPELINE, first="2025-12-28", last="2025-12-28")
    with monkeypatch.context() as patch:
        patch.setattr("hva_ml.jobs.nights.produce.build_features", stop)
        with pytest.raises(KeyboardInterrupt):
            hva.backfill(ws, PIPELINE, first="2025-12-28", last=LAST)
    assert [str(n.as_of) for n in hva.backfill(ws, PIPELINE, first="2025-12-28", last=LAST)] == ["2025-12-29"]


def test_a_damaged_day_is_made_again(ws: hva.Workspace) -> None:
    run = current(ws.scores(PIPELINE))
    with (run.path / "scores.parquet").open("r+b") as file:
        file.seek(200)
        file.write(b"\0\0\0\0")
    (made,) = hva.backfill(ws, PIPELINE, first=LAST, last=LAST)
    assert made.run_id == run.run_id
    assert made.outcome == "published" or current(ws.scores(PIPELINE)).run_id == run.run_id


def test_asked_for_it_the_last_day_becomes_current(ws: hva.Workspace) -> None:
    hva.backfill(ws, PIPELINE, first="2025-12-27", last="2025-12-28", move_back=True)
    assert current(ws.scores(PIPELINE)).identity["as_of"] == "2025-12-28"
    assert days(ws) == ["2025-12-27", "2025-12-28", LAST]


def test_a_refused_day_does_not_stop_the_next(ws: hva.Workspace) -> None:
    path = ws.queries(PIPELINE) / "events.sql"
    text = path.read_text(encoding="utf-8")
    assert "FROM engagement" in text
    # For a week, no event arrives.
    gap = "imported_at < TIMESTAMP '2025-12-20' OR imported_at >= TIMESTAMP '2025-12-27'"
    path.write_text(text.replace("FROM engagement", f"FROM engagement WHERE {gap}"), encoding="utf-8")
    made = hva.backfill(ws, PIPELINE, first="2025-12-26", last="2025-12-28")
    assert [(n.outcome, n.exit_code) for n in made] == [("refused", 3), ("refused", 3), ("beside", 0)]
    assert {r.code for r in made[0].audit if r.outcome == "found"} >= {"HVS001"}
    # Days before the current one say nothing about it.
    assert current(ws.scores(PIPELINE)).stale is None
    assert days(ws) == ["2025-12-28", LAST]


def test_a_source_that_cannot_be_read_ends_it(ws: hva.Workspace) -> None:
    path = ws.queries(PIPELINE) / "events.sql"
    path.write_text("SELECT * FROM nothing", encoding="utf-8")
    with pytest.raises(SourceError):
        hva.backfill(ws, PIPELINE, first="2025-12-27", last="2025-12-29")
    assert sorted(p.stem for p in (ws.scores(PIPELINE) / "nights").glob("*.json")) == ["2025-12-27", LAST]


def test_a_rehearsal_of_several_days_writes_none(ws: hva.Workspace) -> None:
    before = files_of(ws.scores(PIPELINE))
    made = hva.backfill(ws, PIPELINE, first="2025-12-28", last=LAST, dry_run=True)
    assert [(str(n.as_of), n.outcome) for n in made] == [
        ("2025-12-28", "rehearsed"),
        ("2025-12-29", "rehearsed"),
    ]
    assert files_of(ws.scores(PIPELINE)) == before


def test_another_release_makes_the_days_again(ws: hva.Workspace, main_job: Any) -> None:
    path = ws.pipelines / f"{PIPELINE}.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\ncapacity = 40", "\ncapacity = 41"), encoding="utf-8")
    assert [str(n.as_of) for n in hva.backfill(ws, PIPELINE, first=LAST, last=LAST)] == [LAST]


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        ("2025-12-31", "2025-12-30", "takes 1 to"), ("2025-12-30", "soon", "is not a day"),
        ("1990-01-01", "2025-12-30", "takes 1 to"),
    ],
)  # fmt: skip
def test_days_that_are_none_are_refused(ws: hva.Workspace, first: str, last: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        hva.backfill(ws, PIPELINE, first=first, last=last)


def test_one_run_at_a_time(ws: hva.Workspace) -> None:
    with lock(ws.lock(PIPELINE)), pytest.raises(BusyError):
        hva.backfill(ws, PIPELINE, first=LAST, last=LAST)


def test_without_a_champion_nothing_is_backfilled(ws: hva.Workspace) -> None:
    shutil.rmtree(ws.models(PIPELINE))
    shutil.rmtree(ws.mlruns)
    with pytest.raises(hva.HvaError, match="no champion"):
        hva.backfill(ws, PIPELINE, first=LAST, last=LAST)
