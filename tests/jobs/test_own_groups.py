"""A team's own feature groups: shown only the past, equal to declared features, refused in plain words."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import hva_ml as hva
from hva_ml.config import Windows
from hva_ml.errors import ConfigError, ContractError, SourceError
from hva_ml.features import build
from hva_ml.jobs.prepare import calendar, prepare

PIPELINE = "dach_sample"
DECLARED = """
[[features.own]]
name = "busy"
tables = ["events"]

[features.own.columns.count_30d]
de = "eigene Zählung"
en = "own count"
unit = "count"
"""
SQL = """
SELECT p.account_id, count(e.event_time) AS count_30d
FROM population p LEFT JOIN events e
  ON e.account_id = p.account_id AND e.event_time >= p.cutoff - INTERVAL 30 DAY
GROUP BY ALL
"""
PYTHON = """
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc


def features(tables, accounts, cutoff):
    events = tables["events"]
    assert events.num_rows == 0 or pc.max(events["event_time"]).as_py() < cutoff
    assert events.num_rows == 0 or pc.max(events["known_at"]).as_py() < cutoff
    recent = events.filter(pc.greater_equal(events["event_time"], cutoff - timedelta(days=30)))
    counts = recent.group_by("account_id").aggregate([([], "count_all")])
    return pa.table({"account_id": counts["account_id"], "count_30d": counts["count_all"]})
"""


@pytest.fixture
def ws(tmp_path: Path, small_workspace: Any) -> hva.Workspace:
    made = small_workspace(tmp_path / "ws")
    path = made.pipelines / f"{PIPELINE}.toml"
    text = path.read_text(encoding="utf-8").replace("\n[target]\n", f"{DECLARED}\n[target]\n")
    assert DECLARED in text
    path.write_text(text, encoding="utf-8")
    (made.pipelines / "features").mkdir()
    return made


def column(ws: hva.Workspace) -> pa.Table:
    config = ws.config(PIPELINE)
    prepared = prepare(ws, config)
    return build.build(prepared.tables, config, calendar(config, prepared.tables), prepared.own).table


@pytest.mark.parametrize(("ending", "text"), [("sql", SQL), ("py", PYTHON)])
def test_a_count_of_one_s_own_is_the_declared_count(ws: hva.Workspace, ending: str, text: str) -> None:
    (ws.pipelines / "features" / f"busy.{ending}").write_text(text, encoding="utf-8")
    table = column(ws)
    mine = np.nan_to_num(table["own.busy.count_30d"].to_numpy())
    assert mine.sum() > 0
    np.testing.assert_array_equal(mine, table["events.count_30d"].to_numpy())


def test_the_probes_cover_it_and_no_row_of_the_future_reaches_it(ws: hva.Workspace) -> None:
    (ws.pipelines / "features" / "busy.py").write_text(PYTHON, encoding="utf-8")
    report = hva.check(ws, PIPELINE, cutoffs=2)
    assert report.ok
    assert not [v for v in report.violations if "own.busy" in v.where]


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("features = 3\n", ConfigError, "defines no function"),
        ("import nothing_like_this\n", SourceError, "ModuleNotFoundError"),
        ("def features(tables, accounts, cutoff):\n    return 1 / 0\n", SourceError, "ZeroDivisionError"),
        ("def features(tables, accounts, cutoff):\n    return []\n", ContractError, "gives list"),
        (
            "import pyarrow as pa\ndef features(tables, accounts, cutoff):\n"
            "    return pa.table({'account_id': accounts})\n",
            ContractError, "'count_30d' is missing",
        ),
        (
            "import pyarrow as pa\ndef features(tables, accounts, cutoff):\n"
            "    ids = pa.concat_arrays([accounts, accounts])\n"
            "    return pa.table({'account_id': ids, 'count_30d': pa.array([1.0] * len(ids))})\n",
            ContractError, "several rows",
        ),
        (
            "import pyarrow as pa\ndef features(tables, accounts, cutoff):\n"
            "    return pa.table({'account_id': accounts, 'count_30d': pa.array(['x'] * len(accounts))})\n",
            ContractError, "not a number",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_a_feature_is_named(ws: hva.Workspace, text: str, error: type, match: str) -> None:
    (ws.pipelines / "features" / "busy.py").write_text(text, encoding="utf-8")
    with pytest.raises(error, match=match) as caught:
        column(ws)
    assert "pipelines/features/busy.py" in str(caught.value.where)


def test_a_group_has_exactly_one_file(ws: hva.Workspace) -> None:
    with pytest.raises(ConfigError, match="has 0 files"):
        column(ws)
    for ending in ("py", "sql"):
        (ws.pipelines / "features" / f"busy.{ending}").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="has 2 files"):
        column(ws)


def test_a_query_sees_no_file(ws: hva.Workspace) -> None:
    secret = ws.root / "secret.csv"
    secret.write_text("account_id,count_30d\nA000001,1\n", encoding="utf-8")
    (ws.pipelines / "features" / "busy.sql").write_text(f"SELECT * FROM '{secret}'", encoding="utf-8")
    with pytest.raises(SourceError):
        column(ws)


def test_features_are_composed_in_python_too(ws: hva.Workspace) -> None:
    (ws.pipelines / "features" / "busy.py").write_text(PYTHON, encoding="utf-8")
    config = ws.config(PIPELINE)
    calls = Windows(
        table="events", measures=("count",), by="event_type", values=("call",), windows_days=(14, 60)
    )
    tried = replace(config, features=replace(config.features, windows=(calls,), own=()))
    prepared = prepare(ws, config)
    found = build.build(prepared.tables, tried, calendar(config, prepared.tables))
    counts = [found.table[f"events.call.count_{d}d"].to_numpy() for d in (14, 60)]
    assert (counts[0] <= counts[1]).all()
    assert counts[1].sum() > 0
    assert {d.window_days for d in found.definitions if d.name.startswith("events.call.")} == {14, 60}


def test_the_line_that_failed_is_told_without_what_stood_in_the_row(ws: hva.Workspace) -> None:
    text = "def features(tables, accounts, cutoff):\n    int('erika@beispiel.de')\n    return None\n"
    (ws.pipelines / "features" / "busy.py").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match="ValueError") as caught:
        column(ws)
    assert str(caught.value.where).endswith("busy.py, line 2")
    assert "erika" not in str(caught.value)
