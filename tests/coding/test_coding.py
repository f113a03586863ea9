"""Strings as numbers: equal strings, and only they, have equal codes."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml import coding
from hva_ml.coding import Coder

words = st.none() | st.text(max_size=20) | st.sampled_from(["", "a", "a\0", "aaaaaaaa", "aaaaaaab", "ä" * 40])
chunks = st.lists(st.lists(words, max_size=12), max_size=4)


def first_seen(rows):
    """The plain definition: numbers in the order of first occurrence."""
    known = {}
    return [-1 if r is None else known.setdefault(r, len(known)) for r in rows], list(known)


@given(chunks, st.sampled_from([pa.string(), pa.large_string()]), st.integers(0, 3))
def test_codes_are_those_of_a_dictionary(found, kind, skipped):
    column = pa.chunked_array([pa.array(c, kind) for c in found], kind)
    column = column.slice(min(skipped, len(column)))
    coder = Coder()
    codes, strings = first_seen(column.to_pylist())
    assert coder.codes(column).tolist() == codes
    assert coder.strings().to_pylist() == strings
    assert coder.codes(column).tolist() == codes
    assert len(coder) == len(strings)


def test_the_table_grows_with_many_and_with_long_strings():
    rows = [f"account {k % 7000}" for k in range(20_000)] + ["x" * 100_000, "x" * 99_999, "x" * 100_000]
    coder = Coder()
    codes, strings = first_seen(rows)
    assert coder.codes(pa.array(rows)).tolist() == codes
    assert coder.strings().to_pylist() == strings


def test_equal_hashes_do_not_make_strings_equal():
    # Nothing but the bytes decides: in a table of two slots nearly all strings meet.
    coder = Coder()
    coder._slots = np.full(4096, coding._FREE, dtype=np.uint64)
    words, offsets = coding._bytes(pa.array(["ab", "cd"]))[::-1]
    mixed = np.uint64(5)
    coder._kept[0], coder._kept[1] = np.uint64(2), words[0] & np.uint64(0xFFFF)
    coder._slots[5] = mixed >> np.uint64(32) << np.uint64(32)
    find = coding._find
    assert find(words, 0, 2, mixed, coder._kept, coder._slots) == (5, 0)
    assert find(words, 2, 2, mixed, coder._kept, coder._slots) == (6, -1)
    assert offsets.tolist() == [0, 2, 4]


@pytest.mark.parametrize(
    ("column", "codes"),
    [
        (pa.array([True, None, False, True]), [0, -1, 1, 0]),
        (pa.array(["b", "a", "b", None]).dictionary_encode(), [0, 1, 0, -1]),
        (pa.array([], pa.string()), []),
    ],
)
def test_other_columns_are_coded_as_their_strings(column, codes):
    assert Coder().codes(column).tolist() == codes
