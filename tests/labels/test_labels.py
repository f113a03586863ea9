"""Labels against their definition: edges of gap and horizon, kinds of conversion, only matured cohorts."""

import tempfile
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml import labels
from hva_ml.config import parse
from hva_ml.contracts.records import ContractTables
from hva_ml.contracts.stored import Stored
from hva_ml.contracts.tables import contract_for
from hva_ml.cutoffs import MICROSECONDS_PER_DAY as DAY
from hva_ml.cutoffs import Calendar, microseconds
from hva_ml.engines.spool import Store
from hva_ml.errors import ContractError, NotEnoughDataError, UsageError

BASE = """
[pipeline]
name = "small"
title = "Small"
currency = "EUR"
timezone = "Europe/Berlin"
[sources.s]
kind = "simulated"
[tables.accounts]
sql = "a.sql"
[tables.events]
sql = "e.sql"
[tables.deal_stages]
sql = "d.sql"
[tables.invoices]
sql = "i.sql"
[population]
table = "accounts"
[horizon]
days = 30
gap_days = 10
"""
CALENDAR = Calendar((date(2024, 3, 1), date(2024, 3, 15), date(2024, 5, 1)), 30, 10, "Europe/Berlin")
ACCOUNTS = ("a", "b", "c")
START, END = (microseconds(m) for m in CALENDAR.label_window(date(2024, 3, 1)))


def config(target='table = "invoices"', cutoffs=""):
    dates = "first = 2024-03-01\nlast = 2024-05-01"
    return parse(f"{BASE}\n[cutoffs]\n{dates}\n{cutoffs}\n[target]\n{target}", "small.toml")


def tables(**rows):
    made = {}
    for name in ("events", "deal_stages", "invoices"):
        schema = contract_for(name).arrow_schema
        given = [{"known_at": r["event_time"], **r} for r in rows.get(name, ())]
        columns = [
            pa.array([r.get(f.name) for r in given], pa.int64()).cast(f.type)
            if pa.types.is_timestamp(f.type)
            else pa.array([r.get(f.name) for r in given], f.type)
            for f in schema
        ]
        made[name] = pa.table(columns, schema=schema)
    return ContractTables(made)


def told_late(rows):
    """Invoices of an account on a day, known so many days later, of so many cents."""
    begin = microseconds(CALENDAR.cutoffs[0]) - 20 * DAY
    return [
        {
            "account_id": account,
            "event_time": begin + day * DAY,
            "known_at": begin + (day + late) * DAY,
            "amount_cents": cents,
        }
        for account, day, late, cents in rows
    ]


def index(calendar=CALENDAR, backwards=False):
    places = [(a, c) for c in calendar.micros.tolist() for a in ACCOUNTS]
    places = places[::-1] if backwards else places
    moment = pa.array([c for _, c in places], pa.int64()).cast(pa.timestamp("us", "UTC"))
    names = pa.array([a for a, _ in places], pa.string())
    return pa.table({"account_id": names, "cutoff": moment, "group_id": names})


def found(data, pipeline, **options):
    table = labels.build(data, index(**options), pipeline, CALENDAR)
    assert table.column_names == ["account_id", "cutoff", "converted", "value_cents"]
    assert table.schema.types[2:] == [pa.int8(), pa.int64()]
    return [(r["account_id"], r["cutoff"].date().isoformat(), r["converted"], r["value_cents"])
            for r in table.to_pylist()]  # fmt: skip


edges = [CALENDAR.label_window(d)[k] for d in CALENDAR.days for k in (0, 1)]
times = st.builds(
    lambda e, o: microseconds(e) + o, st.sampled_from(edges), st.sampled_from([-DAY, -1, 0, 1, 20 * DAY])
)
invoices = st.lists(
    st.fixed_dictionaries(
        {
            "account_id": st.sampled_from([*ACCOUNTS, "stranger"]),
            "event_time": times,
            "known_at": st.sampled_from([0, 2**50]),
            "amount_cents": st.integers(-500, 500),
        }
    ),
    max_size=20,
)


