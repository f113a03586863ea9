"""The calendar: local midnights, matured cohorts only, gaps respected."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.cutoffs import Calendar, instant, microseconds, series
from hva_ml.errors import ConfigError, NotEnoughDataError

DAYS = st.dates(date(1995, 1, 1), date(2090, 1, 1))


@given(DAYS, st.sampled_from(["UTC", "Europe/Berlin", "Europe/London", "Europe/Zurich"]))
def test_an_instant_is_local_midnight(day: date, zone: str) -> None:
    local = instant(day, zone).astimezone(ZoneInfo(zone))
    assert (local.date(), local.hour, local.minute) == (day, 0, 0)


@given(DAYS, st.integers(0, 40), st.sampled_from(["week", "month", "quarter"]))
def test_a_series_is_increasing_and_stays_within(first: date, more: int, every: str) -> None:
    last = first + timedelta(days=30 * more)
    days = series(first, last, every)
    assert days[0] == first
    assert days[-1] <= last
    assert all(a < b for a, b in pairwise(days))
    longest = {"week": 7, "month": 31, "quarter": 92}[every]
    assert (last - days[-1]).days < longest
    assert all((b - a).days <= longest for a, b in pairwise(days))


def test_the_month_series_keeps_the_end_of_the_month() -> None:
    assert series(date(2023, 11, 30), date(2024, 3, 31), "month") == (
        date(2023, 11, 30), date(2023, 12, 30), date(2024, 1, 30), date(2024, 2, 29), date(2024, 3, 30),
    )  # fmt: skip


def test_an_immature_cohort_is_left_out_to_the_microsecond() -> None:
    calendar = Calendar(series(date(2025, 1, 1), date(2025, 6, 1), "month"), 90, 7, "Europe/Berlin")
    end = calendar.label_window(date(2025, 3, 1))[1]
    assert calendar.matured(end).days[-1] == date(2025, 3, 1)
    assert calendar.matured(end - timedelta(microseconds=1)).days[-1] == date(2025, 2, 1)
    with pytest.raises(NotEnoughDataError, match="complete horizon"):
        calendar.matured(datetime(2025, 1, 2, tzinfo=UTC))


def test_the_label_window_begins_after_the_gap() -> None:
    calendar = Calendar((date(2025, 3, 1),), 30, 7, "Europe/Berlin")
    start, end = calendar.label_window(date(2025, 3, 1))
    assert (start, end) == (
        instant(date(2025, 3, 8), "Europe/Berlin"),
        instant(date(2025, 4, 7), "Europe/Berlin"),
    )


def test_microseconds_are_exact() -> None:
    assert microseconds(datetime(2025, 1, 1, 0, 0, 0, 1, tzinfo=UTC)) == 1_735_689_600_000_001


def test_a_last_cutoff_before_the_first_is_refused() -> None:
    with pytest.raises(ConfigError, match="before the first"):
        series(date(2025, 1, 1), date(2024, 1, 1), "month")
