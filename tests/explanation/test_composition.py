"""Factors multiply to the score; the typical account; the waterfall adds up."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.calibration import Beta, Outlook, Platt
from hva_ml.errors import IntegrityError
from hva_ml.explanation.composition import Explanation, explain, explain_pairs, explain_past
from hva_ml.explanation.treeshap import interventional
from hva_ml.explanation.typical import typical
from hva_ml.explanation.waterfall import waterfall
from hva_ml.training.booster import Booster

D = 5


@dataclass(frozen=True)
class Model:
    """Two models, a calibrator and a level."""

    conversion: object
    calibrator: object
    value: object
    value_log_scale: float = 0.0
    outlook: Outlook | None = None
    direct: bool = False


@pytest.fixture(scope="module")
def models() -> tuple[Booster, Booster, np.ndarray]:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(500, D))
    X[rng.random(X.shape) < 0.1] = np.nan
    level = np.nan_to_num(X)
    y = (level[:, 0] + level[:, 1] + rng.normal(size=500) > 0).astype(float)
    v = np.exp(5 + level[:, 1] + level[:, 2] + 0.2 * rng.normal(size=500))
    names = [f"f{j}" for j in range(D)]
    params = {"num_leaves": 8, "learning_rate": 0.2, "num_threads": 1}
    conversion = Booster.fit(X, y, objective="binary", names=names, params=params, rounds=30, seed=1)
    value = Booster.fit(X, v, objective="gamma", names=names, params=params, rounds=30, seed=1)
    return conversion, value, X


@pytest.mark.parametrize("calibrator", [Platt(0.8, -0.3), Beta(0.7, 1.3, 0.2), Platt(3.0, 5.0)])
def test_factors_multiply_to_the_expected_value(
    models: tuple[Booster, Booster, np.ndarray], calibrator: Platt | Beta
) -> None:
    conversion, value, X = models
    reference = typical(X, ("number",) * D)
    found = explain(Model(conversion, calibrator, value, 0.12), X, reference)
    score = calibrator.probability(conversion.margin(X)) * np.exp(value.margin(X) + 0.12)
    np.testing.assert_allclose(np.exp(found.log_base) * np.exp(found.total).prod(axis=1), score, rtol=1e-10)
    likely = np.exp(found.log_base_probability + found.likelihood.sum(axis=1))
    np.testing.assert_allclose(likely, calibrator.probability(conversion.margin(X)), rtol=1e-10)
    np.testing.assert_allclose(np.exp(found.log_expected_value), score, rtol=1e-12)


def test_the_reference_account_explains_itself_by_nothing(
    models: tuple[Booster, Booster, np.ndarray],
) -> None:
    conversion, value, X = models
    reference = X[7]
    found = explain(Model(conversion, Platt(1.0, 0.0), value), reference[None, :], reference)
    assert (found.total == 0).all()
    assert found.log_base == pytest.approx(found.log_expected_value)


def test_each_row_is_compared_with_its_own_reference(models: tuple[Booster, Booster, np.ndarray]) -> None:
    conversion, value, X = models
    model, which = Model(conversion, Platt(0.8, -0.3), value, 0.2), np.arange(len(X)) % 3
    found = explain(model, X, X[:3], which)
    for k in range(3):
        alone = explain(model, X[which == k], X[k])
        np.testing.assert_array_equal(found.total[which == k], alone.total)
        np.testing.assert_array_equal(found.log_base[which == k], alone.log_base)


def test_the_account_s_own_past_is_a_reference_like_any_other(
    models: tuple[Booster, Booster, np.ndarray],
) -> None:
    conversion, value, X = models
    model = Model(conversion, Beta(0.7, 1.3, 0.2), value, 0.2)
    past = X[::-1][:40]
    found = explain_past(model, past, X[:40])
    for k in (0, 7, 39):
        alone = explain(model, X[k : k + 1], past[k])
        np.testing.assert_allclose(found.total[k], alone.total[0], atol=1e-12)
    pairs = explain_pairs(model, past, X[:40])
    np.testing.assert_allclose(pairs.sum(axis=2), found.total, atol=1e-12)
    assert (found.total[np.equal(past, X[:40]) | (np.isnan(past) & np.isnan(X[:40]))] == 0).all()


@pytest.mark.parametrize("seen", [-1, 2])
def test_what_the_day_adds_is_in_the_base_and_between_days_the_outlook_tells_it(
    models: tuple[Booster, Booster, np.ndarray], seen: int
) -> None:
    conversion, _, X = models
    calibrator, outlook = Platt(0.8, -0.3), Outlook(4, 0.1, 0.7, 0.02, odds=-0.4, seen=seen)
    blind = X.copy()
    blind[:, outlook.columns] = 0.0
    trees = [
        Booster.fit(blind, np.exp(np.nan_to_num(blind[:, k])), objective="gamma", names=conversion.names,
                    params={"num_leaves": 6, "num_threads": 1}, rounds=9, seed=k) for k in (0, 1)
    ]  # fmt: skip
    model = Model(trees[0], calibrator, trees[1], 0.2, outlook)
    day = outlook.of(X)
    score = calibrator.probability(trees[0].margin(X) + day - 0.4) * np.exp(trees[1].margin(X) + 0.2 + day)
    found = explain(model, X, X[3])
    np.testing.assert_allclose(np.exp(found.log_expected_value), score, rtol=1e-12)
    assert (found.total[:, outlook.columns] == 0).all()
    same_day = np.isclose(day, day[0])
    assert np.ptp(found.log_base[same_day]) < 1e-12
    past = X[::-1].copy()
    moved = explain_past(model, past, X)
    np.testing.assert_allclose(moved.value[:, 4], day - day[::-1], atol=1e-12)
    np.testing.assert_allclose(moved.log_base, np.log(score[::-1]), atol=1e-12)
    pairs = explain_pairs(model, past, X)
    np.testing.assert_allclose(pairs.sum(axis=2), moved.total, atol=1e-12)


def test_a_value_learned_at_once_is_divided_by_the_likelihood(
    models: tuple[Booster, Booster, np.ndarray],
) -> None:
    conversion, at_once, X = models
    calibrator = Beta(0.7, 1.3, 0.2)
    model = Model(conversion, calibrator, at_once, 0.2, direct=True)
    expected = np.exp(at_once.margin(X) + 0.2)
    found = explain(model, X, X[3])
    np.testing.assert_allclose(np.exp(found.log_expected_value), expected, rtol=1e-12)
    np.testing.assert_allclose(np.exp(found.log_probability), calibrator.probability(conversion.margin(X)))
    np.testing.assert_allclose(found.log_base + found.total.sum(axis=1), np.log(expected), atol=1e-9)
    # What only the likelihood reads does not move the expected value.
    only = interventional(at_once, X, X[3])
    np.testing.assert_allclose(found.total, only, atol=1e-12)
    past = X[::-1].copy()
    moved = explain_past(model, past, X)
    np.testing.assert_allclose(moved.total.sum(axis=1), np.log(expected / expected[::-1]), atol=1e-9)
    np.testing.assert_allclose(explain_pairs(model, past, X).sum(axis=2), moved.total, atol=1e-12)


def test_nearly_equal_margins_take_the_derivative() -> None:
    """Two features that cancel: the slope between equal margins is the calibrator's derivative."""

    class Stumps:
        def __init__(self, *effects: tuple[int, float]) -> None:
            self.effects = effects

        def to_text(self) -> str:
            split = (
                "num_leaves=2\nnum_cat=0\nsplit_feature={}\nthreshold=0.5\ndecision_type=2\nleft_child=-1\n"
            )
            trees = [
                split.format(j) + f"right_child=-2\nleaf_value=0 {v}\ninternal_count=2\nis_linear=0\n"
                for j, v in self.effects
            ]
            head = "tree\nnum_tree_per_iteration=1\nmax_feature_idx=1\n"
            return head + "".join(f"\nTree={k}\n{t}" for k, t in enumerate(trees)) + "\nend of trees\n"

        def margin(self, X: np.ndarray) -> np.ndarray:
            return sum((X[:, j] > 0.5) * v for j, v in self.effects) + np.zeros(len(X))

    for remainder in (0.0, 1e-8, 1e-5):
        model, calibrator = Stumps((0, 1.5), (1, -1.5 + remainder)), Platt(2.0, -1.0)
        found = explain(Model(model, calibrator, model), np.ones((1, 2)), np.zeros(2))
        p = float(calibrator.probability(np.zeros(1))[0])
        np.testing.assert_allclose(found.likelihood[0], np.array([1.5, -1.5]) * 2.0 * (1 - p), rtol=2e-5)


