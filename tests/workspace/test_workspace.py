"""The workspace is found in the stated order, and no name from outside becomes a path."""

from pathlib import Path

import pytest

from hva_ml.errors import UsageError, WorkspaceError
from hva_ml.workspace import Workspace


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("HVA_HOME", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "ws" / "pipelines").mkdir(parents=True)
    (tmp_path / "ws" / "pipelines" / "dach_sample.toml").touch()
    return tmp_path / "ws"


def test_root_wins_over_home_and_home_over_the_current_folder(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    (other / "pipelines").mkdir(parents=True)
    deep = place / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert Workspace.find().root == place
    monkeypatch.setenv("HVA_HOME", str(other))
    assert Workspace.find().root == other
    assert Workspace.find(place).root == place


def test_no_workspace_names_hva_init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HVA_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkspaceError, match="hva init"):
        Workspace.find()
    with pytest.raises(WorkspaceError, match="hva init"):
        Workspace.find(tmp_path)


@pytest.mark.parametrize("name", ["dach_smaple", "../x", "a/b", "", "C:\\x", "x" * 500, "dach_sample\n"])
def test_a_name_that_is_no_pipeline_is_refused_and_never_becomes_a_path(place: Path, name: str) -> None:
    with pytest.raises(UsageError, match="There is no pipeline"):
        Workspace(place).config(name)


def test_a_misspelt_pipeline_names_the_nearest(place: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean 'dach_sample'"):
        Workspace(place).config("dach_smaple")


def test_a_relative_path_must_stay_inside(place: Path) -> None:
    assert Workspace(place).inside("data/raw/x.csv") == place / "data" / "raw" / "x.csv"
    with pytest.raises(WorkspaceError, match="inside the workspace"):
        Workspace(place).inside("../../etc/passwd")


def test_the_tracking_uri_of_the_team_wins(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Workspace(place).tracking_uri == f"sqlite:///{place}/mlruns/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert Workspace(place).tracking_uri == "http://127.0.0.1:5000"
