"""What moves a population, against plain Python; the order of accounts changes no bit."""

import itertools
import math
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hva_ml.explanation.dependence import BINS, SWARM, of_category, of_number, sample, swarm
from hva_ml.explanation.overview import among, group, importance, leads, means, mentioned, rises
from hva_ml.explanation.phrases import span
from hva_ml.explanation.ranks import correlation, levels
from hva_ml.explanation.reader import Reader
from hva_ml.explanation.reasons import reasons
from hva_ml.explanation.selection import THRESHOLD, topics
from hva_ml.features.definition import FeatureDefinition

TOPICS = ("visits", "visits", "", "size", "size")


def feature(name: str, topic: str = "", unit: str = "count", **more: Any) -> FeatureDefinition:
    return FeatureDefinition(
        name, "engagement", "number", "events", "count", unit, f"Wort {name}", f"word {name}", topic=topic,
        **more,
    )  # fmt: skip


DEFINITIONS = tuple(feature(f"f{k}", topic) for k, topic in enumerate(TOPICS))
EFFECTS = hnp.arrays(np.float64, st.tuples(st.integers(1, 40), st.just(5)), elements=st.floats(-2, 2))


def by_topic(row: list[float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for k, topic in enumerate(TOPICS):
        found[topic or f"f{k}"] = found.get(topic or f"f{k}", 0.0) + row[k]
    return found


@given(EFFECTS)
def test_weights_are_those_of_a_plain_loop(phi: np.ndarray) -> None:
    found = topics(DEFINITIONS, phi)
    table = importance(found, mentioned(found, 1))
    rows = [by_topic(r) for r in phi.tolist()]
    for told in table.to_pylist():
        own = [r[told["topic"]] for r in rows]
        assert math.isclose(told["mean_abs_log_factor"], fmean(map(abs, own)), rel_tol=1e-12, abs_tol=1e-15)
        assert math.isclose(told["mean_log_factor"], fmean(own), rel_tol=1e-12, abs_tol=1e-15)
        assert told["factor"] == math.exp(told["mean_abs_log_factor"])
        # With one reason for each direction, only the strongest topic of a row is told.
        first = [
            r[told["topic"]] >= THRESHOLD and told["topic"] == max(sorted(r), key=lambda t: r[t])
            for r in rows
        ]
        assert told["told_for"] == sum(first) / len(rows)
    sizes = table["mean_abs_log_factor"].to_pylist()
    assert sizes == sorted(sizes, reverse=True)
    assert sorted(table["topic"].to_pylist()) == ["f2", "size", "visits"]


@given(EFFECTS)
def test_what_counts_as_told_is_what_the_reasons_tell(phi: np.ndarray) -> None:
    told = mentioned(topics(DEFINITIONS, phi), 2)
    for row, effects in enumerate(phi):
        values = [1.0] * len(DEFINITIONS)
        words = reasons(DEFINITIONS, values, values, effects, language="en", limit=2)
        assert {(r.topic, r.direction) for r in words} == {
            (("f2", "size", "visits")[t], ("up", "down")[way]) for t, way in np.argwhere(told[row]).tolist()
        }


@given(EFFECTS, st.randoms(use_true_random=False))
def test_the_order_of_accounts_changes_no_bit(phi: np.ndarray, random: Any) -> None:
    order = random.sample(range(len(phi)), len(phi))
    values = np.where(phi[:, 3] > 1, np.nan, np.round(phi[:, 3], 1))
    mask, worth = phi[:, 0] > 0, np.exp(phi[:, 1])

    def everything(at: list[int]) -> list[object]:
        found = topics(DEFINITIONS, phi[at])
        told = mentioned(found, 2)
        scores = {"probability": worth[at] / 10, "value_if_converted": worth[at], "expected_value": worth[at]}
        return [
            importance(found, told).to_pylist(), leads(found, phi[at]), rises(values[at], phi[at][:, 0]),
            group("A", mask[at], found, **scores), of_number(values[at], phi[at][:, 3]).to_pylist(),
            of_category([None if v > 1 else str(round(v)) for v in phi[at][:, 4]], phi[at][:, 2]).to_pylist(),
        ]  # fmt: skip

    assert repr(everything(order)) == repr(everything(list(range(len(phi)))))


def test_a_segment_weighs_as_if_it_were_alone() -> None:
    phi = np.random.default_rng(1).normal(size=(30, 5))
    rows = np.arange(30) % 3 == 0
    found = topics(DEFINITIONS, phi)
    told = mentioned(found, 2)
    alone = topics(DEFINITIONS, phi[rows])
    assert importance(among(found, rows), told[rows]).equals(importance(alone, mentioned(alone, 2)))


def test_a_group_tells_what_it_holds_and_what_sets_it_apart() -> None:
    phi = np.zeros((4, 5))
    phi[:, 0], phi[:, 2], phi[:, 3] = [1.0, 0.6, 0.0, 0.2], [0.0, 0.0, -0.9, -0.9], [0.01, 0.01, 0, 0]
    p, v = np.array([0.5, 0.3, 0.1, 0.1]), np.array([100.0, 200.0, 10.0, 30.0])
    rows = np.array([True, True, False, False])
    scores = {"probability": p, "value_if_converted": v, "expected_value": p * v}
    found = group("A", rows, topics(DEFINITIONS, phi), **scores)
    assert (found.n_accounts, found.probability, found.value_if_converted) == (2, 0.4, 150.0)
    assert found.expected_value == pytest.approx(110.0)
    assert found.share == pytest.approx(110 / 114)
    assert [(a.topic, a.here, a.others) for a in found.apart] == [("f2", 0.0, -0.9), ("visits", 0.8, 0.1)]
    nobody = group("B", np.zeros(4, dtype=bool), topics(DEFINITIONS, phi), **scores)
    assert (nobody.n_accounts, nobody.share, nobody.probability, nobody.apart) == (0, 0.0, None, ())
    assert group("C", np.ones(4, dtype=bool), topics(DEFINITIONS, phi), **scores).apart == ()


@given(hnp.arrays(np.float64, st.integers(1, 80), elements=st.sampled_from([np.nan, *map(float, range(30))])))
def test_bins_hold_every_account_once_and_no_value_twice(values: np.ndarray) -> None:
    effects = np.arange(len(values)) / 100
    table = of_number(values, effects).to_pylist()
    assert sum(r["n_accounts"] for r in table) == len(values)
    numbers = [r for r in table if r["kind"] == "number"]
    assert len(numbers) <= BINS
    ends = [e for r in numbers for e in (r["low"], r["high"])]
    assert ends == sorted(ends)
    assert all(a["high"] < b["low"] for a, b in itertools.pairwise(numbers))
    for r in table:
        inside = [
            e for v, e in zip(values.tolist(), effects.tolist(), strict=True)
            if (math.isnan(v) if r["kind"] == "unknown" else r["low"] <= v <= r["high"])
        ]  # fmt: skip
        assert len(inside) == r["n_accounts"]
        assert r["factor"] == pytest.approx(math.exp(float(np.median(inside))))
        assert min(inside) <= math.log(r["factor_low"]) + 1e-12
        assert r["factor_low"] <= r["factor"] <= r["factor_high"]
    few = len({v for v in values.tolist() if not math.isnan(v)})
    assert len(numbers) == few or few > BINS


def test_categories_come_by_frequency_unknown_last() -> None:
    table = of_category(["b", None, "a", "b", "", "a", "c"], np.log([2.0, 9, 3, 4, 5, 3, 1]))
    assert [(r["kind"], r["category"], r["n_accounts"]) for r in table.to_pylist()] == [
        ("category", "a", 2), ("category", "b", 2), ("category", "", 1), ("category", "c", 1),
        ("unknown", None, 1),
    ]  # fmt: skip
    assert table["factor"][1].as_py() == pytest.approx(math.sqrt(8))


@given(st.integers(1, 9000))
def test_a_sample_is_even_and_bounded(n: int) -> None:
    rows = sample(n).tolist()
    assert len(rows) == min(n, SWARM)
    assert rows == sorted(set(rows))
    assert 0 <= rows[0] <= rows[-1] < n
    gaps = {b - a for a, b in itertools.pairwise(rows)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_the_swarm_names_accounts_and_how_high_they_are() -> None:
    phi = np.arange(15.0).reshape(3, 5)
    found = topics(DEFINITIONS, phi)
    table = swarm(("a", "b", "c"), found, (2, 0), (np.array([7.0, np.nan, 1.0]), np.full(3, np.nan)))
    assert table["topic"].to_pylist() == ["visits"] * 3 + ["f2"] * 3
    assert table["account_id"].to_pylist() == ["a", "b", "c"] * 2
    assert table["log_factor"].to_pylist() == [1.0, 11.0, 21.0, 2.0, 7.0, 12.0]
    assert table["level"].to_pylist() == [0.75, None, 0.25, None, None, None]


@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=30),
)
def test_rank_correlation_is_pearsons_of_mean_ranks(pairs: list[tuple[int, int]]) -> None:
    def ranks(column: list[int]) -> list[float]:
        return [sum(o < v for o in column) + (sum(o == v for o in column) + 1) / 2 for v in column]

    a, b = (ranks([p[k] for p in pairs]) for k in (0, 1))
    x, y = ([v - fmean(r) for v in r] for r in (a, b))
    scale = math.sqrt(sum(v * v for v in x) * sum(v * v for v in y))
    found = correlation(*(np.array([float(p[k]) for p in pairs]) for k in (0, 1)))
    if scale == 0:
        assert found is None
    else:
        assert found == pytest.approx(sum(p * q for p, q in zip(x, y, strict=True)) / scale, abs=1e-12)


def test_levels_and_means_of_nothing() -> None:
    assert np.isnan(levels(np.full(3, np.nan))).all()
    assert math.isnan(means(np.zeros((0, 1)))[0])
    assert rises(np.array([np.nan, 1.0]), np.array([1.0, 2.0])) is None
    assert of_number(np.array([]), np.array([])).num_rows == 0


@pytest.mark.parametrize(
    ("unit", "low", "high", "german", "english"),
    [
        ("count", 3.0, 3.0, "3", "3"),
        ("count", 0.0, 5.0, "0 bis 5", "0 to 5"),
        ("days", 3.0, 10.0, "3 bis 10 Tage", "3 to 10 days"),
        ("days", 1.0, 10.0, "1 Tag bis 10 Tage", "1 day to 10 days"),
        ("money", 800_000.0, 1_200_000.0, "800.000 € bis 1,2 Mio. €", "€800,000 to €1.2 million"),
        ("money", 1000.0, 5000.0, "1.000 bis 5.000 €", "€1,000 to €5,000"),
        ("share", 0.1, 0.25, "10 bis 25 %", "10% to 25%"),
        ("heads", 2.0, 2.4, "2,0 bis 2,4", "2.0 to 2.4"),
        ("flag", 0.0, 0.0, "nein", "no"),
        ("ratio", math.log(0.5), math.log(3.0), "halb so viel bis 3,0-mal so viel",
         "half as much to 3.0 times as much"),
    ],
)  # fmt: skip
def test_ranges_in_words(unit: str, low: float, high: float, german: str, english: str) -> None:
    d = feature("x", unit=unit)
    said = [span(d, low, high, Reader(language, "DE", "EUR")) for language in ("de", "en")]
    assert [s.replace("\u00a0", " ") for s in said] == [german, english]
