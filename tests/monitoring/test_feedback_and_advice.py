"""The list's own effect on the labels, and when to train again, with reasons."""

from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pytest
from scipy.stats import binomtest

from hva_ml.evaluation.decay import DECAY
from hva_ml.evaluation.retraining import Recommendation
from hva_ml.monitoring import findings as codes
from hva_ml.monitoring.advice import advise
from hva_ml.monitoring.feedback import about, feedback
from hva_ml.monitoring.findings import Finding
from hva_ml.monitoring.outcomes import Outcome, Worked


def night(day: str, **numbers: float) -> Outcome:
    given = {
        "listed": 50, "listed_promised": 20.0, "listed_seen": 20, "missed": 50, "missed_promised": 18.0,
        "missed_seen": 18, "conversions": 200, "from_list": 30,
    }  # fmt: skip
    return Outcome(day, "r", "release", day, (0,), (), (), Worked(**(given | numbers)))  # type: ignore[arg-type]


def test_nights_that_overlap_are_not_added_up() -> None:
    days = [(date(2025, 1, 1) + timedelta(days=10 * k)).isoformat() for k in range(20)]
    found = feedback([night(d) for d in days], 90)
    assert found.nights == 3
    assert found.conversions == 600
    assert found.share == pytest.approx(0.15)
    assert feedback([], 90) is None


def test_the_effect_is_the_ratio_of_kept_promises_with_its_exact_interval() -> None:
    found = feedback([night("2025-01-01", listed_seen=40)], 90)
    assert found.effect == pytest.approx((40 / 20) / (18 / 18))
    exact = binomtest(40, 58).proportion_ci(0.95, method="exact")
    for bound, share in ((found.low, exact.low), (found.high, exact.high)):
        assert bound == pytest.approx(share / (1 - share) * 18 / 20)


@pytest.mark.parametrize(
    ("numbers", "outcome", "reason"),
    [
        ({}, "passed", ""),
        ({"listed_seen": 60}, "warning", "worked"),
        ({"from_list": 150}, "warning", "from_list"),
        ({"listed_seen": 3, "missed_seen": 2}, "passed", ""),
        ({"missed_seen": 0, "listed_seen": 30}, "warning", "worked"),
    ],
)
def test_warnings_say_why(numbers: dict, outcome: str, reason: str) -> None:
    found = about(feedback([night("2025-01-01", **numbers)], 90), 0.5)
    assert (found.code, found.outcome, found.reason) == (codes.FEEDBACK, outcome, reason)
    assert about(None, 0.5).outcome == "not applicable"


RECOMMENDED = Recommendation("retrain", 60, 30, 90, 0.01, 200, "so it is")


def curve() -> pa.Table:
    rows = [
        {"metric": "roc_auc", "steps": k, "age_days": 30.0 * k, "pairs": 6, "aged": 0.7, "fresh": 0.7,
         "loss": 0.01 * k, "low": 0.0 if k else None, "high": 0.02 * k if k else None,
         "share_of_resamples_worse": 0.9}
        for k in range(4)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=DECAY)


def asked(found: tuple[Finding, ...], quiet: object, days: int, **more: object):
    reference = quiet.model.reference
    complete = reference.last + timedelta(days=reference.gap + reference.horizon)
    given = {"embargo_days": 0, "max_age_days": None, "recommendation": None, "decay": None} | more
    return advise(found, reference, complete + timedelta(days=days), **given)


def test_nothing_speaks_for_it(quiet: object) -> None:
    advice, age = asked((Finding(codes.FEATURE, "passed"),), quiet, 45, decay=curve())
    assert (advice.outcome, advice.reasons, advice.age_days) == ("keep", (), 45)
    assert (age.outcome, age.reason) == ("not applicable", "no_limit")
    told = advice.expected[0]
    assert (told.metric, told.loss) == ("roc_auc", pytest.approx(0.015))
    assert (told.low, told.high) == (0.0, pytest.approx(0.03))
    assert asked((), quiet, 100, decay=curve())[0].expected == ()


def test_alarms_are_reasons_and_say_from_when_on_training_helps(quiet: object) -> None:
    found = (
        Finding(codes.FEATURE, "alarm", "x", since="2025-03-01"),
        Finding(codes.UNDER_WAY, "alarm", "all", since="2025-04-01"),
        Finding(codes.FEEDBACK, "warning"),
    )
    advice, _ = asked(found, quiet, 10)
    assert (advice.outcome, advice.reasons) == ("retrain", (codes.FEATURE, codes.UNDER_WAY))
    assert advice.learnable_from == (date(2025, 4, 1) + timedelta(days=90)).isoformat()


def test_a_wrong_source_is_mended_first(quiet: object) -> None:
    found = (Finding(codes.VOLUME, "alarm", "volume.x"), Finding(codes.FEATURE, "alarm", "y"))
    advice, _ = asked(found, quiet, 10)
    assert (advice.outcome, advice.reasons) == ("mend first", (codes.VOLUME, codes.FEATURE))


@pytest.mark.parametrize(
    ("more", "source", "limit"),
    [
        ({"recommendation": RECOMMENDED}, "backtest", 60),
        ({"max_age_days": 40}, "declared", 40),
        ({"recommendation": RECOMMENDED, "max_age_days": 40}, "declared", 40),
    ],
)
def test_age_is_a_reason_as_declared_or_as_the_backtest_says(
    quiet: object, more: dict, source: str, limit: int
) -> None:
    advice, age = asked((Finding(codes.FEATURE, "passed"),), quiet, limit + 1, **more)
    assert (advice.outcome, advice.reasons) == ("retrain", (codes.AGE,))
    assert (advice.limit_from, advice.limit_days) == (source, limit)
    assert (age.outcome, age.measured, age.bound) == ("warning", limit + 1, limit)
    assert asked((Finding(codes.FEATURE, "passed"),), quiet, limit, **more)[0].outcome == "keep"
    none = replace(RECOMMENDED, outcome="no decay shown")
    assert asked((), quiet, 999, recommendation=none)[1].reason == "no_limit"


def test_where_nothing_could_be_looked_at_nothing_is_advised() -> None:
    found = (Finding(codes.FEATURE, "not applicable", reason="no_reference"),)
    advice, age = advise(found, None, date(2025, 1, 1), embargo_days=0, max_age_days=None,
                         recommendation=None, decay=None)  # fmt: skip
    assert advice.outcome == "not applicable"
    assert age.outcome == "not applicable"
