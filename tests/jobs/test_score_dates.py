"""Scoring a day sees exactly what was known before it, whatever `data_end` the training wrote down."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

import hva_ml as hva
from hva_ml.cutoffs import instant
from hva_ml.jobs.prepare import prepare

PIPELINE = "dach_sample"


def test_rows_after_the_training_are_seen_when_a_later_day_is_scored(
    tmp_path: Path, small_workspace: Callable[[Path], hva.Workspace]
) -> None:
    ws = small_workspace(tmp_path)
    path = ws.pipelines / f"{PIPELINE}.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("data_end = 2025-12-31", "data_end = 2025-12-01"),
        encoding="utf-8",
    )
    config = ws.config(PIPELINE)
    start, end = (instant(d, config.pipeline.timezone) for d in (date(2025, 12, 1), date(2025, 12, 31)))

    def newest(tables: Any) -> Any:
        return pc.max(tables.tables["events"]["event_time"]).as_py()

    assert newest(prepare(ws, config).tables) < start
    assert start < newest(prepare(ws, config, until=end).tables) < end


def test_an_earlier_day_is_scored_as_it_was_then(main_job: Any) -> None:
    ws = main_job.ws
    early = hva.score(ws, PIPELINE, as_of="2025-06-01")
    assert early.table.num_rows <= main_job.scores.table.num_rows
    assert early.run_id != main_job.scores.run_id
    again = hva.score(ws, PIPELINE, as_of="2025-12-31")
    assert (again.run_id, again.table.equals(main_job.scores.table)) == (main_job.scores.run_id, True)
