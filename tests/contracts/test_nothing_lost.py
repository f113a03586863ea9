"""Promises over any input: rows in are rows out, the order of rows is of no account, clean stays clean."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.contracts.checks import enforce
from hva_ml.contracts.tables import contract_for

START = datetime(2024, 1, 1, tzinfo=UTC)
KEYS = st.one_of(st.none(), st.sampled_from(["A1", "A2", " A2", "A3", "", "x@y.de", "Ä\n"]))
TIMES = st.one_of(
    st.none(),
    st.integers(-3, 3).map(lambda d: START + timedelta(days=d)),
    st.sampled_from([datetime(1899, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)]),
)
TIME = pa.timestamp("us", "UTC")
ACCOUNTS = pa.schema([("account_id", pa.string()), ("event_time", TIME), ("known_at", TIME),
                      ("parent_id", pa.string()), ("employees", pa.string())])  # fmt: skip
INVOICES = pa.schema([("invoice_id", pa.string()), ("account_id", pa.string()), ("event_time", TIME),
                      ("amount", pa.float64()), ("currency", pa.string())])  # fmt: skip
ACCOUNT = st.tuples(KEYS, TIMES, TIMES, KEYS, st.sampled_from([None, "1", "2.5", "viele", ""]))
INVOICE = st.tuples(
    KEYS, KEYS, TIMES, st.one_of(st.none(), st.floats()), st.sampled_from([None, "EUR", "eur", "CHF"])
)  # fmt: skip


def table(rows: list[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(schema.names, r, strict=True)) for r in rows], schema)


def held(accounts: list[tuple[object, ...]], invoices: list[tuple[object, ...]], config):
    raw = {"accounts": table(accounts, ACCOUNTS), "invoices": table(invoices, INVOICES)}
    return raw, enforce(raw, config(), START + timedelta(days=2))


@settings(max_examples=60, deadline=None)
@given(
    accounts=st.lists(ACCOUNT, max_size=12),
    invoices=st.lists(INVOICE, max_size=12),
    random=st.randoms(use_true_random=False),
)
def test_nothing_is_lost_and_order_is_of_no_account(accounts, invoices, random, config) -> None:
    raw, first = held(accounts, invoices, config)
    for name, rows in raw.items():
        clean = first.tables[name].num_rows if name in first.tables else 0
        aside = first.quarantine[name].num_rows if name in first.quarantine else 0
        assert clean + aside == rows.num_rows
    for name, rows in first.tables.items():
        contract = contract_for(name, dict(config().tables[name].columns))
        assert rows.schema == contract.arrow_schema
        keys = list(zip(*(rows[k].to_pylist() for k in contract.key), strict=True))
        assert keys == sorted(set(keys))
        assert rows["known_at"].null_count == 0
    shuffled = [random.sample(rows, len(rows)) for rows in (accounts, invoices)]
    _, second = held(*shuffled, config)
    assert second.fingerprints == first.fingerprints
    assert second.violations == first.violations
    assert {n: q.num_rows for n, q in second.quarantine.items()} == {
        n: q.num_rows for n, q in first.quarantine.items()
    }


def test_chunks_and_encodings_are_of_no_account(raw, config, to_arrow) -> None:
    given_tables = to_arrow(raw)
    pieces = {n: pa.concat_tables([t.slice(0, 3), t.slice(3)]) for n, t in given_tables.items()}
    coded = {
        n: t.set_column(1, t.field(1).name, t.column(1).dictionary_encode()) if n != "accounts" else t
        for n, t in given_tables.items()
    }
    first, second, third = (enforce(g, config(), None) for g in (given_tables, pieces, coded))
    assert first.fingerprints == second.fingerprints == third.fingerprints


def test_the_contract_accepts_what_it_gave(raw, config, to_arrow) -> None:
    first = enforce(to_arrow(raw), config(), None)
    back = {
        n: t.rename_columns([{"amount_cents": "amount"}.get(c, c) for c in t.column_names])
        for n, t in first.tables.items()
    }
    for name in ("deal_stages", "invoices"):
        place = back[name].column_names.index("amount")
        euros = pa.array(
            [None if c is None else c / 100 for c in back[name]["amount"].to_pylist()], pa.float64()
        )
        back[name] = back[name].set_column(place, "amount", euros)
    back["events"] = back["events"].rename_columns(
        [
            {"event_time": "occurred_at", "known_at": "imported_at"}.get(c, c)
            for c in back["events"].column_names
        ]
    )
    assert enforce(back, config(), None).fingerprints == first.fingerprints


def test_a_change_of_content_changes_the_fingerprint(raw, config, to_arrow) -> None:
    before = enforce(to_arrow(raw), config(), None).fingerprints
    raw["invoices"][0]["amount"] += 0.01
    after = enforce(to_arrow(raw), config(), None).fingerprints
    assert {n for n in before if before[n] != after[n]} == {"invoices"}
