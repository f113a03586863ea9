"""Pieces of constant intensity: points lie where they may, and integrals are exact."""

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.starter.period import DAY, Period, generator
from hva_ml.starter.poisson import months_alive, overlap_days, points

DAYS = st.integers(0, 1000)


@given(lo=DAYS, length=DAYS, start=DAYS, width=DAYS)
def test_overlap_counts_common_days(lo: int, length: int, start: int, width: int) -> None:
    common = len(set(range(lo, lo + length)) & set(range(start, start + width)))
    got = overlap_days(
        np.array([lo * DAY]), np.array([(lo + length) * DAY]), start * DAY, (start + width) * DAY
    )
    assert got.tolist() == [float(common)]


@given(seed=st.integers(0, 2**32), lengths=st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_points_stay_inside_their_piece(seed: int, lengths: list[int]) -> None:
    lo = np.arange(len(lengths)) * 10
    hi = lo + np.array(lengths)
    rate = np.full(len(lengths), 3.0 * DAY)
    piece, time = points(np.random.default_rng(seed), lo, hi, rate)
    assert (time >= lo[piece]).all()
    assert (time < hi[piece]).all()
    assert (np.diff(piece) >= 0).all()


def test_number_of_points_has_the_right_mean_and_variance() -> None:
    lo, hi = np.zeros(20_000, np.int64), np.full(20_000, 7 * DAY)
    piece, time = points(generator(1, 0, "orders"), lo, hi, np.full(20_000, 0.3))
    counts = np.bincount(piece, minlength=20_000)
    assert abs(counts.mean() - 2.1) < 5 * np.sqrt(2.1 / 20_000)
    assert abs(counts.var() / 2.1 - 1) < 0.06
    assert abs(time.mean() / (3.5 * DAY) - 1) < 0.02


@given(first=st.dates(date(2015, 1, 1), date(2024, 1, 1)), days=st.integers(1, 900))
def test_months_cover_the_period_without_gap(first: date, days: int) -> None:
    period = Period.of(first, date.fromordinal(first.toordinal() + days))
    assert len(period.edges) == period.n_months + 1
    assert (np.diff(period.edges) > 0).all()
    assert (np.diff(period.edges) <= 31 * DAY + DAY // 24).all()
    assert set(np.diff(period.months).tolist()) <= {1, -11}
    birth = np.array([period.start, (period.start + period.end) // 2])
    lo, hi = months_alive(period, birth)
    np.testing.assert_array_equal((hi - lo).sum(1), period.end - birth)
