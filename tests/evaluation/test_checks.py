"""Each check HVA001 … fires on data made for it, and keeps silent on a good model."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from hva_ml.evaluation.checks import Judged, Refits, Side, model_checks, running
from hva_ml.evaluation.metrics import MODEL, ModelPrediction
from hva_ml.evaluation.table import evaluate
from hva_ml.features.definition import FeatureDefinition, FeatureSet

CUTOFFS = [datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)]
N = 1200


def definition(name: str, kind: str = "number") -> FeatureDefinition:
    return FeatureDefinition(name, "engagement", kind, "events", "count", "count", name, name)


def rows(prefix: str, columns: dict[str, np.ndarray]) -> FeatureSet:
    index = {
        "account_id": [f"{prefix}{k}" for k in range(N)],
        "cutoff": pa.array([CUTOFFS[k % 2] for k in range(N)], pa.timestamp("us", "UTC")),
        "group_id": [f"{prefix}{k // 3}" for k in range(N)],
    }
    table = pa.table({**index, **{n: pa.array(c) for n, c in columns.items()}})
    return FeatureSet(table, tuple(definition(n) for n in columns))


def good(**changes: object) -> Judged:
    rng = np.random.default_rng(5)
    x = {side: {f"f{k}": rng.normal(size=N) for k in range(4)} for side in ("train", "test")}
    p = 1 / (1 + np.exp(-1.5 * x["test"]["f0"]))
    converted = (rng.random(N) < p) * 1.0
    worth = rng.gamma(2.0, 100.0, N)
    said = ModelPrediction(p, np.full(N, 200.0), 200.0 * p)
    dull = ModelPrediction(np.full(N, 0.5), np.full(N, 200.0), np.full(N, 100.0))
    given: dict[str, object] = {
        "train": rows("a", x["train"]),
        "test": rows("b", x["test"]),
        "sides": dict.fromkeys(("train", "calibrate", "test"), Side(400, 800)),
        "disjoint": True,
        "predictions": {MODEL: said, "rule": dull},
        "converted": converted,
        "value": converted * worth,
        "tier": np.array([("A", "B", "C")[k % 3] for k in range(N)]),
        "matrix": np.column_stack(list(x["train"].values())),
        "columns": tuple(x["train"]),
        "gain": {"conversion": np.array([4.0, 3.0, 2.0, 1.0]), "value": np.zeros(4)},
        "unseen": {},
        "not_over": 0,
        "population": "accounts",
        "must_beat": ("rule",),
        "resamples": 100,
        "seed": 7,
    }
    given |= changes
    if "metrics" not in given:
        given["metrics"] = evaluate(
            given["predictions"], given["converted"], given["value"],  # type: ignore[arg-type]
            given["test"].table["group_id"].to_pylist(), resamples=100, seed=7, capacity=50,  # type: ignore[attr-defined]
        )  # fmt: skip
    return Judged(**given)  # type: ignore[arg-type]


def found(judged: Judged, code: str) -> list[str]:
    return [v.severity for v in model_checks(judged, None) if v.code == code]


def test_a_good_model_gives_no_finding() -> None:
    firm = Refits((0.9, 0.8), 50, (200, 400), (0.5, 0.4999), 0.6)
    assert [v.code for v in model_checks(good(), firm)] == ["HVA016"]
    assert model_checks(good(), None) == ()


@pytest.mark.parametrize(
    ("least", "severity"), [(9, "error"), (10, "warning"), (39, "warning"), (40, "info"), (199, "info")]
)
@pytest.mark.parametrize("swap", [False, True])
def test_few_rows_of_an_outcome(least: int, severity: str, swap: bool) -> None:
    side = Side(900, least) if swap else Side(least, 900)
    judged = good(sides={"test": side})
    assert found(judged, "HVA001") == [severity]
    told = next(v for v in model_checks(judged, None) if v.code == "HVA001")
    assert told.count == least
    assert ("without" in told.what) == swap
    # For the other sides 40 are enough.
    assert found(good(sides={"train": side}), "HVA001") == ([severity] if least < 40 else [])


def test_a_rule_that_is_as_good_is_named() -> None:
    base = good()
    ours = base.predictions[MODEL]
    same = good(predictions={MODEL: ours, "rule": ours})
    assert found(same, "HVA002") == ["error"]
    assert found(replace(same, must_beat=()), "HVA002") == ["warning"]
    noise = np.random.default_rng(1).normal(size=N)
    p = 1 / (1 + np.exp(-(np.log(ours.probability / (1 - ours.probability)) + 0.05 * noise)))
    near = ModelPrediction(p, ours.value_if_converted, p * 200)
    close = good(predictions={MODEL: ours, "rule": near})
    assert found(close, "HVA002") in (["warning"], ["error"])
    assert found(base, "HVA002") == []


def test_a_model_that_could_be_chance_is_refused() -> None:
    p = np.random.default_rng(3).uniform(0.2, 0.8, N)
    blind = good(predictions={MODEL: ModelPrediction(p, np.full(N, 200.0), 200 * p)})
    assert found(blind, "HVA003") == ["error"]
    assert "Nothing to learn here" in model_checks(blind, None)[0].what
    assert found(good(), "HVA003") == []


def test_a_model_that_knows_the_outcome_is_suspicious() -> None:
    base = good()
    p = np.where(base.converted == 1, 0.9, 0.1) + np.linspace(0, 0.05, N)
    assert found(good(predictions={MODEL: ModelPrediction(p, np.full(N, 200.0), 200 * p)}), "HVA004") == [
        "warning"
    ]
    assert found(base, "HVA004") == []


def test_moved_features_are_counted_and_seasons_are_not() -> None:
    base = good()
    table = base.test.table.set_column(3, "f0", pa.array(base.test.table["f0"].to_numpy() + 1.5))
    one = replace(base, test=FeatureSet(table, base.test.definitions))
    assert found(one, "HVA005") == ["warning"]  # one of four is more than a fifth
    wide = tuple(replace(d, family="season") if d.name == "f0" else d for d in base.test.definitions)
    assert found(replace(base, test=FeatureSet(table, wide)), "HVA005") == []
    assert "f0" in next(v for v in model_checks(one, None) if v.code == "HVA005").what


def test_groups_that_come_back() -> None:
    base = good()
    again = base.test.table.set_column(2, "group_id", base.train.table["group_id"])
    both = replace(base, test=FeatureSet(again, base.test.definitions))
    assert found(both, "HVA007") == ["error"]
    assert found(replace(both, disjoint=False), "HVA007") == ["info"]
    assert found(replace(base, disjoint=False), "HVA007") == []


def test_a_tier_that_breaks_its_promise() -> None:
    base = good()
    p = np.where(base.tier == "A", np.minimum(0.99, base.ours.probability * 2), base.ours.probability)
    judged = good(predictions={MODEL: ModelPrediction(p, np.full(N, 200.0), 200 * p)})
    told = [v for v in model_checks(judged, None) if v.code == "HVA008"]
    assert [v.where for v in told] == ["tier A"]
    assert told[0].count == N // 3


@pytest.mark.parametrize(("factor", "codes"), [(1.0, []), (1.5, ["warning"]), (0.5, ["warning"])])
def test_a_total_that_is_off(factor: float, codes: list[str]) -> None:
    base = good().ours
    worth = 200.0 * factor
    said = ModelPrediction(base.probability, np.full(N, worth), base.probability * worth)
    assert found(good(predictions={MODEL: said}), "HVA009") == codes


@pytest.mark.parametrize(("width", "codes"), [(1.0, []), (0.3, ["warning"]), (9.0, ["warning"])])
def test_bounds_that_hold_too_rarely_or_too_often(width: float, codes: list[str]) -> None:
    base, draw = good(), np.random.default_rng(6)
    logs = draw.normal(5, 0.5, N)
    half = 1.2816 * width
    bounds = np.exp(logs - half), np.exp(logs + half)
    value = base.converted * np.exp(logs + draw.normal(size=N))
    said = replace(base.ours, value_bounds=bounds)
    inside = ((bounds[0] <= value) & (value <= bounds[1]))[base.converted == 1].mean()
    points = pa.table({"model": [MODEL], "metric": ["value_coverage"], "value": [inside],
                       "low": [inside - 0.02], "high": [inside + 0.02]})  # fmt: skip
    judged = good(predictions={MODEL: said}, value=value, metrics=points)
    assert found(judged, "HVA013") == codes
    wide = points.set_column(3, "low", [[0.1]]).set_column(4, "high", [[1.0]])
    unsure = good(predictions={MODEL: said}, value=value, metrics=wide)
    assert found(unsure, "HVA013") == ["info"] * len(codes)


def test_one_feature_that_carries_all() -> None:
    judged = good(gain={"conversion": np.array([5.1, 2.0, 2.0, 0.9]), "value": np.array([5.0, 5.0, 0, 0])})
    assert found(judged, "HVA010") == ["warning"]
    assert "f0" in model_checks(judged, None)[0].what


def test_columns_that_say_nothing() -> None:
    matrix = good().matrix.copy()
    matrix[:, 1], matrix[:, 3] = np.nan, matrix[:, 2]
    told = [v for v in model_checks(good(matrix=matrix), None) if v.code == "HVA011"]
    assert [(v.severity, v.count) for v in told] == [("info", 1), ("info", 1)]
    assert "f1" in told[0].what
    assert "f3 (as f2)" in told[1].what


def test_unseen_categories() -> None:
    assert found(good(unseen={"city": 13}), "HVA012") == ["warning"]
    assert found(good(unseen={"city": 12}), "HVA012") == []


def test_scores_that_tie_within_a_cutoff() -> None:
    base = good()
    p = base.ours.probability.round(1)
    assert found(good(predictions={MODEL: ModelPrediction(p, np.full(N, 200.0), 200 * p)}), "HVA014") == [
        "warning"
    ]
    # The same score at two cutoffs is no tie.
    twice = np.repeat(np.linspace(0.01, 0.99, N // 2), 2)
    once = good(predictions={MODEL: ModelPrediction(twice, np.full(N, 200.0), 200 * twice)})
    assert found(once, "HVA014") == []


def test_only_worked_accounts_and_open_horizons_are_told() -> None:
    assert found(good(population="deal_stages"), "HVA017") == ["warning"]
    assert found(good(not_over=2), "HVA006") == ["info"]


@pytest.mark.parametrize(
    ("loss", "sure", "words"),
    [
        ((0.50, 0.48), 0.97, "still rises, and 200 more"),
        ((0.50, 0.48), 0.6, "flat"),
        ((0.50, 0.499), 0.99, "flat"),
    ],
)
def test_the_learning_curve_is_read(loss: tuple[float, float], sure: float, words: str) -> None:
    told = model_checks(good(), Refits((), 50, (200, 400), loss, sure))
    assert [v.code for v in told] == ["HVA016"]
    assert words in told[0].what


def test_a_top_that_changes_with_the_seed() -> None:
    told = model_checks(good(), Refits((0.5, 0.8), 50, (), (), None))
    assert [v.code for v in told] == ["HVA015"]
    assert "65%" in told[0].what


@pytest.mark.parametrize(("ratio", "codes"), [(0.0, 0), (-0.5, 0), (-0.7, 1), (0.7, 1)])
def test_cohorts_that_run_and_bring_something_else_are_told(ratio: float, codes: int) -> None:
    usual = {"moved": 0.0, "ratio": 0.0, "sd": 0.3, "looks": [{"days": 31}]}
    odd = usual | {"ratio": ratio, "moved": ratio / 2, "looks": [{"days": 61}, {"days": 31}]}
    told = list(running({"likelihood": usual, "value": odd}))
    assert [v.code for v in told] == ["HVA019"] * codes
    assert all("31 to 61 days old" in v.what and "the value promised" in v.what for v in told)
    assert list(running(None)) == []
    assert list(running({"value": odd | {"looks": []}})) == []
