"""Distances between counts against plain definitions and scipy, their intervals against simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from hva_ml.evaluation.stability import index, shares
from hva_ml.monitoring import distance

counts = st.lists(st.integers(0, 500), min_size=2, max_size=12)
pairs = st.integers(2, 12).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 500), min_size=n, max_size=n) for _ in range(2)])
)


def arrays(pair: tuple[list[int], list[int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(pair[0], float), np.array(pair[1], float)


@given(pairs)
def test_each_distance_is_its_definition(pair: tuple[list[int], list[int]]) -> None:
    before, after = arrays(pair)
    b = [(c + 0.5) / (sum(pair[0]) + 0.5 * len(pair[0])) for c in pair[0]]
    a = [(c + 0.5) / (sum(pair[1]) + 0.5 * len(pair[1])) for c in pair[1]]
    psi = sum((x - y) * math.log(x / y) for x, y in zip(a, b, strict=True))
    assert float(index(before, after)) == pytest.approx(psi, abs=1e-12)
    assert float(distance.stability(before, after).value) == pytest.approx(psi, abs=1e-12)
    assert float(distance.jensen_shannon(before, after).value) == pytest.approx(
        jensenshannon(a, b, base=2), abs=1e-7
    )
    middle = np.cumsum(b) - np.array(b) / 2
    assert float(distance.wasserstein(before, after).value) == pytest.approx(
        stats.wasserstein_distance(middle, middle, a, b), abs=1e-9
    )


@given(pairs, st.randoms())
def test_distances_behave(pair: tuple[list[int], list[int]], random: object) -> None:
    before, after = arrays(pair)
    order = list(range(len(before)))
    random.shuffle(order)  # type: ignore[attr-defined]
    for measure in (distance.stability, distance.jensen_shannon):
        here, there = measure(before, after), measure(before[order], after[order])
        assert float(here.value) == pytest.approx(float(there.value), abs=1e-9)
        assert float(measure(after, before).value) == pytest.approx(float(here.value), abs=1e-9)
    for found in (distance.jensen_shannon(before, after), distance.wasserstein(before, after)):
        assert 0 <= float(found.low) <= float(found.value) + 1e-9
        assert float(found.value) <= float(found.high) + 1e-9 <= 1 + 2e-9
    assert float(distance.stability(before, before).value) == 0.0


def test_the_chance_of_an_excess_is_the_noncentral_chi_squared_one() -> None:
    before, after = np.array([400.0, 300, 200, 100]), np.array([[250.0, 300, 250, 200], [400, 300, 200, 100]])
    found, p = distance.excess(before, after, np.array([0.05, 0.05]))
    n = 1000 * 1000 / 2000
    assert p[0] == pytest.approx(stats.ncx2.sf(n * found[0], 3, n * 0.05), rel=1e-6)
    assert p[1] == 1.0


@pytest.mark.parametrize(("n", "m"), [(400, 4000), (3000, 3000)])
@pytest.mark.parametrize("moved", [False, True])
def test_intervals_cover_and_alarms_are_as_rare_as_asked(n: int, m: int, moved: bool) -> None:
    rng = np.random.default_rng(11)
    before_true = np.full(10, 0.1)
    after_true = np.array([0.06, 0.08, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.12, 0.14]) if moved else before_true
    before = rng.multinomial(m, before_true, 2000).astype(float)
    after = rng.multinomial(n, after_true, 2000).astype(float)
    psi = float(((after_true - before_true) * np.log(after_true / before_true)).sum())
    js = float(jensenshannon(after_true, before_true, base=2)) if moved else 0.0
    wasserstein = float(np.abs(np.cumsum(after_true - before_true))[:-1].sum() * 0.1)
    for measure, true in (
        (distance.stability, psi),
        (distance.jensen_shannon, js),
        (distance.wasserstein, wasserstein),
    ):
        found = measure(before, after)
        covered = np.mean((found.low <= true + 1e-12) & (true <= found.high + 1e-12))
        assert 0.93 <= covered <= 0.99
    _, p = distance.excess(before, after, np.array(max(psi, 1e-12)))
    assert np.mean(p < 0.01) <= 0.02


def test_nobody_to_compare_is_everything() -> None:
    found = distance.stability(np.array([5.0, 5.0]), np.zeros(2))
    assert (float(found.low), float(found.high)) == (0.0, math.inf)
    assert distance.excess(np.array([5.0, 5.0]), np.zeros(2), np.array(0.1))[1] == 1.0


def test_an_account_of_many_cutoffs_counts_once() -> None:
    scaled = distance.accounts_of(np.array([[30.0, 90.0], [1.0, 1.0]]), np.array([12.0, 5.0]))
    assert scaled.tolist() == [[3.0, 9.0], [1.0, 1.0]]


@given(counts)
def test_shares_add_up(found: list[int]) -> None:
    assert shares(np.array(found, float)).sum() == pytest.approx(1.0)
