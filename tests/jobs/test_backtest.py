"""A backtest is what one would have seen: no later row, no order of rows changes it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.connectors import sources
from hva_ml.cutoffs import instant
from hva_ml.errors import BusyError, NotEnoughDataError, UsageError
from hva_ml.jobs.backtest import Backtest
from hva_ml.publication import lock
from hva_ml.registry.connection import connected

PIPELINE = "dach_sample"
WAIT = 90 + 10
CUT = date(2025, 4, 15)
Make = Callable[[Path], hva.Workspace]


def late(ws: hva.Workspace, *changes: tuple[str, str]) -> hva.Workspace:
    """A workspace with an embargo, invoices that become known up to twenty days late, and few cutoffs."""
    path = ws.pipelines / f"{PIPELINE}.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in (
        ("\nlast = 2025-09-01", "\nlast = 2025-07-01"),
        ("\ngroups = ", "\nembargo_days = 10\ngroups = "),
        *changes,
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    query = ws.queries(PIPELINE) / "invoices.sql"
    sql = query.read_text(encoding="utf-8")
    assert sql.count("issued_at AS known_at") == 1
    slow = "issued_at + to_days(CAST(abs(amount_cents) % 21 AS INTEGER)) AS known_at"
    query.write_text(sql.replace("issued_at AS known_at", slow), encoding="utf-8")
    return ws


@dataclass(frozen=True)
class Done:
    ws: hva.Workspace
    found: Backtest


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, small_workspace: Make) -> Done:
    ws = late(small_workspace(tmp_path_factory.mktemp("backtest")))
    return Done(ws, hva.backtest(ws, PIPELINE))


def known_at(invoice: dict[str, Any]) -> datetime:
    """When the query of `late` says that an invoice became known."""
    moment: datetime = invoice["issued_at"] + timedelta(days=abs(invoice["amount_cents"]) % 21)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def cut_and_shuffled(ws: hva.Workspace, seed: int) -> Done:
    """The backtest on sources that end at `CUT`, their rows in another order, on one thread."""
    straight, moment = sources.relations, instant(CUT, "Europe/Berlin")

    def cut(*args: Any, **kwargs: Any) -> dict[str, pa.Table]:
        rng = np.random.default_rng(seed)
        read = sources.tables(straight(*args, **kwargs))
        kept = sources.truncate(read, ws.config(PIPELINE), moment)
        entered = [known < moment for known in map(known_at, kept["invoices"].to_pylist())]
        assert not all(entered)
        kept["invoices"] = kept["invoices"].filter(pa.array(entered))
        assert all(kept[n].num_rows < t.num_rows for n, t in read.items())
        return {n: t.take(pa.array(rng.permutation(t.num_rows))) for n, t in kept.items()}

    with pytest.MonkeyPatch.context() as patch:
        read = Mock(side_effect=cut)
        patch.setattr(sources, "relations", read)
        patch.setenv("OMP_NUM_THREADS", "1")
        done = Done(ws, hva.backtest(ws, PIPELINE))
    read.assert_called()
    return done


@pytest.fixture(scope="module")
def early(tmp_path_factory: pytest.TempPathFactory, small_workspace: Make) -> Done:
    ws = small_workspace(tmp_path_factory.mktemp("early"))
    return cut_and_shuffled(late(ws, ("data_end = 2025-12-31", f"data_end = {CUT}")), 5)


@pytest.mark.slow
def test_no_later_row_changes_an_earlier_fold(whole: Done, early: Done) -> None:
    found = early.found
    assert found.folds.num_rows == 13
    assert found.folds["reason"].null_count == 3
    for name in ("over_time", "pairs", "folds"):
        table, mine = getattr(whole.found, name), getattr(found, name)
        day = "trained" if name == "folds" else "cutoff"
        kept = table.filter(pa.array([d + timedelta(days=WAIT) <= CUT for d in table[day].to_pylist()]))
        assert mine.num_rows > 0
        assert kept.equals(mine), name
    said = [pq.read_table(b.folder / "predictions.parquet") for b in (whole.found, found)]
    last = pa.scalar(instant(found.folds["trained"].to_pylist()[-1], "Europe/Berlin"))
    assert said[1].num_rows > 100
    assert said[0].filter(pc.less_equal(said[0]["cutoff"], last)).equals(said[1])
    assert found.recommendation.outcome == "not applicable"


@pytest.mark.slow
def test_rows_in_another_order_give_the_same_bits(early: Done) -> None:
    again = cut_and_shuffled(early.ws, 6).found
    assert again.record() | {"run_id": ""} == early.found.record() | {"run_id": ""}
    for name in ("over_time", "averages", "pairs", "decay", "folds"):
        assert getattr(again, name).equals(getattr(early.found, name)), name


@pytest.mark.slow
def test_every_model_learned_only_from_cutoffs_that_were_over(whole: Done) -> None:
    rows = whole.found.folds.to_pylist()
    assert len(rows) == 19
    trained = [r for r in rows if r["reason"] is None]
    assert len(trained) == 9
    for r in trained:
        assert r["calibrate_to"] + timedelta(days=WAIT) <= r["trained"]
        assert r["train_to"] + timedelta(days=WAIT) <= r["calibrate_from"]
        # One month more would not have been over yet.
        assert r["calibrate_to"] + timedelta(days=WAIT + 31) > r["trained"]
        assert r["train_from"] == date(2024, 1, 1)
    for r in rows[:10]:
        assert r["train_rows"] is None
        assert "matured cutoffs" in r["reason"] or "No earlier cutoff" in r["reason"]
    assert len({r["settings"] for r in trained}) == 1


@pytest.mark.slow
def test_models_and_rules_are_measured_on_the_same_rows_of_every_cutoff(whole: Done) -> None:
    rows = whole.found.over_time.to_pylist()
    models = {"hva_ml", "prevalence", "recency_frequency_monetary", "logistic_regression", "run_rate"}
    days = {r["trained"] for r in whole.found.folds.to_pylist() if r["reason"] is None}
    asked = {
        "roc_auc", "captured_revenue_top_10", "captured_revenue_top_20", "normalized_gini", "brier",
        "calibration_slope", "total_ratio",
    }  # fmt: skip
    by = {(r["cutoff"], r["model"], r["metric"]): r for r in rows}
    assert len(by) == len(rows)
    assert {(d, m, a) for d in days for m in models for a in asked} <= by.keys()
    for r in rows:
        assert r["value"] is None or r["low"] is None or r["low"] <= r["high"]
    means = {(r["model"], r["metric"]): r for r in whole.found.averages.to_pylist()}
    assert means["hva_ml", "roc_auc"]["value"] > 0.6
    assert means["prevalence", "roc_auc"]["ahead_low"] > 0
    pairs = whole.found.pairs.to_pylist()
    assert {(r["trained"], r["cutoff"]) for r in pairs} == {(s, c) for s in days for c in days if s < c}
    assert whole.found.recommendation.outcome != "not applicable"


@pytest.mark.slow
def test_files_lie_below_the_training_folder_and_tell_the_same(whole: Done) -> None:
    found = whole.found
    assert found.folder == whole.ws.training(PIPELINE) / "backtest" / found.key
    for name in ("over_time", "averages", "pairs", "decay", "folds"):
        assert pq.read_table(found.folder / f"{name}.parquet").equals(getattr(found, name))
    told = json.loads((found.folder / "summary.json").read_text(encoding="utf-8"))
    assert told["recommendation"] == found.recommendation.record()
    assert 0 < told["outcomes_changed_since"] < told["compared_rows"] / 20
    said = pq.read_table(found.folder / "predictions.parquet")
    folds = [r for r in found.folds.to_pylist() if r["reason"] is None]
    assert said.num_rows == sum(r["rows"] for r in folds)
    assert pc.sum(said["converted"]).as_py() == sum(r["converted"] for r in folds)
    assert pc.sum(said["expected_value"]).as_py() == pytest.approx(sum(r["predicted"] for r in folds))
    page = found.report.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "://" not in page.split("</style>")[1]
    assert found.recommendation.sentence().split(":")[0] in page


@pytest.mark.slow
def test_mlflow_has_the_run_beside_the_trainings_and_no_account(whole: Done) -> None:
    with connected(whole.ws) as (_, client):
        home = client.get_experiment_by_name(f"{PIPELINE}.backtest")
        run = client.get_run(whole.found.run_id)
        history = client.get_metric_history(whole.found.run_id, "cutoff.roc_auc")
        files = {f.path for f in client.list_artifacts(whole.found.run_id)}
    assert run.info.experiment_id == home.experiment_id
    assert run.info.status == "FINISHED"
    means = {(r["model"], r["metric"]): r["value"] for r in whole.found.averages.to_pylist()}
    assert run.data.metrics["mean.roc_auc"] == means["hva_ml", "roc_auc"]
    assert len(history) == 9
    assert {"report.html", "summary.json", "over_time.parquet", "decay.png"} <= files
    assert "predictions.parquet" not in files
    assert hva.compare(whole.ws, PIPELINE) == []
    ids = pq.read_table(whole.found.folder / "predictions.parquet")["account_id"].unique().to_pylist()
    for path in whole.ws.mlruns.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [i for i in ids if i.encode() in content], path


@pytest.mark.slow
def test_the_command_tells_people_and_machines(whole: Done, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def job(ws: hva.Workspace, pipeline: str, **options: Any) -> Backtest:
        asked.append((ws.root, pipeline, options["search"]))
        return whole.found

    monkeypatch.setattr("hva_ml.jobs.backtest.backtest", job)
    words = ["backtest", PIPELINE, "--root", str(whole.ws.root)]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0
    assert "Mean over 9 cutoffs" in told.output
    assert whole.found.recommendation.sentence() in told.output
    machine = json.loads(CliRunner().invoke(app, [*words, "--search", "each", "--json"]).stdout)
    assert machine["recommendation"] == whole.found.recommendation.record()
    assert machine["folds"][-1]["trained"] == "2025-07-01"
    assert asked == [(whole.ws.root, PIPELINE, "first"), (whole.ws.root, PIPELINE, "each")]


def test_mistakes_are_told_with_a_remedy(tmp_path: Path, small_workspace: Make) -> None:
    ws = small_workspace(tmp_path)
    with pytest.raises(UsageError, match="Did you mean 'first'"):
        hva.backtest(ws, PIPELINE, search="frist")  # type: ignore[arg-type]
    told = CliRunner().invoke(app, ["backtest", PIPELINE, "--root", str(ws.root), "--search", "daily"])
    assert told.exit_code == 2
    assert "--search first, never or each" in told.output
    with pytest.raises(UsageError, match="Did you mean 'dach_sample'"):
        hva.backtest(ws, "dach_sampel")
    with lock(ws.lock(PIPELINE)), pytest.raises(BusyError):
        hva.backtest(ws, PIPELINE)


def test_where_no_cutoff_has_enough_before_it_the_backtest_is_refused(
    tmp_path: Path, small_workspace: Make
) -> None:
    ws = late(small_workspace(tmp_path), ("\nfirst = 2024-01-01", "\nfirst = 2025-01-01"))
    with pytest.raises(NotEnoughDataError, match="At none of the 7 matured cutoffs") as caught:
        hva.backtest(ws, PIPELINE)
    assert "calibrate_cutoffs" in caught.value.fix
    assert not (ws.training(PIPELINE) / "backtest").exists()


def test_settings_are_searched_when_asked_and_only_on_what_was_known(
    tmp_path: Path, small_workspace: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hva_ml.jobs import refits

    straight, seen = refits.search_pair, []

    def watched(features: Any, targets: Any, split: Any, config: Any, *rest: Any) -> Any:
        seen.append((split.train_days[-1], config.search.trials))
        return straight(features, targets, split, config, *rest)

    monkeypatch.setattr(refits, "search_pair", watched)
    change = ("\nlast = 2025-07-01", "\nlast = 2024-12-01")
    each = hva.backtest(late(small_workspace(tmp_path / "each"), change), PIPELINE, search="each")
    last = [r["train_to"] for r in each.folds.to_pylist() if r["reason"] is None]
    assert seen == [(day, 2) for day in last]
    assert len(last) == 2
    seen.clear()
    never = hva.backtest(late(small_workspace(tmp_path / "never"), change), PIPELINE, search="never")
    assert seen == [(last[0], 1)]
    told = json.loads(never.folds["settings"].to_pylist()[-1])
    assert told["conversion"]["num_leaves"] == 15
    assert told["value"]["distribution"] == "tweedie"
    assert never.key != each.key
