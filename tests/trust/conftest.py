"""The workspace of the night before, on which the hostile world is tried at a small size."""

import shutil
from pathlib import Path

import pytest
from benchmarks.smaller import PIPELINE
from benchmarks.trust.kills import Trial
from benchmarks.trust.world import LAST, again

import hva_ml as hva


@pytest.fixture(scope="session")
def base(main_job, tmp_path_factory: pytest.TempPathFactory) -> hva.Workspace:
    """A workspace with a champion and the scores of the night before."""
    ws = again(main_job.ws, tmp_path_factory.mktemp("trust") / "base")
    shutil.rmtree(ws.scores(PIPELINE))
    hva.nightly(ws, PIPELINE, as_of=LAST)
    return ws


@pytest.fixture(scope="session")
def trial(base: hva.Workspace, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """What copies of it are tried with."""
    place: Path = tmp_path_factory.mktemp("trial")
    return Trial(base, place)
