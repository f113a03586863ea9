"""The page of a backtest: complete, without a script, nothing from data becomes markup."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from hva_ml.evaluation.backtest import AVERAGES, OVER_TIME
from hva_ml.evaluation.decay import DECAY
from hva_ml.evaluation.retraining import Recommendation
from hva_ml.reports.backtest import BacktestView, html, plots
from hva_ml.reports.charts import NARROW, to_svg

DAYS = tuple(date(2024, k, 1) for k in range(1, 7))
MODELS = ("hva_ml", "prevalence", "run_rate")
RETRAIN = Recommendation("retrain", 90, 60, None, 0.01, 150, "so it was seen")


def view(title: str = "Firma", *, empty: bool = False, **more: Any) -> BacktestView:
    metrics = ("roc_auc", "captured_revenue_top_20", "brier", "total_ratio")
    over_time = [
        {"cutoff": d, "model": m, "metric": q, "value": 0.8 - 0.1 * k, "low": 0.7 - 0.1 * k,
         "high": 0.9 - 0.1 * k}
        for d in DAYS for k, m in enumerate(MODELS) for q in metrics
    ]  # fmt: skip
    over_time[0] |= {"value": None, "low": None, "high": None, "reason": "no row converted"}
    averages = [
        {"model": m, "metric": q, "cutoffs": 6, "value": 0.8 - 0.1 * k, "low": 0.7, "high": 0.9,
         "ahead": 0.1 * k if k else None, "ahead_low": 0.05 if k else None, "ahead_high": 0.2 if k else None}
        for k, m in enumerate(MODELS) for q in metrics
    ]  # fmt: skip
    decay = [
        {"metric": q, "steps": s, "age_days": 30.0 * s, "pairs": 6 - s, "aged": 0.7, "fresh": 0.7 + 0.01 * s,
         "loss": 0.01 * s, "low": 0.0 if s < 5 else None, "high": 0.02 * s if s < 5 else None}
        for q in metrics[:2] for s in range(6)
    ]  # fmt: skip
    folds: list[dict[str, Any]] = [
        {"trained": d, "reason": None, "train_from": DAYS[0], "train_to": d, "calibrate_from": d,
         "calibrate_to": d, "train_rows": 900, "train_converted": 90, "calibrate_rows": 300, "rows": 300,
         "converted": 30, "predicted": 1.0e5, "actual": 1.1e5}
        for d in DAYS[1:]
    ]  # fmt: skip
    folds.insert(0, dict.fromkeys(folds[0]) | {"trained": DAYS[0], "reason": title, "rows": 300,
                                               "converted": 30, "actual": 9.0e4})  # fmt: skip
    fields: dict[str, Any] = {
        "pipeline": "toy", "title": title, "run": "toy-backtest-1", "currency": "EUR", "horizon_days": 90,
        "gap_days": 0, "embargo_days": 10, "search": "first", "recommendation": RETRAIN,
        "over_time": pa.Table.from_pylist([] if empty else over_time, schema=OVER_TIME),
        "averages": pa.Table.from_pylist(averages, schema=AVERAGES),
        "decay": pa.Table.from_pylist([] if empty else decay, schema=DECAY),
        "folds": pa.Table.from_pylist(folds), "compared": 1800, "changed": 12, "facts": (("seed", "7"),),
    }  # fmt: skip
    return BacktestView(**(fields | more))


def test_the_page_tells_everything_and_asks_nobody_outside(read: Callable[[str], Any]) -> None:
    page = html(view())
    text = read(page).text
    assert "<script" not in page
    assert "://" not in page.split("</style>")[1]
    assert "Retrain every 90 days (95 % interval 60 to more than 150): so it was seen." in text
    for told in ("How fast a model ages", "The model beside plain rules over time", "5 models",
                 "embargo 10 days", "searched once", "ours ahead by +0.2", "(+0.05 to +0.2)", "too few",
                 "12 of 1,800 compared outcomes", "not trained: Firma"):  # fmt: skip
        assert told in text, told
    assert len(read(page).all("svg")) == 4


@pytest.mark.parametrize("search", ["first", "never", "each"])
def test_how_settings_came_about_is_said(search: str, read: Callable[[str], Any]) -> None:
    words = {"first": "searched once", "never": "not searched", "each": "each day anew"}
    assert words[search] in read(html(view(search=search))).text


def test_where_nobody_can_say_the_page_says_so(read: Callable[[str], Any]) -> None:
    none = Recommendation("not applicable", None, None, None, 0.01, None, "1 models could be trained")
    text = read(html(view(recommendation=none, empty=True, changed=0))).text
    assert "A recommendation is not applicable, because 1 models could be trained." in text
    assert "How fast a model ages" not in text
    assert "All 1,800 compared outcomes are still the same today." in text


@pytest.mark.parametrize("evil", ["<script>x</script>", '"><img onerror=x>', "\u202eabc", "{{ 7*7 }}"])
def test_hostile_names_stay_text(evil: str, read: Callable[[str], Any]) -> None:
    page = html(view(evil))
    assert [t for t, _ in read(page).elements] == [t for t, _ in read(html(view("Firma"))).elements]
    assert "\u202e" not in page


def test_charts_draw_what_the_tables_hold() -> None:
    drawn = plots(view())
    assert set(drawn) == {"over_time", "decay"}
    shown = drawn["over_time"].spec["data"]["values"]
    assert len(shown) == 6 * 3 * 4 - 1
    assert {r["cutoff"] for r in shown} == {d.isoformat() for d in DAYS}
    aged = drawn["decay"].spec["data"]["values"]
    assert len(aged) == 2 * 5
    assert [r["few"] for r in aged if r["metric"] == "ROC AUC"] == [False, True, True, True, True]
    assert {r["tolerance"] for r in aged} == {0.01}
    assert "ROC AUC, 30: 0.010" in drawn["decay"].description
    for chart in plots(view(), NARROW).values():
        width = re.search(r' width="(\d+)"', to_svg(chart))
        assert width is not None
        assert int(width[1]) <= NARROW
