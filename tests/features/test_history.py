"""Deals, cadence and season against oracles in plain Python."""

import itertools
import math
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.features.plain import midnight

from hva_ml.cutoffs import MICROSECONDS_PER_DAY as DAY
from hva_ml.errors import ConfigError
from hva_ml.features.build import build, compose
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
            "expected_close_at": st.none() | times,
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


@dataclass(frozen=True)
class Deal:
    """A deal as a cutoff knows it, by its visible rows in the order of time."""

    rows: list[dict]

    @property
    def stage(self):
        return self.rows[-1]["stage"]

    @property
    def open(self):
        return self.stage not in ("won", "lost")

    @property
    def since(self):
        same = itertools.takewhile(lambda r: r["stage"] == self.stage, reversed(self.rows))
        return list(same)[-1]["event_time"]

    def known(self, column):
        return [r[column] for r in self.rows if r[column] is not None]

    @property
    def cents(self):
        return (self.known("amount_cents") or [0])[-1]

    @property
    def due(self):
        return (self.known("expected_close_at") or [None])[-1]

    @property
    def later(self):
        dates = self.known("expected_close_at")
        return [b - a for a, b in itertools.pairwise(dates) if b > a]


def deals_known(rows, cutoff):
    history = {}
    for r in sorted(visible(rows, cutoff), key=lambda r: r["event_time"]):
        history.setdefault(r["deal_id"], []).append(r)
    return [Deal(found) for found in history.values()]


def deal_oracle(rows, account, cutoff):
    deals = deals_known(rows, cutoff)
    mine = [d for d in deals if d.rows[-1]["account_id"] == account]
    won, lost = ([d for d in mine if d.stage == end] for end in ("won", "lost"))
    still = [d for d in mine if d.open]
    ended = [d for d in deals if not d.open]
    rate = sum(d.stage == "won" for d in ended) / len(ended) if ended else None
    paid = [d.cents for d in won if d.known("amount_cents")]
    outcome = max(won + lost, key=lambda d: (d.since, d.stage), default=None)
    days = lambda moments: (cutoff - max(moments)) / DAY if moments else None  # noqa: E731
    return {
        "deals.open_count": len(still),
        "deals.open_amount": sum(d.cents for d in still) / 100,
        "deals.won_count": len(won),
        "deals.lost_count": len(lost),
        "deals.win_rate": (len(won) + WIN_RATE_WEIGHT * rate) / (len(won + lost) + WIN_RATE_WEIGHT)
        if won + lost
        else None,
        "deals.days_in_stage": days([d.since for d in still]),
        "deals.last_outcome": outcome.stage if outcome else None,
        "deals.days_since_won": days([d.since for d in won]),
        "deals.days_since_lost": days([d.since for d in lost]),
        "deals.won_amount_mean": sum(paid) / len(paid) / 100 if paid else None,
        "deals.oldest_open_days": days([min(d.rows[0]["event_time"] for d in still)] if still else []),
    }


def stage_oracle(rows, account, cutoff, named):
    still = [d for d in deals_known(rows, cutoff) if d.rows[-1]["account_id"] == account and d.open]
    inside = {f"stage_{s}": [d for d in still if d.stage == s] for s in named}
    inside["other_stages"] = [d for d in still if d.stage not in named]
    return {f"deals.{name}.open_count": len(found) for name, found in inside.items()} | {
        f"deals.{name}.open_amount": sum(d.cents for d in found) / 100 for name, found in inside.items()
    }


