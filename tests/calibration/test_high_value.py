"""Who is among the best is told by rank within a cutoff."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.calibration import among_the_best


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(-2, 6)), min_size=1, max_size=40),
    st.sampled_from([0.1, 0.2, 0.25, 0.5]),
)
def test_the_best_are_those_that_few_others_beat(rows: list[tuple[int, int]], share: float) -> None:
    cutoffs = np.array([c for c, _ in rows])
    value = np.array([float(v) for _, v in rows])
    found = among_the_best(value, cutoffs, share)
    for k, (cutoff, worth) in enumerate(rows):
        others = [v for c, v in rows if c == cutoff]
        ahead = sum(v > worth for v in others)
        assert found[k] == (worth > 0 and ahead < share * len(others) - 1e-9)


def test_a_quiet_cutoff_has_fewer_of_them() -> None:
    value = np.zeros(100)
    assert among_the_best(value, np.ones(100, dtype=np.int64), 0.2).sum() == 0
    value[:5] = 1.0
    assert among_the_best(value, np.ones(100, dtype=np.int64), 0.2).tolist() == [1] * 5 + [0] * 95
