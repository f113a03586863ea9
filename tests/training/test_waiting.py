"""Open leads count by the chance that they will be won: close to the truth that they hide, never as lost."""

import math

import numpy as np
import pytest

from hva_ml.contracts.decisions import Decisions
from hva_ml.training.matrix import EncodedColumn
from hva_ml.training.waiting import Lesson, lesson, still_to_come

SPAN = 59
COLUMNS = (EncodedColumn("kind", "category", ("a", "b"), 2.0),)


def _leads(n: int, seed: int, mean: float = 20.0) -> tuple[np.ndarray, Decisions]:
    """Deal leads of two kinds over 300 days; wins come after days that are about exponential."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 2, n)
    won = rng.random(n) < np.where(kind == 1, 0.5, 0.1)
    delay = np.where(won, np.minimum(np.floor(rng.exponential(mean, n)), SPAN), math.inf)
    position = np.sort(rng.integers(0, 300, n)).astype(np.int64)
    told = Decisions(position, delay, SPAN, np.ones(n, dtype=bool), np.zeros(n, dtype=np.int64), True)
    return kind[:, None].astype(float), told


def test_a_decided_lead_stands_there_once_an_open_one_twice_with_whole_weight() -> None:
    X, told = _leads(600, 1)
    found = lesson(X, told, COLUMNS, 200)
    known = told.known(200)
    before = told.position < 200
    weight = np.bincount(found.rows, found.weight, len(X))
    np.testing.assert_allclose(weight[before], 1.0)
    assert not weight[~before].any()
    times = np.bincount(found.rows, minlength=len(X))
    assert (times[known & before] == 1).all()
    assert (times[~known & before] == 2).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_wins_that_are_expected_come(seed: int) -> None:
    X, told = _leads(8000, seed)
    moment = 200
    found = lesson(X, told, COLUMNS, moment)
    for kind in (0, 1):
        mine = X[found.rows, 0] == kind
        expected = float((found.weight * found.y)[mine].sum())
        came = float(told.won[(told.position < moment) & (X[:, 0] == kind)].sum())
        assert expected == pytest.approx(came, rel=0.1)
    taken_for_lost = float(((told.position + told.delay < moment) & (told.position < moment)).sum())
    assert found.converted > taken_for_lost


def test_without_open_leads_nothing_is_guessed() -> None:
    X, told = _leads(300, 4)
    found = lesson(X, told, COLUMNS, None)
    assert np.array_equal(found.y, told.won)
    assert np.array_equal(found.weight, np.ones(300))


def test_each_lead_is_drawn_once() -> None:
    X, told = _leads(500, 5)
    found = lesson(X, told, COLUMNS, 150)
    lot = np.random.default_rng(0).random(500)
    drawn = found.drawn(lot)
    assert sorted(found.rows[drawn].tolist()) == sorted(set(found.rows.tolist()))


def test_what_is_still_to_come_shrinks_and_is_never_nothing() -> None:
    X, told = _leads(4000, 6)
    left = still_to_come(told, lesson(X, told, COLUMNS, 250), 250)
    assert len(left) == SPAN + 2
    assert left[0] == 1.0
    assert (np.diff(left) <= 0).all()
    assert (left > 0).all()
    assert left[20] == pytest.approx(math.exp(-1), abs=0.06)


def test_a_part_of_a_lesson_is_about_some_leads() -> None:
    whole = Lesson(np.array([0, 1, 1, 2]), np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 0.3, 0.7, 1.0]))
    part = whole.among(np.array([False, True, True]))
    assert part.rows.tolist() == [1, 1, 2]
    assert part.converted == pytest.approx(0.3)
