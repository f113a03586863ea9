"""Complete nights against what came: sums by hand, order by scikit-learn, the list and who just missed it."""

from dataclasses import astuple, replace
from datetime import date

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hva_ml.config import Monitoring
from hva_ml.monitoring import findings as codes
from hva_ml.monitoring.judgement import judge
from hva_ml.monitoring.outcomes import Came, Kept, Outcome, Promised, Realised, realised, worked

RATIO = (0.7, 1.4)


def night(n: int = 400, seed: int = 1) -> tuple[Promised, Came]:
    rng = np.random.default_rng(seed)
    p, v = rng.beta(1, 4, n), np.exp(rng.normal(6, 0.5, n))
    rank = np.argsort(np.argsort(-(p * v))) + 1
    tier = np.where(rank <= 40, "A", np.where(rank <= 120, "B", "C"))
    converted = (rng.random(n) < p).astype(float)
    groups = np.array([f"G{k // 2}" for k in range(n)])
    return Promised(p, v, tier, rank, rank <= 60, groups), Came(converted, converted * v)


def test_metrics_and_sums_are_those_of_the_rows() -> None:
    promised, came = night()
    metrics, kept, _ = realised(promised, came, date(2025, 1, 1), resamples=50, seed=7)
    auc = next(m for m in metrics if m.metric == "roc_auc")
    assert auc.value == pytest.approx(roc_auc_score(came.converted, promised.probability))
    assert auc.low < auc.value < auc.high
    assert [k.name for k in kept] == ["all", "A", "B", "C"]
    for k in kept:
        mine = np.ones(400, dtype=bool) if k.name == "all" else promised.tier == k.name
        expected = promised.probability * promised.value
        assert (k.accounts, k.seen) == (mine.sum(), came.converted[mine].sum())
        assert k.promised == pytest.approx(promised.probability[mine].sum())
        assert k.promised_value == pytest.approx(expected[mine].sum())
        assert k.seen_value == pytest.approx(came.value[mine].sum())
        assert k.low <= k.seen / k.promised <= k.high
    assert sum(k.seen for k in kept[1:]) == kept[0].seen


def test_the_order_of_rows_changes_nothing() -> None:
    promised, came = night()
    order = np.random.default_rng(3).permutation(400)
    mixed = Promised(*(getattr(promised, f)[order] for f in promised.__dataclass_fields__))
    there = Came(came.converted[order], came.value[order])
    one = realised(promised, came, date(2025, 1, 1), resamples=20, seed=7)
    other = realised(mixed, there, date(2025, 1, 1), resamples=20, seed=7)
    assert astuple(one[2]) == pytest.approx(astuple(other[2]))
    for a, b in zip(one[0], other[0], strict=True):
        assert a.value == pytest.approx(b.value, abs=1e-12)
        assert a.error == pytest.approx(b.error, abs=1e-9)


def test_the_lower_half_of_the_list_stands_beside_those_who_just_missed_it() -> None:
    promised, came = night()
    found = worked(promised, came)
    by_rank = np.argsort(promised.rank)
    half, next_ = by_rank[30:60], by_rank[60:90]
    assert (found.listed, found.missed) == (30, 30)
    assert found.listed_promised == pytest.approx(promised.probability[half].sum())
    assert found.missed_seen == came.converted[next_].sum()
    assert found.from_list == came.converted[by_rank[:60]].sum()
    assert found.conversions == came.converted.sum()


def test_a_record_is_the_same_outcome(quiet: object) -> None:
    for outcome in quiet.release.outcomes:
        assert Outcome.from_record(outcome.record()) == outcome


def spoiled(outcome: Outcome, **changes: float) -> Outcome:
    """The same night with other sums, or a worse order."""
    kept = tuple(
        Kept(**{**k.__dict__, "seen": k.seen * changes.get(k.name, 1.0),
                "low": k.low * changes.get(k.name, 1.0), "high": k.high * changes.get(k.name, 1.0)})
        for k in outcome.kept
    )  # fmt: skip
    lost = changes.get("lost", 0.0)
    metrics = tuple(
        Realised(m.metric, m.value - lost, m.low - lost, m.high - lost, m.error)
        if m.metric == "roc_auc" and m.value is not None else m
        for m in outcome.metrics
    )  # fmt: skip
    return replace(outcome, kept=kept, metrics=metrics)


@pytest.mark.parametrize(
    ("changes", "code", "where"),
    [
        ({"all": 0.3}, codes.TOTALS, "conversions.all"),
        ({"A": 3.0}, codes.TOTALS, "conversions.A"),
        ({"lost": 0.25}, codes.RANKING, "roc_auc"),
    ],
)
def test_each_broken_promise_has_its_code(quiet: object, changes: dict, code: str, where: str) -> None:
    outcomes = tuple(spoiled(o, **changes) for o in quiet.release.outcomes)
    assert len(outcomes) > 1
    judged = judge(replace(quiet.release, outcomes=outcomes), Monitoring(), RATIO)
    alarms = [f for f in judged.findings if f.outcome == "alarm"]
    assert [(a.code, a.where) for a in alarms] == [(code, where)]
    assert alarms[0].since == outcomes[0].as_of
    # It is known when the horizon is over, not before.
    raised = [e.raised for e in judged.episodes]
    assert min(raised) > outcomes[0].as_of


def test_no_conversion_at_all_is_an_alarm_too(quiet: object) -> None:
    outcomes = tuple(spoiled(o, all=0.0, A=0.0, B=0.0, C=0.0) for o in quiet.release.outcomes)
    judged = judge(replace(quiet.release, outcomes=outcomes), Monitoring(), RATIO)
    assert "conversions.all" in [f.where for f in judged.findings if f.outcome == "alarm"]


def test_without_complete_nights_nothing_is_said(quiet: object) -> None:
    judged = judge(replace(quiet.release, outcomes=()), Monitoring(), RATIO)
    told = {f.code: (f.outcome, f.reason) for f in judged.findings}
    assert told[codes.RANKING] == told[codes.TOTALS] == ("not applicable", "no_horizon")
