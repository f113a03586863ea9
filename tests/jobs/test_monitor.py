"""hva monitor on real runs: promises against outcomes by hand, once and for all, honest about time."""

import json
import shutil
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.errors import RefusedError, UsageError
from hva_ml.jobs.monitor import Monitored
from hva_ml.jobs.prepare import prepare
from hva_ml.monitoring.history import History
from hva_ml.publication import read, reading
from hva_ml.registry.releases import read_release

PIPELINE, LAST = "dach_sample", "2025-12-31"
NIGHTS = ("2025-09-02", "2025-09-12", "2025-09-30", "2025-11-20")
CODES = [f"HVM{k:03d}" for k in range(1, 11)]


@pytest.fixture(scope="module")
def scored(main_job: Any, tmp_path_factory: pytest.TempPathFactory) -> hva.Workspace:
    """Five nights by one release; nobody has looked at them yet."""
    root = tmp_path_factory.mktemp("monitored") / "ws"
    shutil.copytree(main_job.ws.root, root)
    ws = hva.Workspace.find(root)
    for day in NIGHTS:
        hva.score(ws, PIPELINE, as_of=day, force="an earlier day")
    hva.score(ws, PIPELINE, as_of=LAST)
    foresee(ws)
    return ws


def foresee(ws: hva.Workspace) -> None:
    """Let the release have learned from cohorts that were over before the nights, not after them."""
    bundle = read_release(ws, PIPELINE, "1")
    earlier = {**bundle.profile, "first": "2024-06-01", "last": "2025-06-01"}
    History(ws.history(PIPELINE)).keep_reference(bundle.release, earlier)


def forget(ws: hva.Workspace) -> None:
    """Remove everything that is kept of the nights."""
    shutil.rmtree(ws.history(PIPELINE))
    foresee(ws)


@pytest.fixture
def ws(scored: hva.Workspace, tmp_path: Path) -> hva.Workspace:
    shutil.copytree(scored.root, tmp_path / "ws")
    return hva.Workspace.find(tmp_path / "ws")


@pytest.fixture(scope="module")
def seen(scored: hva.Workspace) -> Monitored:
    return hva.monitor(scored, PIPELINE)


def history(ws: hva.Workspace) -> History:
    return History(ws.history(PIPELINE))


def kept(ws: hva.Workspace) -> dict[str, bytes]:
    folder = ws.history(PIPELINE)
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.gz"))}


def call(ws: hva.Workspace, *words: str) -> Any:
    return CliRunner().invoke(app, ["monitor", PIPELINE, *words, "--root", str(ws.root)])


def configured(ws: hva.Workspace, text: str) -> None:
    path = ws.pipelines / f"{PIPELINE}.toml"
    path.write_text(path.read_text(encoding="utf-8") + f"\n[monitoring]\n{text}\n", encoding="utf-8")


def test_every_code_says_something_in_words(seen: Monitored, scored: hva.Workspace) -> None:
    assert (seen.nights, seen.as_of, seen.version) == (5, date.fromisoformat(LAST), "1")
    assert list(dict.fromkeys(f.code for f in seen.findings)) == CODES
    assert all(text and "{" not in text for text in seen.texts)
    told = {f.code: f for f in seen.findings}
    assert all(told[c].outcome != "not applicable" for c in CODES if c != "HVM009")
    assert told["HVM001"].where.startswith("volume.")
    record = json.loads(json.dumps(seen.record()))
    assert record["alarms"] == len(seen.alarms)
    assert record["advice"]["text"] == seen.advice_text
    assert seen.files[0].read_text(encoding="utf-8").count("HVM0") >= 10


def test_what_came_of_a_night_is_what_a_plain_count_says(scored: hva.Workspace, seen: Monitored) -> None:
    config = scored.config(PIPELINE)
    invoices = prepare(scored, config, until=midnight(LAST)).tables.tables["invoices"].to_pylist()
    (outcome,) = [o for o in history(scored).outcomes(date.max) if o.as_of == NIGHTS[1]]
    run = next(r for r in reading.runs(scored.scores(PIPELINE)) if r.run_id == outcome.run_id)
    scores = read(scored.scores(PIPELINE), "scores", run.run_id).to_pylist()
    begin, end = midnight(NIGHTS[1]), midnight(NIGHTS[1], 90)
    came: dict[str, int] = {}
    bought: set[str] = set()
    for row in invoices:
        if begin <= row["event_time"] < end and row["known_at"] < midnight(LAST):
            came[row["account_id"]] = came.get(row["account_id"], 0) + row["amount_cents"]
            if row["amount_cents"] > 0:
                bought.add(row["account_id"])
    for kept_ in outcome.kept:
        mine = [s for s in scores if kept_.name in ("all", s["tier"])]
        ids = {s["account_id"] for s in mine}
        assert kept_.accounts == len(mine)
        assert kept_.seen == len(bought & ids)
        assert kept_.promised == pytest.approx(sum(s["conversion_probability"] for s in mine))
        assert kept_.promised_value == pytest.approx(sum(s["expected_value"] for s in mine))
        assert kept_.seen_value == pytest.approx(sum(v for a, v in came.items() if a in ids) / 100)
    listed = {s["account_id"] for s in scores if s["in_capacity"]}
    assert outcome.worked.from_list == len(bought & listed)
    assert [o.as_of for o in history(scored).outcomes(date.max)] == list(NIGHTS[:3])


