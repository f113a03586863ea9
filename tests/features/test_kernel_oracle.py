"""Every measure of the kernel, recomputed in plain Python from its definition; whole numbers bit for bit."""

import math
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hva_ml.cutoffs import MICROSECONDS_PER_DAY as DAY
from hva_ml.cutoffs import Calendar, instant, microseconds
from hva_ml.features import log as log_module
from hva_ml.features.deviation import deviation, squares
from hva_ml.features.extremes import largest, smallest
from hva_ml.features.log import log
from hva_ml.features.lookback import ALL, Window
from hva_ml.features.rhythm import rhythm
from hva_ml.features.variety import distinct
from hva_ml.features.windows import NONE, enters, first_and_last, latest, totals

N_ACCOUNTS, N_CATEGORIES, N_ITEMS = 4, 3, 3
# Around a leap day, both changes of the clocks, a turn of quarter and of year.
DAYS = [
    date(2023, 12, 31), date(2024, 1, 1), date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1),
    date(2024, 3, 31), date(2024, 4, 1), date(2024, 4, 2), date(2024, 10, 27), date(2024, 10, 28),
    date(2024, 12, 31), date(2025, 1, 1), date(2025, 3, 1),
]  # fmt: skip
WINDOWS = [
    Window(1), Window(7), Window(30), Window(365), ALL,
    Window(to_date="month"), Window(to_date="quarter"), Window(to_date="year"),
]  # fmt: skip

zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"])
calendars = st.builds(
    lambda days, zone: Calendar(tuple(sorted(days)), 90, 0, zone),
    st.sets(st.sampled_from(DAYS), min_size=1, max_size=7),
    zones,
)
midnights = st.builds(
    lambda day, more, zone: microseconds(instant(day + timedelta(days=more), zone)),
    st.sampled_from(DAYS), st.integers(-40, 10), zones,
)  # fmt: skip
moments = st.builds(lambda at, off: at + off, midnights, st.sampled_from([0, 0, -1, 1, DAY // 2, 7 * DAY]))
delays = st.sampled_from([0, 0, 0, 1, DAY, 3 * DAY, 40 * DAY, 400 * DAY, -5 * DAY])
amounts = st.sampled_from([0, 1, -1, 250, -99_999, 2**31 + 7, 10**15, -(10**15)])
rows = st.builds(
    lambda account, time, delay, kind, amount, item: (account, time, time + delay, kind, amount, item),
    # The last account is always empty.
    st.integers(0, N_ACCOUNTS - 2), moments, delays, st.integers(0, N_CATEGORIES - 1), amounts,
    st.integers(-1, N_ITEMS - 1),
)  # fmt: skip
tables = st.lists(rows, max_size=30).flatmap(
    lambda found: st.permutations([*found, *found[: len(found) // 4]])  # duplicates, unsorted
)
windows = st.lists(st.sampled_from(WINDOWS), min_size=1, max_size=4)


class Made:
    """What the kernel gives for one generated table."""

    def __init__(self, table, calendar, spans):
        account, time, known, category, amount, item = (
            np.array([r[j] for r in table], dtype=np.int64) for j in range(6)
        )
        cuts = calendar.micros
        self.log = log(account, time, enters(time, known, cuts), N_ACCOUNTS, len(cuts))
        begins = np.array([w.begins(calendar) for w in spans])
        category = self.log.take(category.astype(np.int32))
        amount, item = self.log.take(amount), self.log.take(item.astype(np.int32))
        arguments = (self.log, begins, category, N_CATEGORIES)
        self.counts, self.sums = totals(*arguments, np.stack([amount, *squares(amount)]))
        self.first, self.last = first_and_last(self.log, category, N_CATEGORIES, len(cuts))
        unknown = np.where(item < 0, NONE, amount)
        self.largest, self.smallest = largest(*arguments, unknown), smallest(*arguments, unknown)
        self.distinct = distinct(*arguments, item)
        day = self.log.time // DAY
        self.active = distinct(*arguments, (day - day.min(initial=0)).astype(np.int32))
        self.rhythm = rhythm(*arguments, cuts)

    def arrays(self):
        return [
            self.counts, self.sums, self.first, self.last, self.largest, self.smallest, self.distinct,
            self.active, *vars(self.rhythm).values(),
        ]  # fmt: skip


def inside(table, account, category, begin, cutoff):
    """The definition: both clocks before the cutoff, the event not before the window."""
    return [
        r
        for r in table
        if r[0] == account and r[3] == category and r[1] < cutoff and r[2] < cutoff and begin <= r[1]
    ]


def begin_of(window, day, zone):
    """Where a window begins, from the words of its definition."""
    cutoff = microseconds(instant(day, zone))
    if not window.to_date:
        return cutoff - window.days * DAY
    last = day - timedelta(days=1)
    months = {"month": 1, "quarter": 3, "year": 12}[window.to_date]
    first = last.replace(month=last.month - (last.month - 1) % months, day=1)
    return microseconds(instant(first, zone))


def gaps(found):
    days = sorted({r[1] // DAY for r in found})
    return [b - a for a, b in pairwise(days)]


def runs(found, cutoff):
    """Lengths of runs of weeks with an event, and whether the run reaches the cutoff."""
    weeks = {(cutoff - 1 - r[1]) // (7 * DAY) for r in found}
    return {w: next(n for n in range(1, len(weeks) + 2) if w + n not in weeks) for w in weeks}


@given(tables, calendars, windows)
@example([], Calendar((date(2024, 3, 1),), 90, 0, "UTC"), [Window(1)])
@settings(max_examples=150, deadline=None)
def test_every_measure_is_its_definition(table, calendar, spans):
    made = Made(table, calendar, spans)
    for a in range(N_ACCOUNTS):
        for c in range(N_CATEGORIES):
            for k, day in enumerate(calendar.days):
                cutoff = microseconds(instant(day, calendar.timezone))
                past = inside(table, a, c, -(2**62), cutoff)
                times = [r[1] for r in past] or [NONE]
                assert (made.first[c, a, k], made.last[c, a, k]) == (min(times), max(times))
                for w, window in enumerate(spans):
                    found = inside(table, a, c, begin_of(window, day, calendar.timezone), cutoff)
                    check(made, (c, w, a, k), found, cutoff)


def check(made, at, found, cutoff):
    values = [r[4] for r in found]
    n, total, square = len(values), sum(values), sum(v * v for v in values)
    assert made.counts[at] == n
    assert made.sums[(0, *at)] == total
    limbs = [int(x) for x in made.sums[(slice(1, None), *at)]]
    assert limbs[0] + (limbs[1] << 30) + (limbs[2] << 60) == square
    spread = deviation(*(np.array([x]) for x in (n, total)), np.array(limbs)[:, None]).item()
    if n < 2:
        assert math.isnan(spread)
    else:
        variance = Fraction(n * square - total**2, n * (n - 1))
        assert math.isclose(spread, math.sqrt(variance), rel_tol=1e-14)
    known = [r[4] for r in found if r[5] >= 0] or [NONE]
    assert (made.smallest[at], made.largest[at]) == (min(known), max(known))
    assert made.distinct[at] == len({r[5] for r in found if r[5] >= 0})
    between = gaps(found)
    assert made.active[at] == made.rhythm.days[at] == len({r[1] // DAY for r in found})
    assert made.rhythm.between[at] == sum(between)
    assert made.rhythm.squares[at] == sum(g * g for g in between)
    assert made.rhythm.longest[at] == max(between, default=0)
    weeks = runs(found, cutoff)
    assert made.rhythm.streak[at] == weeks.get(0, 0)
    assert made.rhythm.best[at] == max(weeks.values(), default=0)


@given(tables, calendars, windows, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_no_order_of_rows_and_no_number_of_threads_changes_a_bit(table, calendar, spans, random):
    before = Made(table, calendar, spans)
    mixed = list(table)
    random.shuffle(mixed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_module, "LEAST_ROWS", 0)
        patch.setattr(log_module, "cores", lambda: 2)
        after = Made(mixed, calendar, spans)
    for a, b in zip(before.arrays(), after.arrays(), strict=True):
        assert a.dtype == b.dtype == np.int64
        assert np.array_equal(a, b)


@given(tables, calendars, windows)
@settings(max_examples=40, deadline=None)
def test_partitions_of_whole_accounts_put_together_are_the_whole(table, calendar, spans):
    whole = Made(table, calendar, spans)
    parts = [Made([r for r in table if r[0] % 2 == p], calendar, spans) for p in (0, 1)]
    axis = {4: 2, 5: 3, 3: 1}  # of the accounts, by the number of dimensions
    for a, *pair in zip(whole.arrays(), *(p.arrays() for p in parts), strict=True):
        for account in range(N_ACCOUNTS):
            mine = np.take(pair[account % 2], account, axis=axis[a.ndim])
            assert np.array_equal(np.take(a, account, axis=axis[a.ndim]), mine)


@given(tables, calendars)
@settings(max_examples=60, deadline=None)
def test_rows_in_any_order_have_a_largest_value(table, calendar):
    account, time, known, value = (np.array([r[j] for r in table], dtype=np.int64) for j in (0, 1, 2, 4))
    cuts = calendar.micros
    arguments = (account, enters(time, known, cuts), value, N_ACCOUNTS, len(cuts))
    high = latest(*arguments)
    for a in range(N_ACCOUNTS):
        for k, cutoff in enumerate(cuts.tolist()):
            seen = [r[4] for r in table if r[0] == a and r[1] < cutoff and r[2] < cutoff] or [NONE]
            assert high[a, k] == max(seen)


@given(st.lists(st.integers(-(2**50), 2**50), max_size=40))
@settings(max_examples=200, deadline=None)
def test_squares_and_deviations_are_exact(values):
    amounts = np.array(values, dtype=np.int64)
    limbs = squares(amounts)
    assert [int(a) + (int(b) << 30) + (int(c) << 60) for a, b, c in limbs.T] == [v * v for v in values]
    n, sums = len(values), limbs.sum(axis=1, keepdims=True)
    spread = deviation(np.array([n]), np.array([sum(values)]), sums).item()
    if n < 2:
        assert math.isnan(spread)
        return
    variance = Fraction(n * sum(v * v for v in values) - sum(values) ** 2, n * (n - 1))
    assert math.isclose(spread, math.sqrt(variance), rel_tol=1e-14)


def test_the_deviation_of_nearly_equal_large_amounts_does_not_cancel():
    amounts = np.array([2**59, 2**59 + 1, 2**59 + 2, 2**58])
    kept = amounts[:3]
    sums = squares(kept).sum(axis=1, keepdims=True)
    assert deviation(np.array([3]), kept.sum(keepdims=True), sums).item() == 1.0


@given(calendars, st.sampled_from(["month", "quarter", "year"]))
def test_the_stretch_before_a_period_to_date(calendar, period):
    begin, end = Window(to_date=period).before(calendar)
    here = Window(to_date=period).begins(calendar)
    for k, day in enumerate(calendar.days):
        last = day - timedelta(days=1)
        months = {"month": 1, "quarter": 3, "year": 12}[period]
        first = last.replace(month=last.month - (last.month - 1) % months, day=1)
        eve = first - timedelta(days=1)
        before = eve.replace(month=eve.month - (eve.month - 1) % months, day=1)
        same = [
            before + timedelta(days=d)
            for d in range((day - first).days)
            if before + timedelta(days=d) < first
        ]
        assert begin[k] == microseconds(instant(before, calendar.timezone))
        assert end[k] == microseconds(instant(same[-1] + timedelta(days=1), calendar.timezone))
        assert here[k] == microseconds(instant(first, calendar.timezone))
    for moving in (begin, end, here):
        assert np.all(np.diff(moving) >= 0)


def test_a_late_row_enters_from_its_known_time_only():
    calendar = Calendar((date(2024, 3, 1), date(2024, 3, 5), date(2024, 3, 9)), 90, 0, "UTC")
    at = microseconds(datetime(2024, 2, 29, tzinfo=UTC))
    made = Made([(0, at, at + 3 * DAY, 0, 500, 0)], calendar, [Window(3), Window(7), Window(30)])
    assert made.counts[0, :, 0].tolist() == [[0, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert made.sums[0, 0, 2, 0].tolist() == [0, 500, 500]
    assert made.largest[0, 2, 0].tolist() == [NONE, 500, 500]
    assert made.distinct[0, 1, 0].tolist() == [0, 1, 0]
