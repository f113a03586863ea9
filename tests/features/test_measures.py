"""Every measure of every kind of table, at any cutoffs in any zone, against plain Python."""

from datetime import date, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.features.plain import DAY, Moment, added, close, counted, different, midnight

from hva_ml.cutoffs import Calendar
from hva_ml.features.build import compose

# Around a leap day, both changes of the clocks, turns of month, quarter and year.
DAYS = [
    date(2023, 12, 31), date(2024, 1, 1), date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 31),
    date(2024, 4, 1), date(2024, 10, 27), date(2024, 10, 28), date(2024, 12, 31), date(2025, 1, 1),
    date(2025, 3, 1),
]  # fmt: skip
WINDOWS = ("1d", "7d", "30d", "365d", "mtd", "qtd", "ytd")
ROWS = (
    '"count", "recency", "since_first", "active_days", "trend", "surge", "gap_mean", "gap_max", "gap_std", '
)
ROWS += '"streak", "streak_max"'
NUMBERS = '"sum", "mean", "min", "max", "std"'
SPANS = 'windows_days = [1, 7, 30, 365]\nto_date = ["month", "quarter", "year"]'
FEATURES = f"""
[features]
season = false
[[features.windows]]
table = "events"
by = "event_type"
values = ["web_visit", "call"]
of = ["minutes", "pages", "contact_id"]
measures = [{ROWS}, "share", {NUMBERS}, "distinct"]
{SPANS}
[[features.windows]]
table = "events"
where = {{ event_type = ["call", "email"] }}
measures = [{ROWS}]
{SPANS}
[[features.windows]]
table = "invoices"
of = ["amount", "currency"]
measures = [{ROWS}, {NUMBERS}, "distinct"]
{SPANS}
[[features.windows]]
table = "deal_stages"
by = "stage"
values = ["won"]
of = ["amount", "deal_id"]
measures = [{ROWS}, "share", {NUMBERS}, "distinct"]
{SPANS}
[[features.windows]]
table = "accounts"
of = ["budget", "key_account", "employees"]
measures = [{ROWS}, {NUMBERS}]
{SPANS}
"""
ACCOUNTS = ("a", "b", "ä")

zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
calendars = st.builds(
    lambda days, zone: Calendar(tuple(sorted(days)), 90, 0, zone),
    st.sets(st.sampled_from(DAYS), min_size=1, max_size=3),
    zones,
)
moments = st.builds(
    lambda day, more, zone, off: midnight(day + timedelta(days=more), zone) + off,
    st.sampled_from(DAYS), st.integers(-40, 10), zones, st.sampled_from([0, 0, -1, 1, DAY // 2]),
)  # fmt: skip
delays = st.sampled_from([0, 0, 0, 1, DAY, 40 * DAY, 400 * DAY, -3 * DAY])


def rows_of(**columns):
    """Rows in any order, some of them twice."""
    row = st.fixed_dictionaries(
        {"account_id": st.sampled_from(ACCOUNTS), "event_time": moments, "delay": delays}
        | {name: st.sampled_from(values) for name, values in columns.items()}
    ).map(
        lambda r: {**{k: v for k, v in r.items() if k != "delay"}, "known_at": r["event_time"] + r["delay"]}
    )
    return st.lists(row, max_size=12).flatmap(lambda r: st.permutations([*r, *r[: len(r) // 3]]))


events = rows_of(
    event_type=["web_visit", "call", "email"], contact_id=[None, "c1", "c2"],
    minutes=[None, 0.1, 2.5, -1.25, 1e6], pages=[None, 0, 3, -7],
)  # fmt: skip
invoices = rows_of(amount_cents=[0, 1, -99_99, 250_00, 10**12], currency=[None, "EUR"])
deals = rows_of(
    deal_id=["1", "2"], stage=["offer", "won", "lost"], amount_cents=[None, 0, 100, -7_00],
)  # fmt: skip
masters = rows_of(
    budget_cents=[None, 5, -5_00], key_account=[None, True, False], employees=[None, 9.0, 250.0],
)  # fmt: skip


def expected(rows, prefix, at, numbers, others=None, distinct=()):
    """All features of one group of the file for one account, by name."""
    want = {}
    for window in WINDOWS:
        made = counted(rows, rows if others is None else others, at, window)
        if others is None:
            del made[f"share_{window}"]
        for column, (name, scale) in numbers.items():
            made |= {f"{name}.{k}": v for k, v in added(rows, at, window, column, scale).items()}
        for column in distinct:
            made[f"distinct_{column}_{window}"] = different(rows, at, window, column)
        want |= {f"{prefix}.{name}": value for name, value in made.items()}
    return want


def of_account(events, invoices, deals, masters, at):
    """All declared features of one account at one cutoff, by their definitions."""
    want = {}
    for kind in ("web_visit", "call"):
        chosen = [r for r in events if r["event_type"] == kind]
        numbers = {"minutes": ("minutes", 1), "pages": ("pages", 1)}
        want |= expected(chosen, f"events.{kind}", at, numbers, events, ["contact_id"])
    want |= expected([r for r in events if r["event_type"] != "web_visit"], "events.call_or_email", at, {})
    money = {"amount_cents": ("amount", 100)}
    want |= expected(invoices, "invoices", at, money, distinct=["currency"])
    won = [r for r in deals if r["stage"] == "won"]
    want |= expected(won, "deal_stages.won", at, money, deals, ["deal_id"])
    numbers = {
        "budget_cents": ("budget", 100),
        "key_account": ("key_account", 1),
        "employees": ("employees", 1),
    }
    return want | expected(masters, "accounts", at, numbers)


@given(events, invoices, deals, masters, calendars)
@example([], [], [], [], Calendar((date(2024, 3, 1),), 90, 0, "Europe/Berlin"))
@settings(max_examples=25, deadline=None)
def test_every_measure_of_every_table_is_its_definition(
    config, tables, events, invoices, deals, masters, calendar
):
    # Everybody is there from early on, one of them with this single row of master data and nothing else.
    there = [
        {"account_id": a, "event_time": midnight(date(2020, 1, 1), "UTC")} for a in (*ACCOUNTS, "z-leer")
    ]
    there = [{**row, "known_at": row["event_time"]} for row in there]
    given_rows = (events, invoices, deals, [*masters, *there])
    data = tables(events=events, invoices=invoices, deal_stages=deals, accounts=[*masters, *there])
    found = compose(data, config(FEATURES), calendar, None)
    rows = found.table.to_pylist()
    assert len(rows) == (len(ACCOUNTS) + 1) * len(calendar.days)
    names = [n for n in found.names if not n.startswith("cadence.")]
    moments = dict(zip(calendar.cutoffs, calendar.days, strict=True))
    for row in rows:
        account, at = row["account_id"], Moment(moments[row["cutoff"]], calendar.timezone)
        mine = ([r for r in table if r["account_id"] == account] for table in given_rows)
        want = of_account(*mine, at)
        assert set(want) == set(names)
        for name in names:
            assert close(row[name], want[name]), (name, account, at, row[name], want[name])