def test_conversions_under_way_are_counted_on_the_day_they_became_known(
    scored: hva.Workspace, seen: Monitored
) -> None:
    part = history(scored).under_way(date.max)[0]
    assert part.as_of == NIGHTS[0]
    invoices = prepare(scored, scored.config(PIPELINE), until=midnight(LAST)).tables.tables["invoices"]
    first: dict[str, int] = {}
    for row in invoices.to_pylist():
        known = max(row["event_time"], row["known_at"])
        inside = midnight(NIGHTS[0]) <= row["event_time"] < midnight(NIGHTS[0], 90)
        if inside and row["amount_cents"] > 0 and known < midnight(LAST):
            day = (known - midnight(NIGHTS[0])) // timedelta(days=1)
            first[row["account_id"]] = min(day, first.get(row["account_id"], 999))
    scored_ids = set(read(scored.scores(PIPELINE), "scores", part.run_id)["account_id"].to_pylist())
    assert part.begin == 7
    days = range(part.begin, part.begin + len(part.seen))
    by_day = [sum(d == k for a, d in first.items() if a in scored_ids) for k in days]
    assert part.seen.sum(axis=1).tolist() == by_day


def test_looking_again_changes_nothing(ws: hva.Workspace, seen: Monitored) -> None:
    before = kept(ws)
    assert before
    again = hva.monitor(ws, PIPELINE)
    assert kept(ws) == before
    files = {"files"}
    assert {k: v for k, v in again.record().items() if k not in files} == {
        k: v for k, v in seen.record().items() if k not in files
    }


def test_an_earlier_day_knows_no_more_than_it_did(ws: hva.Workspace, seen: Monitored) -> None:
    before = kept(ws)
    late = hva.monitor(ws, PIPELINE, as_of="2025-12-20")
    assert kept(ws) == before
    forget(ws)
    fresh = hva.monitor(ws, PIPELINE, as_of="2025-12-20")
    assert {k: v for k, v in late.record().items() if k != "files"} == {
        k: v for k, v in fresh.record().items() if k != "files"
    }
    assert (late.nights, late.known) == (4, date(2025, 12, 20))
    assert {o.as_of for o in history(ws).outcomes(date.max)} == set(NIGHTS[:2])
    assert all(len(u.seen) <= (date(2025, 12, 20) - u.day).days for u in history(ws).under_way(date.max))


def test_tables_at_hand_tell_the_same_as_those_that_are_read(ws: hva.Workspace, seen: Monitored) -> None:
    forget(ws)
    tables = prepare(ws, ws.config(PIPELINE), until=midnight(LAST)).tables
    given = hva.monitor(ws, PIPELINE, tables=tables)
    assert given.findings == seen.findings


def test_history_outlives_the_runs(ws: hva.Workspace, seen: Monitored) -> None:
    done = hva.prune(ws, PIPELINE, keep=1)
    assert [o.as_of for o in done.goes] == [NIGHTS[0], NIGHTS[1], NIGHTS[2]]
    waiting = [r for r, why in done.stays.items() if "hva monitor waits" in why]
    assert len(waiting) == 1
    again = hva.monitor(ws, PIPELINE)
    assert again.nights == 5
    assert again.findings == seen.findings


def test_without_monitoring_old_runs_simply_go(ws: hva.Workspace, seen: Monitored) -> None:
    shutil.rmtree(ws.history(PIPELINE))
    assert len(hva.prune(ws, PIPELINE, keep=1).goes) == 4


