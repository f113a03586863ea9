"""A small world with all its features, from which any day's knowledge is cut."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import hva_ml as hva
from hva_ml.features import build
from hva_ml.jobs.history import History
from hva_ml.jobs.prepare import calendar, prepare

PIPELINE = "dach_sample"


@pytest.fixture(scope="session")
def history(
    tmp_path_factory: pytest.TempPathFactory, small_workspace: Callable[[Path], hva.Workspace]
) -> History:
    ws = small_workspace(tmp_path_factory.mktemp("history"))
    config = ws.config(PIPELINE)
    config = replace(config, split=replace(config.split, embargo_days=10))
    tables = prepare(ws, config).tables
    when = calendar(config, tables)
    return History(config, tables, when, build.build(tables, config, when))
