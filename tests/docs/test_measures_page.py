"""The page of measures names every measure, and no other."""

import re
from pathlib import Path
from typing import get_args

from hva_ml.config import Measure


def test_every_measure_is_explained_once(docs: Path) -> None:
    rows = re.findall(r"^\| (`.+?) \|", (docs / "measures.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(name for row in rows for name in re.findall(r"`(\w+)`", row)) == sorted(get_args(Measure))