def test_a_damaged_night_is_made_again_or_told(ws: hva.Workspace, seen: Monitored) -> None:
    path = sorted((ws.history(PIPELINE) / "nights").glob("*.gz"))[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert hva.monitor(ws, PIPELINE).findings == seen.findings
    assert path.read_bytes() == whole
    hva.prune(ws, PIPELINE, keep=1)
    path.write_bytes(whole[:-20])
    told = next(f for f in hva.monitor(ws, PIPELINE).findings if f.code == "HVM010")
    assert (told.outcome, told.reason, told.where) == ("warning", "damaged", path.name)


def test_an_alarm_exits_with_5_and_the_page_says_so_in_german(ws: hva.Workspace, seen: Monitored) -> None:
    # More orders come at the end of a year than were promised in summer.
    configured(ws, "tolerance = 0.01\nfalse_alarms_per_year = 50.0\nconfirm_nights = 1")
    result = call(ws, "--lang", "de", "--country", "AT")
    assert result.exit_code == 5
    page = (ws.reports(PIPELINE) / LAST / "monitoring.html").read_text(encoding="utf-8")
    assert "Neu trainieren" in page
    assert "Die letzten Alarme" in page
    machine = call(ws, "--json")
    assert machine.exit_code == 5
    record = json.loads(machine.stdout)
    assert record["alarms"] >= 1
    assert record["advice"]["outcome"] == "retrain"
    opened = {f["code"] for f in record["findings"] if f["outcome"] == "alarm"}
    assert opened <= set(CODES[:7])
    episodes = record["episodes"]
    assert {e["code"] for e in episodes if not e["over"]} == opened
    assert [e["raised"] for e in episodes] == sorted(e["raised"] for e in episodes)
    assert all(e["since"] <= e["raised"] for e in episodes)


def test_no_alarm_exits_with_0(ws: hva.Workspace) -> None:
    configured(ws, "tolerance = 0.99\nmax_drift = 9.0\nmax_loss = 0.4")
    result = call(ws, "--as-of", LAST)
    assert result.exit_code == 0, result.output
    assert "0 alarms" in result.output
    assert "Train again? No" in result.output


def test_outcomes_that_fell_silent_are_no_customers_who_did_not_buy(
    ws: hva.Workspace, seen: Monitored
) -> None:
    late = hva.monitor(ws, PIPELINE, as_of="2026-05-01")
    holes = next(f for f in late.findings if f.code == "HVM010")
    assert (holes.outcome, holes.reason) == ("warning", "silent")
    assert late.known is not None
    assert date(2025, 12, 25) <= late.known <= date(2025, 12, 31)
    assert {o.as_of for o in history(ws).outcomes(date.max)} == set(NIGHTS[:3])
    told = {f.code: f.outcome for f in late.findings}
    before = {f.code: f.outcome for f in seen.findings}
    assert {c: told[c] for c in CODES[:8]} == {c: before[c] for c in CODES[:8]}


def test_a_release_of_before_there_were_profiles_says_what_it_cannot_tell(
    ws: hva.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hva_ml.jobs.kept_nights.Nights.reference", lambda *_: None)
    shutil.rmtree(ws.history(PIPELINE), ignore_errors=True)
    found = hva.monitor(ws, PIPELINE)
    told = {f.code: (f.outcome, f.reason) for f in found.findings}
    assert all(told[c] == ("not applicable", "no_reference") for c in CODES[:5])
    assert told["HVM007"][0] != "not applicable"
    assert found.files[0].is_file()


def test_nights_in_hindsight_keep_and_break_no_promise(ws: hva.Workspace, seen: Monitored) -> None:
    shutil.rmtree(ws.history(PIPELINE))
    found = hva.monitor(ws, PIPELINE, as_of="2025-12-02")
    told = {f.code: (f.outcome, f.reason) for f in found.findings}
    assert all(told[c] == ("not applicable", "hindsight") for c in ("HVM005", "HVM006", "HVM007"))
    assert told["HVM002"][0] == "passed"
    assert history(ws).under_way(date.max) == ()
    assert len(history(ws).outcomes(date.max)) == 1


def test_mistakes_are_told(small_workspace: Callable[[Path], hva.Workspace], tmp_path: Path) -> None:
    empty = small_workspace(tmp_path / "empty")
    with pytest.raises(RefusedError, match="No night"):
        hva.monitor(empty, PIPELINE)
    with pytest.raises(UsageError, match="is not a day"):
        hva.monitor(empty, PIPELINE, as_of="yesterday")
    with pytest.raises(UsageError, match="no sentences"):
        hva.monitor(empty, PIPELINE, language="fr")


def test_the_backtest_says_when_a_model_is_old(ws: hva.Workspace) -> None:
    from hva_ml.evaluation.decay import DECAY

    folder = ws.training(PIPELINE) / "backtest" / "0123456789ab"
    folder.mkdir(parents=True)
    recommendation = {
        "outcome": "retrain", "days": 1, "low": 1, "high": 9, "tolerance": 0.01, "oldest_days": 90,
        "reason": "so it is",
    }  # fmt: skip
    (folder / "summary.json").write_text(json.dumps({"recommendation": recommendation}), encoding="utf-8")
    pa.parquet.write_table(DECAY.empty_table(), folder / "decay.parquet")
    found = hva.monitor(ws, PIPELINE)
    age = next(f for f in found.findings if f.code == "HVM009")
    assert (age.outcome, age.bound) == ("warning", 1.0)
    assert found.advice.outcome == "retrain"
    assert "backtest" in found.advice_text


def midnight(day: str, later: int = 0) -> datetime:
    when = date.fromisoformat(day) + timedelta(days=later)
    return datetime(when.year, when.month, when.day, tzinfo=ZoneInfo("Europe/Berlin"))
