"""What had come of a cohort after so many days, beside loops over rows."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.labels.test_labels import ACCOUNTS, CALENDAR, DAY, config, index, tables, told_late

from hva_ml import labels
from hva_ml.cutoffs import microseconds
from hva_ml.labels.flows import flows

ROWS = st.lists(
    st.tuples(
        st.sampled_from([*ACCOUNTS, "stranger"]),
        st.integers(0, 120),
        st.integers(0, 200),
        st.sampled_from([-5, 0, 5]),
    ),
    max_size=25,
)


@settings(max_examples=60)
@given(rows=ROWS)
def test_flows_are_what_loops_find_and_end_with_the_labels(rows):
    invoices = told_late(rows)
    found = flows(tables(invoices=invoices), index(), config(), CALENDAR)
    last = CALENDAR.gap_days + CALENDAR.horizon_days
    assert found.cents.shape == (len(CALENDAR.days), last + 1)
    for k, (day, cutoff) in enumerate(zip(CALENDAR.days, CALENDAR.micros.tolist(), strict=True)):
        start, end = (microseconds(m) for m in CALENDAR.label_window(day))
        members = {r["account_id"] for r in index().to_pylist() if microseconds(r["cutoff"]) == cutoff}
        inside = [
            (r["account_id"], min((max(r["event_time"], r["known_at"]) - cutoff) // DAY, last - 1), r)
            for r in invoices
            if r["account_id"] in members and start <= r["event_time"] < end
        ]
        for days in range(last + 1):
            came = [(a, r["amount_cents"]) for a, after, r in inside if after < days]
            assert found.cents[k, days] == sum(c for _, c in came)
            assert found.converted[k, days] == len({a for a, c in came if c > 0})
    whole = labels.build(tables(invoices=invoices), index(), config(), CALENDAR)
    rows_of = pa.compute.index_in(
        whole["cutoff"].cast(pa.int64()), value_set=pa.array(CALENDAR.micros, pa.int64())
    )
    for k in range(len(CALENDAR.days)):
        here = whole.filter(pa.compute.equal(rows_of, k))
        assert found.cents[k, -1] == sum(here["value_cents"].to_pylist())
        assert found.converted[k, -1] == sum(here["converted"].to_pylist())
