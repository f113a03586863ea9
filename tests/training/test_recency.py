import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.cutoffs import MICROSECONDS_PER_DAY
from hva_ml.training.recency import recency_weights


@given(st.lists(st.integers(0, 20_000), min_size=1), st.floats(0.1, 5000))
def test_a_cohort_a_half_life_older_counts_half(days, half_life):
    cutoffs = np.array(days, dtype=np.int64) * MICROSECONDS_PER_DAY
    weight = recency_weights(cutoffs, half_life)
    assert ((weight > 0) & (weight <= 1)).all()
    for day, found in zip(days, weight, strict=True):
        assert found == pytest.approx(max(0.5 ** ((max(days) - day) / half_life), 2.0**-30), rel=1e-9)


def test_without_a_half_life_all_count_alike():
    assert recency_weights(np.array([0, MICROSECONDS_PER_DAY]), None) is None
    assert recency_weights(np.array([], dtype=np.int64), 30.0) is None
