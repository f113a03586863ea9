import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hva_ml.errors import HvaError, IntegrityError, UsageError
from hva_ml.registry import connection, promotion, tracking
from hva_ml.registry.gates import GateResult
from hva_ml.registry.releases import champion_release
from hva_ml.workspace import Workspace

HELD = (GateResult("roc_auc", True, "ROC AUC", 0.8, "at least 0.5"),)


@pytest.fixture(scope="module")
def store(tmp_path_factory, bundle):
    """A workspace with two runs, in a folder whose name needs quoting, and what the terminal saw of it."""
    before = os.environ.pop("MLFLOW_TRACKING_URI", None)
    ws = Workspace(tmp_path_factory.mktemp("ws") / "Vertrieb Süd #1")
    bundle.write(ws.root / "bundle")
    page = ws.root / "report.html"
    page.write_text("<p>Bericht</p>", encoding="utf-8")
    records = [
        tracking.log_run(
            ws,
            "toy",
            name=f"toy-{key}",
            params={"seed": 7, "rounds": 30},
            metrics={"test.roc_auc": 0.75 + k / 100, "test.nothing": float("nan")},
            tags={"release": bundle.release, "data.accounts.sha256": "ab"},
            artifacts={"report.html": page, "notes.txt": "über", "plots/a.svg": b"<svg/>"},
            bundle_folder=ws.root / "bundle",
        )
        for k, key in enumerate(("aaa", "bbb"))
    ]
    yield ws, records
    if before is not None:
        os.environ["MLFLOW_TRACKING_URI"] = before


def test_a_run_is_kept_as_given(store, bundle):
    ws, (first, second) = store
    assert (first.name, first.version, second.version) == ("toy-aaa", "1", "2")
    assert first.metrics == {"test.roc_auc": 0.75}
    assert first.params == {"seed": "7", "rounds": "30"}
    assert first.tags == {"release": bundle.release, "data.accounts.sha256": "ab"}
    assert second.aliases == ("challenger",)
    assert second.record()["metrics"] == {"test.roc_auc": 0.76}
    assert tracking.release_tag(ws, "toy", "2") == bundle.release


def test_runs_are_newest_first(store):
    ws, records = store
    assert tracking.runs(ws, "toy")[0] == records[1]
    assert [r.version for r in tracking.runs(ws, "toy")] == ["2", "1"]
    assert tracking.runs(ws, "other") == []


def test_find_takes_id_beginning_name_version_or_nothing(store):
    ws, (first, second) = store
    assert tracking.find(ws, "toy").run_id == second.run_id
    for name in (first.run_id, first.run_id[:10], "toy-aaa", "1"):
        assert tracking.find(ws, "toy", name).run_id == first.run_id
    assert tracking.find(ws, "toy", "nothing") is None
    assert tracking.find(ws, "toy", first.run_id[:3]) is None


def test_a_beginning_that_fits_several_runs_is_refused(store, monkeypatch):
    ws, records = store
    twins = [
        tracking.RunRecord(f"abcd{k}", r.name, r.version, r.started, {}, {}, {})
        for k, r in enumerate(records)
    ]
    monkeypatch.setattr(tracking, "runs", lambda *_: twins)
    with pytest.raises(UsageError, match="2 runs"):
        tracking.find(ws, "toy", "abcd")


def test_artifacts_lie_in_the_workspace_under_their_names(store):
    ws, (first, _) = store
    folder = next((ws.mlruns / "artifacts").glob(f"{first.run_id}/artifacts"))
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found == {
        "report.html": b"<p>Bericht</p>",
        "notes.txt": "über".encode(),
        "plots/a.svg": b"<svg/>",
    }


def test_neither_pickles_nor_accounts_reach_mlflow(store):
    ws, _ = store
    files = [p for p in (ws.mlruns / "artifacts").rglob("*") if p.is_file()]
    assert any(p.name == "conversion.txt" for p in files)
    assert not [p for p in files if p.suffix in (".pkl", ".pickle", ".joblib", ".parquet")]
    assert not [p for p in files if b"A00001" in p.read_bytes()]
    with closing(sqlite3.connect(ws.mlruns / "mlflow.db")) as db, db:
        tags = dict(db.execute("SELECT key, value FROM tags").fetchall())
    assert "mlflow.user" not in tags
    assert tags["mlflow.source.name"] == "hva train toy"


def test_environment_and_mlflow_are_left_as_found(store):
    import mlflow

    ws, _ = store
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert os.environ.get("MLFLOW_ALLOW_PICKLE_DESERIALIZATION") is None
    assert not mlflow.is_tracking_uri_set()
    assert mlflow.active_run() is None
    assert ws.tracking_uri == f"sqlite:///{ws.mlruns / 'mlflow.db'}"


def test_mlflow_says_nothing_on_the_terminal(store, capfd):
    ws, _ = store
    tracking.runs(ws, "toy")
    tracking.champion(ws, "toy")
    assert capfd.readouterr() == ("", "")


