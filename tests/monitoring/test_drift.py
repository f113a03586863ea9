"""Nights against the training: what moved is told, what stayed is not, and chance is controlled."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from benchmarks.simulated_nights import FIRST, SHIFTED
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from hva_ml.config import Monitoring
from hva_ml.monitoring import findings as codes
from hva_ml.monitoring.drift import drift
from hva_ml.monitoring.episodes import Watched, opened, rejected
from hva_ml.monitoring.judgement import judge
from hva_ml.monitoring.levels import ALARM, levels

RATIO = (0.7, 1.4)
chances = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(chances, st.sampled_from([0.01, 0.05, 0.2]))
def test_rejections_are_those_of_benjamini_and_hochberg(given_: list[float], level: float) -> None:
    p = np.array(given_)
    assert rejected(p[None], level)[0].tolist() == (false_discovery_control(p) <= level + 1e-15).tolist()


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 4))
def test_an_alarm_opens_after_so_many_nights_and_ends_after_so_many(found: list[bool], confirm: int) -> None:
    state, expected = False, []
    for k in range(len(found)):
        last = found[max(0, k - confirm + 1) : k + 1]
        if len(last) == confirm and all(last):
            state = True
        elif len(last) == confirm and not any(last):
            state = False
        expected.append(state)
    assert opened(np.array(found, dtype=bool)[:, None], confirm)[:, 0].tolist() == expected


def test_what_moved_is_an_alarm_on_its_second_night_and_nothing_else_is(moved: object) -> None:
    judged = judge(moved.release, Monitoring(), RATIO)
    features = [e for e in judged.episodes if e.code == codes.FEATURE]
    assert {e.where for e in features} == {SHIFTED}
    whole = next(e for e in features if not e.segment)
    assert (whole.since, whole.raised) == (day(30), day(31))
    assert whole.over == ""
    told = [f for f in judged.findings if f.code == codes.FEATURE]
    assert told[0].where == SHIFTED
    assert told[0].segment == ""
    assert told[0].measured > 0.5 > told[0].bound


def test_a_quiet_hundred_nights_raise_nothing(quiet: object) -> None:
    judged = judge(quiet.release, Monitoring(), RATIO)
    assert judged.episodes == ()
    assert {f.outcome for f in judged.findings} == {"passed"}
    assert [f.code for f in judged.findings] == [f"HVM{k:03d}" for k in range(1, 8)]


def test_fewer_allowed_false_alarms_and_more_tolerance_find_less(moved: object) -> None:
    def found(**limits: float) -> int:
        return int(drift(moved.release.nights, moved.model.reference, Monitoring(**limits)).found.sum())

    assert found() > found(false_alarms_per_year=1e-9) > 0
    assert found() > found(max_drift=0.4)
    assert found(max_drift=50.0) == 0


def test_a_habit_is_tolerated_and_grows_with_the_distance(quiet: object) -> None:
    reference = quiet.model.reference
    subject = replace(reference.subjects[0], habit=0.3)
    half = (reference.last - reference.first).days / 2
    middle = reference.first + timedelta(days=half)
    assert reference.tolerated(subject, middle, 0.1) == 0.3
    assert reference.tolerated(subject, reference.last, 0.1) == 0.3
    later = middle + timedelta(days=2 * half)
    assert reference.tolerated(subject, later, 0.1) == pytest.approx(0.6)
    assert reference.tolerated(replace(subject, habit=0.0), later, 0.1) == 0.1


def test_a_source_that_comes_half_is_an_alarm_and_is_to_be_mended_first(quiet: object) -> None:
    nights = [
        replace(n, volumes={**n.volumes, "source.1": n.volumes["source.1"] // 3}) if k >= 90 else n
        for k, n in enumerate(quiet.release.nights)
    ]
    judged = judge(replace(quiet.release, nights=tuple(nights)), Monitoring(), RATIO)
    assert [(e.code, e.where, e.since) for e in judged.episodes] == [("HVM001", "volume.source.1", day(90))]
    alarm = next(f for f in judged.findings if f.outcome == "alarm")
    assert alarm.measured == pytest.approx(1 / 3, rel=0.3)


def test_a_subject_that_a_night_did_not_count_is_not_told(quiet: object) -> None:
    nights = tuple(
        replace(n, counts={k: v for k, v in n.counts.items() if k != SHIFTED}) for n in quiet.release.nights
    )
    found = drift(nights, quiet.model.reference, Monitoring())
    j = found.names.index(SHIFTED)
    assert np.isnan(found.measured[:, j]).all()
    assert not found.found[:, j].any()


def test_levels_show_alarms_by_night_and_their_worst_by_week(moved: object) -> None:
    part = judge(moved.release, Monitoring(), RATIO).drift
    grid = levels([part])
    row = next(k for k, n in enumerate(grid.names) if n == SHIFTED and not grid.segments[k])
    assert not grid.weekly
    assert (grid.level[row, 30:] == ALARM).all()
    assert (grid.level[row, :30] < ALARM).all()
    longer = replace(part, days=tuple(d + timedelta(days=60) for d in part.days))
    weekly = levels([part, longer])
    assert weekly.weekly
    assert len(weekly.columns) == 18
    assert len(weekly.borders) == 1
    assert (weekly.level[row, 5:8] == ALARM).all()
    assert levels([]) is None


def test_episodes_begin_and_end_on_the_days_they_were_known() -> None:
    days = tuple(date(2025, 1, k) for k in range(1, 7))
    known = tuple(d + timedelta(days=90) for d in days)
    flags = np.array([[0, 1, 1, 0, 0, 1]], dtype=bool).T
    first, second = Watched(("HVM006",), ("x",), ("",), days, known, flags, lead=1).episodes()
    assert (first.since, first.raised, first.over) == ("2025-01-01", "2025-04-02", "2025-04-04")
    assert (second.since, second.raised, second.over) == ("2025-01-05", "2025-04-06", "")


def day(night: int) -> str:
    return (FIRST + timedelta(days=night)).isoformat()
