"""hva deliver and the rollback of what was delivered: failing sinks change nothing, secrets stay secret."""

import hashlib
import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import Postgres
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.delivery.sql import database
from hva_ml.engines.duckdb import DuckDBFile
from hva_ml.errors import BusyError, RefusedError, UsageError
from hva_ml.publication import Stale, current, lock, read
from hva_ml.publication.stale import mark

PIPELINE = "dach_sample"
SECRET = "c4n4ry-in-the-variable"
SINKS = """
[sinks.file]
kind = "duckdb"
path = "data/out/scores.duckdb"

[sinks.warehouse]
kind = "postgres"
url_env = "HVA_TEST_WAREHOUSE"
tables = ["scores", "reasons", "texts", "explanations", "accounts"]

[sinks.lake]
kind = "parquet"
path = "data/lake"
"""


@pytest.fixture
def ws(two_nights: hva.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> hva.Workspace:
    """A workspace with three sinks, whose champion is version 2; version 1 has scored before."""
    monkeypatch.setattr(database, "WAITS", (0.0, 0.0))
    shutil.copytree(two_nights.root, tmp_path / "ws")
    shutil.rmtree(tmp_path / "ws" / "mlruns")
    ws = hva.Workspace.find(tmp_path / "ws")
    with (ws.pipelines / f"{PIPELINE}.toml").open("a", encoding="utf-8") as file:
        file.write(SINKS)
    return ws


@pytest.fixture
def warehouse(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> str:
    url = postgres.database("deliver")
    monkeypatch.setenv("HVA_TEST_WAREHOUSE", url)
    return url


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The warehouse is out of reach."""
    monkeypatch.setenv("HVA_TEST_WAREHOUSE", f"postgresql://hva:{SECRET}@127.0.0.1:1/{SECRET}")


def call(ws: hva.Workspace, *words: str) -> Any:
    return CliRunner().invoke(app, [words[0], PIPELINE, *words[1:], "--root", str(ws.root)])


def outcomes(done: Any) -> dict[str, tuple[str, str]]:
    return {s.sink: (s.outcome, s.run_id) for s in done.sinks}


def files(folder: Path) -> dict[str, str]:
    found = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def test_every_sink_shows_the_published_run_and_a_second_time_nothing_is_done(
    ws: hva.Workspace, warehouse: str, postgres: Postgres
) -> None:
    run, published = current(ws.scores(PIPELINE)), files(ws.scores(PIPELINE))
    due = json.loads(call(ws, "deliver", "--dry-run", "--json").stdout)
    assert {s["outcome"] for s in due["sinks"]} == {"due"}
    assert not (ws.root / "data" / "lake").exists()
    done = hva.deliver(ws, PIPELINE)
    assert outcomes(done) == dict.fromkeys(("file", "warehouse", "lake"), ("delivered", run.run_id))
    assert outcomes(hva.deliver(ws, PIPELINE)) == dict.fromkeys(
        ("file", "warehouse", "lake"), ("unchanged", run.run_id)
    )
    assert "had it already" in call(ws, "deliver").output
    assert files(ws.scores(PIPELINE)) == published
    told = postgres.sql("SELECT pipeline, run_id, as_of::text, manifest_sha256 FROM hva_current", "deliver")
    assert told == [(PIPELINE, run.run_id, "2025-12-31", done.manifest)]
    assert done.manifest in (ws.root / "data" / "lake" / PIPELINE / "CURRENT").read_text()
    scores = read(ws.scores(PIPELINE)).to_pylist()
    assert postgres.sql("SELECT account_id, expected_value FROM hva_scores ORDER BY rank", "deliver") == [
        (r["account_id"], r["expected_value"]) for r in scores
    ]


def test_the_delivered_reasons_multiply_to_the_score(
    ws: hva.Workspace, warehouse: str, postgres: Postgres
) -> None:
    assert not hva.deliver(ws, PIPELINE, sink="warehouse").failed
    apart = postgres.sql(
        "SELECT count(*), max(abs(sum_p - ln(conversion_probability))), "
        "max(abs(sum_v - ln(value_if_converted))) FROM hva_scores "
        "JOIN (SELECT account_id, sum(log_probability) AS sum_p, sum(log_value) AS sum_v "
        "FROM hva_explanations GROUP BY account_id) AS e USING (account_id)",
        "deliver",
    )
    ((n, p, v),) = apart
    assert n == current(ws.scores(PIPELINE)).rows["scores"]
    assert max(p, v) < 1e-9


def test_a_sink_that_fails_is_told_and_the_others_are_served(
    ws: hva.Workspace, broken: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    published = files(ws.scores(PIPELINE))
    failed = call(ws, "deliver", "--json")
    assert failed.exit_code == 1
    told = {s["sink"]: s for s in json.loads(failed.stdout)["sinks"]}
    assert {k: v["outcome"] for k, v in told.items()} == {
        "file": "delivered", "warehouse": "failed", "lake": "delivered",
    }  # fmt: skip
    assert told["warehouse"]["error"]["error"] == "DeliveryError"
    assert "Sink warehouse of dach_sample failed" in caplog.text
    shown = call(ws, "deliver")
    assert shown.exit_code == 1
    assert "could not be reached" in shown.output
    assert files(ws.scores(PIPELINE)) == published
    for text in (failed.output, shown.output, caplog.text):
        assert SECRET not in text
        assert "Traceback" not in text


def test_what_was_missed_in_an_outage_is_delivered_later(
    ws: hva.Workspace, warehouse: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = next(r.run_id for r in hva.deliver(ws, PIPELINE, run="2025-11-30").sinks)
    assert postgres.sql("SELECT run_id FROM hva_current", "deliver") == [(earlier,)]
    monkeypatch.setenv("HVA_TEST_WAREHOUSE", "postgresql://hva@127.0.0.1:1/x")
    assert [s.sink for s in hva.deliver(ws, PIPELINE).failed] == ["warehouse"]
    assert postgres.sql("SELECT run_id FROM hva_current", "deliver") == [(earlier,)]
    monkeypatch.setenv("HVA_TEST_WAREHOUSE", warehouse)
    assert {k: v[0] for k, v in outcomes(hva.deliver(ws, PIPELINE)).items()} == {
        "file": "unchanged", "warehouse": "delivered", "lake": "unchanged",
    }  # fmt: skip


def test_a_rollback_delivers_the_run_before_and_a_stale_night_says_so(
    ws: hva.Workspace, warehouse: str, postgres: Postgres
) -> None:
    hva.deliver(ws, PIPELINE)
    done = json.loads(call(ws, "rollback", "--json").stdout)
    assert (done["changed"], done["undelivered"]) == (True, False)
    shown = "SELECT run_id, model_version, stale, missing_as_of::text FROM hva_current"
    assert postgres.sql(shown, "deliver") == [(done["run_id"], "1", False, None)]
    mark(ws.scores(PIPELINE), done["run_id"], Stale("2026-01-01", "The audit did not hold."))
    assert outcomes(hva.deliver(ws, PIPELINE))["warehouse"][0] == "delivered"
    assert postgres.sql(shown, "deliver") == [(done["run_id"], "1", True, "2026-01-01")]
    assert current(ws.root / "data" / "lake" / PIPELINE).stale.as_of == "2026-01-01"


def test_a_rollback_is_done_although_a_sink_fails(ws: hva.Workspace, broken: None) -> None:
    result = call(ws, "rollback", "--json")
    done = json.loads(result.stdout)
    assert (result.exit_code, done["changed"], done["undelivered"]) == (1, True, True)
    assert any("The sink warehouse was not served" in note for note in done["notes"])
    assert current(ws.scores(PIPELINE)).run_id == done["run_id"]
    assert SECRET not in result.output
    file = DuckDBFile(ws.root / "data" / "out" / "scores.duckdb", read_only=True)
    ((row,),) = [t.to_pylist() for t in file.batches("hva_current", hva_current())]
    file.close()
    assert row == {"run_id": done["run_id"]}


def hva_current() -> Any:
    import pyarrow as pa

    return pa.schema([("run_id", pa.string())])


def test_a_variable_that_is_not_set_is_named(ws: hva.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HVA_TEST_WAREHOUSE", raising=False)
    (failed,) = hva.deliver(ws, PIPELINE).failed
    assert "HVA_TEST_WAREHOUSE is not set" in failed.error.what


def test_mistakes_deliver_nothing(ws: hva.Workspace, broken: None) -> None:
    with pytest.raises(UsageError, match="Did you mean 'warehouse'"):
        hva.deliver(ws, PIPELINE, sink="warehous")
    assert call(ws, "deliver", "--run", "2020-01-01").exit_code == 2
    with lock(ws.lock(f"{PIPELINE}.delivery")), pytest.raises(BusyError):
        hva.deliver(ws, PIPELINE)
    shutil.rmtree(ws.scores(PIPELINE))
    with pytest.raises(RefusedError, match="no published scores"):
        hva.deliver(ws, PIPELINE)
    assert not (ws.root / "data" / "lake").exists()


def test_the_setup_needs_no_connection(ws: hva.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HVA_TEST_WAREHOUSE", raising=False)
    text = call(ws, "deliver", "--setup-sql").output
    assert text.count("CREATE TABLE hva_") == 6
    assert "GRANT SELECT ON hva_scores TO hva_reader;" in text
    assert call(ws, "deliver", "--setup-sql", "--sink", "lake").exit_code == 1


def test_a_pipeline_without_sinks_says_where_to_read_on(main_job: Any) -> None:
    result = call(main_job.ws, "deliver")
    assert result.exit_code == 0
    assert "docs/sinks.md" in result.output
