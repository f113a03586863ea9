"""Deals, cadence and season against oracles in plain Python."""

import math
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.cutoffs import MICROSECONDS_PER_DAY as DAY
from hva_ml.features.build import build
from hva_ml.features.deals import WIN_RATE_WEIGHT

START = 19_700 * DAY
days = st.integers(0, 150).map(lambda d: START + d * DAY)
times = st.builds(lambda d, o: d + o, days, st.sampled_from([0, -1, 1]))
delays = st.sampled_from([0, 0, 1, 40 * DAY, -DAY])
stage_rows = st.lists(
    st.fixed_dictionaries(
        {
            "account_id": st.sampled_from(["a", "b"]),
            "deal_id": st.sampled_from(["1", "2", "3"]),
            "event_time": times,
            "delay": delays,
            "stage": st.sampled_from(["offer", "talk", "won", "lost"]),
            "amount_cents": st.sampled_from([None, 0, 100, 25_00, -7]),
        }
    ),
    max_size=14,
    unique_by=lambda r: (r["deal_id"], r["event_time"]),
)
invoice_rows = st.lists(
    st.fixed_dictionaries(
        {
            "account_id": st.sampled_from(["a", "b"]),
            "event_time": times,
            "delay": delays,
            "amount_cents": st.integers(-500, 900),
        }
    ),
    max_size=14,
)


def timed(rows):
    return [
        {**{k: v for k, v in r.items() if k != "delay"}, "known_at": r["event_time"] + r["delay"]}
        for r in rows
    ]


def visible(rows, cutoff):
    return [r for r in rows if r["event_time"] < cutoff and r["known_at"] < cutoff]


def accounts():
    return [{"account_id": a, "event_time": START - DAY} for a in ("a", "b", "empty")]


def by_place(features, calendar):
    cutoffs = calendar.micros.tolist()
    return [
        (r["account_id"], cutoffs[cutoffs.index(int(r["cutoff"].timestamp()) * 1_000_000)], r)
        for r in features.table.to_pylist()
    ]


def assert_close(row, want, note):
    for name, value in want.items():
        got = row[name]
        if value is None or isinstance(value, str):
            assert got == value, (name, note)
        else:
            assert got == pytest.approx(value, rel=1e-12, abs=1e-9), (name, note)


def deal_oracle(rows, account, cutoff):
    history = {}
    for r in sorted(visible(rows, cutoff), key=lambda r: r["event_time"]):
        history.setdefault(r["deal_id"], []).append(r)
    states = []
    for found in history.values():
        priced = [r["amount_cents"] for r in found if r["amount_cents"] is not None]
        last = found[-1]
        states.append((last["account_id"], last["stage"], priced[-1] if priced else None,
                       last["event_time"], found[0]["event_time"]))  # fmt: skip
    mine = [s for s in states if s[0] == account]
    won, lost = ([s for s in mine if s[1] == end] for end in ("won", "lost"))
    still = [s for s in mine if s[1] not in ("won", "lost")]
    ended = [s for s in states if s[1] in ("won", "lost")]
    rate = sum(s[1] == "won" for s in ended) / len(ended) if ended else None
    paid = [s[2] for s in won if s[2] is not None]
    outcome = max(won + lost, key=lambda s: (s[3], s[1]), default=None)
    since = lambda found, k, pick: (cutoff - pick(s[k] for s in found)) / DAY if found else None  # noqa: E731
    return {
        "deals.open_count": len(still),
        "deals.open_amount": sum(s[2] or 0 for s in still) / 100,
        "deals.won_count": len(won),
        "deals.lost_count": len(lost),
        "deals.win_rate": (len(won) + WIN_RATE_WEIGHT * rate) / (len(won + lost) + WIN_RATE_WEIGHT)
        if won + lost
        else None,
        "deals.days_in_stage": since(still, 3, max),
        "deals.last_outcome": outcome[1] if outcome else None,
        "deals.days_since_won": since(won, 3, max),
        "deals.days_since_lost": since(lost, 3, max),
        "deals.won_amount_mean": sum(paid) / len(paid) / 100 if paid else None,
        "deals.oldest_open_days": since(still, 4, min),
    }


