"""One night: what it does in which order, what it leaves alone, and what is told of it."""

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from tests.jobs.nights.conftest import LAST, PIPELINE, TONIGHT, files_of

import hva_ml as hva
from hva_ml.errors import BusyError, SourceError, UsageError
from hva_ml.jobs.nights.summary import Nightly
from hva_ml.publication import AuditError, current, lock

ORDER = ["ingest", "features", "score", "explain", "audit", "publish", "page", "deliver", "monitor"]


def summary(ws: hva.Workspace, day: str = TONIGHT) -> dict[str, Any]:
    return json.loads((ws.scores(PIPELINE) / "nights" / f"{day}.json").read_bytes())


def outcomes(night: Nightly) -> dict[str, str]:
    return {s.name: s.outcome for s in night.stages}


def broken(ws: hva.Workspace, table: str, old: str, new: str) -> None:
    path = ws.queries(PIPELINE) / f"{table}.sql"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def late(ws: hva.Workspace) -> None:
    """The events of the last days have not come."""
    broken(ws, "events", "FROM engagement", "FROM engagement WHERE imported_at < TIMESTAMP '2025-12-20'")


def test_a_night_is_the_run_that_hva_score_makes_to_the_last_bit(ws: hva.Workspace, main_job: Any) -> None:
    night = hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert (night.outcome, night.exit_code, night.run_id) == ("published", 0, main_job.scores.run_id)
    made, known = ws.scores(PIPELINE) / "runs" / night.run_id, main_job.scores.path
    tables = {name: content for name, content in files_of(made).items() if name.endswith(".parquet")}
    assert set(tables) == {
        f"{t}.parquet" for t in ("scores", "explanations", "features", "accounts", "references")
    }
    assert all((known / name).read_bytes() == content for name, content in tables.items())
    assert [s.name for s in night.stages] == ORDER
    assert night.accounts == main_job.scores.table.num_rows
    assert night.expected_value == pytest.approx(sum(main_job.scores.table["expected_value"].to_pylist()))
    assert night.tiers == main_job.scores.record()["tiers"]


def test_the_summary_says_what_was_done_and_names_no_account(ws: hva.Workspace, main_job: Any) -> None:
    night = hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    told = summary(ws)
    assert told == json.loads(json.dumps(night.record())) | {"peak_bytes": told["peak_bytes"]}
    assert [s["name"] for s in told["stages"]] == ORDER
    done = [s for s in told["stages"] if s["outcome"] == "done"]
    assert all(s["rows"] > 0 and s["seconds"] >= 0 and s["peak_bytes"] > 2**20 for s in done)
    assert {a["code"] for a in told["audit"]} >= {"HVS001", "HVS005", "HVS010", "HVS011"}
    text = json.dumps(told)
    assert not [i for i in main_job.scores.table["account_id"].to_pylist() if i in text]


def test_the_same_night_again_changes_nothing_but_what_is_told(ws: hva.Workspace) -> None:
    first = hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    before = files_of(ws.scores(PIPELINE) / "runs"), (ws.scores(PIPELINE) / "CURRENT").read_bytes()
    again = hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert (again.outcome, again.exit_code, again.run_id) == ("unchanged", 0, first.run_id)
    assert outcomes(again) == dict(
        zip(ORDER, [*["done"] * 2, *["skipped"] * 3, *["done"] * 2, "skipped", "done"], strict=True)
    )
    assert (files_of(ws.scores(PIPELINE) / "runs"), (ws.scores(PIPELINE) / "CURRENT").read_bytes()) == before
    assert (again.accounts, again.expected_value, again.tiers) == (
        first.accounts,
        first.expected_value,
        first.tiers,
    )
    assert summary(ws)["attempt"] == again.attempt != first.attempt


