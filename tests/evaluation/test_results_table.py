"""The results table: shapes, reasons, intervals, pairs of models, totals by cutoff."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from hva_ml.errors import HvaError
from hva_ml.evaluation.bootstrap import group_codes, interval, weightings
from hva_ml.evaluation.metrics import METRICS
from hva_ml.evaluation.table import COMPARISON, RESULTS, ModelPrediction, compare, evaluate, per_cutoff


def sample(
    rows: int = 600, seed: int = 1
) -> tuple[dict[str, ModelPrediction], np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    z = rng.normal(-1, 1.3, rows)
    true = 1 / (1 + np.exp(-z))
    converted = (rng.random(rows) < true).astype(np.int8)
    worth = np.exp(rng.normal(6, 1, rows))
    value = converted * worth * np.exp(rng.normal(0, 0.3, rows))
    noisy = 1 / (1 + np.exp(-z - rng.normal(0, 1.5, rows)))
    flat = np.full(rows, converted.mean())
    models = {
        "true": ModelPrediction(true, worth, true * worth),
        "noisy": ModelPrediction(noisy, worth.mean() + 0 * worth, noisy * worth.mean()),
        "flat": ModelPrediction(flat, worth.mean() + 0 * worth, flat * worth.mean()),
    }
    return models, converted, value, [f"g{k // 3}" for k in range(rows)]


def cells(table: pa.Table, model: str) -> dict[str, dict[str, object]]:
    return {r["metric"]: r for r in table.to_pylist() if r["model"] == model}


def test_every_model_has_every_metric_within_its_interval() -> None:
    models, converted, value, groups = sample()
    table = evaluate(models, converted, value, groups, resamples=100, seed=7, capacity=50)
    assert table.schema == RESULTS
    assert table["metric"].to_pylist() == [m.name for m in METRICS] * 3
    for name in ("roc_auc", "lift_top_20", "captured_revenue_top_20", "spearman", "log_loss", "total_ratio"):
        row = cells(table, "true")[name]
        assert row["low"] < row["value"] < row["high"]  # type: ignore[operator]
        assert row["reason"] is None
    assert cells(table, "true")["roc_auc"]["value"] > cells(table, "noisy")["roc_auc"]["value"]  # type: ignore[operator]
    assert cells(table, "flat")["roc_auc"]["value"] == pytest.approx(0.5)


def test_the_same_seed_gives_the_same_bits_and_another_one_other_intervals() -> None:
    models, converted, value, groups = sample()
    one, again, other = (
        evaluate(models, converted, value, groups, resamples=40, seed=s, capacity=50) for s in (7, 7, 8)
    )
    assert one.equals(again)
    assert one["value"].equals(other["value"])
    assert not one["low"].equals(other["low"])


def test_the_order_of_rows_plays_no_part() -> None:
    models, converted, value, groups = sample()
    rows = np.random.default_rng(3).permutation(len(value))
    moved = {
        n: ModelPrediction(p.probability[rows], p.value_if_converted[rows], p.expected_value[rows])
        for n, p in models.items()
    }
    one = evaluate(models, converted, value, groups, resamples=30, seed=7, capacity=50)
    other = evaluate(
        moved, converted[rows], value[rows], [groups[k] for k in rows], resamples=30, seed=7, capacity=50
    )
    for column in ("value", "low", "high"):
        mine, theirs = (np.array(t[column].to_pylist(), dtype=float) for t in (one, other))
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)


def test_no_conversions_give_nulls_with_their_reason() -> None:
    models, converted, value, groups = sample(60)
    table = evaluate(models, 0 * converted, 0 * value, groups, resamples=20, seed=7, capacity=10)
    found = cells(table, "true")
    for metric in ("roc_auc", "pr_auc", "lift_top_1", "calibration_slope", "calibration_intercept"):
        assert found[metric]["value"] is None
        assert found[metric]["low"] is None
        assert found[metric]["reason"] == "no row converted"
    for metric in ("captured_revenue_top_5", "normalized_gini", "total_ratio"):
        assert found[metric]["reason"] == "the total actual value is not positive"
    assert found["spearman"]["reason"] == "all actual values are equal"
    assert found["brier"]["value"] == pytest.approx(np.mean(models["true"].probability ** 2))
    assert found["precision_at_capacity"]["value"] == 0.0


def test_other_undefined_metrics_say_why() -> None:
    models, converted, value, groups = sample(60)
    everyone = evaluate(models, 0 * converted + 1, value, groups, resamples=0, seed=7, capacity=10)
    assert cells(everyone, "true")["roc_auc"]["reason"] == "every row converted"
    flat = cells(evaluate(models, converted, value, groups, resamples=0, seed=7, capacity=10), "flat")
    assert flat["calibration_slope"]["reason"] == "all probabilities are equal"
    assert flat["spearman"]["reason"] == "all expected values are equal"
    p = np.where(converted == 1, 0.9, 0.1) + np.linspace(0, 0.05, 60)
    parted = {"m": ModelPrediction(p, value, p * value)}
    found = cells(evaluate(parted, converted, value, groups, resamples=0, seed=7, capacity=10), "m")
    assert "perfectly" in str(found["calibration_slope"]["reason"])
    assert found["roc_auc"]["value"] == 1.0


def test_broken_predictions_are_refused() -> None:
    models, converted, value, groups = sample(30)
    good = models["true"]
    for broken, where in (
        (ModelPrediction(good.probability[1:], good.value_if_converted, good.expected_value), "probability"),
        (
            ModelPrediction(good.probability, good.value_if_converted, good.expected_value * np.nan),
            "expected_value",
        ),
        (ModelPrediction(good.probability + 1, good.value_if_converted, good.expected_value), "probability"),
    ):
        with pytest.raises(HvaError, match=f"model m, {where}"):
            evaluate({"m": broken}, converted, value, groups, resamples=5, seed=1, capacity=5)


def test_a_group_is_drawn_as_a_whole_and_as_often_as_chance_has_it() -> None:
    codes = group_codes(["b", "a", "b", "c"])
    weights = np.vstack(list(weightings(codes, 4000, 3)))
    assert weights.shape == (4000, 4)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, [1, 0, 3]].sum(axis=1) == 3).all()
    np.testing.assert_allclose(weights.mean(axis=0), 1.0, atol=0.05)
    np.testing.assert_allclose(weights[:, 1].var(), 2 / 3, atol=0.05)


def test_draws_do_not_depend_on_how_many_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = group_codes([f"g{k % 7}" for k in range(50)])
    whole = np.vstack(list(weightings(codes, 30, 5)))
    monkeypatch.setattr("hva_ml.evaluation.bootstrap.CELLS_AT_ONCE", 120)
    assert (np.vstack(list(weightings(codes, 30, 5))) == whole).all()


def test_intervals_of_a_mean_have_the_width_of_theory() -> None:
    models, converted, value, _ = sample(2000)
    alone = [f"g{k}" for k in range(2000)]
    table = evaluate({"m": models["true"]}, converted, value, alone, resamples=400, seed=1, capacity=50)
    row = cells(table, "m")["brier"]
    spread = np.std((models["true"].probability - converted) ** 2) / np.sqrt(2000)
    assert (row["high"] - row["low"]) / (2 * 1.96 * spread) == pytest.approx(1.0, abs=0.15)  # type: ignore[operator]


def test_an_interval_needs_half_of_the_draws() -> None:
    assert interval(np.array([1.0, np.nan, np.nan])) is None
    assert interval(np.empty(0)) is None
    assert interval(np.array([1.0, 2.0, np.nan])) == pytest.approx((1.025, 1.975))


def test_compare_is_the_paired_difference() -> None:
    models, converted, value, groups = sample(1500)
    arguments = {"resamples": 100, "seed": 7, "capacity": 50}
    table = compare(models["true"], models["noisy"], converted, value, groups, **arguments)
    assert table.schema == COMPARISON
    found = {r["metric"]: r for r in table.to_pylist()}
    each = evaluate(models, converted, value, groups, **arguments)
    for metric in ("roc_auc", "log_loss", "total_ratio"):
        difference = cells(each, "true")[metric]["value"] - cells(each, "noisy")[metric]["value"]  # type: ignore[operator]
        assert found[metric]["difference"] == pytest.approx(difference)
    assert found["roc_auc"]["low"] > 0
    assert found["roc_auc"]["share_of_resamples_better"] == 1.0
    assert found["log_loss"]["high"] < 0
    assert found["log_loss"]["share_of_resamples_better"] == 1.0
    assert found["calibration_slope"]["share_of_resamples_better"] == 1.0
    assert found["brier_uncertainty"]["share_of_resamples_better"] is None


def test_a_model_is_no_better_than_itself() -> None:
    models, converted, value, groups = sample(300)
    table = compare(
        models["true"], models["true"], converted, value, groups, resamples=30, seed=7, capacity=5
    )
    for row in table.to_pylist():
        if row["metric"] == "value_coverage":
            assert (row["difference"], row["reason"]) == (None, "no bounds of the value are given")
            continue
        assert row["difference"] == row["low"] == row["high"] == 0.0
        assert row["share_of_resamples_better"] in (0.5, None)


def test_compare_says_which_side_is_undefined() -> None:
    models, converted, value, groups = sample(300)
    table = compare(
        models["true"], models["flat"], converted, value, groups, resamples=20, seed=7, capacity=5
    )
    row = next(r for r in table.to_pylist() if r["metric"] == "calibration_slope")
    assert (row["difference"], row["reason"]) == (None, "all probabilities are equal")


def test_totals_of_each_cutoff() -> None:
    days = [datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)]
    cutoffs = pa.chunked_array([pa.array([days[k % 2] for k in range(6)], pa.timestamp("us", "UTC"))])
    p = ModelPrediction(np.full(6, 0.5), np.full(6, 10.0), np.full(6, 5.0))
    value = np.array([10.0, 0.0, 20.0, 0.0, 0.0, 0.0])
    table = per_cutoff({"m": p}, (value > 0).astype(int), value, cutoffs)
    early, late = table.to_pylist()
    assert (early["cutoff"], late["cutoff"]) == (days[1], days[0])
    assert (early["predicted"], early["actual"], early["ratio"]) == (15.0, 0.0, None)
    assert (late["predicted"], late["actual"], late["ratio"]) == (15.0, 30.0, 0.5)
    assert (late["predicted_conversions"], late["actual_conversions"], late["rows"]) == (1.5, 2, 3)
