"""Tables of a backtest: oracles in plain Python for pairs and averages, and what later cohorts may change."""

import math
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.evaluation.backtest import (
    AVERAGES,
    OVER_TIME,
    Cohort,
    Measured,
    averages,
    measured,
    over_time,
)
from hva_ml.evaluation.bootstrap import named_weights
from hva_ml.evaluation.decay import DECAY, MEASURES, PAIRS, curve, pairs
from hva_ml.evaluation.metrics import BY_NAME, MODEL, ModelPrediction
from hva_ml.evaluation.retraining import MIN_AGES, MIN_PAIRS, passing, recommend

DAYS = tuple(date(2024 + k // 12, k % 12 + 1, 1) for k in range(24))
SEED = 7


def world(
    cohorts: int,
    *,
    turn: float = 0.0,
    noise: float = 0.0,
    rows: int = 250,
    seed: int = 0,
    names: Sequence[str] = MEASURES,
    resamples: int = 40,
    skipped: Sequence[int] = (),
) -> list[Measured]:
    """Two drivers of conversion, whose weights turn by `turn` a month; a model knows those of its own day."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(cohorts, rows, 2))
    angle = turn * np.arange(cohorts)
    weights = 1.6 * np.column_stack([np.cos(angle), np.sin(angle)])
    believed = weights + noise * rng.normal(size=weights.shape)
    found = []
    seen = []
    for c in range(cohorts):
        p = 1 / (1 + np.exp(1.5 - x[c] @ weights[c]))
        won = (rng.random(rows) < p).astype(np.int8)
        value = won * np.exp(rng.normal(6, 0.5, rows))
        seen.append(Cohort(DAYS[c], won, value, np.array([f"g{k // 2}" for k in range(rows)]), 20))
    for s in range(cohorts):
        for c in range(s, cohorts):
            if s in skipped:
                continue
            p = 1 / (1 + np.exp(1.5 - x[c] @ believed[s]))
            told = ModelPrediction(p, np.full(rows, 450.0), 450.0 * p)
            found.append(measured(DAYS[s], MODEL, told, seen[c], resamples=resamples, seed=SEED, names=names))
        flat = np.full(rows, 0.3)
        rule = ModelPrediction(flat, 400 * flat / flat, 400 * flat)
        found.append(measured(DAYS[s], "flat", rule, seen[s], resamples=resamples, seed=SEED, names=names))
    return found


@pytest.fixture(scope="module")
def turning() -> list[Measured]:
    return world(10, turn=0.12, skipped=(4,))


def goodness(metric: str, value: float) -> float:
    return {"brier": -value, "total_ratio": -abs(value - 1.0)}.get(metric, value)


def test_pairs_are_those_of_plain_loops(turning: list[Measured]) -> None:
    value = {(m.trained, m.cutoff): m.points for m in turning if m.model == MODEL}
    days = sorted({d for key in value for d in key})
    expected = {}
    for trained, cutoff in value:
        if trained != cutoff and (cutoff, cutoff) in value:
            for metric in MEASURES:
                aged, fresh = value[trained, cutoff][metric], value[cutoff, cutoff][metric]
                expected[trained, cutoff, metric] = (
                    days.index(cutoff) - days.index(trained), (cutoff - trained).days, aged, fresh,
                    goodness(metric, fresh) - goodness(metric, aged),
                )  # fmt: skip
    table = pairs(turning)
    assert table.schema == PAIRS
    rows = {
        (r["trained"], r["cutoff"], r["metric"]): tuple(
            r[k] for k in ("steps", "age_days", "aged", "fresh", "loss")
        )
        for r in table.to_pylist()
    }
    assert len(rows) == table.num_rows == len(MEASURES) * 36
    assert rows.keys() == expected.keys()
    for key, row in rows.items():
        assert row == pytest.approx(expected[key], abs=1e-12)


def test_the_curve_is_the_mean_of_the_pairs_with_draws_of_accounts_and_cohorts(
    turning: list[Measured],
) -> None:
    table = curve(turning, SEED)
    assert table.schema == DECAY
    found = {(m.trained, m.cutoff): m for m in turning if m.model == MODEL}
    by = {(r["steps"], r["metric"]): r for r in table.to_pylist()}
    for steps in (1, 5):
        for metric in ("roc_auc", "total_ratio"):
            here = [r for r in pairs(turning).to_pylist() if (r["steps"], r["metric"]) == (steps, metric)]
            row = by[steps, metric]
            assert row["pairs"] == len(here)
            for key in ("age_days", "aged", "fresh", "loss"):
                assert row[key] == pytest.approx(sum(r[key] for r in here) / len(here))
            drawn = []
            for k in range(40):
                total = weight = 0.0
                for r in here:
                    times = named_weights([r["cutoff"].isoformat()], 40, SEED, "cohorts")[k, 0]
                    aged = found[r["trained"], r["cutoff"]].draws[metric][k]
                    fresh = found[r["cutoff"], r["cutoff"]].draws[metric][k]
                    total += float(times) * (goodness(metric, fresh) - goodness(metric, aged))
                    weight += float(times)
                drawn.append(total / weight if weight else math.nan)
            low, high = np.nanquantile(drawn, [0.025, 0.975])
            assert (row["low"], row["high"]) == pytest.approx((low, high))
    zero = by[0, "roc_auc"]
    assert (zero["loss"], zero["low"], zero["high"]) == (0.0, 0.0, 0.0)


def test_averages_are_means_over_cutoffs_and_tell_who_is_ahead(turning: list[Measured]) -> None:
    table = averages(turning, SEED)
    assert table.schema == AVERAGES
    rows = {(r["model"], r["metric"]): r for r in table.to_pylist()}
    own = [m for m in turning if m.trained == m.cutoff]
    for metric in MEASURES:
        ours = {m.cutoff: m.points[metric] for m in own if m.model == MODEL}
        flat = {m.cutoff: m.points[metric] for m in own if m.model == "flat"}
        row = rows["flat", metric]
        assert rows[MODEL, metric]["value"] == pytest.approx(sum(ours.values()) / len(ours))
        assert (rows[MODEL, metric]["cutoffs"], row["cutoffs"]) == (9, 10)
        assert rows[MODEL, metric]["ahead"] is None
        ahead = [goodness(metric, ours[d]) - goodness(metric, flat[d]) for d in ours]
        assert row["ahead"] == pytest.approx(sum(ahead) / len(ahead))
        assert row["ahead_low"] <= row["ahead"] <= row["ahead_high"]
    assert rows["flat", "roc_auc"]["share_of_resamples_ahead"] == 1.0


def test_later_cohorts_change_nothing_of_earlier_ones(turning: list[Measured]) -> None:
    until = DAYS[6]
    early = [m for m in turning if m.cutoff <= until]
    whole, part = over_time(turning), over_time(early)
    assert whole.schema == OVER_TIME
    assert part.num_rows > 0
    assert whole.filter(pa.compute.less_equal(whole["cutoff"], pa.scalar(until))).equals(part)
    whole, part = (pairs(m).to_pylist() for m in (turning, early))
    assert [r for r in whole if r["cutoff"] <= until] == part


@settings(max_examples=25)
@given(
    st.lists(st.text(max_size=4), unique=True, min_size=1, max_size=8),
    st.integers(0, 2**31),
    st.randoms(use_true_random=False),
)
def test_a_name_is_drawn_alike_in_any_company(names: list[str], seed: int, random: object) -> None:
    alone = named_weights(names, 6, seed)
    company = [*names, "somebody else"]
    random.shuffle(company)  # type: ignore[attr-defined]
    together = named_weights(company, 9, seed)
    assert (together[:6, [company.index(n) for n in names]] == alone).all()


def test_draws_are_poisson_and_independent() -> None:
    weights = named_weights([f"g{k}" for k in range(2000)], 200, SEED).astype(float)
    assert abs(weights.mean() - 1.0) < 0.01
    assert abs(weights.var() - 1.0) < 0.02
    share = [(weights == k).mean() for k in range(5)]
    np.testing.assert_allclose(share, [math.exp(-1) / math.factorial(k) for k in range(5)], atol=0.003)
    between = np.corrcoef(weights[:, :40].T)[~np.eye(40, dtype=bool)]
    assert abs(between.mean()) < 0.01
    assert abs(between.std() - 1 / math.sqrt(200)) < 0.01


def test_a_draw_of_nobody_is_no_draw() -> None:
    p = np.array([0.2, 0.7])
    told = ModelPrediction(p, p, p * p)
    cohort = Cohort(DAYS[0], np.array([0, 1]), np.array([0.0, 5.0]), np.array(["a", "a"]), 1)
    found = measured(DAYS[0], MODEL, told, cohort, resamples=30, seed=SEED, names=("brier",))
    nobody = named_weights(["a"], 30, SEED)[:, 0] == 0
    assert nobody.any()
    assert (np.isnan(found.draws["brier"]) == nobody).all()
    assert set(found.points) == {"brier"}


def test_what_is_undefined_says_why_and_leaves_the_averages() -> None:
    p = np.array([0.2, 0.7, 0.4])
    told = ModelPrediction(p, p, p * p)
    nobody = Cohort(DAYS[0], np.zeros(3), np.zeros(3), np.array(["a", "b", "c"]), 1)
    some = Cohort(DAYS[1], np.array([0, 1, 0]), np.array([0.0, 5.0, 0.0]), np.array(["a", "b", "c"]), 1)
    found = [measured(c.day, MODEL, told, c, resamples=20, seed=SEED) for c in (nobody, some)]
    rows = {(r["cutoff"], r["metric"]): r for r in over_time(found).to_pylist()}
    assert rows[DAYS[0], "roc_auc"]["value"] is None
    assert rows[DAYS[0], "roc_auc"]["reason"] == "no row converted"
    means = {r["metric"]: r for r in averages(found, SEED).to_pylist()}
    assert (means["roc_auc"]["cutoffs"], means["roc_auc"]["value"]) == (1, 1.0)
    assert means["roc_auc"]["low"] is None
    assert set(means) == set(BY_NAME)


@pytest.mark.parametrize("seed", range(3))
def test_a_world_that_turns_asks_for_retraining_when_the_loss_passes_the_tolerance(seed: int) -> None:
    names = ("roc_auc", "captured_revenue_top_20", *MEASURES)
    found = world(12, turn=0.2, seed=seed, names=names)
    told = recommend(found, 0.03, SEED)
    assert told.outcome == "retrain"
    assert told.days is not None
    assert told.low is not None
    assert told.low <= told.days <= (told.high or math.inf)
    # ROC AUC falls by 0.03 within two to four months of turning by 0.2 a month.
    assert 30 <= told.days <= 130
    assert "Retrain every" in told.sentence()


@pytest.mark.parametrize("seed", range(3))
def test_a_world_that_stands_still_asks_for_nothing(seed: int) -> None:
    told = recommend(world(12, noise=0.3, seed=seed), 0.01, SEED)
    assert told.outcome == "no decay shown"
    assert told.days == told.oldest_days
    assert told.days is not None
    assert told.days > 180
    assert "95 % interval" in told.reason
    assert "No need to retrain" in told.sentence()


def test_too_few_cutoffs_are_not_applicable_and_say_so() -> None:
    enough = MIN_AGES + MIN_PAIRS
    few = recommend(world(enough - 1, turn=0.2, rows=60), 0.01, SEED)
    assert few.outcome == "not applicable"
    assert (few.days, few.low, few.high, few.oldest_days) == (None, None, None, None)
    assert f"{enough - 1} models" in few.reason
    assert f"takes {enough}" in few.reason
    assert few.sentence().startswith("A recommendation is not applicable, because")
    assert recommend(world(enough, turn=0.2, rows=60), 0.01, SEED).outcome != "not applicable"


def pooled(losses: list[float], weights: list[int]) -> list[float]:
    """Never falling, nearest to the losses: neighbours that fall are joined until none does."""
    blocks = [[loss, w, 1] for loss, w in zip(losses, weights, strict=True)]
    while any(a[0] > b[0] for a, b in pairwise(blocks)):
        k = next(k for k in range(len(blocks) - 1) if blocks[k][0] > blocks[k + 1][0])
        a, b = blocks[k], blocks.pop(k + 1)
        blocks[k] = [(a[0] * a[1] + b[0] * b[1]) / (a[1] + b[1]), a[1] + b[1], a[2] + b[2]]
    return [loss for loss, _, n in blocks for _ in range(n)]


@given(
    st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 9)), min_size=1, max_size=8),
    st.integers(1, 40),
)
def test_the_passing_age_is_where_the_pooled_curve_crosses(
    seen: list[tuple[int, int]], tolerance: int
) -> None:
    losses, weights = [x[0] / 1000 for x in seen], [x[1] for x in seen]
    limit = tolerance / 1000 + 1e-7
    ages = [30.0 * (k + 1) for k in range(len(seen))]
    before, at = 0.0, 0.0
    expected = math.inf
    for age, level in zip(ages, pooled(losses, weights), strict=True):
        level = max(level, 0.0)
        if level > limit:
            expected = at + (limit - before) / (level - before) * (age - at)
            break
        before, at = level, age
    assert passing(ages, losses, weights, limit) == pytest.approx(expected)
