"""The door to numba: blocks cover every row once, whatever the threads; a failing block is heard."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.compiled import cores, in_blocks, kernel


@kernel
def _squares(values, found, first, last):
    for i in range(first, last):
        found[i] += values[i] * values[i]


@given(n=st.integers(0, 40), at_once=st.integers(1, 50), threads=st.integers(1, 4))
def test_every_row_is_worked_on_once(n: int, at_once: int, threads: int) -> None:
    values, found = np.arange(n, dtype=np.float64), np.zeros(n)
    in_blocks(lambda first, last: _squares(values, found, first, last), n, at_once, threads)
    assert np.array_equal(found, values**2)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_a_block_is_raised(threads: int) -> None:
    def work(first: int, last: int) -> None:
        raise ValueError(f"{first}")

    with pytest.raises(ValueError, match="0"):
        in_blocks(work, 4, 2, threads)


def test_there_is_at_least_one_core() -> None:
    assert cores() >= 1
