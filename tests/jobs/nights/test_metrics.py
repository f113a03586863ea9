"""Metrics in the text format of Prometheus: read back by its own parser, replaced as a whole."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.jobs.nights.conftest import LAST, PIPELINE, TONIGHT

import hva_ml as hva
from hva_ml.errors import SourceError, UsageError
from hva_ml.jobs.nights.metrics import write
from hva_ml.jobs.nights.summary import Nightly
from hva_ml.jobs.nights.watch import Watch

NOW = datetime(2025, 12, 31, 2, tzinfo=UTC)
NIGHT = Nightly("toy", date(2025, 12, 31), "1f2e3d4c", "failed", NOW, NOW)


def samples(path: Path) -> dict[tuple[str, ...], float]:
    """Every sample: name and labels but the pipeline's, by value."""
    found = {}
    for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
        for sample in family.samples:
            labels = dict(sample.labels)
            assert labels.pop("pipeline") in (PIPELINE, "toy")
            found[(sample.name, *labels.values())] = sample.value
    return found


def seconds(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


def test_a_night_as_numbers(ws: hva.Workspace, tmp_path: Path) -> None:
    path = tmp_path / "collector" / "hva.prom"
    night = hva.nightly(ws, PIPELINE, as_of=TONIGHT, metrics=path)
    got = samples(path)
    assert got[("hva_night_exit_code",)] == 0
    assert got[("hva_night_outcome", "published")] == 1
    assert sum(v for k, v in got.items() if k[0] == "hva_night_outcome") == 1
    assert got[("hva_night_accounts",)] == night.accounts
    assert got[("hva_night_expected_value",)] == night.expected_value
    assert {k[1]: v for k, v in got.items() if k[0] == "hva_night_tier_accounts"} == night.tiers
    rows = {k[1]: v for k, v in got.items() if k[0] == "hva_night_stage_rows"}
    assert rows == {s.name: s.rows for s in night.stages if s.outcome == "done"}
    assert got[("hva_night_stage_peak_memory_bytes", "publish")] > 2**20
    assert sum(v for k, v in got.items() if k[0] == "hva_night_audits") == len(night.audit)
    assert got[("hva_scores_as_of_timestamp_seconds",)] == seconds(TONIGHT)
    assert (got[("hva_scores_present",)], got[("hva_scores_stale",)]) == (1, 0)
    assert night.watch is not None
    alarms = {k[1]: v for k, v in got.items() if k[0] == "hva_monitor_alarms"}
    assert alarms == night.watch.alarms
    assert {"HVM001", "HVM002", "HVM003"} <= alarms.keys()
    drift = {k[1]: v for k, v in got.items() if k[0] == "hva_monitor_drift_ratio"}
    assert drift == night.watch.drift
    assert got[("hva_monitor_retrain",)] == night.watch.retrain
    assert [p.name for p in path.parent.iterdir()] == ["hva.prom"]


def test_a_failed_night_says_how_old_the_scores_are(ws: hva.Workspace, tmp_path: Path) -> None:
    (ws.queries(PIPELINE) / "events.sql").write_text("SELECT * FROM nothing", encoding="utf-8")
    path = tmp_path / "hva.prom"
    with pytest.raises(SourceError):
        hva.nightly(ws, PIPELINE, as_of=TONIGHT, metrics=path)
    got = samples(path)
    assert (got[("hva_night_exit_code",)], got[("hva_night_outcome", "failed")]) == (1, 1)
    assert got[("hva_night_stage_failed", "ingest")] == 1
    assert ("hva_night_expected_value",) not in got
    assert got[("hva_night_as_of_timestamp_seconds",)] == seconds(TONIGHT)
    assert (got[("hva_scores_as_of_timestamp_seconds",)], got[("hva_scores_stale",)]) == (seconds(LAST), 1)


def test_a_rehearsal_writes_none(ws: hva.Workspace, tmp_path: Path) -> None:
    hva.nightly(ws, PIPELINE, as_of=TONIGHT, dry_run=True, metrics=tmp_path / "hva.prom")
    assert list(tmp_path.glob("*.prom")) == []


def test_without_scores_there_are_none(tmp_path: Path) -> None:
    write(tmp_path / "hva.prom", tmp_path / "nothing", NIGHT)
    got = samples(tmp_path / "hva.prom")
    assert got[("hva_scores_present",)] == 0
    assert ("hva_scores_as_of_timestamp_seconds",) not in got


def test_what_monitoring_said_as_numbers(tmp_path: Path) -> None:
    watch = Watch({"HVM005": 1}, {"HVM005": 0}, {}, {"HVM002": 1.5}, 0.5, 0.75, None, 30.0, True)
    write(tmp_path / "hva.prom", tmp_path / "nothing", replace(NIGHT, watch=watch))
    got = {k: v for k, v in samples(tmp_path / "hva.prom").items() if k[0].startswith("hva_monitor")}
    assert got == {
        ("hva_monitor_alarms", "HVM005"): 1,
        ("hva_monitor_warnings", "HVM005"): 0,
        ("hva_monitor_drift_ratio", "HVM002"): 1.5,
        ("hva_monitor_realised_ratio", "coming"): 0.5,
        ("hva_monitor_realised_ratio", "conversions"): 0.75,
        ("hva_monitor_model_age_days",): 30,
        ("hva_monitor_retrain",): 1,
    }


def test_a_file_that_cannot_be_written_is_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "hva.prom").mkdir()
    write(tmp_path / "hva.prom", tmp_path, replace(NIGHT, outcome="published"))
    assert "The metrics were not written" in caplog.text


def test_a_file_that_the_collector_would_not_read_is_refused(ws: hva.Workspace, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must end in \.prom"):
        hva.nightly(ws, PIPELINE, as_of=TONIGHT, metrics=tmp_path / "hva.txt")
