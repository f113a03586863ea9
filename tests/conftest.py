"""What all tests share: quiet libraries, a small simulated workspace, real data where they are present."""

import importlib.util
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from benchmarks.smaller import DATA, PIPELINE, TRAINING, edit
from hypothesis import settings
from tests.postgres import postgres as postgres

import hva_ml as hva
from hva_ml.engines.spark.engine import SparkEngine

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# No example has a time limit: a busy machine is not a defect. In CI the examples are always the same.
settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("house")
AS_OF = "2025-12-31"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data sets; skips where it is absent."""
    named = os.environ.get("HVA_DATASETS", "")
    if not named or not Path(named).is_dir():
        pytest.skip("real data are not here: HVA_DATASETS names no folder")
    return Path(named)


@pytest.fixture(scope="session")
def spark_here(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Start the Spark of a worker with memory enough for all its tests; skips where it cannot run.

    Java keeps the memory that the first engine asks for, and ends when real data do not fit into it.
    """
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip('pyspark is not installed: pip install "hva-ml[spark]"')
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        pytest.skip("there is no Java")
    SparkEngine(memory_gib=4.0, scratch=tmp_path_factory.mktemp("spark")).close()


@pytest.fixture(scope="session")
def small_workspace() -> Callable[[Path], hva.Workspace]:
    """Make a workspace whose `dach_sample` is small enough for a test."""

    def make(folder: Path) -> hva.Workspace:
        ws, _ = hva.init(folder)
        edit(ws, *DATA, *TRAINING)
        return ws

    return make


@dataclass(frozen=True)
class MainJob:
    """What the main job made."""

    ws: hva.Workspace
    run: object
    release: object
    scores: object


@pytest.fixture(scope="session")
def main_job(
    tmp_path_factory: pytest.TempPathFactory, small_workspace: Callable[[Path], hva.Workspace]
) -> MainJob:
    """Train, promote and score once for all tests of a worker."""
    ws = small_workspace(tmp_path_factory.mktemp("main-job"))
    run = hva.train(ws, PIPELINE)
    release = hva.promote(run, force="a test of the main job")
    return MainJob(ws, run, release, hva.score(ws, PIPELINE, as_of=AS_OF))


@pytest.fixture(scope="session")
def two_nights(main_job: MainJob, tmp_path_factory: pytest.TempPathFactory) -> hva.Workspace:
    """A workspace with a run of an earlier day, and a later one by another model."""
    root = tmp_path_factory.mktemp("two-nights") / "ws"
    shutil.copytree(main_job.ws.root, root)
    ws = hva.Workspace.find(root)
    hva.score(ws, PIPELINE, as_of="2025-10-31")
    hva.score(ws, PIPELINE, as_of="2025-11-30")
    path = ws.pipelines / f"{PIPELINE}.toml"
    text = path.read_text(encoding="utf-8")
    # Another model reads fewer features than the one before.
    assert text.count("\nseason = true") == 1
    path.write_text(text.replace("\nseason = true", "\nseason = false"), encoding="utf-8")
    hva.promote(hva.train(ws, PIPELINE), force="a test of two models")
    hva.score(ws, PIPELINE, as_of=AS_OF)
    return ws
