"""docs/sinks.md: its columns are those that are delivered, and its queries run on what is delivered."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

import hva_ml as hva
from hva_ml.config import Sink, parse
from hva_ml.delivery.current import Current
from hva_ml.delivery.duckdb_file import DuckDBSink
from hva_ml.delivery.parcel import Parcel
from hva_ml.delivery.shapes import SCHEMAS
from hva_ml.publication import current

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "sinks.md").read_text(encoding="utf-8")


def test_every_column_is_named() -> None:
    for table, schema in SCHEMAS.items():
        (line,) = [x for x in TEXT.splitlines() if x.startswith(f"| `hva_{table}` |")]
        assert table == "scores" or all(f"`{name}`" in line for name in schema.names)
    (line,) = [x for x in TEXT.splitlines() if x.startswith("| `hva_current` |")]
    shown = [
        name
        for name in Current("", "", date.min, "", "", "", False, None).row()
        if not name.endswith(("_rows", "_hash"))
    ]
    assert [name for name in re.findall(r"`(\w+)`", line) if name != "hva_current"] == shown


def test_the_sections_are_read(main_job: Any) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    file = main_job.ws.pipelines / "dach_sample.toml"
    assert set(parse(file.read_text(encoding="utf-8") + example, "x").sinks) == {
        "warehouse", "laptop", "lake", "crm",
    }  # fmt: skip


def test_the_queries_answer(main_job: Any, tmp_path: Path) -> None:
    ws: hva.Workspace = main_job.ws
    folder = ws.scores("dach_sample")
    run = current(folder)
    assert run is not None
    settings = Sink(kind="duckdb", path="x", tables=("scores", "reasons", "explanations"))
    DuckDBSink(tmp_path / "s.duckdb", settings, "").deliver(Parcel(folder, run, "dach_sample", "EUR"))
    with duckdb.connect(str(tmp_path / "s.duckdb"), read_only=True) as connection:
        answers = [connection.sql(q).fetchall() for q in re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)]
    assert len(answers) == 3
    assert 0 < len(answers[0]) <= 40
    assert answers[1][0][1] is False
    assert answers[2][0][0] < 1e-9
