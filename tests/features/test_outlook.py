"""The outlook of the market against its definition in plain Python."""

import math
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.cutoffs import MICROSECONDS_PER_DAY as DAY
from hva_ml.cutoffs import Calendar
from hva_ml.errors import ConfigError
from hva_ml.features.build import build

ON = "[features]\nseason = false\noutlook = true"
DAYS = (date(2024, 3, 1), date(2024, 6, 1))
rows = st.lists(
    st.tuples(st.integers(1, 800), st.integers(-500, 5000), st.sampled_from([0, 0, 3, 60])), max_size=25
)


@settings(max_examples=25)
@given(rows=rows, gap=st.sampled_from([0, 20]))
def test_it_is_the_same_days_a_year_ago_over_the_usual_ones(config, tables, rows, gap):
    calendar = Calendar(DAYS, 60, gap, "Europe/Berlin")
    last = calendar.micros.tolist()[-1]
    paid = [
        {"account_id": "a", "event_time": last - d * DAY, "known_at": last + (k - d) * DAY, "amount_cents": c}
        for d, c, k in rows
    ]
    known = tables(accounts=[{"account_id": "a", "event_time": last - 900 * DAY}], invoices=paid)
    features = build(known, config(ON, horizon=f"gap_days = {gap}"), calendar)
    assert [n for n in features.names if n.startswith("season.")] == ["season.outlook"]
    found = features.table["season.outlook"].to_pylist()
    for cutoff, outlook in zip(calendar.micros.tolist(), found, strict=True):
        seen = [p for p in paid if max(p["event_time"], p["known_at"]) < cutoff]

        def a_day(begin, length, seen=seen):
            inside = (p for p in seen if begin <= p["event_time"] < begin + length * DAY)
            return sum(p["amount_cents"] for p in inside) / length

        then = a_day(cutoff + (gap - 365) * DAY, 60)
        quarter, year = (a_day(cutoff - d * DAY, d) for d in (90, 365))
        if min(then, quarter, year) > 0 and any(p["event_time"] <= cutoff - 365 * DAY for p in seen):
            assert outlook == pytest.approx(math.log(then / math.sqrt(quarter * year)), abs=1e-12)
        else:
            assert outlook is None


def test_it_cannot_see_a_horizon_of_more_than_a_year(config, tables, calendar):
    pipeline = config(ON, horizon="gap_days = 306")
    with pytest.raises(ConfigError, match="366 days after the cutoff"):
        build(tables(), pipeline, calendar)
