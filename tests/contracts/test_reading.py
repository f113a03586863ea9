"""Rows are read by themselves: the parts of a table, read apart, add up to the table read at once."""

from itertools import pairwise

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hva_ml.contracts.notes import added
from hva_ml.contracts.reading import Reading, read, reading

TIME = pa.timestamp("us")
EVENTS = pa.schema([("event_id", pa.string()), ("account_id", pa.string()), ("occurred_at", TIME),
                    ("imported_at", TIME), ("event_type", pa.string()), ("contact_id", pa.string()),
                    ("surplus", pa.int64())])  # fmt: skip
INVOICES = pa.schema([("invoice_id", pa.string()), ("account_id", pa.string()), ("event_time", pa.string()),
                      ("amount", pa.string()), ("currency", pa.string())])  # fmt: skip
KEYS = st.sampled_from([None, "A1", " A2", "A3", "", "x@y.de", "Ä\n", "z" * 1001])
# Around the hour that is skipped and the one that comes twice, before 1990, and far off.
TIMES = st.sampled_from(
    [None, 0, 631_151_999_000_000, 1_711_849_800_000_000, 1_729_994_400_000_000, 1_704_067_200_000_000,
     -3_000_000_000_000_000]
)  # fmt: skip
EVENT = st.tuples(KEYS, KEYS, TIMES, TIMES, st.sampled_from([None, "call", "0171 2345678"]), KEYS, st.just(1))
INVOICE = st.tuples(
    KEYS, KEYS, st.sampled_from([None, "2024-01-01", "2024-03-31 02:30", "gestern", ""]),
    st.sampled_from([None, "1.50", "1.005", "viel", "", "1e99"]), st.sampled_from([None, "EUR", "chf "]),
)  # fmt: skip


def table(rows: list[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(schema.names, r, strict=True)) for r in rows], schema)


def parts_of(rows: list[tuple[object, ...]], cuts: list[int]) -> list[list[tuple[object, ...]]]:
    edges = [0, *sorted(min(c, len(rows)) for c in cuts), len(rows)]
    return [rows[a:b] for a, b in pairwise(edges)]


def add_up(name: str, rows: list[tuple[object, ...]], schema: pa.Schema, cuts: list[int], config) -> bool:
    """Hold parts against the whole; False where a part says that it cannot be read alone."""
    whole = read(name, table(rows, schema), config())
    read_apart = [reading(read(name, table(part, schema), config())) for part in parts_of(rows, cuts)]
    parts: list[Reading] = [p for p in read_apart if p is not None]
    if len(parts) < len(read_apart):
        return False
    assert reading(whole) is not None
    assert pa.concat_tables([p.rows for p in parts]).equals(pa.concat_tables([whole.clean_rows()]))
    assert added([p.notes for p in parts]) == tuple(whole.notes)
    assert sum(p.delivered for p in parts) == whole.delivered
    assert {c: sum(p.given[c] for p in parts) for c in parts[0].given} == whole.given
    return True


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(EVENT, max_size=12), cuts=st.lists(st.integers(0, 12), max_size=3))
def test_parts_of_events_add_up(rows, cuts, config) -> None:
    assert add_up("events", rows, EVENTS, cuts, config)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(INVOICE, max_size=12), cuts=st.lists(st.integers(0, 12), max_size=3))
@example(rows=[("R1", "A1", "gestern", "1", "EUR"), ("R2", "A1", "2024-01-01", "1", "EUR")], cuts=[1])
@example(rows=[("R1", "A1", "gestern", "1", "EUR"), ("R2", "A1", "morgen", "1", "EUR")], cuts=[1])
def test_parts_of_invoices_add_up_unless_one_says_that_it_cannot_be_read_alone(rows, cuts, config) -> None:
    """Whether a text column holds times at all is judged by all its cells."""
    unreadable = [
        any(r[2] == "gestern" for r in p) and not any(_time(r[2]) for r in p) for p in parts_of(rows, cuts)
    ]
    assert add_up("invoices", rows, INVOICES, cuts, config) == (not any(unreadable))


def _time(text: object) -> bool:
    # The skipped hour of 31 March is no instant either.
    return text == "2024-01-01"


def test_a_column_that_is_missing_or_of_another_kind_is_judged_as_a_whole(config) -> None:
    rows = [("E1", "A1", 0, 0, "call", None, 1)]
    for column in ("event_type", "imported_at"):
        assert reading(read("events", table(rows, EVENTS).drop_columns([column]), config())) is None
    flags = table(rows, EVENTS).set_column(5, "contact_id", pa.array([[1]]))
    assert reading(read("events", flags, config())) is None
