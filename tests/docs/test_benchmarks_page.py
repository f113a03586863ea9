"""The page of benchmarks is what the committed results make, and every result is asked for."""

import json
from pathlib import Path
from types import ModuleType


def test_the_page_is_made_from_the_results(docs: Path, benchmarks: ModuleType) -> None:
    assert (docs / "benchmarks.md").read_text("utf-8") == benchmarks.page(), "run make docs"


def test_every_result_is_of_a_full_run_and_on_the_page(docs: Path, benchmarks: ModuleType) -> None:
    results = sorted(Path(benchmarks.RESULTS).glob("*.json"))
    assert {p.stem for p in results} <= set(benchmarks.QUESTIONS)
    for path in results:
        record = json.loads(path.read_text("utf-8"))
        assert record["size"] == "full"
        assert record["rows"]
        # What `python -m benchmarks.NAME` runs: a file, or the main file of a folder.
        places = (
            docs.parent / "benchmarks" / made for made in (f"{path.stem}.py", f"{path.stem}/__main__.py")
        )
        assert any(place.is_file() for place in places)
