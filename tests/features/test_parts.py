"""Features from parts of the accounts are those of all accounts, for any number of parts and any order."""

import itertools
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import MICROSECONDS_PER_DAY as DAY
from hva_ml.features import parts
from hva_ml.features.across import Totals
from hva_ml.features.build import build

ALL = """
[features]
season = true
outlook = true
deals = true
stages = ["offer"]
close_dates = true
fit = true
firmographic = ["country", "region", "industry_section", "size_class", "employees", "age_years", "has_parent",
  "children"]
columns = ["sector", "budget", "key_account"]
[[features.windows]]
table = "events"
by = "event_type"
values = ["web_visit", "call"]
of = ["minutes", "contact_id"]
windows_days = [7, 30, 90]
to_date = ["quarter"]
measures = ["count", "sum", "mean", "std", "distinct", "recency", "active_days", "trend", "surge", "share",
  "gap_std"]
[[features.windows]]
table = "events"
of = ["contact_id"]
windows_days = [90]
measures = ["count", "distinct", "surge", "streak"]
level = "group"
"""
ALONE = """
[features]
season = false
firmographic = ["children"]
"""


def universe(tables, seed: int, n: int = 40) -> ContractTables:
    """Accounts with changing parents and deals that move between them, late rows among all."""
    random = np.random.default_rng(seed)

    def pick(*values):
        return values[int(random.integers(len(values)))]

    def row(**columns):
        time = (19_500 + int(random.integers(450))) * DAY + pick(0, -1, DAY // 3)
        known = time + pick(0, 0, DAY, 50 * DAY)
        return {"account_id": account(), "event_time": time, "known_at": known, **columns}

    def account():
        return f"{pick('a', 'ä', 'Z')}{int(random.integers(n)):02d}"

    return tables(
        accounts=[
            row(
                country=pick("DE", "AT", None), postcode=pick("80331", "1010"),
                employees=pick(None, 5.0, 900.0), industry_code=pick("28.41", "46.1", "62"),
                founded_year=pick(None, 1990, 2020),
                parent_id=pick(*[None] * 7, account()), sector=pick("x", "ü", None),
                budget_cents=pick(None, 100), key_account=pick(True, False),
            )
            for _ in range(3 * n)
        ],
        events=[
            row(event_type=pick("web_visit", "call", "email"), contact_id=pick(None, "c1", "c2"),
                minutes=pick(None, 0.1, 3.3))
            for _ in range(500)
        ],
        deal_stages=[
            row(deal_id=f"d{int(random.integers(300))}", stage=pick("offer", "talk", "won", "lost"),
                amount_cents=pick(None, 500, 1000),
                expected_close_at=pick(None, (19_500 + int(random.integers(450))) * DAY))
            for _ in range(100)
        ],
        invoices=[row(amount_cents=int(random.integers(-3000, 9000))) for _ in range(200)],
    )  # fmt: skip


def dealt(data: ContractTables, count: int) -> Iterator[dict[str, pa.Table]]:
    """Deal whole families to parts, and their rows in another order."""
    together = dict(zip(*parts.families(data.tables).to_pydict().values(), strict=True))
    number: dict[str, int] = {}
    place = {}
    for table in data.tables.values():
        for account in table["account_id"].to_pylist():
            family = together.get(account, account)
            place[account] = number.setdefault(family, len(number)) % count
    for part in range(count):
        mine = pa.array([a for a, p in place.items() if p == part], pa.string())
        yield {
            name: table.filter(pc.is_in(table["account_id"], mine))[::-1]
            for name, table in data.tables.items()
        }


def by_parts(data, pipeline, calendar, count):
    dealt_out = list(dealt(data, count))
    assert all(part["accounts"].num_rows for part in dealt_out)
    counted = map(parts.CountPart(pipeline, calendar), dealt_out)
    totals = Totals.added(len(calendar.days), counted).table()
    work = parts.BuildPart(pipeline, calendar, totals)
    empty = {name: table.slice(0, 0) for name, table in data.tables.items()}
    return parts.joined(map(work, reversed(dealt_out)), work.features(empty))


@pytest.mark.parametrize("features", [ALL, ALONE], ids=["all", "alone"])
@pytest.mark.parametrize("static", ["", '"parent_id", "country"'], ids=["history", "static"])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=4)
def test_parts_are_the_whole(config, tables, calendar, features: str, static: str, seed: int) -> None:
    data = universe(tables, seed)
    population = 'table = "events"\nactive_within_days = 200\nexclude_customers = true'
    pipeline = config(features, population=population, static=static)
    whole = build(data, pipeline, calendar)
    assert whole.table.num_rows > 20
    for count in (1, 2, 7):
        found = by_parts(data, pipeline, calendar, count)
        assert found.definitions == whole.definitions
        assert found.table.equals(whole.table)
        assert found.fingerprint() == whole.fingerprint()


def test_a_part_alone_would_be_another_whole(config, tables, calendar) -> None:
    """What is held against all accounts needs the totals: without them, parts would see another market."""
    data = universe(tables, 1)
    pipeline = config(ALL)
    one = next(dealt(data, 2))
    mine = parts.CountPart(pipeline, calendar)(one)
    everyone = Totals.added(4, map(parts.CountPart(pipeline, calendar), dealt(data, 2))).table()
    alone, among = (parts.BuildPart(pipeline, calendar, t)(one) for t in (mine, everyone))
    differing = {n for n in alone.column_names if not alone[n].equals(among[n])}
    assert differing == {"deals.win_rate", "fit.icp", "season.market_index", "season.outlook"}


def test_families_are_what_anything_links(tables) -> None:
    def row(account, **columns):
        return {"account_id": account, "event_time": 0, **columns}

    data = tables(
        accounts=[row("b", parent_id="a"), row("c", parent_id="b"), row("d", parent_id=None),
                  row("e", parent_id="e"), row("g", parent_id="unknown")],
        deal_stages=[row("x", deal_id="1", stage="s"), row("c", deal_id="1", stage="s"),
                     row("d", deal_id="2", stage="s"), row("y", deal_id="3", stage="s"),
                     row("z", deal_id="3", stage="s")],
    ).tables  # fmt: skip
    found = parts.families(data)
    sets = {
        group: {a for a, g in zip(*found.to_pydict().values(), strict=True) if g == group}
        for group in found["group_id"].to_pylist()
    }
    assert sets == {"a": {"a", "b", "c", "x"}, "g": {"g", "unknown"}, "y": {"y", "z"}}
    assert parts.families({"accounts": data["accounts"].slice(0, 0)}).num_rows == 0


COUNTS = st.tuples(st.sampled_from("abc"), st.sampled_from(["", "ü"]), st.integers(-9, 9))


@given(st.lists(COUNTS, max_size=20), st.integers(1, 4))
def test_totals_of_parts_add_up(counts, n_parts) -> None:
    def totals(some):
        return Totals(2, (((name, value), np.array([n, 1])) for name, value, n in some))

    whole = totals(counts)
    added = Totals.added(2, [totals(counts[k::n_parts]).table() for k in range(n_parts)])
    for name, value in itertools.product("abcd", ["", "ü", "never"]):
        wanted = [n for a, b, n in counts if (a, b) == (name, value)]
        assert added.at(name, value).tolist() == whole.at(name, value).tolist() == [sum(wanted), len(wanted)]
    for name in "abcd":
        wanted = [n for a, _, n in counts if a == name]
        assert added.whole(name).tolist() == [sum(wanted), len(wanted)]
