"""A sample of values: the same whatever the order of rows, and chosen again after rows are added."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from hva_ml.contracts.records import ContractTables
from hva_ml.contracts.sampled import ACCOUNTS, VALUES, sampled, unpacked

DAY = datetime(2025, 1, 1, tzinfo=UTC)
TIME = pa.timestamp("us", "UTC")


def tables(accounts: int = 3_000, invoices: int = 5, amount: float = 1.0) -> ContractTables:
    ids = [f"A{k:06d}" for k in range(accounts)]
    owners = [i for i in ids for _ in range(invoices)]
    at = [DAY + timedelta(hours=k) for k in range(len(owners))]
    cents = [round(amount * 100 * (k + 1)) for k in range(len(owners))]
    return ContractTables(
        {
            "accounts": pa.table(
                {"account_id": ids,
                 "event_time": pa.array([DAY] * accounts, TIME), "country": ["DE"] * accounts}
            ),
            "invoices": pa.table(
                {
                    "invoice_id": [f"R{k}" for k in range(len(owners))], "account_id": owners,
                    "event_time": pa.array(at, TIME), "known_at": pa.array(at, TIME), "amount_cents": cents,
                }
            ),
        }
    )  # fmt: skip


def packed(given: ContractTables) -> dict[str, dict[str, object]]:
    return {name: sample.packed() for name, sample in sampled(given).items()}


def test_it_comes_back_from_its_record_and_does_not_depend_on_the_order_of_rows() -> None:
    given = tables()
    found = sampled(given)
    assert set(found) == {
        "accounts.event_time", "accounts.country",
        *(f"invoices.{c}" for c in ("invoice_id", "event_time", "amount_cents")),
    }  # fmt: skip
    assert {name: unpacked(told) for name, told in packed(given).items()} == found
    rng = np.random.default_rng(1)
    shuffled = {n: t.take(pa.array(rng.permutation(t.num_rows))) for n, t in given.tables.items()}
    assert packed(ContractTables(shuffled)) == packed(given)


def test_pieces_with_dictionaries_of_their_own_are_the_same_rows() -> None:
    given = tables(300)
    halves = {
        n: pa.concat_tables([_encoded(t.slice(0, t.num_rows // 3)), _encoded(t.slice(t.num_rows // 3))])
        for n, t in given.tables.items()
    }
    assert halves["accounts"]["country"].num_chunks == 2
    assert packed(ContractTables(halves)) == packed(given)


def _encoded(rows: pa.Table) -> pa.Table:
    words = [f.name for f in rows.schema if pa.types.is_string(f.type)]
    for name in words:
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, name, rows[name].combine_chunks().dictionary_encode())
    return rows


@pytest.mark.parametrize("accounts", [1, 63, 64, 127, 128, 3_000, 20_000])
def test_it_is_all_of_few_rows_and_some_of_many(accounts: int) -> None:
    found = sampled(tables(accounts))
    kept = len(found["accounts.country"].values)
    assert kept == accounts if accounts < VALUES else 0.3 * min(ACCOUNTS, VALUES) < kept < 3 * ACCOUNTS
    assert 0.5 * min(VALUES, 5 * accounts) < len(found["invoices.amount_cents"].values) < 3 * VALUES


def test_values_that_were_chosen_are_chosen_again_after_others_came() -> None:
    before, now = sampled(tables(3_000)), sampled(tables(3_050))
    for name, one in before.items():
        assert one.level[0] == now[name].level[0]
        level = max(one.level[1], now[name].level[1])
        assert one.finer(level) <= now[name].finer(level)
        assert len(one.finer(level)) > 20


def test_what_changed_is_seen_in_its_column_only() -> None:
    before, now = sampled(tables()), sampled(tables(amount=1.01))
    same = {name: before[name] == now[name] for name in before}
    assert [name for name, was in same.items() if not was] == ["invoices.amount_cents"]
    old, new = (side["invoices.amount_cents"].values for side in (before, now))
    assert len(old - new) > 0.9 * len(old)


def test_where_there_are_no_accounts_there_is_no_sample_and_no_row_is_none() -> None:
    assert sampled(ContractTables({})) == {}
    empty = {n: t.filter(pc.equal(t["account_id"], "")) for n, t in tables(3).tables.items()}
    assert {len(s.values) for s in sampled(ContractTables(empty)).values()} == {0}
    assert unpacked(sampled(ContractTables(empty))["accounts.country"].packed()).values == frozenset()