@given(invoices, st.booleans())
@settings(max_examples=100, deadline=None)
def test_value_and_conversion_by_their_definition(rows, backwards):
    want = []
    for day in CALENDAR.days:
        start, end = (microseconds(m) for m in CALENDAR.label_window(day))
        for account in ACCOUNTS:
            inside = [
                r["amount_cents"]
                for r in rows
                if r["account_id"] == account and start <= r["event_time"] < end
            ]
            want.append((int(any(a > 0 for a in inside)), sum(inside)))
    got = [r[2:] for r in found(tables(invoices=rows), config(), backwards=backwards)]
    assert got == (want[::-1] if backwards else want)


@pytest.mark.parametrize(
    ("moment", "inside"), [(START - 1, False), (START, True), (END - 1, True), (END, False)]
)
def test_the_label_window_is_half_open_after_the_gap(moment, inside):
    rows = [{"account_id": "a", "event_time": moment, "amount_cents": 700}]
    assert found(tables(invoices=rows), config())[0][2:] == ((1, 700) if inside else (0, 0))


def test_deals_convert_when_won_and_are_worth_what_was_won():
    rows = [
        {"deal_id": "1", "account_id": "a", "event_time": START, "stage": "offer", "amount_cents": 900},
        {"deal_id": "1", "account_id": "a", "event_time": START + 1, "stage": "won", "amount_cents": 800},
        {"deal_id": "2", "account_id": "a", "event_time": START + 2, "stage": "won", "amount_cents": None},
        {"deal_id": "3", "account_id": "b", "event_time": START, "stage": "won", "amount_cents": None},
        {"deal_id": "4", "account_id": "c", "event_time": START, "stage": "lost", "amount_cents": 5},
    ]
    pipeline = config('table = "deal_stages"\nvalue_table = "deal_stages"')
    assert [r[2:] for r in found(tables(deal_stages=rows), pipeline)][:3] == [(1, 800), (1, 0), (0, 0)]


def test_events_convert_by_type_and_are_worth_their_invoices():
    events = [
        {"account_id": "a", "event_time": START, "event_type": "demo"},
        {"account_id": "b", "event_time": START, "event_type": "call"},
    ]
    paid = [{"account_id": "b", "event_time": START, "amount_cents": 9}]
    pipeline = config('table = "events"\nevent_types = ["demo"]')
    got = found(tables(events=events, invoices=paid), pipeline)
    assert [r[2:] for r in got][:3] == [(1, 0), (0, 9), (0, 0)]


def test_an_immature_cohort_is_no_negative():
    assert found(tables(), config(cutoffs="data_end = 2024-06-10"))[0][2] == 0
    with pytest.raises(NotEnoughDataError, match="cutoff 2024-05-01"):
        found(tables(), config(cutoffs="data_end = 2024-06-09"))


def test_an_index_of_another_calendar_or_a_missing_table_is_refused():
    other = CALENDAR.only((date(2024, 3, 2),))
    with pytest.raises(UsageError, match="not in the calendar"):
        labels.build(tables(), index(other), config(), CALENDAR)
    with pytest.raises(ContractError, match="'invoices' is missing"):
        labels.build(ContractTables({}), index(), config(), CALENDAR)


def test_an_empty_index_gives_no_labels():
    table = labels.build(tables(), index().slice(0, 0), config(), CALENDAR)
    assert table.num_rows == 0
    assert np.asarray(table["converted"]).dtype == np.int8


payments = st.lists(st.tuples(st.integers(-700, 80), st.integers(-300, 3000)), max_size=30)


