"""A team's MLflow: `mlflow server` on PostgreSQL, named by MLFLOW_TRACKING_URI, from training to rollback."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import Postgres
from tests.servers import free_port, running, with_programs

import hva_ml as hva
from hva_ml.publication import current
from hva_ml.registry import tracking
from hva_ml.registry.champion import champion
from hva_ml.registry.connection import connected

PIPELINE = "dach_sample"


@pytest.fixture(scope="module")
def server(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a tracking server, set as the one that everybody uses."""
    folder, port = tmp_path_factory.mktemp("mlflow-server"), free_port()
    store = postgres.database("mlflow").replace("postgresql", "postgresql+psycopg", 1)
    words = [
        "mlflow", "server", "--backend-store-uri", store, "--artifacts-destination", f"{folder}/artifacts",
        "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    environment = {**with_programs(os.environ), "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    environment.pop("MLFLOW_TRACKING_URI", None)
    with running(words, environment, folder / "log", "Application startup complete"):
        before = os.environ.get("MLFLOW_TRACKING_URI")
        os.environ["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{port}"
        yield os.environ["MLFLOW_TRACKING_URI"]
        os.environ.pop("MLFLOW_TRACKING_URI")
        if before is not None:
            os.environ["MLFLOW_TRACKING_URI"] = before


@pytest.mark.slow
def test_train_promote_score_and_rollback_on_a_server(
    server: str, postgres: Postgres, small_workspace: Callable[[Path], hva.Workspace], tmp_path: Path
) -> None:
    ws = small_workspace(tmp_path / "ws")
    path = ws.pipelines / f"{PIPELINE}.toml"
    first = hva.promote(hva.train(ws, PIPELINE), force="a test of the server")
    one = hva.score(ws, PIPELINE, as_of="2025-12-31")
    path.write_text(path.read_text(encoding="utf-8").replace("\nseason = true", "\nseason = false"))
    second = hva.promote(hva.train(ws, PIPELINE), force="a test of the server")
    two = hva.score(ws, PIPELINE, as_of="2025-12-31")
    assert (first.version, second.version) == ("1", "2")
    assert one.run_id != two.run_id
    assert champion(ws, PIPELINE) == ("2", True)
    # Runs, versions and aliases are in the server's database, files behind it; none of it in the workspace.
    assert not (ws.mlruns / "mlflow.db").exists()
    assert not (ws.mlruns / "artifacts").exists()
    shown = postgres.sql("SELECT alias, version FROM registered_model_aliases ORDER BY alias", "mlflow")
    assert ("champion", 2) in shown
    with connected(ws) as (mlflow, _):
        model = mlflow.pyfunc.load_model(f"models:/{PIPELINE}@champion")
        assert model.metadata.flavors["python_function"]["loader_module"].endswith("code_model")
    back = hva.rollback(ws, PIPELINE, reason="a test")
    assert (back.version, back.run_id) == ("1", one.run_id)
    assert current(ws.scores(PIPELINE)).run_id == one.run_id
    assert champion(ws, PIPELINE) == ("1", True)
    # Somebody else of the team sees the same champion from another workspace.
    other, _ = hva.init(tmp_path / "other")
    assert tracking.champion_version(other, PIPELINE) == "1"
    assert [r["version"] for r in records(other)] == ["2", "1"]


def records(ws: hva.Workspace) -> list[dict[str, Any]]:
    return [r.record() for r in tracking.runs(ws, PIPELINE)]