def test_a_row_that_does_not_add_up_is_refused(models: tuple[Booster, Booster, np.ndarray]) -> None:
    conversion, value, X = models
    found = explain(Model(conversion, Platt(1.0, 0.0), value), X[:9], X[20])
    bent = found.value.copy()
    bent[4, 1] += 2e-9
    with pytest.raises(IntegrityError, match="row 4 miss the logarithm of its value"):
        replace(found, value=bent).check()
    lost = found.likelihood.copy()
    lost[2, 0] = np.nan
    with pytest.raises(IntegrityError, match="row 2 miss the logarithm of its probability"):
        replace(found, likelihood=lost).check()


def test_no_rows_are_explained_by_no_rows(models: tuple[Booster, Booster, np.ndarray]) -> None:
    conversion, value, X = models
    found = explain(Model(conversion, Platt(1.0, 0.0), value), X[:0], X[20])
    assert isinstance(found, Explanation)
    assert found.total.shape == (0, D)


def test_the_typical_account_is_made_of_values_that_occur() -> None:
    nan = np.nan
    X = np.array(
        [
            [1.0, nan, 0.0, 2.0, nan],
            [2.0, nan, 1.0, 1.0, nan],
            [3.0, 5.0, 1.0, 2.0, nan],
            [10.0, 7.0, nan, 1.0, 3.0],
        ]
    )
    kinds = ("number", "number", "category", "category", "category")
    np.testing.assert_array_equal(typical(X, kinds), [2.0, 5.0, 1.0, 1.0, nan])
    np.testing.assert_array_equal(typical(X[:3], kinds), [2.0, nan, 1.0, 2.0, nan])
    np.testing.assert_array_equal(typical(X[::-1], kinds), typical(X, kinds))
    with pytest.raises(IntegrityError, match="0 rows"):
        typical(X[:0], kinds)


