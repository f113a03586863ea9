from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hva_ml import config as settings
from hva_ml.cutoffs import Calendar, series
from hva_ml.errors import ConfigError, NotEnoughDataError
from hva_ml.splits import Split, by_accounts, group_uniform, recalibration, release_split, split

MONTHS = series(date(2023, 1, 1), date(2024, 12, 1), "month")
CALENDAR = Calendar(MONTHS, horizon_days=90, gap_days=0, timezone="Europe/Berlin")


def make_index(calendar: Calendar, accounts: int = 60, per_group: int = 3) -> pa.Table:
    ids = [f"A{k:04d}" for k in range(accounts)]
    rows = [
        (account, cutoff, ids[k - k % per_group])
        for cutoff in calendar.cutoffs
        for k, account in enumerate(ids)
    ]
    columns = list(zip(*rows, strict=True))
    return pa.table(
        {
            "account_id": pa.array(columns[0], pa.string()),
            "cutoff": pa.array(columns[1], pa.timestamp("us", "UTC")),
            "group_id": pa.array(columns[2], pa.string()),
        }
    )


def groups_of(index: pa.Table, mask: np.ndarray) -> set[str]:
    return set(index.filter(pa.array(mask))["group_id"].to_pylist())


def assert_time_apart(calendar: Calendar, found: Split, embargo: int) -> None:
    sides = [s for s in (found.train_days, found.calibrate_days, found.test_days) if s]
    for k, earlier in enumerate(sides):
        for later in sides[k + 1 :]:
            for day in earlier:
                end = calendar.label_window(day)[1] + timedelta(days=embargo)
                first = min(calendar.only(later).cutoffs)
                # An hour of daylight saving may lie between; whole days decide.
                assert end <= first + timedelta(hours=2)
                assert day + timedelta(days=calendar.gap_days + calendar.horizon_days + embargo) <= later[0]


calendars = st.builds(
    lambda every, count, horizon, gap, zone: Calendar(
        series(date(2022, 1, 31), date(2025, 12, 31), every)[:count], horizon, gap, zone
    ),
    st.sampled_from(["week", "month", "quarter"]),
    st.integers(3, 48),
    st.integers(1, 200),
    st.integers(0, 60),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
)
configs = st.builds(
    settings.Split,
    test_cutoffs=st.integers(1, 4),
    calibrate_cutoffs=st.integers(1, 4),
    embargo_days=st.integers(0, 40),
    groups=st.sampled_from(["disjoint", "time"]),
    test_share=st.floats(0.1, 0.45),
    calibrate_share=st.floats(0.1, 0.45),
)


@given(calendars, configs, st.integers(0, 1000), st.booleans())
def test_sides_are_apart_in_time_and_by_parent(calendar, config, seed, release):
    index = make_index(calendar, accounts=24)
    try:
        found = (release_split if release else split)(index, calendar, config, seed)
    except NotEnoughDataError:
        assume(False)
    assert_time_apart(calendar, found, config.embargo_days)
    masks = [found.train, found.calibrate] + ([] if release else [found.test])
    assert all(m.any() for m in masks)
    assert (np.sum(masks, axis=0) <= 1).all()
    assert found.dropped == int((np.sum(masks, axis=0) == 0).sum())
    if config.groups == "disjoint":
        parents = [groups_of(index, m) for m in masks]
        assert sum(map(len, parents)) == len(set.union(*parents))


@given(st.permutations(range(24 * 24)), st.sampled_from([split, release_split]))
def test_row_order_does_not_matter(order, function):
    index = make_index(CALENDAR, accounts=24)
    plain = function(index, CALENDAR, settings.Split(), 7)
    mixed = function(index.take(pa.array(order)), CALENDAR, settings.Split(), 7)
    for side in ("train", "calibrate", "test"):
        assert (getattr(plain, side)[list(order)] == getattr(mixed, side)).all()


def test_days_of_the_default_split():
    found = split(make_index(CALENDAR), CALENDAR, settings.Split(), 7)
    assert found.test_days == (date(2024, 11, 1), date(2024, 12, 1))
    assert found.calibrate_days == (date(2024, 7, 1), date(2024, 8, 1))
    # 2024-04-01 + 90 days is 2024-06-30: over by the first of July.
    assert found.train_days == MONTHS[:16]


def test_an_embargo_moves_the_earlier_sides_back():
    found = split(make_index(CALENDAR), CALENDAR, settings.Split(embargo_days=3), 7)
    assert found.calibrate_days == (date(2024, 6, 1), date(2024, 7, 1))


def test_time_groups_use_every_row_of_the_days():
    found = split(make_index(CALENDAR, 60), CALENDAR, settings.Split(groups="time"), 7)
    assert [found.train.sum(), found.calibrate.sum(), found.test.sum()] == [16 * 60, 120, 120]
    assert found.dropped == 4 * 60


def test_release_uses_the_newest_cohorts_and_all_other_parents():
    index = make_index(CALENDAR, 300)
    config = settings.Split()
    found = release_split(index, CALENDAR, config, 7)
    assert found.calibrate_days == MONTHS[-2:]
    assert found.train_days == tuple(d for d in MONTHS if d + timedelta(days=90) <= date(2024, 11, 1))
    assert not found.test.any()
    assert found.test_days == ()
    assert groups_of(index, found.train) | groups_of(index, found.calibrate) == set(
        index["group_id"].to_pylist()
    )
    honest = split(index, CALENDAR, config, 7)
    assert groups_of(index, found.calibrate) == groups_of(index, honest.calibrate)