def test_a_rehearsal_does_everything_and_leaves_no_trace(ws: hva.Workspace) -> None:
    before = files_of(ws.root)
    would = hva.nightly(ws, PIPELINE, as_of=TONIGHT, dry_run=True)
    after = files_of(ws.root)
    assert {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)} <= {
        # The lock, and the database that MLflow opens.
        f"data/.locks/{PIPELINE}.lock", f"data/.locks/{PIPELINE}.guard", "mlruns/mlflow.db",
    }  # fmt: skip
    assert (would.outcome, would.exit_code) == ("rehearsed", 0)
    assert outcomes(would) | {"publish": "skipped"} == dict.fromkeys(ORDER[:5], "done") | {
        "publish": "skipped"
    }
    real = hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert (would.run_id, would.accounts, would.expected_value, would.tiers, would.audit) == (
        real.run_id, real.accounts, real.expected_value, real.tiers, real.audit
    )  # fmt: skip
    assert hva.nightly(ws, PIPELINE, as_of=TONIGHT, dry_run=True).outcome == "rehearsed"


def test_a_rehearsal_of_a_bad_night_is_refused_and_marks_nothing(ws: hva.Workspace) -> None:
    late(ws)
    with pytest.raises(AuditError, match="HVS001"):
        hva.nightly(ws, PIPELINE, as_of=TONIGHT, dry_run=True)
    assert current(ws.scores(PIPELINE)).stale is None
    assert not (ws.scores(PIPELINE) / "nights" / f"{TONIGHT}.json").exists()


def test_a_bad_night_keeps_the_scores_before_it_and_says_why(ws: hva.Workspace) -> None:
    late(ws)
    with pytest.raises(AuditError) as caught:
        hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert caught.value.exit_code == 3
    told = summary(ws)
    assert (told["outcome"], told["exit_code"], told["error"]["error"]) == ("refused", 3, "AuditError")
    assert "HVS001" in {a["code"] for a in told["audit"] if a["outcome"] == "found"}
    assert {s["name"]: s["outcome"] for s in told["stages"]} == {
        **dict.fromkeys(ORDER[:3], "done"), "explain": "skipped", "audit": "failed"
    }  # fmt: skip
    assert "ids" not in told["error"]
    run = current(ws.scores(PIPELINE))
    assert (run.identity["as_of"], run.stale.as_of) == (LAST, TONIGHT)
    forced = hva.nightly(ws, PIPELINE, as_of=TONIGHT, force="the trade fair is over")
    assert (forced.outcome, current(ws.scores(PIPELINE)).forced) == ("published", "the trade fair is over")
    assert forced.run_id == told["run_id"]


def test_a_source_that_cannot_be_read_is_a_failed_night(ws: hva.Workspace) -> None:
    broken(ws, "events", "FROM engagement", "FROM no_such_source")
    with pytest.raises(SourceError):
        hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    told = summary(ws)
    assert (told["outcome"], told["exit_code"], told["run_id"]) == ("failed", 1, "")
    assert [(s["name"], s["outcome"]) for s in told["stages"]] == [("ingest", "failed")]
    assert current(ws.scores(PIPELINE)).stale.as_of == TONIGHT


