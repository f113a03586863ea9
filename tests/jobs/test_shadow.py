"""A challenger beside the champion: the same rows, the challenger's own numbers, nothing published."""

import hashlib
import json
import shutil
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml import labels
from hva_ml.cli import app
from hva_ml.errors import IntegrityError, UsageError
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs import shadowed
from hva_ml.jobs.prepare import prepare
from hva_ml.jobs.progress import LoggedProgress
from hva_ml.jobs.published import find_run, open_run
from hva_ml.monitoring.history import History
from hva_ml.monitoring.paired import Matured
from hva_ml.monitoring.reference import Reference
from hva_ml.registry.releases import read_release
from hva_ml.reports.shadow import sentences

PIPELINE = "dach_sample"


def test_the_challenger_says_what_it_would_have_published(two_nights: hva.Workspace) -> None:
    # An earlier night was scored by the first model; the second one reads fewer features than it.
    night = open_run(two_nights, PIPELINE, find_run(two_nights, PIPELINE, "2025-11-30"))
    latest = hva.compare(two_nights, PIPELINE)[0]["version"]
    assert latest != night.scores["model_version"][0].as_py()
    before = {p: p.stat().st_mtime_ns for p in two_nights.scores(PIPELINE).glob("runs/**/*")}
    pointer = (two_nights.scores(PIPELINE) / "CURRENT").read_bytes()
    found = hva.shadow(two_nights, PIPELINE, night="2025-11-30")
    bundle = read_release(two_nights, PIPELINE, str(latest))
    told = bundle.predict(FeatureSet(night.features, bundle.definitions))
    table = found.table
    assert table["challenger_conversion_probability"].to_numpy().tolist() == told.probability.tolist()
    assert table["challenger_value_if_converted"].to_numpy().tolist() == told.value_if_converted.tolist()
    for name in ("expected_value", "tier", "rank"):
        assert table[f"champion_{name}"].to_pylist() == night.scores[name].to_pylist()
    pairs = Counter(
        zip(table["champion_tier"].to_pylist(), table["challenger_tier"].to_pylist(), strict=True)
    )
    counted = {(r["tier_champion"], r["tier_challenger"]): r["accounts"] for r in found.migration.to_pylist()}
    assert {k: n for k, n in counted.items() if n} == dict(pairs)
    one, two = (table[f"{m}_expected_value"].to_numpy() for m in ("champion", "challenger"))
    assert found.rank_correlation == pytest.approx(spearmanr(one, two).statistic)
    best = [
        set(np.flatnonzero(table[f"{m}_rank"].to_numpy() <= found.top)) for m in ("champion", "challenger")
    ]
    assert found.overlap == len(best[0] & best[1]) / found.top
    assert (found.total_champion, found.total_challenger) == (
        pytest.approx(one.sum()),
        pytest.approx(two.sum()),
    )
    assert {p: p.stat().st_mtime_ns for p in two_nights.scores(PIPELINE).glob("runs/**/*")} == before
    assert (two_nights.scores(PIPELINE) / "CURRENT").read_bytes() == pointer
    page = found.report.read_text(encoding="utf-8")
    assert "Who changes tier" in page
    assert "Challenger: " in page
    assert json.dumps(found.record())
    again = hva.shadow(two_nights, PIPELINE, night="2025-11-30")
    assert (
        hashlib.sha256(again.path.read_bytes()).digest() == hashlib.sha256(found.path.read_bytes()).digest()
    )


def test_the_champion_is_no_challenger_of_itself(main_job: Any) -> None:
    with pytest.raises(UsageError, match="is the model that scored this night"):
        hva.shadow(main_job.ws, PIPELINE)
    with pytest.raises(UsageError, match="no run 'nobody'"):
        hva.shadow(main_job.ws, PIPELINE, challenger="nobody")


def test_a_night_without_the_features_of_the_challenger_is_refused(two_nights: hva.Workspace) -> None:
    first = min(str(r["version"]) for r in hva.compare(two_nights, PIPELINE))
    with pytest.raises(UsageError, match=r"reads 'season\.\w+', which this night does not hold"):
        hva.shadow(two_nights, PIPELINE, challenger=first)


def test_the_command_shows_it(two_nights: hva.Workspace) -> None:
    arguments = ["shadow", PIPELINE, "--night", "2025-11-30", "--root", str(two_nights.root)]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    assert "Rank correlation" in shown.output
    told = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).output)
    assert told["as_of"] == "2025-11-30"


EARLY = "2025-09-02"


@pytest.fixture(scope="module")
def shadowed_night(two_nights: hva.Workspace, tmp_path_factory: pytest.TempPathFactory) -> hva.Workspace:
    """An early night of the first model, shadowed by the second one."""
    root = tmp_path_factory.mktemp("shadowed") / "ws"
    shutil.copytree(two_nights.root, root)
    ws = hva.Workspace.find(root)
    hva.rollback(ws, PIPELINE)
    path = ws.pipelines / f"{PIPELINE}.toml"
    path.write_text(path.read_text("utf-8").replace("\nseason = false", "\nseason = true"), "utf-8")
    hva.score(ws, PIPELINE, as_of=EARLY, force="an earlier day")
    hva.shadow(ws, PIPELINE, night=EARLY)
    return ws