@given(stage_rows)
@settings(max_examples=60, deadline=None)
def test_deals_as_of_the_cutoff(config, tables, calendar, rows):
    rows = timed(rows)
    features = build(
        tables(accounts=accounts(), deal_stages=rows),
        config("[features]\nseason = false\ndeals = true"),
        calendar,
    )
    for account, cutoff, row in by_place(features, calendar):
        assert_close(row, deal_oracle(rows, account, cutoff), (account, cutoff))


@given(invoice_rows)
@settings(max_examples=60, deadline=None)
def test_cadence_of_the_value_table(config, tables, calendar, rows):
    rows = timed(rows)
    features = build(tables(accounts=accounts(), invoices=rows), config(), calendar)
    for account, cutoff, row in by_place(features, calendar):
        seen = [r for r in visible(rows, cutoff) if r["account_id"] == account]
        year = [r["amount_cents"] for r in seen if cutoff - 365 * DAY <= r["event_time"]]
        quarter = [r["amount_cents"] for r in seen if cutoff - 90 * DAY <= r["event_time"]]
        bought = [r["event_time"] for r in seen if r["amount_cents"] > 0]
        when = sorted({t // DAY for t in bought})
        up, down = sum(a for a in year if a > 0), -sum(a for a in year if a < 0)
        want = {
            "cadence.recency_days": (cutoff - max(bought)) / DAY if bought else None,
            "cadence.count_365d": sum(a > 0 for a in year),
            "cadence.amount_365d": sum(year) / 100,
            "cadence.amount_90d": sum(quarter) / 100,
            "cadence.tenure_days": (cutoff - min(bought)) / DAY if bought else None,
            "cadence.mean_gap_days": (when[-1] - when[0]) / (len(when) - 1) if len(when) > 1 else None,
            "cadence.return_share_365d": min(down / up, 1) if up else None,
        }
        assert set(want) == set(features.names)
        assert_close(row, want, (account, cutoff))


def test_cadence_of_deals_counts_only_won_ones(config, tables, calendar, us):
    rows = [
        {"deal_id": "1", "account_id": "a", "event_time": us("2024-01-10"), "stage": s, "amount_cents": 500}
        for s in ("offer", "won")
    ]
    pipeline = config(target='table = "deal_stages"\nvalue_table = "deal_stages"')
    features = build(tables(accounts=accounts(), deal_stages=rows), pipeline, calendar)
    first = features.table.to_pylist()[0]
    assert (first["cadence.count_365d"], first["cadence.amount_365d"]) == (1.0, 5.0)


def test_season_and_market(config, tables, calendar, us):
    def paid(day, cents, known=None):
        row = {"account_id": "a", "event_time": us(day), "amount_cents": cents}
        return row | ({"known_at": us(known)} if known else {})

    invoices = [
        paid("2022-01-01", 1),
        paid("2023-02-01", 400), paid("2023-11-20", 100), paid("2024-01-20", 300),
        paid("2024-01-21", 999, known="2024-03-20"),
    ]  # fmt: skip
    features = build(tables(accounts=accounts(), invoices=invoices), config("[features]"), calendar)
    first, second, _, last = features.table.to_pylist()[::3]
    assert first["season.market_index"] == math.log(3.0)
    assert first["season.market_yoy"] == math.log(300 / 400)
    assert second["season.market_index"] == math.log(1299 / 100)
    assert last["season.market_index"] is None
    middle = date(2024, 3, 31)
    angle = 2 * math.pi * (2 + (middle.day - 1) / 31) / 12
    assert first["season.month_sin"] == math.sin(angle)
    assert first["season.month_cos"] == math.cos(angle)
    assert first["season.q4_share"] == 0.0
    young = build(tables(accounts=accounts(), invoices=invoices[2:]), config("[features]"), calendar)
    assert set(young.table["season.market_yoy"].to_pylist()) == {None}


@pytest.mark.parametrize(("shift", "there"), [(0, True), (1, False)])
def test_the_year_before_must_be_there_whole(config, tables, calendar, us, shift, there):
    cutoff = calendar.micros.tolist()[0]
    invoices = [
        {"account_id": "a", "event_time": cutoff - days * DAY + shift, "amount_cents": 100}
        for days in (455, 400, 10)
    ]
    features = build(tables(accounts=accounts(), invoices=invoices), config("[features]"), calendar)
    assert (features.table["season.market_yoy"][0].as_py() is not None) == there