def test_a_night_that_is_stopped_says_so(ws: hva.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hva_ml.jobs.nights.produce.build_features", stop)
    with pytest.raises(KeyboardInterrupt):
        hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert (summary(ws)["outcome"], summary(ws)["exit_code"]) == ("stopped", 1)
    assert current(ws.scores(PIPELINE)).identity["as_of"] == LAST


def test_a_late_night_does_not_take_the_place_of_a_later_one(ws: hva.Workspace) -> None:
    hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    shutil.rmtree(ws.scores(PIPELINE) / "runs" / summary(ws, LAST)["run_id"])
    late_one = hva.nightly(ws, PIPELINE, as_of=LAST)
    assert (late_one.outcome, late_one.exit_code) == ("beside", 0)
    assert current(ws.scores(PIPELINE)).identity["as_of"] == TONIGHT
    assert hva.nightly(ws, PIPELINE, as_of=LAST).outcome == "beside"
    assert hva.nightly(ws, PIPELINE, as_of=LAST, move_back=True).outcome == "published"
    assert current(ws.scores(PIPELINE)).identity["as_of"] == LAST


def test_one_run_at_a_time(ws: hva.Workspace) -> None:
    with lock(ws.lock(PIPELINE)), pytest.raises(BusyError):
        hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert not (ws.scores(PIPELINE) / "nights" / f"{TONIGHT}.json").exists()


def test_a_summary_that_cannot_be_written_does_not_undo_a_night(
    ws: hva.Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(ws.scores(PIPELINE) / "nights")
    (ws.scores(PIPELINE) / "nights").write_text("in the way", encoding="utf-8")
    assert hva.nightly(ws, PIPELINE, as_of=TONIGHT).outcome == "published"
    assert "The summary of the night was not written" in caplog.text


SINKS = '\n[sinks.lake]\nkind = "parquet"\npath = "data/lake"\n'


def with_sinks(ws: hva.Workspace, more: str = "") -> None:
    path = ws.pipelines / f"{PIPELINE}.toml"
    path.write_text(path.read_text(encoding="utf-8") + SINKS + more, encoding="utf-8")


def test_sinks_learn_that_a_night_did_not_come_out(ws: hva.Workspace) -> None:
    with_sinks(ws)
    hva.deliver(ws, PIPELINE)
    lake = ws.root / "data" / "lake" / PIPELINE
    assert current(lake).stale is None
    late(ws)
    with pytest.raises(AuditError):
        hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert {s["name"]: s["outcome"] for s in summary(ws)["stages"]}["deliver"] == "done"
    shown = current(lake)
    assert (shown.run_id, shown.stale.as_of) == (current(ws.scores(PIPELINE)).run_id, TONIGHT)


def test_a_published_night_goes_to_the_sinks(ws: hva.Workspace) -> None:
    with_sinks(ws)
    night = hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert outcomes(night)["deliver"] == outcomes(night)["monitor"] == "done"
    assert night.stages[-1].note == "0 alarms"
    assert night.watch is not None
    assert (sum(night.watch.alarms.values()), night.watch.raised) == (0, {})
    assert summary(ws)["watch"]["drift"] == night.watch.drift
    assert night.stages[-2].note == "lake delivered"
    assert list((ws.root / "data/lake").rglob("*.parquet"))
    assert hva.nightly(ws, PIPELINE, as_of=TONIGHT).stages[-2].note == "lake unchanged"
    assert outcomes(hva.nightly(ws, PIPELINE, as_of="2025-12-28"))["deliver"] == "skipped"


def test_a_sink_that_fails_is_told_after_the_scores_are_out(
    ws: hva.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HVA_TEST_SINK", raising=False)
    with_sinks(ws, '\n[sinks.warehouse]\nkind = "sql"\nurl_env = "HVA_TEST_SINK"\n')
    night = hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert (night.outcome, night.exit_code) == ("published", 1)
    assert [s.name for s in night.undone] == ["deliver"]
    assert "lake delivered, warehouse failed" in night.undone[0].note
    assert current(ws.scores(PIPELINE)).run_id == night.run_id
    assert summary(ws)["exit_code"] == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [({"as_of": "31.12.2025"}, "is not a day"), ({"as_of": TONIGHT, "force": " "}, "needs a reason")],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_read(
    ws: hva.Workspace, given: dict[str, str], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        hva.nightly(ws, PIPELINE, **given)


def test_scores_of_a_day_that_the_model_has_learned_from_are_marked(ws: hva.Workspace) -> None:
    seen = hva.nightly(ws, PIPELINE, as_of="2025-09-15", dry_run=True)
    blind = hva.nightly(ws, PIPELINE, as_of=TONIGHT, dry_run=True)
    assert (seen.hindsight, blind.hindsight) == (True, False)


def test_any_number_of_blocks_is_the_same_run(
    fresh: Callable[[], hva.Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fresh()
    night = hva.nightly(whole, PIPELINE, as_of=TONIGHT)
    monkeypatch.setattr("hva_ml.scoring.accounts.BLOCK", 100)
    parts = fresh()
    again = hva.nightly(parts, PIPELINE, as_of=TONIGHT)
    assert again.run_id == night.run_id
    for table in ("scores", "explanations"):
        one, two = (hva_read(w, table) for w in (whole, parts))
        assert one.equals(two)


def hva_read(ws: hva.Workspace, table: str) -> Any:
    from hva_ml.publication import read

    return read(ws.scores(PIPELINE), table)
