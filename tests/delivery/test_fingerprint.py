"""The hash of rows: the same for any order and pieces, another one for any other contents."""

from datetime import date

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.delivery.fingerprint import fingerprint

SCHEMA = pa.schema(
    [
        ("id", pa.string()), ("text", pa.string()), ("number", pa.float64()), ("flag", pa.bool_()),
        ("day", pa.date32()), ("count", pa.int64()),
    ]
)  # fmt: skip
ROW = st.fixed_dictionaries(
    {
        "id": st.text(max_size=4),
        "text": st.none() | st.text(max_size=4),
        "number": st.none() | st.floats(allow_nan=False),
        "flag": st.none() | st.booleans(),
        "day": st.none() | st.dates(date(1970, 1, 1), date(2100, 1, 1)),
        "count": st.none() | st.integers(-(2**63), 2**63 - 1),
    }
)


def table(rows):
    return pa.Table.from_pylist(rows, schema=SCHEMA)


@given(st.lists(ROW, max_size=12), st.randoms(use_true_random=False), st.integers(0, 12))
def test_order_and_pieces_do_not_matter(rows, random, cut):
    whole = fingerprint([table(rows)])
    mixed = random.sample(rows, len(rows))
    assert fingerprint([table(mixed[:cut]), table(mixed[cut:])]) == whole
    assert fingerprint([table(mixed).slice(cut), table(mixed).slice(0, cut)]) == whole
    assert whole.rows == len(rows)


@given(st.lists(ROW, min_size=1, max_size=6), ROW, st.sampled_from(SCHEMA.names), st.data())
def test_any_other_contents_are_another_hash(rows, other, column, data):
    place = data.draw(st.integers(0, len(rows) - 1))
    changed = [dict(r) for r in rows]
    changed[place][column] = other[column]
    same = sorted(map(repr, map(plain, rows))) == sorted(map(repr, map(plain, changed)))
    assert (fingerprint([table(rows)]) == fingerprint([table(changed)])) == same


def plain(row):
    return {k: v + 0.0 if isinstance(v, float) else v for k, v in sorted(row.items())}


def test_null_and_empty_zero_and_its_negative_and_exchanged_columns():
    def of(**row):
        return fingerprint([table([{"id": "a", **row}])])

    assert of(text=None) != of(text="")
    assert of(number=None) != of(number=0.0)
    assert of(number=0.0) == of(number=-0.0)
    assert of(number=1e-320) != of(number=0.0)
    assert of(text="x") != fingerprint([table([{"id": "x", "text": "a"}])])
    twice = fingerprint([table([{"id": "a"}, {"id": "a"}])])
    assert twice != fingerprint([table([{"id": "b"}, {"id": "b"}])])
