"""docs/scores.md lists exactly the columns that a score run publishes."""

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def test_every_column_of_the_scores_is_explained(main_job: Any) -> None:
    text = (ROOT / "docs" / "scores.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert listed == main_job.scores.table.column_names


def test_every_file_of_a_run_is_named(main_job: Any) -> None:
    text = (ROOT / "docs" / "scores.md").read_text(encoding="utf-8")
    assert all(path.name in text for path in main_job.scores.path.iterdir())
