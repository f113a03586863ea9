"""Likelihood times value, or all at once: judged alike, and the simpler story wins ties."""

import numpy as np
import pyarrow as pa
import pytest

from hva_ml.training.approach import Sides, compare
from hva_ml.training.booster import Booster
from hva_ml.training.folds import folds
from hva_ml.training.search import SearchResult
from hva_ml.training.value import fit_value

PARAMS = {"num_leaves": 7, "min_child_samples": 20, "learning_rate": 0.1, "num_threads": 1}


def settings(kind: str, rounds: int = 60) -> SearchResult:
    return SearchResult(
        kind, PARAMS, None if kind == "conversion" else "tweedie", rounds, 0.0, "", pa.table({}), {}, 0
    )


def sides(n: int = 1800, seed: int = 1) -> Sides:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    converted = (X[:, 0] + rng.logistic(size=n) > 0.5).astype(float)
    value = converted * np.exp(1 + 0.8 * X[:, 1] + 0.5 * rng.normal(size=n))
    groups = [f"g{k}" for k in rng.integers(0, 300, n)]
    return Sides(X, converted, value, groups, np.arange(n) * 6 // n, list("abcd"), None, {})


def test_both_are_the_deviance_of_the_expected_value_on_held_out_accounts():
    data = sides()
    found = compare(data, settings("conversion"), settings("value"), settings("value"), 7, None)
    given = {"names": data.names, "params": PARAMS, "rounds": 60, "seed": 7}
    losses: list[tuple[float, float, float, str]] = []
    for part in folds(data.groups, data.codes, data.converted > 0, 7):
        X, y = data.X[part.fit], data.converted[part.fit]
        likely = Booster.fit(X, y, objective="binary", **given)
        won = y == 1
        worth = fit_value(X[won], data.value[part.fit][won], distribution="tweedie", **given)
        once = fit_value(X, data.value[part.fit], distribution="tweedie", **given)
        there = data.X[part.valid]
        actual = data.value[part.valid]
        product = worth.predict(there) / (1 + np.exp(-likely.margin(there)))
        for_all = once.predict(there)
        for k, row in enumerate(part.valid):
            levelled = [p[k] * actual.sum() / p.sum() for p in (product, for_all, np.ones(len(actual)))]
            losses.append(
                (*((np.sqrt(m) - np.sqrt(actual[k])) ** 2 / np.sqrt(m) for m in levelled), data.groups[row])
            )
    table = np.array([row[:3] for row in losses], dtype=float)
    want = table.mean(axis=0)
    assert (found.hurdle, found.direct) == pytest.approx((want[0] / want[2], want[1] / want[2]), rel=1e-9)
    difference = (table[:, 0] - table[:, 1]) / want[2]
    assert found.gain == pytest.approx(difference.mean(), abs=1e-12)
    by_group: dict[str, float] = {}
    for d, row in zip(difference, losses, strict=True):
        by_group[row[3]] = by_group.get(row[3], 0.0) + d - found.gain
    assert found.error == pytest.approx(sum(v**2 for v in by_group.values()) ** 0.5 / len(table), rel=1e-9)
    assert found.chosen == ("direct" if found.gain > found.error else "hurdle")


def test_a_model_that_has_learned_nothing_loses():
    data = sides()
    worse = compare(data, settings("conversion"), settings("value"), settings("value", 1), 7, None)
    assert worse.chosen == "hurdle"
    assert worse.gain < -worse.error
    better = compare(data, settings("conversion", 1), settings("value", 1), settings("value"), 7, None)
    assert better.chosen == "direct"
