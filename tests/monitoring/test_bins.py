"""Fixed bins: every row in exactly one, whatever its order, against counting by hand."""

import math
from bisect import bisect_left

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.monitoring.bins import Bins

numbers = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=60)
words = st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "c", "d"])), min_size=1, max_size=60)


@given(numbers, numbers)
def test_numbers_are_counted_at_most_their_cut(learned: list, night: list) -> None:
    bins = Bins.of("x", pa.chunked_array([pa.array(learned, pa.float64())]))
    expected = [0] * bins.size
    for v in night:
        expected[bins.size - 1 if v is None else bisect_left(bins.cuts, v)] += 1
    column = pa.chunked_array([pa.array(night, pa.float64())])
    assert bins.count(column, np.zeros(len(night), dtype=np.int64), 1)[0].tolist() == expected
    same = np.array([math.nan if v is None else v for v in night])
    assert bins.place(same).tolist() == bins.place(column).tolist()


@given(words, words)
def test_categories_have_a_bin_or_share_the_one_of_others(learned: list, night: list) -> None:
    bins = Bins.of("x", pa.chunked_array([pa.array(learned, pa.string())]))
    known = {c: k for k, c in enumerate(bins.categories)}
    expected = [0] * bins.size
    for v in night:
        expected[bins.size - 1 if v is None else known.get(v, len(known))] += 1
    column = pa.chunked_array([pa.array(night, pa.string()).dictionary_encode()])
    assert bins.count(column, np.zeros(len(night), dtype=np.int64), 1)[0].tolist() == expected


@given(numbers, st.randoms())
def test_the_order_of_rows_changes_nothing(values: list, random: object) -> None:
    mixed = list(values)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = (pa.chunked_array([pa.array(v, pa.float64())]) for v in (values, mixed))
    assert Bins.of("x", one) == Bins.of("x", other)


def test_parts_add_up_to_all() -> None:
    bins = Bins.of("x", np.arange(100.0))
    part = np.arange(100) % 4 - 1
    split = bins.split(np.arange(100.0), part, 3)
    assert split[0].tolist() == bins.count(np.arange(100.0), np.zeros(100, dtype=np.int64), 1)[0].tolist()
    assert split[1:].tolist() == bins.count(np.arange(100.0), part, 3).tolist()
    assert split[1:].sum() == 75


@pytest.mark.parametrize("column", [np.arange(30.0), pa.chunked_array([["a", "b", None] * 10])])
def test_a_record_is_the_same_bins(column: object) -> None:
    bins = Bins.of("x", column)  # type: ignore[arg-type]
    assert Bins.from_record(bins.record()) == bins


def test_rare_categories_are_others() -> None:
    column = pa.chunked_array([["often"] * 500 + ["rare"]])
    assert Bins.of("x", column).categories == ("often",)