contributions = st.lists(st.floats(-3, 3), min_size=1, max_size=12)


@given(contributions, st.floats(-2, 8), st.integers(1, 6), st.floats(0, 0.5))
def test_bars_sum_to_the_expected_value(
    effects: list[float], log_base: float, limit: int, threshold: float
) -> None:
    labels = [f"topic {k % 7}" for k in range(len(effects))]
    rows = waterfall(labels, np.array(effects), log_base, limit=limit, threshold=threshold).to_pylist()
    base, *steps, total = rows
    assert (base["kind"], total["kind"]) == ("base", "total")
    assert base["end"] == pytest.approx(np.exp(log_base))
    assert total["end"] == pytest.approx(np.exp(log_base + sum(effects)), rel=1e-9)
    assert base["end"] + sum(s["change"] for s in steps) == pytest.approx(total["end"], rel=1e-9)
    assert np.prod([s["factor"] for s in steps]) == pytest.approx(np.exp(sum(effects)), rel=1e-9)
    for before, after in zip([base, *steps], steps, strict=False):
        assert after["start"] == before["end"]
    named = [s for s in steps if s["kind"] == "step"]
    assert len(named) <= limit
    strength = [abs(np.log(s["factor"])) for s in named]
    # The logarithm of a factor is its effect but for the last bits: effects of one size may stand either way.
    assert all(after <= before + 1e-12 for before, after in pairwise(strength))
    assert all(s >= threshold - 1e-12 for s in strength)
    assert [s["kind"] for s in steps][len(named) :] in ([], ["other"])


def test_features_of_one_label_are_one_step() -> None:
    rows = waterfall(["a", "b", "a"], np.log([2.0, 3.0, 2.0]), 0.0).to_pylist()
    assert [r["step"] for r in rows] == ["typical account", "a", "b", "this account"]
    assert [r["factor"] for r in rows] == pytest.approx([1.0, 4.0, 3.0, 12.0])