def close_date_oracle(rows, account, cutoff, window):
    still = [d for d in deals_known(rows, cutoff) if d.rows[-1]["account_id"] == account and d.open]
    dated = [d for d in still if d.due is not None]
    overdue = [d for d in dated if d.due < cutoff]
    due = [d for d in dated if window[0] <= d.due < window[1]]
    found = {
        "slip_count": sum(len(d.later) for d in dated),
        "slipped_days": sum(sum(d.later) for d in dated) / DAY,
        "slipped_days_most": max((sum(d.later) for d in dated), default=0) / DAY,
        "overdue_count": len(overdue),
        "overdue_amount": sum(d.cents for d in overdue) / 100,
        "due_amount": sum(d.cents for d in due) / 100,
    }
    known = {f"deals.{k}": None if still and not dated else v for k, v in found.items()}
    return known | {
        "deals.overdue_days": max(((cutoff - d.due) / DAY for d in overdue), default=None),
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
    assert {n for n in features.names if n.startswith("deals.")} == set(deal_oracle([], "a", 0))
    for account, cutoff, row in by_place(features, calendar):
        assert_close(row, deal_oracle(rows, account, cutoff), (account, cutoff))


DEALS = """[features]
season = false
deals = true
stages = ["offer"]
close_dates = true
"""


@pytest.mark.parametrize("horizon", [(60, 0), (30, 7)])
@given(stage_rows)
@settings(max_examples=60, deadline=None)
def test_open_deals_by_stage_and_against_their_close_dates(config, tables, calendar, horizon, rows):
    rows = timed(rows)
    length, gap = horizon
    calendar = replace(calendar, horizon_days=length, gap_days=gap)
    windows = {
        int(c): (midnight(day + timedelta(days=gap), "Europe/Berlin"),
                 midnight(day + timedelta(days=gap + length), "Europe/Berlin"))
        for c, day in zip(calendar.micros, calendar.days, strict=True)
    }  # fmt: skip
    data = tables(accounts=accounts(), deal_stages=rows)
    features = compose(data, config(DEALS), calendar, None)
    want = set(stage_oracle([], "a", 0, ["offer"])) | set(close_date_oracle([], "a", 0, (0, 0)))
    assert {n for n in features.names if n.startswith("deals.")} - set(deal_oracle([], "a", 0)) == want
    for account, cutoff, row in by_place(features, calendar):
        note = (account, cutoff)
        assert_close(row, stage_oracle(rows, account, cutoff, ["offer"]), note)
        assert_close(row, close_date_oracle(rows, account, cutoff, windows[cutoff]), note)
        parts = [row["deals.stage_offer.open_count"], row["deals.other_stages.open_count"]]
        assert sum(parts) == row["deals.open_count"]


def test_stages_and_dates_without_which_columns_would_be_made_of_nothing(config, tables, calendar, us):
    """What is declared decides which columns there are; data that lack it are refused, not filled with 0."""
    row = {"deal_id": "1", "account_id": "a", "stage": "offer", "amount_cents": 100}
    late = us("2024-07-01")
    there = [row | {"event_time": late, "expected_close_at": late}]
    invoices = [{"account_id": "a", "event_time": late, "amount_cents": 1}]

    def made(features, deal_stages):
        data = tables(accounts=accounts(), deal_stages=deal_stages, invoices=invoices)
        return build(data, config(f"[features]\nseason = false\ndeals = true\n{features}"), calendar)

    assert "deals.slip_count" in made("close_dates = true", there).names
    with pytest.raises(ConfigError, match="No deal has an expected close date"):
        made("close_dates = true", [row | {"event_time": late}])
    with pytest.raises(ConfigError, match=r"'ofer' never occurs in deal_stages.stage. Did you mean 'offer'"):
        made('stages = ["ofer"]', there)
    with pytest.raises(ConfigError, match=r"Use one of: offer\."):
        made('stages = ["ofer"]', [*there, row | {"deal_id": "2", "event_time": late, "stage": "won"}])
    # A night ends at its cutoff: it may not have seen a stage yet, and has the same columns all the same.
    early = [row | {"event_time": us("2024-02-01"), "stage": "talk"}]
    assert (
        made('stages = ["offer"]\nclose_dates = true', early).names
        == made('stages = ["offer"]\nclose_dates = true', there).names
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('stages = ["offer"]', "Stages need the deal features"),
        ("close_dates = true", "Close dates need"),
        ('deals = true\nstages = ["offer", "won"]', "'won' ends a deal"),
        ('deals = true\nstages = ["offer", "offer"]', "named twice"),
        ('deals = true\nclose_dates = "yes"', "valid boolean"),
        ("deals = 1", "valid boolean"),
    ],
)
def test_keys_of_deals_that_contradict_each_other_are_refused(config, text, what):
    with pytest.raises(ConfigError, match=what):
        config(f"[features]\n{text}")


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
