"""What would help: only what may move, near real accounts, scored as told, for any order of accounts."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.explanation.counterfactual import NEIGHBOURS, SIMILAR, Advice, Population, advise
from hva_ml.explanation.levers import Lever, rules

SETTINGS = settings(max_examples=25)


class World:
    """Accounts whose features agree with each other, a model of them, and what may move."""

    def __init__(self, made: Any, seed: int, n: int = 240) -> None:
        rng = np.random.default_rng(seed)
        self.definitions = made.definitions
        self.rows = [
            made.features(
                {k: rng.uniform(0, 200, rng.poisson(rng.gamma(1.5, 5.0))).tolist() for k in made.kinds},
                float(rng.choice([np.nan, 5.0, 20.0, 300.0])),
            )
            for _ in range(n)
        ]
        self.names = tuple(d.name for d in self.definitions)
        codes = rng.integers(0, 4, n).astype(float)
        codes[rng.random(n) < 0.1] = np.nan
        self.X = np.column_stack([[[r[m] for m in self.names] for r in self.rows], codes])
        self.columns = (*self.names, "section")
        self.weights = rng.normal(0.0, 0.3, len(self.columns))
        self.levers = [
            Lever(d, 0.0, 400.0 if d.measure == "recency" else float(rng.integers(3, 40)), 1.0 if
                  d.measure == "count" else 5.0)
            for d in self.definitions
            if d.measure in ("count", "recency") and rng.random() < 0.95
        ]  # fmt: skip

    def score(self, X: np.ndarray) -> np.ndarray:
        known = np.log1p(np.nan_to_num(X, nan=50.0))
        # Row by row, so that a row scores the same among any others.
        return np.array([math.exp(2.0 + float(row @ self.weights) + math.sin(3.0 * row[0])) for row in known])

    def population(self, order: np.ndarray) -> Population:
        categories = (*(False for _ in self.names), True)
        return Population(self.columns, self.X[order], categories, self.score(self.X[order]))

    def advise(self, row: int = 0, order: np.ndarray | None = None, **more: Any) -> list[Advice]:
        others = np.arange(1, len(self.X)) if order is None else order
        return advise(
            self.population(others), self.X[row], self.levers, rules(self.definitions), self.rows[row],
            self.score, **more,
        )  # fmt: skip

    def changed(self, found: Advice, row: int = 0) -> np.ndarray:
        out = self.X[row].copy()
        for moved in found.changes:
            out[self.columns.index(moved.feature)] = moved.proposed
        return out


@SETTINGS
@given(seed=st.integers(0, 10_000))
def test_only_what_may_move_does_so_within_its_bounds_and_as_real_accounts_are(made: Any, seed: int) -> None:
    world = World(made, seed)
    bounds = {v.name: v for v in world.levers}
    known = rules(world.definitions)
    for found in world.advise(limit=99):
        assert {m.feature for m in found.changes} <= set(bounds)
        assert 1 <= sum(m.leading for m in found.changes) <= 2
        for m in found.changes:
            assert bounds[m.feature].least <= m.proposed <= bounds[m.feature].most
            assert m.now == world.rows[0][m.feature] or math.isnan(m.now)
        after = {**world.rows[0], **{m.feature: m.proposed for m in found.changes}}
        assert [r for r in known if not r.holds(after)] == []


@SETTINGS
@given(seed=st.integers(0, 10_000))
def test_what_is_told_is_what_the_model_says_best_first(made: Any, seed: int) -> None:
    world = World(made, seed)
    everything = world.advise(limit=99)
    (present,) = world.score(world.X[:1])
    for found in everything:
        (again,) = world.score(world.changed(found)[None, :])
        assert found.expected_value == again
        assert found.factor == pytest.approx(again / present)
        assert found.factor >= 1.05
    factors = [found.factor for found in everything]
    assert factors == sorted(factors, reverse=True)
    assert world.advise(limit=1) == everything[:1]


def distance(world: World, row: int, other: int) -> float:
    """How unlike two accounts are in what may not move, in plain Python."""
    total = 0.0
    for j, name in enumerate(world.columns):
        if name in {v.name for v in world.levers}:
            continue
        a, b = world.X[row, j], world.X[other, j]
        if math.isnan(a) or math.isnan(b):
            total += math.isnan(a) != math.isnan(b)
        elif name == "section":
            total += a != b
        else:
            known = sorted(v for v in world.X[1:, j] if not math.isnan(v))
            low, middle, high = (known[k * len(known) // 4] for k in (1, 2, 3))
            width = (high - low) / 1.349 or float(np.std(known)) or 1.0
            a, b = (min(max((v - middle) / width, -3.0), 3.0) for v in (a, b))
            total += min(abs(a - b), 1.0)
    return total


def does(world: World, other: int, found: Advice, steps: dict[str, float]) -> bool:
    """Whether another account has about the proposed values."""
    return all(
        abs(world.X[other, world.columns.index(m.feature)] - m.proposed)
        <= max(steps[m.feature] / 2, abs(m.proposed) / 4)
        for m in found.changes
        if m.leading
    )


@SETTINGS
@given(seed=st.integers(0, 10_000))
def test_at_least_five_similar_accounts_have_about_the_proposed_values(made: Any, seed: int) -> None:
    world = World(made, seed)
    away = {k: distance(world, 0, k) for k in range(1, len(world.X))}
    last = sorted(away.values())[SIMILAR[0] - 1]
    steps = {v.name: v.step for v in world.levers}
    for found in world.advise(limit=99):
        assert found.neighbours >= NEIGHBOURS
        # Two accounts may be equally far but for the last digit of a float.
        surely, perhaps = (
            [k for k, d in away.items() if d <= last + slack and does(world, k, found, steps)]
            for slack in (-1e-4, 1e-4)
        )
        assert len(surely) <= found.neighbours <= len(perhaps)
        worth = world.score(world.X[perhaps])
        assert min(worth) <= found.neighbours_expected_value <= max(worth)
        if len(surely) == len(perhaps):
            assert found.neighbours_expected_value == pytest.approx(sum(worth) / len(worth))


@SETTINGS
@given(seed=st.integers(0, 10_000))
def test_the_order_of_accounts_and_of_levers_changes_no_bit(made: Any, seed: int) -> None:
    world = World(made, seed)
    before = world.advise(limit=99)
    rng = np.random.default_rng(seed)
    world.levers = [world.levers[k] for k in rng.permutation(len(world.levers))]
    assert repr(world.advise(order=rng.permutation(np.arange(1, len(world.X))), limit=99)) == repr(before)


def test_the_generated_worlds_have_something_to_propose(made: Any) -> None:
    found = [a for seed in range(40) for a in World(made, seed).advise(limit=99)]
    assert len(found) >= 8
    assert any(m.now > m.proposed for a in found for m in a.changes if m.leading)
    assert any(m.now < m.proposed for a in found for m in a.changes if m.leading)


def test_where_nothing_helps_nothing_is_proposed(made: Any) -> None:
    world = next(w for w in (World(made, seed) for seed in range(20)) if w.advise())
    world.weights[:] = 0.0
    world.score = lambda X: np.full(len(X), 7.0)  # type: ignore[method-assign]
    assert world.advise() == []


def test_nothing_is_proposed_that_nobody_does(made: Any) -> None:
    world = World(made, 3)
    assert world.advise(order=np.arange(1, NEIGHBOURS)) == []
    assert world.advise(order=np.arange(0)) == []
    calls = world.columns.index("events.call.count_30d")
    world.X[1:, calls] = 0.0
    assert not [m for a in world.advise(limit=99) for m in a.changes if m.feature == world.columns[calls]]


def test_the_smallest_change_with_nearly_all_of_the_gain_is_proposed(made: Any) -> None:
    world = World(made, 3)
    calls = world.columns.index("events.call.count_30d")
    world.levers = [
        Lever(d, 0.0, 8.0, 1.0) for d in world.definitions if d.name.startswith("events.call.count")
    ]
    world.X[:, calls] = np.arange(len(world.X)) % 9
    for k, row in enumerate(world.rows):
        row.update({f"events.call.count_{w}d": float(k % 9) for w in (30, 90, 365)})
        row.update({f"events.count_{w}d": 40.0 for w in (30, 90, 365)})
        row["events.call.recency_days"] = row["events.recency_days"] = 1.0
    world.score = lambda X: 10.0 + np.minimum(X[:, calls], 3.0)  # type: ignore[method-assign]
    row = 0
    world.rows[row].update({f"events.call.count_{w}d": 1.0 for w in (30, 90, 365)})
    world.X[row, calls] = 1.0
    (found,) = world.advise()
    assert [(m.feature, m.proposed) for m in found.changes if m.leading] == [("events.call.count_30d", 3.0)]


def test_two_changes_together_are_proposed_only_if_they_gain_clearly_more(made: Any) -> None:
    world = World(made, 5, n=900)
    names = ("events.call.count_30d", "events.meeting.count_30d")
    one, two = (world.columns.index(n) for n in names)
    world.levers = [
        Lever(d, 0.0, 60.0 if d.measure == "count" else 400.0, 1.0)
        for d in world.definitions
        if d.measure in ("count", "recency")
    ]
    row = next(k for k in range(900) if world.X[k, one] == world.X[k, two] == 0)
    others = np.delete(np.arange(900), row)

    def both(X: np.ndarray) -> np.ndarray:
        return 10.0 + (X[:, one] > 0) + 1.0 * (X[:, two] > 0)

    world.score = both  # type: ignore[method-assign]
    best = world.advise(row, others)[0]
    assert [m.feature for m in best.changes if m.leading] == list(names)
    assert best.expected_value == 12.0
    world.score = lambda X: np.minimum(both(X), 11.05)  # type: ignore[method-assign]
    assert all(sum(m.leading for m in a.changes) == 1 for a in world.advise(row, others))
