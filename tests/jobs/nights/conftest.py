"""A workspace with a champion and the night before, copied for each test that changes it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hva_ml as hva

PIPELINE = "dach_sample"
BEFORE, LAST, TONIGHT = "2025-12-29", "2025-12-30", "2025-12-31"


@pytest.fixture(scope="session")
def night_before(main_job: Any, tmp_path_factory: pytest.TempPathFactory) -> hva.Workspace:
    """A workspace whose current scores are of the night before; tests read it only."""
    root = tmp_path_factory.mktemp("night-before") / "ws"
    shutil.copytree(main_job.ws.root, root)
    ws = hva.Workspace.find(root)
    shutil.rmtree(ws.scores(PIPELINE))
    hva.nightly(ws, PIPELINE, as_of=LAST)
    return ws


@pytest.fixture
def fresh(night_before: hva.Workspace, tmp_path: Path) -> Callable[[], hva.Workspace]:
    """Make as many copies of it as a test needs."""
    made = []

    def copy() -> hva.Workspace:
        root = tmp_path / f"ws{len(made)}"
        shutil.copytree(night_before.root, root, ignore=shutil.ignore_patterns("raw", "training"))
        made.append(root)
        return hva.Workspace.find(root)

    return copy


@pytest.fixture
def ws(fresh: Callable[[], hva.Workspace]) -> hva.Workspace:
    return fresh()


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Explain a hundred accounts at a time."""
    monkeypatch.setattr("hva_ml.scoring.accounts.BLOCK", 100)


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path in it."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
