"""Who is an account at a cutoff, and which accounts belong together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.features.build import build
from hva_ml.features.versions import ultimate


def pairs(features, cutoff_of):
    return {(r["account_id"], cutoff_of(r["cutoff"])) for r in features.table.to_pylist()}


def day(moment):
    return moment.strftime("%m-%d")


def test_both_clocks_decide_who_is_an_account(config, tables, calendar, us):
    midnight = us("2024-02-29T23:00:00")
    accounts = [
        {"account_id": "before", "event_time": midnight - 1},
        {"account_id": "on", "event_time": midnight},
        {"account_id": "late", "event_time": midnight - 1, "known_at": us("2024-03-31T12:00:00")},
        {"account_id": "announced", "event_time": us("2024-05-01"), "known_at": us("2024-01-01")},
    ]
    found = pairs(build(tables(accounts=accounts), config(), calendar), day)
    on = {a: sorted(d for b, d in found if b == a) for a in ("before", "on", "late", "announced")}
    days = ["02-29", "03-30", "03-31", "05-31"]
    assert on == {"before": days, "on": days[1:], "late": days[2:], "announced": days[3:]}


def test_activity_and_customers_already_won(config, tables, calendar, us):
    accounts = [{"account_id": a, "event_time": us("2020-01-01")} for a in "abcd"]
    events = [
        {"event_id": "1", "account_id": "a", "event_time": us("2024-02-20"), "event_type": "call"},
        {"event_id": "2", "account_id": "b", "event_time": us("2023-02-20"), "event_type": "call"},
        {"event_id": "3", "account_id": "c", "event_time": us("2024-02-20"), "event_type": "call"},
    ]
    invoices = [
        {"invoice_id": "1", "account_id": "c", "event_time": us("2024-03-15"), "amount_cents": 10},
        {"invoice_id": "2", "account_id": "a", "event_time": us("2024-03-15"), "amount_cents": -10},
        {"invoice_id": "3", "account_id": "a", "event_time": us("2024-03-15"), "amount_cents": 0},
    ]
    who = 'table = "events"\nactive_within_days = 60\nexclude_customers = true'
    data = tables(accounts=accounts, events=events, invoices=invoices)
    found = pairs(build(data, config(population=who), calendar), day)
    assert found == {("a", "02-29"), ("c", "02-29"), ("a", "03-30"), ("a", "03-31")}
    by_call = 'table = "events"\nevent_types = ["call"]'
    assert build(data, config(population=who, target=by_call), calendar).table.num_rows == 0


def test_the_group_is_the_ultimate_parent_by_the_latest_version(config, tables, calendar, us):
    early, late = us("2020-01-01"), us("2024-12-01")
    accounts = [
        {"account_id": "a", "event_time": early, "parent_id": "b"},
        {"account_id": "b", "event_time": early},
        {"account_id": "b", "event_time": late, "parent_id": "holding"},
        {"account_id": "c", "event_time": early, "parent_id": "d"},
        {"account_id": "d", "event_time": early, "parent_id": "c"},
        {"account_id": "e", "event_time": early, "parent_id": "e"},
    ]
    for order in (accounts, accounts[::-1]):
        features = build(tables(accounts=order), config(), calendar)
        groups = {r["account_id"]: r["group_id"] for r in features.index.to_pylist()}
        assert groups == {"a": "holding", "b": "holding", "c": "c", "d": "c", "e": "e"}


@given(st.lists(st.integers(-1, 7), min_size=8, max_size=8))
def test_ultimate_parents_by_walking(parents):
    def walk(start):
        seen = []
        here = start
        while here not in seen:
            seen.append(here)
            if parents[here] < 0:
                return here
            here = parents[here]
        return min(seen[seen.index(here) :])

    assert ultimate(np.array(parents)).tolist() == [walk(k) for k in range(8)]
