"""Models beside other people's: what peers are given, and how their answers are held beside ours."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from benchmarks.models import METRICS, PEERS, Case, compared, export, prediction, verdict
from benchmarks.peers import PeerError

from hva_ml.cutoffs import instant
from hva_ml.jobs.history import History

CASE = Case("dach_sample", 90)
# scikit-learn and pandas are here: no environment of their own.
LINES, OURS = (replace(peer, requirements=()) for peer in PEERS[:2])


def test_peers_get_what_was_known_on_the_day_and_nothing_later(history: History, tmp_path: Path) -> None:
    day = history.days[-1]
    learnt = history.learnt(day)
    assert learnt is not None
    export(history, day, learnt, tmp_path / "day")
    learn, score, bought = (pq.read_table(tmp_path / "day" / f"{n}.parquet")
                            for n in ("learn", "score", "purchases"))  # fmt: skip
    assert learn["converted"].to_pylist() == learnt.targets.converted.tolist()
    assert learn["value"].to_pylist() == learnt.targets.value.tolist()
    assert learn.drop_columns(["converted", "value"]).schema == score.schema
    zone = history.config.pipeline.timezone
    assert set(score["cutoff"].to_pylist()) == {instant(day, zone)}
    # Horizon and embargo of the latest rows to learn from are over.
    assert pc.max(learn["cutoff"]).as_py() <= instant(day, zone) - timedelta(days=100)
    assert pc.max(bought["time"]).as_py() < instant(day, zone)
    rows = history.tables.tables["invoices"].to_pylist()
    known = [r for r in rows if max(r["event_time"], r["known_at"]) < instant(day, zone)]
    assert len(rows) > bought.num_rows == len(known) > 0
    assert sum(bought["amount"].to_pylist()) == pytest.approx(sum(r["amount_cents"] for r in known) / 100)


def test_every_model_is_a_row_and_a_peer_that_cannot_run_is_named(history: History, tmp_path: Path) -> None:
    gone = replace(OURS, name="gone", script="there_is_no_such_file")
    told = replace(history, config=replace(CASE.config(history.config), split=replace(
        history.config.split, bootstrap=50)))  # fmt: skip
    rows = {r["case"]: r for r in compared(CASE, told, "small", tmp_path, [LINES, OURS, gone])}
    assert {"hva_ml", "prevalence", "run_rate", LINES.name, OURS.name, "gone", "ours"} <= set(rows)
    assert "there_is_no_such_file" in rows["gone"]["cutoffs"]
    assert "roc_auc" not in rows["gone"]
    assert rows["hva_ml"]["cutoffs"] == rows[OURS.name]["cutoffs"] == 3
    assert float(rows[LINES.name]["roc_auc"].split(";")[0]) > 0.6
    # The peer's mean, from its own files and the outcomes.
    days = history.days[-3:]
    errors = []
    for day in days:
        said = pq.read_table(tmp_path / day.isoformat() / f"{OURS.name}.parquet")
        assert said["account_id"].to_pylist() == history.at(day).table["account_id"].to_pylist()
        errors.append(np.abs(said["expected_value"].to_numpy() - history.cohort(day).value).mean())
    assert rows[OURS.name]["mae"].startswith(f"{np.mean(errors):,.0f}; ")
    assert float(rows[OURS.name]["roc_auc"].split(";")[0]) > 0.55
    assert set(rows["ours"]) - {"table", "case"} == set(METRICS) - {"value_coverage"}
    assert json.loads((tmp_path / "case.json").read_text("utf-8"))["quick"] is True


def answer(folder: Path, accounts: Sequence[str], p: Sequence[float], v: Sequence[float]) -> Path:
    path = folder / "peer.parquet"
    pq.write_table(pa.table({"account_id": accounts, "probability": p, "expected_value": v}), path)
    return path


def test_an_answer_is_put_into_the_order_of_the_accounts(tmp_path: Path) -> None:
    said = prediction(answer(tmp_path, ["b", "c", "a"], [0.5, 0.25, 0.1], [2.0, 3.0, 1.0]), ["a", "b", "c"])
    assert said.probability.tolist() == [0.1, 0.5, 0.25]
    assert said.expected_value.tolist() == [1.0, 2.0, 3.0]
    assert said.value_if_converted.tolist() == [10.0, 4.0, 12.0]


@pytest.mark.parametrize(
    ("accounts", "value"), [(["a", "a"], 1.0), (["a"], 1.0), (["a", "c"], 1.0), (["a", "b"], float("nan"))]
)
def test_an_answer_that_is_none_is_no_answer(tmp_path: Path, accounts: list[str], value: float) -> None:
    path = answer(tmp_path, accounts, [0.5] * len(accounts), [value] * len(accounts))
    with pytest.raises(PeerError):
        prediction(path, ["a", "b"])


@pytest.mark.parametrize(
    ("between", "told"),
    [
        ({"x": (0.1, 0.2), "y": (0.01, 0.3)}, "ahead of all"),
        ({"x": (0.1, 0.2), "y": (-0.1, 0.3)}, "tied"),
        ({"x": (0.1, 0.2), "y": (-0.2, -0.1)}, "behind y"),
    ],
)
def test_ahead_or_behind_is_what_the_interval_says(
    between: dict[str, tuple[float, float]], told: str
) -> None:
    table: list[dict[str, Any]] = [
        {"model": m, "metric": "mae", "ahead_low": low, "ahead_high": high}
        for m, (low, high) in between.items()
    ]
    table.append({"model": "hva_ml", "metric": "mae", "ahead_low": None, "ahead_high": None})
    assert verdict(CASE, table) == {"table": CASE.name, "case": "ours", "mae": told}
