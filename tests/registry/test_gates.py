from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from hva_ml.config import Gates
from hva_ml.registry.gates import gates

GOOD = {
    "hva_ml": {
        "roc_auc": 0.8,
        "calibration_error": 0.02,
        "total_ratio": 1.05,
        "captured_revenue_top_20": 0.7,
    },
    "prevalence": {"roc_auc": 0.5, "captured_revenue_top_20": 0.2},
    "recency_frequency_monetary": {"roc_auc": 0.75, "captured_revenue_top_20": 0.7},
}
SUMMARY = {"sides": {"test": {"converted": 100}}, "findings": [{"severity": "warning"}]}


def table(changes=()):
    rows = [
        {"model": m, "metric": k, "value": dict(changes).get((m, k), v)}
        for m, metrics in GOOD.items()
        for k, v in metrics.items()
    ]
    return pa.Table.from_pylist(
        rows, schema=pa.schema([("model", "string"), ("metric", "string"), ("value", "f8")])
    )


def judged(n=400, noise=0.5, seed=1, month=1):
    rng = np.random.default_rng(seed)
    score = np.random.default_rng(99).normal(size=n)
    converted = (score + np.random.default_rng(98).normal(size=n) > 0.5).astype(np.int8)
    probability = 1 / (1 + np.exp(-(score + noise * rng.normal(size=n))))
    return pa.table(
        {
            "account_id": [f"A{k:04d}" for k in range(n)],
            "cutoff": pa.array([datetime(2025, month, 1, tzinfo=UTC)] * n, pa.timestamp("us", "UTC")),
            "group_id": [f"G{k // 2}" for k in range(n)],
            "converted": converted,
            "value": converted * 100.0,
            "probability": probability,
            "expected_value": probability * 100.0,
        }
    )


def run(metrics=None, summary=SUMMARY, config=None, challenger=None, champion=None):
    found = gates(
        config or Gates(), table() if metrics is None else metrics, summary,
        challenger=judged() if challenger is None else challenger, champion=champion, resamples=50, seed=7,
    )  # fmt: skip
    return {g.name: g for g in found}


def failed(found):
    return sorted(name for name, g in found.items() if not g.passed)


def test_a_good_run_passes_all_its_gates():
    found = run()
    assert list(found) == [
        "converted", "roc_auc", "calibration_error", "total_ratio",
        "roc_auc against prevalence", "captured_revenue_top_20 against prevalence",
        "roc_auc against recency_frequency_monetary",
        "captured_revenue_top_20 against recency_frequency_monetary", "data_checks",
    ]  # fmt: skip
    assert failed(found) == []


@pytest.mark.parametrize(
    ("changed", "value", "name"),
    [
        (("hva_ml", "roc_auc"), 0.49, "roc_auc"),
        (("hva_ml", "calibration_error"), 0.11, "calibration_error"),
        (("hva_ml", "total_ratio"), 0.65, "total_ratio"),
        (("hva_ml", "total_ratio"), 1.41, "total_ratio"),
        (("hva_ml", "total_ratio"), None, "total_ratio"),
        (("prevalence", "roc_auc"), 0.8, "roc_auc against prevalence"),
        (("recency_frequency_monetary", "roc_auc"), None, "roc_auc against recency_frequency_monetary"),
        (
            ("recency_frequency_monetary", "captured_revenue_top_20"),
            0.72,
            "captured_revenue_top_20 against recency_frequency_monetary",
        ),
    ],
)
def test_each_gate_fails_alone(changed, value, name):
    assert name in failed(run(table({changed: value})))
    if value is not None and name != "roc_auc":
        assert failed(run(table({changed: value}))) == [name]


def test_bounds_are_inside():
    same = {("hva_ml", "total_ratio"): 1.4, ("hva_ml", "calibration_error"): 0.1}
    assert failed(run(table(same))) == []


def test_few_conversions_and_wrong_data_fail():
    few = {"sides": {"test": {"converted": 39}}, "findings": [{"severity": "error"}]}
    assert failed(run(summary=few)) == ["converted", "data_checks"]


def test_a_baseline_that_was_not_trained_fails_and_the_nearest_is_named():
    found = run(config=Gates(beat_baselines=("prevalance",)))
    assert failed(found) == ["baseline prevalance"]
    assert "prevalence" in found["baseline prevalance"].sentence()


def test_a_worse_challenger_is_refused_and_an_equal_one_is_not():
    champion = judged(noise=0.1)
    worse = run(challenger=judged(noise=3.0), champion=champion)
    assert failed(worse) == ["captured_revenue_top_20 against champion", "roc_auc against champion"]
    assert "400 shared test rows" in worse["roc_auc against champion"].what
    equal = run(challenger=champion, champion=champion)
    assert failed(equal) == []
    assert equal["roc_auc against champion"].measured == 0.0
    assert failed(run(challenger=champion, champion=judged(noise=3.0))) == []


def test_models_without_shared_rows_are_compared_each_on_its_own():
    found = run(challenger=judged(noise=3.0, month=2), champion=judged(noise=0.1))
    gate = found["roc_auc against champion"]
    assert "not paired" in gate.what
    assert not gate.passed


def test_the_order_of_rows_does_not_matter():
    champion, challenger = judged(noise=0.4, seed=5), judged()
    mixed = challenger.take(np.random.default_rng(0).permutation(400))
    assert run(challenger=mixed, champion=champion) == run(challenger=challenger, champion=champion)


def test_records_are_plain():
    gate = run()["roc_auc"]
    assert gate.record() == {
        "name": "roc_auc", "passed": True, "what": "ROC AUC", "measured": 0.8, "bound": "at least 0.5",
    }  # fmt: skip


def test_a_champion_or_a_run_whose_rows_are_elsewhere_is_compared_by_what_it_was_measured_at():
    told = {"test.roc_auc": 0.79, "test.captured_revenue_top_20": 0.8}
    found = run(config=Gates(champion_tolerance=0.02), champion=told)
    auc, revenue = found["roc_auc against champion"], found["captured_revenue_top_20 against champion"]
    assert (auc.passed, auc.measured) == (True, pytest.approx(0.01))
    assert (revenue.passed, revenue.measured) == (False, pytest.approx(-0.1))
    assert "each on its own test rows" in auc.what
    nothing = run(champion={})
    assert not nothing["roc_auc against champion"].passed
    assert nothing["roc_auc against champion"].measured is None
