"""Followed nights: one a week, joined day by day, as one knew them then."""

from datetime import date, timedelta

import numpy as np
import pytest

from hva_ml.config import Monitoring
from hva_ml.monitoring import findings as codes
from hva_ml.monitoring.judgement import judge
from hva_ml.monitoring.under_way import UnderWay, begin_of, counted_until, flow, followed

RATIO = (0.7, 1.4)
FLAT = (1.0,) * 7


def part(day: date, days: int, level: float, begin: int = 0) -> UnderWay:
    seen = np.full((days, 3), int(level), dtype=np.int64)
    return UnderWay(day.isoformat(), "r", "release", begin, 56, seen, np.full((days, 3), level))


def test_a_night_is_followed_every_week() -> None:
    nightly = [date(2025, 1, 1) + timedelta(days=k) for k in range(30)]
    assert [(d - nightly[0]).days for d in followed(nightly)] == [0, 7, 14, 21, 28]
    assert [(d - nightly[0]).days for d in followed(nightly, 28)] == [0, 28]
    seldom = [date(2025, 1, 1), date(2025, 1, 10), date(2025, 1, 15), date(2025, 4, 1)]
    assert followed(seldom) == (seldom[0], seldom[1], seldom[3])
    assert followed([]) == ()


def test_days_are_joined_and_the_later_night_counts() -> None:
    joined = flow([part(date(2025, 1, 1), 40, 2.0), part(date(2025, 1, 29), 5, 5.0)], FLAT)
    assert joined is not None
    assert len(joined.days) == 40
    assert joined.due[:, 0].tolist() == [6.0] * 28 + [15.0] * 5 + [6.0] * 7
    assert (joined.seen[:, 1:].sum(axis=1) == joined.seen[:, 0]).all()
    assert flow([part(date(2025, 1, 1), 0, 1.0)], FLAT) is None


def test_days_between_that_nobody_follows_have_nothing_due() -> None:
    joined = flow([part(date(2025, 1, 1), 3, 2.0), part(date(2025, 1, 10), 3, 2.0, begin=1)], FLAT)
    assert joined is not None
    assert joined.days[0] == date(2025, 1, 1)
    assert joined.due[:, 0].tolist() == [6.0] * 3 + [0.0] * 7 + [6.0] * 3


def test_what_is_due_follows_the_days_of_the_week() -> None:
    weekdays = (1.4, 1.4, 1.4, 1.4, 1.4, 0.0, 0.0)
    joined = flow([part(date(2025, 1, 6), 14, 1.0)], weekdays)
    assert joined is not None
    assert joined.due[:, 0] == pytest.approx(3.0 * np.tile(weekdays, 2))


def test_an_earlier_day_knows_fewer_days() -> None:
    whole = part(date(2025, 1, 1), 40, 2.0, begin=7)
    assert len(whole.until(date(2025, 1, 8)).seen) == 0
    assert len(whole.until(date(2025, 1, 18)).seen) == 10
    assert len(whole.until(date(2026, 1, 1)).seen) == 40
    assert not whole.complete
    again = UnderWay.from_record(whole.record())
    assert again.seen.tolist() == whole.seen.tolist()
    assert again.due == pytest.approx(whole.due)
    assert UnderWay.from_record(part(date(2025, 1, 1), 0, 1.0).record()).seen.size == 0


def test_a_night_is_counted_from_its_second_week_for_as_long_as_the_pace_is_known(quiet: object) -> None:
    pace, n = quiet.model.reference.pace, 50
    p, after = np.full(n, 0.5), np.arange(n)
    begin = begin_of(3, 90)
    assert begin == 10
    assert begin_of(0, 8) == 2
    length, seen, due = counted_until(pace, p, after, begin, 30)
    assert (length, len(seen)) == (pace.days - 10, 20)
    assert seen.sum(axis=1).tolist() == [1] * 20
    assert len(counted_until(pace, p, after, begin, 5)[1]) == 0
    assert len(counted_until(pace, p, after, begin, 500)[1]) == length
    assert due.sum() > 0


def test_what_is_under_way_is_judged_the_same_however_often_one_looks(quiet: object) -> None:
    """The evidence of a night does not change when later nights come."""
    whole = judge(quiet.release, Monitoring(), RATIO).under_way
    earlier = [p.until(whole.flow.days[0] + timedelta(days=60)) for p in quiet.release.under_way]
    then = judge(
        type(quiet.release)(**{**quiet.release.__dict__, "under_way": tuple(earlier)}), Monitoring(), RATIO
    ).under_way
    assert len(then.flow.days) == 60
    # Of the night that is followed next nothing was known on these days.
    assert then.evidence.total[:28] == pytest.approx(whole.evidence.total[:28])
    assert whole.findings[0].code == codes.UNDER_WAY
