"""Every declared measure against an oracle in plain Python, and the words of the declarations."""

import math
import statistics
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.cutoffs import MICROSECONDS_PER_DAY as DAY
from hva_ml.errors import ConfigError, ContractError
from hva_ml.features.build import build, compose

FEATURES = """
[features]
season = false
[[features.windows]]
table = "events"
by = "event_type"
values = ["web_visit", "call"]
of = ["minutes", "pages", "contact_id"]
windows_days = [7, 30]
to_date = ["quarter"]
measures = [
  "count", "sum", "mean", "min", "max", "std", "distinct", "recency", "since_first", "active_days", "trend",
  "surge", "share", "gap_mean", "gap_max", "gap_std", "streak", "streak_max",
]
[[features.windows]]
table = "events"
where = { event_type = ["call", "email"] }
windows_days = [30]
measures = ["count", "recency"]
[[features.windows]]
table = "invoices"
of = ["amount"]
windows_days = [90]
measures = ["sum", "mean", "count", "min", "max", "std"]
"""
START = 19_700 * DAY
ACCOUNTS = ("a", "b", "ä", "z-leer")

days = st.integers(0, 150).map(lambda d: START + d * DAY)
times = st.builds(lambda d, o: d + o, days, st.sampled_from([0, -1, 1, DAY // 2]))
delays = st.sampled_from([0, 0, 0, 1, DAY, 40 * DAY, 200 * DAY, -3 * DAY])
event_rows = st.lists(
    st.fixed_dictionaries(
        {
            "account_id": st.sampled_from(ACCOUNTS[:3]),
            "event_time": times,
            "delay": delays,
            "event_type": st.sampled_from(["web_visit", "call", "email"]),
            "contact_id": st.sampled_from([None, "c1", "c2"]),
            "minutes": st.sampled_from([None, 0.1, 2.5, -1.25, 1e6]),
            "pages": st.sampled_from([None, 0, 3, 7]),
        }
    ),
    max_size=20,
)
invoice_rows = st.lists(
    st.fixed_dictionaries(
        {
            "account_id": st.sampled_from(ACCOUNTS[:3]),
            "event_time": times,
            "delay": delays,
            "amount_cents": st.integers(-500_00, 900_00),
        }
    ),
    max_size=15,
)


def known(rows):
    return [
        {**{k: v for k, v in r.items() if k != "delay"}, "known_at": r["event_time"] + r["delay"]}
        for r in rows
    ]


def everyone():
    return [{"account_id": a, "event_time": START - DAY} for a in ACCOUNTS]


def within(rows, cutoff, days=None, **equal):
    return [
        r
        for r in rows
        if r["event_time"] < cutoff
        and r["known_at"] < cutoff
        and (days is None or cutoff - days * DAY <= r["event_time"])
        and all(r[k] == v for k, v in equal.items())
    ]


def since(rows, cutoff, begin, **equal):
    return [r for r in within(rows, cutoff, **equal) if r["event_time"] >= begin]


def windows_at(cutoff):
    """By name: begin of the window, of the stretch before it, and the end of that."""
    found = {f"{d}d": (cutoff - d * DAY, cutoff - 2 * d * DAY, cutoff - d * DAY) for d in (7, 30)}
    berlin = ZoneInfo("Europe/Berlin")
    here = datetime.fromtimestamp(cutoff / 1e6, berlin)
    last = here.date() - timedelta(days=1)
    first = date(last.year, (last.month - 1) // 3 * 3 + 1, 1)
    eve = first - timedelta(days=1)
    before = date(eve.year, (eve.month - 1) // 3 * 3 + 1, 1)
    end = min(before + (here.date() - first), first)
    found["qtd"] = tuple(
        int(datetime(d.year, d.month, d.day, tzinfo=berlin).timestamp()) * 1_000_000
        for d in (first, before, end)
    )
    return found


def spread(values):
    return statistics.stdev(values) if len(values) > 1 else None


def weeks_in_a_row(rows, cutoff):
    weeks = {(cutoff - 1 - r["event_time"]) // (7 * DAY) for r in rows}
    runs = {w: next(n for n in range(1, 999) if w + n not in weeks) for w in weeks}
    return runs.get(0, 0), max(runs.values(), default=0)


def oracle(rows, cutoff, kind, window):
    """All measures of one account's events of one type, by their definitions."""
    begin, earlier, end = windows_at(cutoff)[window]
    inside = since(rows, cutoff, begin, event_type=kind)
    before = [r for r in since(rows, cutoff, earlier, event_type=kind) if r["event_time"] < end]
    days = (cutoff - begin) / DAY
    past = within(rows, cutoff, None, event_type=kind)
    minutes = [r["minutes"] for r in inside if r["minutes"] is not None]
    pages = [r["pages"] for r in inside if r["pages"] is not None]
    seen = [r["event_time"] for r in within(rows, cutoff)]
    surge = None
    if seen and (tenure := (cutoff - min(seen)) / DAY) > days:
        usual = len(since(rows, cutoff, cutoff - 365 * DAY, event_type=kind)) - len(inside)
        usual = usual * days / max(min(tenure, 365.0) - days, days)
        surge = math.log((len(inside) + 1) / (usual + 1))
    whole = len(since(rows, cutoff, begin))
    active = sorted({r["event_time"] // DAY for r in inside})
    gaps = [b - a for a, b in pairwise(active)]
    streak, longest = weeks_in_a_row(inside, cutoff)
    prefix = f"events.{kind}"
    return {
        f"{prefix}.count_{window}": float(len(inside)),
        f"{prefix}.minutes.sum_{window}": sum(minutes),
        f"{prefix}.pages.sum_{window}": sum(pages),
        f"{prefix}.minutes.mean_{window}": sum(minutes) / len(minutes) if minutes else None,
        f"{prefix}.pages.mean_{window}": sum(pages) / len(pages) if pages else None,
        f"{prefix}.distinct_contact_id_{window}": float(
            len({r["contact_id"] for r in inside if r["contact_id"]})
        ),
        f"{prefix}.recency_days": (cutoff - max(r["event_time"] for r in past)) / DAY if past else None,
        f"{prefix}.active_days_{window}": float(len({r["event_time"] // DAY for r in inside})),
        f"{prefix}.trend_{window}": math.log((len(inside) + 1) / (len(before) + 1)),
        f"{prefix}.surge_{window}": surge,
        f"{prefix}.since_first_days": (cutoff - min(r["event_time"] for r in past)) / DAY if past else None,
        f"{prefix}.minutes.min_{window}": min(minutes, default=None),
        f"{prefix}.pages.min_{window}": min(pages, default=None),
        f"{prefix}.minutes.max_{window}": max(minutes, default=None),
        f"{prefix}.pages.max_{window}": max(pages, default=None),
        f"{prefix}.minutes.std_{window}": spread(minutes),
        f"{prefix}.pages.std_{window}": spread(pages),
        f"{prefix}.gap_mean_{window}": sum(gaps) / len(gaps) if gaps else None,
        f"{prefix}.gap_max_{window}": max(gaps, default=None),
        f"{prefix}.gap_std_{window}": spread(gaps),
        f"{prefix}.streak_{window}": float(streak),
        f"{prefix}.streak_max_{window}": float(longest),
        f"{prefix}.share_{window}": len(inside) / whole if whole else None,
    }


def close(got, want):
    return (got is None and want is None) or (
        got is not None and want is not None and math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-6)
    )


@given(event_rows, invoice_rows)
@settings(max_examples=40, deadline=None)
def test_every_measure_agrees_with_its_definition(config, tables, calendar, events, invoices):
    events, invoices = known(events), known(invoices)
    cutoffs = calendar.micros.tolist()
    features = build_unchecked(
        tables(accounts=everyone(), events=events, invoices=invoices), config(FEATURES), calendar
    )
    found = {
        (r["account_id"], cutoffs.index(int(r["cutoff"].timestamp()) * 1_000_000)): r
        for r in features.table.to_pylist()
    }
    assert len(found) == len(ACCOUNTS) * len(cutoffs)
    for (account, place), row in found.items():
        cutoff = cutoffs[place]
        mine = [r for r in events if r["account_id"] == account]
        want = {}
        for kind in ("web_visit", "call"):
            for window in ("7d", "30d", "qtd"):
                want |= oracle(mine, cutoff, kind, window)
        limited = [r for r in mine if r["event_type"] != "web_visit"]
        past = within(limited, cutoff)
        want["events.call_or_email.count_30d"] = float(len(within(limited, cutoff, 30)))
        want["events.call_or_email.recency_days"] = (
            (cutoff - max(r["event_time"] for r in past)) / DAY if past else None
        )
        paid = [
            r["amount_cents"] for r in within([i for i in invoices if i["account_id"] == account], cutoff, 90)
        ]
        want["invoices.count_90d"] = float(len(paid))
        want["invoices.amount.sum_90d"] = sum(paid) / 100
        want["invoices.amount.min_90d"] = min(paid) / 100 if paid else None
        want["invoices.amount.max_90d"] = max(paid) / 100 if paid else None
        want["invoices.amount.std_90d"] = statistics.stdev(paid) / 100 if len(paid) > 1 else None
        want["invoices.amount.mean_90d"] = sum(paid) / 100 / len(paid) if paid else None
        assert set(want) == {n for n in features.names if not n.startswith("cadence.")}
        for name, value in want.items():
            assert close(row[name], value), (name, account, row[name], value)


def build_unchecked(tables, config, calendar):
    """Generated data need not hold every declared value."""
    return compose(tables, config, calendar, None)


def refused(config, tables, calendar, us, windows):
    events = [
        {"account_id": "a", "event_time": us("2024-01-02"), "event_type": "web_visit"},
        {"account_id": "a", "event_time": us("2024-07-02"), "event_type": "call"},
    ]
    with pytest.raises(ConfigError) as error:
        build(
            tables(accounts=everyone(), events=events), config(f"[[features.windows]]\n{windows}"), calendar
        )
    return error.value.text()


@pytest.mark.parametrize(
    ("windows", "said"),
    [
        ('table="events"\nmeasures=["count"]\nwindows_days=[7]\nby="event_typ"\nvalues=["call"]',
         "Did you mean 'event_type'?"),
        ('table="events"\nmeasures=["count"]\nwindows_days=[7]\nby="event_type"\nvalues=["webvisit"]',
         "Did you mean 'web_visit'?"),
        ('table="events"\nmeasures=["count"]\nwindows_days=[7]\nwhere={event_type=["calls"]}',
         "Did you mean 'call'?"),
        ('table="events"\nmeasures=["sum"]\nwindows_days=[7]\nof=["minute"]', "Did you mean 'minutes'?"),
        ('table="events"\nmeasures=["count"]\nwindows_days=[7]\nby="event_type"', "needs the values"),
        ('table="events"\nmeasures=["share"]\nwindows_days=[7]', "need a category column"),
        ('table="events"\nmeasures=["sum"]\nwindows_days=[7]\nof=["contact_id"]', "needs a number or money"),
        ('table="events"\nmeasures=["distinct"]\nwindows_days=[7]\nof=["minutes"]',
         "needs an id or category"),
        ('table="events"\nmeasures=["count"]\nwindows_days=[7]\nof=["minutes"]', "measured by none"),
        ('table="events"\nmeasures=["count"]\nwindows_days=[7]\nby="minutes"\nvalues=["1"]',
         "not a category"),
        ('table="events"\nmeasures=["recency", "count"]', "The measure 'count' needs a window"),
        ('table="events"\nmeasures=["max"]\nwindows_days=[7]\nof=["contact_id"]', "needs a number or money"),
        ('table="events"\nmeasures=["count"]\nwindows_days=[7, 7]', "Two features would bear the name"),
    ],
)  # fmt: skip
def test_declarations_that_cannot_be_meant_are_refused(config, tables, calendar, us, windows, said):
    assert said in refused(config, tables, calendar, us, windows)


def test_a_value_not_seen_yet_is_no_mistake_when_the_data_end_at_the_cutoff(config, tables, calendar, us):
    events = [{"account_id": "a", "event_time": us("2024-01-02"), "event_type": "web_visit"}]
    windows = (
        '[[features.windows]]\ntable="events"\nmeasures=["count"]\nwindows_days=[7]\n'
        'by="event_type"\nvalues=["call"]'
    )
    features = build(tables(accounts=everyone(), events=events), config(windows), calendar)
    assert set(features.table["events.call.count_7d"].to_pylist()) == {0.0}


def test_numbers_too_large_to_add_exactly_are_refused(config, tables, calendar, us):
    events = [{"account_id": "a", "event_time": us("2024-01-02"), "event_type": "call", "minutes": 1e300}]
    windows = '[[features.windows]]\ntable="events"\nmeasures=["sum"]\nwindows_days=[90]\nof=["minutes"]'
    with pytest.raises(ContractError, match="too large"):
        build(tables(accounts=everyone(), events=events), config(windows), calendar)


def test_words_units_and_topics(config, tables, calendar):
    labels = (
        '\nlabels = { web_visit = { de = "Besuche im Shop", en = "shop visits" }, '
        'pages = { de = "Seiten", en = "pages" } }\n'
    )
    features = build_unchecked(
        tables(accounts=everyone()),
        config(FEATURES.replace("measures", f"{labels}measures", 1)),
        calendar,
    )
    by_name = {d.name: d for d in features.definitions}
    visit = by_name["events.web_visit.count_30d"]
    assert (visit.label_de, visit.label_en) == ("Besuche im Shop", "shop visits")
    assert (visit.unit, visit.window_days, visit.topic) == ("count", 30, "events.web_visit.count")
    assert by_name["events.call.pages.sum_7d"].label_de == "Seiten (Telefonate)"
    assert by_name["events.call.pages.mean_7d"].label_de == "Seiten (Durchschnitt) (Telefonate)"
    call = by_name["events.call.trend_7d"]
    assert (call.label_de, call.label_en) == ("Trend der Telefonate", "trend in calls")
    money = by_name["invoices.amount.sum_90d"]
    assert (money.label_de, money.unit, money.family) == ("Umsatz", "money", "deal_history")
    assert by_name["events.call.recency_days"].window_days is None
    assert by_name["events.call.since_first_days"].label_de == "Tage seit der ersten Aktivität (Telefonate)"
    quarter = by_name["events.call.count_qtd"]
    assert (quarter.window_days, quarter.to_date, quarter.longest_days) == (None, "quarter", 92)
    assert quarter.topic == by_name["events.call.count_30d"].topic
    assert by_name["events.call.streak_max_30d"].label_en == "active weeks in a row (calls)"
    assert by_name["invoices.amount.std_90d"].label_de == "Streuung der Rechnungsbeträge"
    for definition in features.definitions:
        assert definition.label_de
        assert definition.label_en
        assert definition.topic
        assert set(definition.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.")
        assert np.isin(definition.kind, ["number", "category"])
