"""The change of a score is split exactly, fairly, and as a brute-force count over all coalitions has it."""

from dataclasses import dataclass, replace
from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.calibration import Beta, Outlook, Platt, day_terms
from hva_ml.errors import IntegrityError
from hva_ml.explanation.changes import Change, Seen, change
from hva_ml.explanation.pairs import between
from hva_ml.training.booster import Booster

D = 4


@dataclass(frozen=True)
class Model:
    conversion: Booster
    calibrator: Platt | Beta
    value: Booster
    value_log_scale: float
    outlook: Outlook | None = None
    direct: bool = False


def table(rng: np.random.Generator, n: int) -> np.ndarray:
    X = np.round(rng.normal(size=(n, D)), 1)
    X[rng.random(X.shape) < 0.15] = np.nan
    return X


def trained(seed: int, calibrator: Platt | Beta) -> Model:
    rng = np.random.default_rng(seed)
    X = table(rng, 300)
    level = np.nan_to_num(X)
    y = (level @ rng.normal(size=D) + rng.normal(size=300) > 0).astype(float)
    v = np.exp(5 + level @ rng.normal(size=D) * 0.5)
    params = {"num_leaves": 6, "learning_rate": 0.3, "num_threads": 1, "min_child_samples": 5}
    names = [f"f{j}" for j in range(D)]
    return Model(
        Booster.fit(X, y, objective="binary", names=names, params=params, rounds=8, seed=1),
        calibrator,
        Booster.fit(X, v, objective="gamma", names=names, params=params, rounds=8, seed=1),
        float(rng.normal()),
    )


MODELS = (trained(1, Platt(0.8, -0.4)), trained(2, Beta(0.7, 1.4, 0.3)), trained(3, Platt(2.0, 1.0)))


def log_score(model: Model, X: np.ndarray) -> np.ndarray:
    odds, worth = day_terms(model.outlook, X)
    likely = model.calibrator.log_probability(model.conversion.margin(X) + odds)
    return likely + model.value.margin(X) + model.value_log_scale + worth


def shapley(booster: Booster, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """All coalitions, one row."""
    found = np.zeros(D)
    for j in range(D):
        others = [k for k in range(D) if k != j]
        for size in range(D):
            for chosen in combinations(others, size):
                low = before.copy()
                low[list(chosen)] = after[list(chosen)]
                high = low.copy()
                high[j] = after[j]
                gain = booster.margin(np.array([low, high]))
                found[j] += factorial(size) * factorial(D - 1 - size) / factorial(D) * (gain[1] - gain[0])
    return found


SEASONED = tuple(
    replace(m, outlook=Outlook(k, 0.1, 0.6, -0.05, 0.3, seen=seen))
    for k, (m, seen) in enumerate(zip(MODELS, (-1, 3, -1), strict=True))
)
seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.sampled_from(range(3)))
@settings(max_examples=20)
def test_the_way_from_past_to_present_is_the_shapley_value(seed: int, which: int) -> None:
    rng = np.random.default_rng(seed)
    before, after = table(rng, 3), table(rng, 3)
    after[:, 0] = before[:, 0]
    for booster in (MODELS[which].conversion, MODELS[which].value):
        found = between(booster, before, after)
        for k in range(3):
            np.testing.assert_allclose(found[k], shapley(booster, before[k], after[k]), atol=1e-12)
        assert (found[:, 0] == 0).all()
        np.testing.assert_allclose(found, -between(booster, after, before), atol=1e-12)


@given(seeds, st.permutations(range(3)), st.booleans(), st.sampled_from([MODELS, SEASONED]))
def test_the_parts_of_every_change_add_up_to_it(
    seed: int, order: list[int], same: bool, models: tuple[Model, ...]
) -> None:
    rng = np.random.default_rng(seed)
    before, after = table(rng, 20), table(rng, 20)
    after[:5] = before[:5]
    old, new = models[order[0]], models[order[1]]
    names = tuple("abcd")
    found = change(Seen(old, names, before, after), None if same else Seen(new, names, before, after))
    last = old if same else new
    told = found.before + found.account.sum(axis=1) + found.model
    np.testing.assert_allclose(told, log_score(last, after), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.before, log_score(old, before), rtol=0, atol=1e-12)
    assert (found.account[:5] == 0).all()
    if same:
        assert (found.model == 0).all()


@given(seeds)
@settings(max_examples=25)
def test_the_two_parts_are_the_shapley_values_of_account_and_model(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before, after = table(rng, 6), table(rng, 6)
    old, new = MODELS[0], MODELS[1]
    found = change(Seen(old, tuple("abcd"), before, after), Seen(new, tuple("abcd"), before, after))
    s00, s01 = log_score(old, before), log_score(old, after)
    s10, s11 = log_score(new, before), log_score(new, after)
    np.testing.assert_allclose(found.account.sum(axis=1), ((s01 - s00) + (s11 - s10)) / 2, atol=1e-9)
    np.testing.assert_allclose(found.model, ((s10 - s00) + (s11 - s01)) / 2, atol=1e-9)
    back = change(Seen(new, tuple("abcd"), after, before), Seen(old, tuple("abcd"), after, before))
    np.testing.assert_allclose(back.account, -found.account, atol=1e-9)
    np.testing.assert_allclose(back.model, -found.model, atol=1e-9)


def test_a_feature_of_one_model_only_counts_to_the_model() -> None:
    rng = np.random.default_rng(4)
    before, after = table(rng, 9), table(rng, 9)
    held = after.copy()
    held[:, 3] = before[:, 3]
    found = change(
        Seen(MODELS[0], ("a", "b", "c", "gone"), before, held),
        Seen(MODELS[1], ("c", "a", "b", "new"), after, after),
    )
    assert found.names == ("a", "b", "c", "gone", "new")
    assert (found.account[:, 3:] == 0).all()
    told = found.before + found.account.sum(axis=1) + found.model
    np.testing.assert_allclose(told, log_score(MODELS[1], after), atol=1e-9)


def test_parts_that_miss_the_change_are_refused() -> None:
    zero = np.zeros(2)
    with pytest.raises(IntegrityError, match="1 of 2 accounts"):
        Change(("a",), np.array([[0.0], [2e-9]]), zero, zero, zero).check()


def test_nothing_moved_is_nothing_to_tell() -> None:
    X = table(np.random.default_rng(5), 30)
    assert (between(MODELS[0].conversion, X, X) == 0).all()
    assert between(MODELS[0].conversion, X[:0], X[:0]).shape == (0, D)