def became(ws: hva.Workspace, day: str, learned: str = "2025-06-01") -> Matured:
    """What became of it, had both models learned from cohorts that were complete on a day."""
    latest = read_release(ws, PIPELINE, str(hva.compare(ws, PIPELINE)[0]["version"]))
    first = open_run(ws, PIPELINE, find_run(ws, PIPELINE, EARLY)).bundle
    earlier = {**first.profile, "first": "2024-06-01", "last": learned}
    shutil.rmtree(ws.history(PIPELINE), ignore_errors=True)
    History(ws.history(PIPELINE)).keep_reference(first.release, earlier)
    own = Reference.from_record({**latest.profile, "first": "2024-06-01", "last": learned})
    config, until = ws.config(PIPELINE), date.fromisoformat(day)
    return shadowed.became(ws, config, latest.release, own, until, LoggedProgress())


def test_nothing_is_told_of_a_night_before_its_horizon_is_over(shadowed_night: hva.Workspace) -> None:
    found = became(shadowed_night, "2025-10-15")
    # Another night may have been shadowed in this workspace, later than this day.
    assert (found.nights, found.rows, found.differences.num_rows) == ((), 0, 0)
    assert found.waiting == (date(2025, 9, 2),)
    assert found.next is not None
    early = became(shadowed_night, (found.next - timedelta(days=1)).isoformat())
    assert (early.nights, early.rows) == ((), 0)
    assert date(2025, 9, 2) in early.waiting
    assert became(shadowed_night, found.next.isoformat()).nights == (date(2025, 9, 2),)
    assert became(shadowed_night, "2025-09-01").waiting == ()


def test_a_night_that_a_model_has_learned_from_proves_nothing(shadowed_night: hva.Workspace) -> None:
    found = became(shadowed_night, "2025-12-31", learned="2025-08-01")
    assert (found.nights, found.learned) == ((), (date(2025, 9, 2),))
    # As trained, the challenger knows more than the night did.
    shown = hva.shadow(shadowed_night, PIPELINE, night=EARLY, as_of="2025-12-31")
    assert "proves nothing" in shown.sentences[-1]
    assert "proves nothing" in shown.report.read_text(encoding="utf-8")


def test_both_models_are_held_against_what_came(shadowed_night: hva.Workspace) -> None:
    found = became(shadowed_night, "2025-12-31")
    kept = shadowed_night.scores(PIPELINE) / "shadow"
    (path,) = [p for p in kept.glob("*/scores.parquet") if EARLY in str(pq.read_schema(p).metadata)]
    table = pq.read_table(path)
    assert found.rows == table.num_rows
    deals = read_deals(shadowed_night)
    won = np.array([a in deals for a in table["account_id"].to_pylist()])
    assert found.conversions == won.sum()
    value = {(r["model"], r["metric"]): r["value"] for r in found.metrics.to_pylist()}
    for model, name in (("the champion", "champion"), ("the challenger", "challenger")):
        p = table[f"{name}_conversion_probability"].to_numpy()
        assert value[model, "brier"] == pytest.approx(np.mean((p - won) ** 2))
        assert value[model, "roc_auc"] == pytest.approx(roc_auc_score(won, p))
    for row in found.differences.to_pylist():
        one, two = value["the challenger", row["metric"]], value["the champion", row["metric"]]
        assert row["difference"] == pytest.approx(one - two)
        assert row["low"] <= row["high"]
    told = sentences(found)
    assert told[0] == f"What came of {EARLY}: {won.sum():,} conversions in {len(won):,} rows."
    assert any(line.startswith("The challenger against the champion: ") for line in told)


def read_deals(ws: hva.Workspace) -> set[str]:
    """Accounts that won a deal within the horizon of the night, as the contract has it."""
    config = ws.config(PIPELINE)
    prepared = prepare(ws, config, until=None)
    zone = ZoneInfo(config.pipeline.timezone)
    begin = datetime(2025, 9, 2, tzinfo=zone) + timedelta(days=config.horizon.gap_days)
    end = begin + timedelta(days=config.horizon.days)
    found = set()
    for piece in labels.deciding(prepared.tables, config):
        for row in piece.select(["account_id", "event_time"]).to_pylist():
            if begin <= row["event_time"] < end:
                found.add(row["account_id"])
    return found


def test_a_damaged_night_is_refused(shadowed_night: hva.Workspace, tmp_path: Path) -> None:
    shutil.copytree(shadowed_night.root, tmp_path / "ws")
    ws = hva.Workspace.find(tmp_path / "ws")
    for path in (ws.scores(PIPELINE) / "shadow").glob("*/scores.parquet"):
        path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(IntegrityError, match="A shadowed night is damaged"):
        became(ws, "2025-12-31")
