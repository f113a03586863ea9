"""The outlook of the market against its definition in plain Python, and how far it moves in one night."""

import math
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.calibration import Outlook
from hva_ml.cutoffs import MICROSECONDS_PER_DAY as DAY
from hva_ml.cutoffs import Calendar
from hva_ml.errors import ConfigError
from hva_ml.features.build import build

ON = "[features]\nseason = false\noutlook = true"
DAYS = (date(2024, 3, 1), date(2024, 6, 1))
rows = st.lists(
    st.tuples(st.integers(1, 800), st.integers(-500, 5000), st.sampled_from([0, 0, 3, 60])), max_size=25
)


@settings(max_examples=50)
@given(rows=rows, oldest=st.sampled_from([800, 370, 340, 325, 300]), gap=st.sampled_from([0, 20]))
def test_it_is_the_same_days_a_year_ago_over_the_usual_ones(config, tables, rows, oldest, gap):
    calendar = Calendar(DAYS, 60, gap, "Europe/Berlin")
    last = calendar.micros.tolist()[-1]
    paid = [
        {"account_id": "a", "event_time": last - d * DAY, "known_at": last + (k - d) * DAY, "amount_cents": c}
        for d, c, k in rows
        if d <= oldest
    ]
    known = tables(accounts=[{"account_id": "a", "event_time": last - 900 * DAY}], invoices=paid)
    features = build(known, config(ON, horizon=f"gap_days = {gap}"), calendar)
    names = ["season.outlook", "season.outlook_seen"]
    assert [n for n in features.names if n.startswith("season.")] == names
    found = zip(*(features.table[n].to_pylist() for n in names), strict=True)
    for cutoff, (outlook, share) in zip(calendar.micros.tolist(), found, strict=True):
        seen = [p for p in paid if max(p["event_time"], p["known_at"]) < cutoff]
        first = min((p["event_time"] for p in seen), default=cutoff)

        def during(begin, length, seen=seen):
            return [p["amount_cents"] for p in seen if begin <= p["event_time"] < begin + length * DAY]

        begin = cutoff + (gap - 365) * DAY
        told = sum(begin + (d + 1) * DAY > first for d in range(60))
        then = during(begin, 60)
        quarter, year = (sum(during(cutoff - d * DAY, d)) for d in (90, 365))
        if not told or min(sum(then), quarter, year) <= 0:
            assert (outlook, share) == (None, 0.0)
            continue
        assert share == told / 60
        age = math.ceil((cutoff - first) / DAY)
        usual = math.sqrt(quarter / min(age, 90) * year / min(age, 365))
        believed = share * len(then) / (len(then) + 25)
        want = math.log(1 - believed + believed * sum(then) / told / usual)
        assert outlook == pytest.approx(want, abs=1e-12)


NIGHTS = tuple(date(2024, 3, 1) + timedelta(days=k) for k in range(130))
AT_MOST = 2.0
"""A day may bring as much as another, or up to twice of it."""


@settings(max_examples=15, deadline=None)
@given(
    age=st.integers(270, 460),
    strong=st.tuples(st.integers(0, 400), st.integers(10, 120)),
    rows_a_day=st.integers(1, 4),
    term=st.tuples(st.floats(-0.3, 0.3), st.floats(0.0, 1.0), st.floats(-0.15, 0.15)),
)
def test_no_night_moves_it_much_while_the_days_do_not(config, tables, age, strong, rows_a_day, term):
    """Data begin, come to be a year old, and have a season: nothing of that is a night's work."""
    calendar = Calendar(NIGHTS, 60, 0, "Europe/Berlin")
    first = calendar.micros.tolist()[-1] - age * DAY
    paid = [
        {
            "account_id": "a", "event_time": first + d * DAY + r,
            "amount_cents": 60_000 * (2 if strong[0] <= d < sum(strong) else 1) // rows_a_day,
        }
        for d in range(age) for r in range(rows_a_day)
    ]  # fmt: skip
    known = tables(accounts=[{"account_id": "a", "event_time": first - DAY}], invoices=paid)
    table = build(known, config(ON), calendar).table
    outlook = table["season.outlook"].to_numpy(zero_copy_only=False)
    share = table["season.outlook_seen"].to_numpy()
    assert np.abs(np.diff(share)).max() <= 1 / 60 + 1e-12
    assert share[0] < 1
    # How many days are told, what they brought, and what is usual: each may move by one day in its window.
    a_day = AT_MOST - 1
    most = AT_MOST * (2.25 * a_day / 60 + AT_MOST * 0.5 * a_day * (1 / 90 + 1 / 200))
    assert np.abs(np.diff(np.nan_to_num(outlook))).max() <= most
    usual, weight, drift = term
    expected = Outlook(0, usual, weight, drift, seen=1).market(outlook, share)
    assert np.abs(np.diff(expected)).max() <= most + abs(usual - drift) / 60
    if age < 305:
        assert expected[0] == usual


def test_a_few_rows_from_long_ago_tell_next_to_nothing(config, tables):
    calendar = Calendar((date(2024, 6, 1),), 60, 0, "Europe/Berlin")
    last = calendar.micros.tolist()[0]
    paid = [{"account_id": "a", "event_time": last - d * DAY, "amount_cents": 1000} for d in range(1, 200)]
    stray = {"account_id": "a", "event_time": last - 340 * DAY, "amount_cents": 1}
    known = tables(accounts=[{"account_id": "a", "event_time": last - 900 * DAY}], invoices=[*paid, stray])
    (outlook,) = build(known, config(ON), calendar).table["season.outlook"].to_pylist()
    assert -0.04 < outlook < 0


def test_it_cannot_see_a_horizon_of_more_than_a_year(config, tables, calendar):
    pipeline = config(ON, horizon="gap_days = 306")
    with pytest.raises(ConfigError, match="366 days after the cutoff"):
        build(tables(), pipeline, calendar)
