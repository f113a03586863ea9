"""The kernel against the plainest possible definition of each measure."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.cutoffs import MICROSECONDS_PER_DAY as DAY
from hva_ml.features.windows import NONE, distinct, earliest, enters, latest, leaves, totals

N_ACCOUNTS = 4
moments = st.integers(0, 24).map(lambda k: k * DAY // 2) | st.integers(0, 12).flatmap(
    lambda d: st.sampled_from([d * DAY - 1, d * DAY + 1])
)
events = st.lists(
    st.tuples(
        st.integers(0, N_ACCOUNTS - 2), moments, moments, st.integers(-(10**12), 10**12), st.integers(0, 2)
    ),
    max_size=25,
)
cutoff_sets = st.sets(moments, min_size=1, max_size=6).map(sorted)


def unpack(rows, cutoffs):
    account, time, known, amount, item = (np.array([r[k] for r in rows], dtype=np.int64) for k in range(5))
    cuts = np.array(cutoffs, dtype=np.int64)
    return account, time, known, amount, item, cuts


def expected(rows, cutoffs, fold, window=None):
    grid = []
    for account in range(N_ACCOUNTS):
        grid.append(
            [
                fold(
                    [
                        r
                        for r in rows
                        if r[0] == account
                        and r[1] < c
                        and r[2] < c
                        and (window is None or c - window * DAY <= r[1])
                    ]
                )
                for c in cutoffs
            ]
        )
    return grid


@given(events, cutoff_sets, st.integers(1, 6))
@settings(max_examples=150, deadline=None)
def test_counts_sums_and_distinct_over_half_open_windows(rows, cutoffs, window):
    account, time, known, amount, item, cuts = unpack(rows, cutoffs)
    entered = enters(time, known, cuts)
    left = leaves(time, cuts, entered, window)
    size = (N_ACCOUNTS, len(cutoffs))
    assert totals(account, entered, left, *size).tolist() == expected(rows, cutoffs, len, window)
    assert totals(account, entered, left, *size, amounts=amount).tolist() == expected(
        rows, cutoffs, lambda found: sum(r[3] for r in found), window
    )
    assert distinct(account, item, entered, left, *size).tolist() == expected(
        rows, cutoffs, lambda found: len({r[4] for r in found}), window
    )


@given(events, cutoff_sets)
@settings(max_examples=100, deadline=None)
def test_latest_and_earliest_of_the_whole_past(rows, cutoffs):
    account, time, known, _, _, cuts = unpack(rows, cutoffs)
    entered = enters(time, known, cuts)
    size = (N_ACCOUNTS, len(cutoffs))
    assert latest(account, entered, time, *size).tolist() == expected(
        rows, cutoffs, lambda found: max((r[1] for r in found), default=NONE)
    )
    assert earliest(account, entered, time, *size).tolist() == expected(
        rows, cutoffs, lambda found: min((r[1] for r in found), default=NONE)
    )


def test_sums_are_exact_where_floats_are_not():
    account = np.zeros(3, dtype=np.int64)
    entered, left = np.array([0, 0, 1]), np.array([2, 1, 2])
    amounts = np.array([2**60 + 1, 2**60, -(2**60)], dtype=np.int64)
    grid = totals(account, entered, left, 1, 2, amounts=amounts)
    assert grid.tolist() == [[2**61 + 1, 1]]


def test_an_event_known_only_after_its_window_is_never_in_it():
    cuts = np.array([5, 10]) * DAY
    time, known = np.array([1 * DAY]), np.array([9 * DAY])
    entered = enters(time, known, cuts)
    assert totals(np.array([0]), entered, leaves(time, cuts, entered, 3), 1, 2).tolist() == [[0, 0]]
    assert totals(np.array([0]), entered, leaves(time, cuts, entered, 9), 1, 2).tolist() == [[0, 1]]
