"""Which moves are the calendar's: by what tonight's sources say of last night, and without tonight's rows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from hva_ml.publication.comparison import compared
from hva_ml.publication.nights import Night, Profile, Tonight

DAY, BEFORE = date(2025, 1, 2), date(2025, 1, 1)
USUAL = Profile(0.0, 10.0, 5.0, 0.9)
NOTHING = Profile(0.0, 0.0, 0.0, 0.0)
UNKNOWN = Profile(1.0, None, None, 0.0)
LARGE = Profile(0.0, 100.0, 50.0, 0.9)


def held(
    night, tonight, now: Profile, again: Profile, aged: Profile, past: tuple[Profile, ...], monkeypatch
) -> set[str]:
    """Hold a night whose one feature went from the usual to `now`, after `past` nights."""
    asked = []

    def as_known(day: date, known_before: date) -> Mapping[str, Profile]:
        assert known_before == BEFORE
        asked.append(day)
        return {"f.a": again if day == BEFORE else aged}

    kept = tuple({"f.a": p} for p in past)
    monkeypatch.setattr("hva_ml.publication.passing.earlier", lambda *_: kept)
    one: Night = night(features={"f.a": now})
    asking: Tonight = replace(tonight(one), as_known=as_known)
    rows = compared(asking, night(day=str(BEFORE), features={"f.a": USUAL}), "", Path("scores"))
    found = {r.code for r in rows if r.outcome == "found"}
    assert asked in ([], [BEFORE, DAY])
    plain = compared(tonight(one), night(day=str(BEFORE), features={"f.a": USUAL}), "")
    assert found <= {r.code for r in plain if r.outcome == "found"}
    return found


@pytest.mark.parametrize(
    ("now", "again", "aged", "past", "alarms"),
    [
        # Rows left the window: without what came since, it is as empty.
        (NOTHING, USUAL, NOTHING, (), set()),
        (UNKNOWN, USUAL, UNKNOWN, (), set()),
        # The source says otherwise of last night, too.
        (NOTHING, NOTHING, NOTHING, (), {"HVS012", "HVS014"}),
        (UNKNOWN, UNKNOWN, UNKNOWN, (), {"HVS004", "HVS014"}),
        (LARGE, LARGE, LARGE, (LARGE,), {"HVS012"}),
        # Rows of tonight did it.
        (NOTHING, USUAL, USUAL, (), {"HVS012", "HVS014"}),
        (UNKNOWN, USUAL, USUAL, (), {"HVS004", "HVS014"}),
        (LARGE, USUAL, USUAL, (), {"HVS012"}),
        # There was such a rush before; there was a smaller one.
        (LARGE, USUAL, USUAL, (USUAL, LARGE), set()),
        (LARGE, USUAL, USUAL, (Profile(0.0, 60.0, 30.0, 0.9),), {"HVS012"}),
        # A month begins: of what had been, only tonight's few rows are there.
        (Profile(0.0, 1.0, 2.0, 0.2), USUAL, NOTHING, (), set()),
        (USUAL, USUAL, USUAL, (), set()),
        # A quarter begins: what came fills it to less than half of what there was, or to more than the bound.
        (Profile(0.0, 4.9, 2.0, 0.2), USUAL, NOTHING, (), set()),
        (Profile(0.0, 6.0, 2.0, 0.2), USUAL, NOTHING, (), {"HVS012"}),
        (Profile(0.0, 6.0, 2.0, 0.2), USUAL, Profile(0.0, 12.0, 5.0, 0.9), (), {"HVS012"}),
        (Profile(0.0, 6.0, 2.0, 0.2), USUAL, Profile(0.0, 8.0, 5.0, 0.9), (), set()),
    ],
)
def test_a_move_is_the_calendars_if_sources_say_the_same_of_last_night_and_time_explains_it(
    night, tonight, monkeypatch, now, again, aged, past, alarms
) -> None:
    assert held(night, tonight, now, again, aged, past, monkeypatch) == alarms


def test_a_night_that_cannot_ask_its_sources_is_held_as_before(night, tonight) -> None:
    last = night(day=str(BEFORE), features={"f.a": USUAL})
    for asked in (None, lambda *_: {}):
        now = replace(tonight(night(features={"f.a": NOTHING})), as_known=asked)
        assert {r.code for r in compared(now, last, "") if r.outcome == "found"} == {"HVS012", "HVS014"}


def test_what_passed_is_told(night, tonight) -> None:
    def as_known(day: date, before: date) -> Mapping[str, Profile]:
        return {"f.a": USUAL if day == before else NOTHING}

    now = replace(tonight(night(features={"f.a": NOTHING})), as_known=as_known)
    rows = compared(now, night(day=str(BEFORE), features={"f.a": USUAL}), "")
    (level,) = (r for r in rows if r.code == "HVS012")
    assert level.outcome == "passed"
    assert "1 moved as time passed: f.a 10 → 0" in level.what