def test_only_a_released_version_becomes_champion(store, bundle):
    ws, (first, second) = store
    assert tracking.champion(ws, "toy") is None
    with pytest.raises(IntegrityError, match="missing"):
        tracking.set_champion(ws, "toy", "2")
    assert tracking.champion_version(ws, "toy") is None
    for record in (first, second):
        promotion.release(
            ws.root / "bundle", ws.models("toy"), record.version, card="#", gates=HELD, run_id=record.run_id
        )
    tracking.set_champion(ws, "toy", "2")
    found = tracking.champion(ws, "toy")
    assert (found.run_id, found.aliases) == (second.run_id, ("champion",))
    assert promotion.pointed(ws.models("toy")) == "2"
    version, model = champion_release(ws, "toy")
    assert (version, model.release) == ("2", bundle.release)
    tracking.set_champion(ws, "toy", "1", forced="the other one was a mistake")
    assert tracking.champion_version(ws, "toy") == promotion.pointed(ws.models("toy")) == "1"
    with connection.connected(ws) as (_, client):
        tags = client.get_model_version("toy", "1").tags
    assert (tags["gates"], tags["force_reason"]) == ("forced", "the other one was a mistake")


def test_a_version_mlflow_does_not_know_is_told_as_ours(store):
    ws, _ = store
    promotion.release(ws.root / "bundle", ws.models("toy"), "9", card="#", gates=HELD, run_id="x")
    with pytest.raises(HvaError, match="version=9") as caught:
        tracking.set_champion(ws, "toy", "9")
    assert type(caught.value) is HvaError


def test_a_second_active_run_is_refused(store):
    import mlflow

    ws, _ = store
    with (
        connection.connected(ws) as (_, client),
        mlflow.start_run(experiment_id=client.get_experiment_by_name("toy").experiment_id),
        pytest.raises(UsageError, match="active"),
    ):
        tracking.log_run(
            ws,
            "toy",
            name="x",
            params={},
            metrics={},
            tags={},
            artifacts={},
            bundle_folder=ws.root / "bundle",
        )


def test_evidence_without_a_model_is_kept_in_an_experiment_of_its_own(store, tmp_path):
    ws, _ = store
    before = tracking.runs(ws, "toy")
    (tmp_path / "page.html").write_text("<p>", encoding="utf-8")
    run_id = tracking.log_evidence(
        ws, "toy.backtest", name="toy-backtest-1", params={"search": "first"},
        metrics={"mean.roc_auc": 0.7, "mean.broken": float("nan")},
        series=[(k, "cutoff.roc_auc", k / 2000) for k in range(1100)], tags={"key": "1"},
        artifacts={"report/page.html": tmp_path / "page.html"}, source="hva backtest toy",
    )  # fmt: skip
    with connection.connected(ws) as (_, client):
        run = client.get_run(run_id)
        series = client.get_metric_history(run_id, "cutoff.roc_auc")
        files = [f.path for f in client.list_artifacts(run_id, "report")]
        assert run.info.experiment_id == client.get_experiment_by_name("toy.backtest").experiment_id
    assert (run.info.run_name, run.info.status) == ("toy-backtest-1", "FINISHED")
    assert run.data.params == {"search": "first"}
    assert (run.data.tags["key"], run.data.tags["mlflow.source.name"]) == ("1", "hva backtest toy")
    assert set(run.data.metrics) == {"mean.roc_auc", "cutoff.roc_auc"}
    assert sorted((m.step, m.value) for m in series) == [(k, k / 2000) for k in range(1100)]
    assert files == ["report/page.html"]
    assert tracking.runs(ws, "toy") == before


def test_without_a_database_nothing_is_made(ws):
    assert tracking.runs(ws, "toy") == []
    assert tracking.find(ws, "toy") is None
    assert tracking.champion(ws, "toy") is None
    assert not ws.mlruns.exists()


def test_a_broken_database_is_named_at_once(ws):
    ws.mlruns.mkdir()
    (ws.mlruns / "mlflow.db").write_bytes(b"this is no database at all")
    with pytest.raises(HvaError, match="not one") as caught:
        tracking.runs(ws, "toy")
    assert caught.value.where == str(ws.mlruns / "mlflow.db")


def test_a_password_in_the_uri_is_not_told():
    assert connection.without_secret("postgresql://anna:geheim@db/x") == "postgresql://db"


def test_the_serving_script_is_part_of_the_package():
    assert tracking._SERVING.is_file()
    assert Path(tracking.__file__).parent == tracking._SERVING.parent


@pytest.mark.parametrize(
    ("uri", "word"),
    [
        ("postgresql://anna:kanarie@127.0.0.1:1/kanarie", "OperationalError"),
        ("http://anna:kanarie@127.0.0.1:1", "could not do it"),
        ("postgresql://u:kanarie@[", "ValueError"),
        ("mysql://u:kanarie@h/d", "MySQLdb"),
        ("kanarie", "could not do it"),
    ],
    ids=["down", "server down", "half a URL", "no driver", "no URL"],
)
def test_a_store_that_cannot_be_used_is_told_without_its_address(ws, monkeypatch, uri, word):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr("mlflow.store.db.utils.MAX_RETRY_COUNT", 1)
    with pytest.raises(HvaError, match=word) as caught:
        tracking.runs(ws, "toy")
    assert "kanarie" not in str(caught.value)
