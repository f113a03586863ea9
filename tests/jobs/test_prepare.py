"""A query is a file beside the pipeline, and whatever else its name says is refused in words."""

from pathlib import Path

import pytest

from hva_ml.errors import SourceError
from hva_ml.jobs.prepare import query_text


def test_the_query_in_the_engines_own_words_comes_first(tmp_path: Path) -> None:
    (tmp_path / "deals.sql").write_text("SELECT 1", encoding="utf-8")
    assert query_text(tmp_path, "deals.sql", "spark")[0] == "SELECT 1"
    (tmp_path / "deals.spark.sql").write_text("SELECT 2", encoding="utf-8")
    assert query_text(tmp_path, "deals.sql", "spark")[0] == "SELECT 2"
    assert query_text(tmp_path, "deals.sql", "duckdb")[0] == "SELECT 1"


@pytest.mark.parametrize("name", ["../deals.sql", "/etc/passwd", "x" * 20_000, "a\x00b", "gone.sql", "", "."])
def test_a_name_that_no_query_has_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError) as caught:
        query_text(tmp_path, name, "duckdb")
    assert len(str(caught.value)) < 3_000
