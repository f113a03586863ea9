"""Leads that judge a model are later than those that taught it, or in another group; none is forgotten."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.contracts.decisions import Decisions
from hva_ml.errors import NotEnoughDataError
from hva_ml.training.courses import ahead, dealt, in_turn
from hva_ml.training.matrix import EncodedColumn
from hva_ml.training.waiting import lesson

COLUMNS = (EncodedColumn("kind", "category", ("a", "b"), 2.0),)


def _told(n: int, seed: int, span: int = 5) -> Decisions:
    rng = np.random.default_rng(seed)
    delay = np.where(rng.random(n) < 0.3, float(span), math.inf)
    position = np.arange(n, dtype=np.int64)
    return Decisions(position, delay, span, np.ones(n, dtype=bool), np.zeros(n, dtype=np.int64), False)


@given(seed=st.integers(0, 30))
@settings(max_examples=10)
def test_later_leads_judge_what_was_known_before_them(seed: int) -> None:
    told = _told(600, seed)
    X = np.zeros((600, 1))
    course = ahead(X, told, COLUMNS, lesson(X, told, COLUMNS, 600))
    judged: set[int] = set()
    for part in course.parts:
        begins = told.position[course.rows[part.valid]].min()
        taught = course.rows[part.fit]
        assert (told.position[taught] + told.span < begins).all()
        mine = set(course.rows[part.valid].tolist())
        assert not judged & mine
        judged |= mine


def test_too_few_wins_are_told() -> None:
    told = _told(60, 1)
    X = np.zeros((60, 1))
    with pytest.raises(NotEnoughDataError, match="too few to choose a model"):
        ahead(X, told, COLUMNS, lesson(X, told, COLUMNS, 60))


def test_whole_groups_are_dealt_and_every_lead_judges_once_in_each_repeat() -> None:
    told = _told(300, 2)
    groups = [f"g{k // 3}" for k in range(300)]
    course = in_turn(told, groups, 5, 2, seed=7)
    assert len(course.parts) == 10
    assert np.array_equal(np.bincount(course.judged, minlength=300), np.full(300, 2))
    for part in course.parts:
        fit, valid = ({groups[k] for k in rows.tolist()} for rows in (part.fit, part.valid))
        assert not fit & valid


def test_the_fold_of_a_lead_does_not_depend_on_the_order_of_rows() -> None:
    told = _told(200, 3)
    groups = [f"g{k % 70}" for k in range(200)]
    turned = np.random.default_rng(1).permutation(200)
    mixed = Decisions(
        told.position[turned], told.delay[turned], told.span, told.decided[turned], told.cents[turned], False
    )
    straight = dealt(told, groups, 4, 2, seed=1)
    again = dealt(mixed, [groups[k] for k in turned], 4, 2, seed=1)
    for one, other in zip(straight, again, strict=True):
        assert np.array_equal(one[turned], other)
    assert not np.array_equal(straight[0], straight[1])
