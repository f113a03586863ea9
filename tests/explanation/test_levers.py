"""What moves together: the rules hold for every account that can be, and no change breaks them."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.explanation.levers import Lever, Rule, consistent, leading, moves, rules, together
from hva_ml.features.definition import FeatureDefinition

AGES = st.lists(st.floats(0, 400), max_size=12)
EVENTS = st.fixed_dictionaries({"call": AGES, "meeting": AGES})
WIDE = {"count": (0.0, 40.0), "recency": (0.0, 400.0), "active_days": (0.0, 40.0)}


def wide(made: Any, *, only: str = "events.", step: float = 1.0) -> list[Lever]:
    return [
        Lever(d, *WIDE[d.measure], step)
        for d in made.definitions
        if d.measure in WIDE and d.name.startswith(only)
    ]


@given(ages=EVENTS)
def test_every_rule_holds_for_every_account_that_can_be(made: Any, ages: dict[str, list[float]]) -> None:
    values = made.features(ages, 20.0)
    known = rules(made.definitions)
    assert {r.kind for r in known} == {"atmost", "within"}
    assert [r for r in known if not r.holds(values)] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("events.call.count_30d", 5.0),  # more than in 90 days
        ("events.count_90d", 1.0),  # fewer than the calls in them
        ("events.call.recency_days", 200.0),  # but there were calls in 90 days
        ("events.recency_days", 60.0),  # later than the last call
        ("events.active_days_90d", 9.0),  # more than activities
    ],
)
def test_what_cannot_be_breaks_a_rule(made: Any, name: str, value: float) -> None:
    values = made.features({"call": [10.0, 50.0, 80.0], "meeting": [70.0]}, 20.0)
    assert [r for r in rules(made.definitions) if not r.holds({**values, name: value})]


@given(
    ages=EVENTS,
    names=st.sets(st.integers(0, 12), min_size=1),
    most=st.integers(1, 40),
    step=st.sampled_from([0.5, 1.0, 3.0]),
)
def test_changes_keep_bounds_and_rules_and_touch_no_other_feature(
    made: Any, ages: dict[str, list[float]], names: set[int], most: int, step: float
) -> None:
    chosen = [v for k, v in enumerate(wide(made, step=step)) if k in names]
    levers = [Lever(v.definition, v.least, min(v.most, float(most)), step) for v in chosen]
    bounds = {v.name: (v.least, v.most) for v in levers}
    values, known = made.features(ages, 20.0), rules(made.definitions)
    for lead, change in moves(levers, values, known):
        assert lead in change
        assert lead in {v.name for v in leading(levers)}
        assert change[lead] != values[lead]
        for name, value in change.items():
            assert bounds[name][0] <= value <= bounds[name][1]
        assert [r for r in known if not r.holds({**values, **change})] == []


@given(ages=EVENTS, more=st.integers(1, 5))
def test_one_more_now_is_one_more_in_every_window_and_in_the_whole(
    made: Any, ages: dict[str, list[float]], more: int
) -> None:
    values, levers = made.features(ages, 20.0), wide(made)
    target = values["events.call.count_30d"] + more
    found = [c for lead, c in moves(levers, values, rules(made.definitions))
             if lead == "events.call.count_30d" and c[lead] == target]  # fmt: skip
    (change,) = found
    for window in (30, 90, 365):
        for what in ("events.call.count", "events.count"):
            name = f"{what}_{window}d"
            assert change[name] == values[name] + more
        assert f"events.meeting.count_{window}d" not in change
    after = {**values, **change}
    assert after["events.call.recency_days"] <= 30 / (target + 1)
    assert after["events.recency_days"] <= after["events.call.recency_days"]


def test_the_shortest_window_of_a_part_leads(made: Any) -> None:
    assert [v.name for v in leading(wide(made))] == [
        "events.call.count_30d", "events.meeting.count_30d", "events.active_days_90d",
    ]  # fmt: skip
    assert [v.name for v in leading(wide(made, only="events.call.count_90d"))] == ["events.call.count_90d"]
    alone = wide(made, only="events.call.recency")
    assert [v.name for v in leading(alone)] == ["events.call.recency_days"]


def test_what_never_happened_can_begin_only_if_its_last_time_may_move(made: Any) -> None:
    values = made.features({"call": [], "meeting": []}, 20.0)
    known = rules(made.definitions)
    counts = [v for v in wide(made, only="events.call.") if v.definition.measure == "count"]
    assert list(moves(counts, values, known)) == []
    changes = [c for _, c in moves(wide(made), values, known)]
    assert {c["events.call.recency_days"] for c in changes if c.get("events.call.count_30d") == 1.0} == {15.0}


def test_features_of_other_topics_never_follow_each_other(made: Any) -> None:
    plain = [
        FeatureDefinition(n, "firmographic", "number", "accounts", "attribute", "heads", n, n, None, topic)
        for n, topic in (("a", ""), ("b", ""), ("c", "firmographic.c"), ("d", "firmographic.d"))
    ]
    levers = [Lever(d, 0.0, 3.0, 1.0) for d in plain]
    assert leading(levers) == levers
    assert rules(plain) == []
    row = dict.fromkeys("abcd", 0.0)
    assert [c for _, c in moves(levers, row, [])] == [{n: float(v)} for n in "abcd" for v in (1, 2, 3)]


def test_two_changes_add_up_in_the_whole(made: Any) -> None:
    values = made.features({"call": [40.0], "meeting": [100.0]}, 20.0)
    levers, known = wide(made), rules(made.definitions)
    found = {(lead, c[lead]): c for lead, c in moves(levers, values, known)}
    calls, meetings = found["events.call.count_30d", 2.0], found["events.meeting.count_30d", 3.0]
    both = together(levers, values, calls, meetings)
    assert both == together(levers, values, meetings, calls)
    assert [both[f"events.count_{w}d"] for w in (30, 90, 365)] == [5.0, 6.0, 7.0]
    assert both["events.recency_days"] == min(calls["events.recency_days"], meetings["events.recency_days"])
    assert consistent(levers, values, both, known)


def test_a_rule_that_is_broken_already_forbids_nothing() -> None:
    rule = Rule("atmost", "a", "b")
    lever = Lever(
        FeatureDefinition("a", "engagement", "number", "events", "count", "count", "a", "a"), 0.0, 9.0, 1.0
    )
    assert consistent([lever], {"a": 3.0, "b": 1.0}, {"a": 4.0}, [rule])
    assert not consistent([lever], {"a": 1.0, "b": 1.0}, {"a": 2.0}, [rule])
    assert not consistent([lever], {"a": 1.0, "b": 1.0}, {"b": 2.0}, [])
    assert not consistent([lever], {"a": 1.0, "b": 1.0}, {"a": math.nextafter(10.0, 0.0)}, [])
