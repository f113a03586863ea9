"""What may be declared as windows, and the words of what is; test_measures holds the values to theirs."""

import numpy as np
import pytest

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


def everyone():
    return [{"account_id": a, "event_time": 19_699 * DAY} for a in ("a", "b", "ä", "z-leer")]


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
