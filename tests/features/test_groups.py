"""Measures of whole groups of companies, against plain Python: who belongs together changes with time."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.features.plain import DAY, Moment, added, close, counted, different, midnight

from hva_ml.cutoffs import Calendar
from hva_ml.explanation.phrases import say
from hva_ml.explanation.reader import Reader
from hva_ml.features import teams
from hva_ml.features.build import compose
from hva_ml.features.leakage import Subject, perturbation, travel, truncation
from hva_ml.features.population import groups

WINDOWS = ("7d", "90d", "qtd")
FEATURES = """
[features]
season = false
[[features.windows]]
table = "events"
by = "event_type"
values = ["web_visit", "call"]
of = ["minutes", "contact_id"]
measures = ["count", "recency", "since_first", "active_days", "trend", "surge", "gap_mean", "gap_max",
  "gap_std", "streak", "streak_max", "share", "sum", "mean", "min", "max", "std", "distinct"]
windows_days = [7, 90]
to_date = ["quarter"]
level = "group"
[[features.windows]]
table = "invoices"
of = ["amount"]
measures = ["count", "sum"]
windows_days = [90]
level = "group"
"""
IDS = ("a", "b", "c", "d", "ä")
START = midnight(date(2024, 1, 1), "UTC")
DAYS = (date(2024, 2, 1), date(2024, 3, 31), date(2024, 4, 1), date(2024, 6, 1))
CALENDAR = Calendar(DAYS, 60, 0, "Europe/Berlin")

times = st.builds(
    lambda d, off: START + d * DAY + off, st.integers(-20, 160), st.sampled_from([0, -1, DAY // 2])
)
delays = st.sampled_from([0, 0, 1, 40 * DAY, -DAY])


def timed(row):
    """With a known time in place of the delay."""
    return {k: v for k, v in row.items() if k != "delay"} | {"known_at": row["event_time"] + row["delay"]}


def rows_of(**columns):
    row = st.fixed_dictionaries(
        {"account_id": st.sampled_from(IDS), "event_time": times, "delay": delays}
        | {name: st.sampled_from(values) for name, values in columns.items()}
    )
    return st.lists(row.map(timed), max_size=14)


events = rows_of(
    event_type=["web_visit", "call", "email"], contact_id=[None, "c1", "c2"], minutes=[None, 0.5, -2.5]
)
invoices = rows_of(amount_cents=[0, 100, -99_00])
masters = rows_of(parent_id=[None, None, "a", "b", "c", "unseen"])


def everybody():
    return [{"account_id": a, "event_time": START - 99 * DAY, "known_at": START - 99 * DAY} for a in IDS]


def group_of(masters, account, cutoff):
    """All accounts of the same ultimate parent, by the version of each in force and known at the cutoff."""
    parent = {}
    for r in sorted(masters, key=lambda r: (r["event_time"], r["known_at"])):
        if r["event_time"] < cutoff and r["known_at"] < cutoff:
            parent[r["account_id"]] = r.get("parent_id")

    def top(a):
        met = [a]
        while (up := parent.get(met[-1])) is not None and up not in met:
            met.append(up)
        return min(met[met.index(up) :]) if up is not None else met[-1]

    return {a for a in (*IDS, "unseen") if top(a) == top(account)}


def expected(events, invoices, at):
    """All declared features of a group's rows put together."""
    want = {}
    for kind in ("web_visit", "call"):
        chosen = [r for r in events if r["event_type"] == kind]
        for window in WINDOWS:
            made = counted(chosen, events, at, window)
            made |= {f"minutes.{k}": v for k, v in added(chosen, at, window, "minutes").items()}
            made[f"distinct_contact_id_{window}"] = different(chosen, at, window, "contact_id")
            want |= {f"group.events.{kind}.{name}": value for name, value in made.items()}
    money = added(invoices, at, "90d", "amount_cents", 100)
    counts = counted(invoices, invoices, at, "90d")
    want["group.invoices.count_90d"] = counts["count_90d"]
    want["group.invoices.amount.sum_90d"] = money["sum_90d"]
    return want


def unique(masters):
    """One version of an account at a moment, as the contract has it."""
    return list({(r["account_id"], r["event_time"]): r for r in masters}.values())


@given(events, invoices, masters)
@settings(max_examples=40, deadline=None)
def test_every_measure_of_a_group_is_that_of_all_its_rows(config, tables, events, invoices, masters):
    masters = [*everybody(), *unique(masters)]
    data = tables(events=events, invoices=invoices, accounts=masters)
    found = compose(data, config(FEATURES), CALENDAR, None)
    days = dict(zip(CALENDAR.cutoffs, CALENDAR.days, strict=True))
    names = [n for n in found.names if not n.startswith("cadence.")]
    for row in found.table.to_pylist():
        at = Moment(days[row["cutoff"]], CALENDAR.timezone)
        group = group_of(masters, row["account_id"], at.micros)
        mine = ([r for r in table if r["account_id"] in group] for table in (events, invoices))
        want = expected(*mine, at)
        assert set(want) == set(names)
        if len(group) == 1:
            want = dict.fromkeys(want)
        for name in names:
            assert close(row[name], want[name]), (name, row["account_id"], at, row[name], want[name])