def test_shares_and_seed():
    index = make_index(CALENDAR, 3000, per_group=1)
    one = split(index, CALENDAR, settings.Split(), 7)
    assert one.test.sum() / (2 * 3000) == pytest.approx(0.3, abs=0.03)
    assert one.calibrate.sum() / (2 * 3000) == pytest.approx(0.2, abs=0.03)
    other = split(index, CALENDAR, settings.Split(), 8)
    assert (one.test != other.test).any()


def test_an_account_without_parent_stands_with_its_children():
    index = make_index(CALENDAR, 60)
    pairs = zip(index["account_id"].to_pylist(), index["group_id"].to_pylist(), strict=True)
    no_parent = pa.array([None if a == g else g for a, g in pairs], pa.string())
    plain = split(index, CALENDAR, settings.Split(), 7)
    nulls = split(index.set_column(2, "group_id", no_parent), CALENDAR, settings.Split(), 7)
    assert (plain.train == nulls.train).all()
    assert (plain.test == nulls.test).all()


def test_cutoffs_outside_the_calendar_come_on_no_side():
    early = CALENDAR.only(MONTHS[:20])
    index = make_index(CALENDAR, 60)
    found = split(index, early, settings.Split(), 7)
    late = np.array(index["cutoff"].to_pylist()) > early.cutoffs[-1]
    assert late.any()
    assert not ((found.train | found.calibrate | found.test) & late).any()


@pytest.mark.parametrize(
    ("months", "config", "message"),
    [
        (3, settings.Split(), "leave 0 to calibrate; at least 2"),
        (7, settings.Split(), "leave 0 to train"),
        (24, settings.Split(embargo_days=700), "to calibrate"),
    ],
)
def test_too_few_cutoffs_name_counts_and_remedy(months, config, message):
    calendar = CALENDAR.only(MONTHS[:months])
    with pytest.raises(NotEnoughDataError, match=message) as caught:
        split(make_index(calendar), calendar, config, 7)
    assert f"{months} matured cutoffs" in caught.value.what
    assert "lower test_cutoffs" in caught.value.fix


def test_a_side_without_rows_is_an_error_with_counts():
    index = make_index(CALENDAR, accounts=3, per_group=3)
    with pytest.raises(NotEnoughDataError, match="side has no rows") as caught:
        split(index, CALENDAR, settings.Split(), 7)
    assert 'groups = "time"' in caught.value.fix


def test_shares_must_leave_accounts_to_train_on():
    with pytest.raises(ConfigError, match="to train on"):
        split(make_index(CALENDAR), CALENDAR, settings.Split(test_share=0.6, calibrate_share=0.4), 7)


def test_group_numbers_are_uniform_and_independent_by_purpose():
    names = [f"G{k}" for k in range(4000)]
    one, two = group_uniform(names, 7, "split"), group_uniform(names, 7, "validation")
    assert ((one >= 0) & (one < 1)).all()
    assert np.abs(np.histogram(one, 10, (0, 1))[0] - 400).max() < 100
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.05


@pytest.mark.parametrize("groups", ["time", "disjoint"])
def test_recalibration_stands_behind_all_that_taught_the_trees(groups: str) -> None:
    index, early = make_index(CALENDAR), CALENDAR.only(MONTHS[:14])
    config = settings.Split(test_cutoffs=3, calibrate_cutoffs=2, embargo_days=10, groups=groups)
    trees = release_split(index, early, config, 7)
    judging, release = recalibration(index, CALENDAR, config, 7, trees.train_days)
    for found in (judging, release):
        assert found.train_days == trees.train_days
        assert_time_apart(CALENDAR, found, 10)
        later = groups_of(index, found.calibrate | found.test)
        assert later
        if groups == "disjoint":
            assert not later & groups_of(index, trees.train)
    assert judging.test_days == MONTHS[-3:]
    assert release.calibrate_days == MONTHS[-2:]
    assert not release.test.any()


def test_recalibration_tests_on_fewer_cohorts_rather_than_calibrate_on_none() -> None:
    index = make_index(CALENDAR)
    config = settings.Split(test_cutoffs=3, calibrate_cutoffs=2, groups="time")
    trained = MONTHS[:17]
    judging, _ = recalibration(index, CALENDAR, config, 7, trained)
    assert (judging.calibrate_days, judging.test_days) == ((MONTHS[19],), MONTHS[22:])
    with pytest.raises(NotEnoughDataError, match="3 lie behind those that taught the trees"):
        recalibration(index, CALENDAR, config, 7, MONTHS[:19])


@pytest.mark.parametrize("groups", ["disjoint", "time"])
def test_by_accounts_learns_only_from_what_was_over_and_calibrates_on_others(groups: str) -> None:
    config = settings.Split(groups=groups, calibrate_cutoffs=3, test_cutoffs=2)
    index, test_days = make_index(CALENDAR), MONTHS[-2:]
    found = by_accounts(index, CALENDAR, config, 7, test_days)
    assert found.test_days == test_days
    assert max(found.train_days) + timedelta(days=90) <= test_days[0]
    assert found.calibrate_days == found.train_days[-3:]
    learned, held = groups_of(index, found.train), groups_of(index, found.calibrate)
    assert learned
    assert held
    assert not learned & held
    assert bool(learned & groups_of(index, found.test)) == (groups == "time")
    released = by_accounts(index, CALENDAR, config, 7)
    assert released.train_days == MONTHS
    assert groups_of(index, released.calibrate) == held


def test_by_accounts_needs_a_cohort_that_was_over() -> None:
    with pytest.raises(NotEnoughDataError, match="leave 0 to train"):
        by_accounts(make_index(CALENDAR), CALENDAR, settings.Split(), 7, MONTHS[:1])