@given(payments)
def test_the_market_of_a_horizon_is_held_against_the_usual_one(rows):
    paid = [{"account_id": "x", "event_time": START + d * DAY, "amount_cents": c} for d, c in rows]
    table = tables(invoices=paid).tables["invoices"]
    found = labels.market([table.slice(0, 7), table.slice(7)], "amount_cents", CALENDAR)
    begin = min((p["event_time"] for p in paid), default=0)
    for day, cutoff, told in zip(CALENDAR.days, CALENDAR.micros.tolist(), found, strict=True):

        def log_rate(first, last):
            first = max(first, begin)
            cents = sum(p["amount_cents"] for p in paid if first <= p["event_time"] < last)
            days = (last - first) / DAY
            return float(np.log(cents / days)) if cents > 0 and days >= 30 else float("nan")

        usual = [log_rate(cutoff - d * DAY, cutoff) for d in (90, 365)]
        want = log_rate(*(microseconds(m) for m in CALENDAR.label_window(day))) - sum(usual) / 2
        assert told == pytest.approx(want, abs=1e-12, nan_ok=True)


def test_labels_know_the_market_where_an_outlook_is_asked_for():
    paid = [{"account_id": "a", "event_time": START + d * DAY, "amount_cents": 100} for d in range(-400, 80)]
    pipeline = config()
    assert "market" not in labels.build(tables(invoices=paid), index(), pipeline, CALENDAR).column_names
    asked = replace(pipeline, features=replace(pipeline.features, outlook=True))
    table = labels.build(tables(invoices=paid), index(), asked, CALENDAR)
    by_day = dict(zip(table["cutoff"].to_pylist(), table["market"].to_pylist(), strict=True))
    want = dict(
        zip(
            CALENDAR.cutoffs,
            labels.market([tables(invoices=paid).tables["invoices"]], "amount_cents", CALENDAR),
            strict=True,
        )
    )
    assert by_day == {k: None if np.isnan(v) else v for k, v in want.items()}


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(-400, 120), st.sampled_from("abcd"), st.integers(-900, 9000)), max_size=30
    ),
    st.randoms(use_true_random=False),
    st.lists(st.integers(0, 30), max_size=4),
)
def test_rows_on_disk_in_any_order_and_any_pieces_give_the_same_labels(rows, random, cuts):
    """Longer windows as of lifetime values, and the market of an outlook, to the last bit."""
    paid = [
        {"account_id": a, "event_time": CALENDAR.micros.tolist()[0] + d * DAY + cents, "amount_cents": cents}
        for d, a, cents in rows
    ]
    held = tables(invoices=paid)
    random.shuffle(paid)
    table = tables(invoices=paid).tables["invoices"]
    edges = [0, *sorted(min(c, len(paid)) for c in cuts), len(paid)]
    asked = replace(config(), features=replace(config().features, outlook=True))
    with tempfile.TemporaryDirectory() as folder:
        kept = Store(Path(folder), 0.5, share=0.0).keep(table.slice(a, b - a) for a, b in pairwise(edges))
        stored = ContractTables(Stored({"invoices": kept}))
        for begin, end in ((10, 40), (40, 130), (40, 375)):
            when = Calendar(CALENDAR.days, end - begin, begin, CALENDAR.timezone)
            found = [labels.build(t, index(), asked, when) for t in (held, stored)]
            assert found[0].equals(found[1])
            assert found[0].num_rows == 9


@settings(max_examples=60)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(ACCOUNTS), st.integers(0, 120), st.integers(0, 30), st.sampled_from([-5, 0, 5])
        ),
        max_size=25,
    ),
    asked=st.integers(0, 150),
)
def test_a_conversion_is_known_when_it_had_happened_and_was_told(rows, asked):
    invoices = told_late([r for r in rows if r[1] + r[2] < asked])
    after = labels.known_after(tables(invoices=invoices), index(), config(), CALENDAR)
    for row, found_ in zip(index().to_pylist(), after.tolist(), strict=True):
        cutoff = microseconds(row["cutoff"])
        day = next(d for d, m in zip(CALENDAR.days, CALENDAR.cutoffs, strict=True) if m == row["cutoff"])
        start, end = (microseconds(m) for m in CALENDAR.label_window(day))
        known = [
            (max(r["event_time"], r["known_at"]) - cutoff) // DAY
            for r in invoices
            if r["account_id"] == row["account_id"]
            and start <= r["event_time"] < end
            and r["amount_cents"] > 0
        ]
        assert found_ == min(known, default=-1)