def bought(us):
    """b is bought by a in March, which is known in April, and sold again in May."""

    def version(account, day, parent=None, known=None):
        row = {"account_id": account, "event_time": us(day), "parent_id": parent}
        return row | ({"known_at": us(known)} if known else {})

    return [
        version("a", "2023-01-01"), version("b", "2023-01-01"), version("c", "2023-01-01"),
        version("b", "2024-03-10", "a", "2024-03-31T12:00"), version("b", "2024-05-10"),
    ]  # fmt: skip


COUNT = '[features]\nseason = false\n[[features.windows]]\ntable = "events"\nmeasures = ["count"]\n'
COUNT += 'windows_days = [365]\nlevel = "group"\n'


def test_a_subsidiary_counts_from_when_it_is_known_with_its_past_until_it_is_sold(config, tables, us):
    events = [
        {"account_id": a, "event_time": us("2024-01-15"), "event_type": "call"} for a in ("a", "b", "b", "c")
    ]
    found = compose(tables(accounts=bought(us), events=events), config(COUNT), CALENDAR, None)
    values = {}
    for row in found.table.to_pylist():
        values.setdefault(row["account_id"], []).append(row["group.events.count_365d"])
    assert values == {"a": [None, None, 3.0, None], "b": [None, None, 3.0, None], "c": [None] * 4}


def probed(config, tables, us):
    events = [
        {"account_id": a, "event_time": us(f"2024-0{m}-15"), "event_type": "call"}
        for a in "abc"
        for m in range(1, 7)
    ]
    data = tables(accounts=bought(us), events=events)
    subject = Subject.of(data, config(COUNT), CALENDAR)
    seen = travel(subject, 7)
    found = truncation(subject, seen.cut), perturbation(subject, seen)
    errors = (v for probe in found for v in probe.violations if v.severity == "error")
    return {name for v in errors for name in v.ids}, seen.deaf


def test_the_probes_look_at_groups(config, tables, us):
    named, deaf = probed(config, tables, us)
    assert named == set()
    assert "group.events.count_365d" not in deaf


def test_a_roll_up_to_the_parents_of_today_is_named(config, tables, us, monkeypatch):
    """The parent roll-up across the split: whoever will be bought counts already."""
    monkeypatch.setattr(teams, "groups_as_of", lambda versions, _: groups(versions.universe))
    named, _ = probed(config, tables, us)
    assert named == {"group.events.count_365d"}


def test_words_names_and_definition(config, tables):
    made = compose(tables(accounts=everybody()), config(FEATURES), CALENDAR, None)
    by_name = {d.name: d for d in made.definitions}
    visits = by_name["group.events.web_visit.count_90d"]
    assert (visits.level, visits.topic, visits.unit) == ("group", "group.events.web_visit.count", "count")
    assert (visits.label_de, visits.label_en) == (
        "Website-Besuche im Konzern",
        "web visits in the whole group",
    )
    assert (visits.one_de, visits.one_en) == ("Website-Besuch im Konzern", "web visit in the whole group")
    labels = {
        "group.events.call.trend_7d": (
            "Trend der Telefonate im Konzern",
            "trend in calls in the whole group",
        ),
        "group.events.call.recency_days": (
            "Tage seit der letzten Aktivität (Telefonate im Konzern)",
            "days since the last activity (calls in the whole group)",
        ),
        "group.invoices.amount.sum_90d": ("Umsatz im Konzern", "revenue in the whole group"),
        "group.invoices.count_90d": ("Rechnungen im Konzern", "invoices in the whole group"),
    }
    assert {n: (by_name[n].label_de, by_name[n].label_en) for n in labels} == labels
    assert {d.level for d in made.definitions if d.name.startswith("cadence.")} == {"account"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (12.0, "12 Website-Besuche im Konzern in 90 Tagen"),
        (1.0, "1 Website-Besuch im Konzern in 90 Tagen"),
        (0.0, "Keine Website-Besuche im Konzern in 90 Tagen"),
        (None, "Website-Besuche im Konzern in 90 Tagen: kein Konzern"),
    ],
)
def test_what_sellers_read(config, tables, value, said):
    made = compose(tables(accounts=everybody()), config(FEATURES), CALENDAR, None)
    [visits] = [d for d in made.definitions if d.name == "group.events.web_visit.count_90d"]
    assert say(visits, value, 3.0, Reader("de", "DE", "EUR")).text.startswith(said)
