"""In what form sources came: zones of their times, rows that stand apart; the order of rows is nothing."""

from collections import Counter
from datetime import datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.contracts.checks import enforce
from hva_ml.contracts.forms import APART, varied, zoneless
from hva_ml.contracts.records import ContractTables
from hva_ml.engines.spool import Store


def written(rows, naive=()):
    """Write times as text; every other one of the columns named without its zone."""
    return {
        table: [
            {c: _text(v, (table, c) in naive and k % 2 == 0) if isinstance(v, datetime) else v
             for c, v in row.items()}
            for k, row in enumerate(of)
        ]
        for table, of in rows.items()
    }  # fmt: skip


def _text(at, naive):
    return (at.replace(tzinfo=None) if naive else at).isoformat()


@pytest.mark.parametrize("on_disk", [False, True])
def test_times_without_a_zone_are_a_share_of_the_rows_of_their_column(
    config, raw, to_arrow, on_disk, tmp_path
):
    store = Store(tmp_path, memory_gib=1, share=0.0) if on_disk else None
    tables = enforce(to_arrow(written(raw, {("invoices", "event_time")})), config(), None, store)
    told = zoneless(tables)
    assert told.pop("invoices.event_time") == 0.5
    assert set(told.values()) == {0.0}
    assert {c.split(".")[0] for c in told} == set(raw)
    assert set(varied(tables)) >= {"accounts.employees", "events.event_type", "invoices.amount_cents"}


def test_a_time_that_is_not_given_is_not_told_of(config, raw, to_arrow):
    asked = config()
    given = zoneless(enforce(to_arrow(written(raw)), asked, None))
    assert {"invoices.event_time", "invoices.known_at"} <= set(given)
    assert "deal_stages.expected_close_at" not in given
    for row in raw["invoices"]:
        del row["known_at"]
    told = zoneless(enforce(to_arrow(written(raw)), asked, None))
    assert set(given) - set(told) == {"invoices.known_at"}


@given(st.lists(st.sampled_from(["a", "b", None]), max_size=60), st.integers(1, 40))
def test_rows_apart_are_counted_whatever_their_order_and_pieces(kinds, step):
    def counted(values):
        n = len(values)
        pieces = [pa.array(values[k : k + step], pa.string()) for k in range(0, n, step)]
        table = pa.table({
            "event_id": pa.array(map(str, range(n)), pa.string()),
            "event_type": pa.chunked_array(pieces, pa.string()),
            "event_time": pa.nulls(n, pa.timestamp("us", "UTC")),
        })  # fmt: skip
        return varied(ContractTables({"events": table}))

    told = counted(kinds)
    if not kinds:
        assert told == {}
        return
    apart = len(kinds) - max(Counter(kinds).values())
    assert told == {"events.event_type": min(apart, APART)}
    assert counted(kinds[::-1]) == told


def test_what_tells_late_is_found_too():
    late = pa.array(["a"] * 400_000 + ["b"] * 7)
    table = pa.table({"event_id": pa.array(map(str, range(len(late)))), "event_type": late})
    assert varied(ContractTables({"events": table})) == {"events.event_type": 7}
    coded = table.set_column(1, "event_type", late.dictionary_encode())
    assert varied(ContractTables({"events": coded})) == {"events.event_type": 7}
