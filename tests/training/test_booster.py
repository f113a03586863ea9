import copy

import numpy as np
import pytest

from hva_ml.errors import ContractError, IntegrityError, NotEnoughDataError
from hva_ml.training.booster import Booster

PARAMS = {
    "learning_rate": 0.1,
    "num_leaves": 15,
    "min_child_samples": 20,
    "feature_fraction": 0.7,
    "lambda_l2": 1.0,
}
NAMES = tuple(f"events.web_visit.count_{k}d" for k in range(12))


def data(objective: str, n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(n, len(NAMES)))
    X[rng.random(X.shape) < 0.1] = np.nan
    X[:, 5] = np.nan_to_num(X[:, 5]) - 2.0
    signal = np.nan_to_num(X[:, 0]) + 0.5 * X[:, 5]
    if objective == "binary":
        return X, (signal + rng.normal(size=n) > 0).astype(float)
    if objective == "regression":
        return X, signal + rng.normal(size=n)
    return X, np.exp(signal) * rng.gamma(2.0, 0.5, n)


def train(objective: str, **changes) -> Booster:
    X, y = data(objective)
    given = {"objective": objective, "names": NAMES, "params": PARAMS, "rounds": 40, "seed": 7} | changes
    return Booster.fit(X, y, **given)


@pytest.mark.parametrize("objective", ["binary", "tweedie", "gamma", "regression"])
def test_the_same_bits_for_any_number_of_threads(objective):
    X, _ = data(objective)
    one, two, four = (train(objective, params={**PARAMS, "num_threads": n}) for n in (1, 2, 4))
    assert one.to_text() == two.to_text() == four.to_text()
    assert one.margin(X).tobytes() == two.margin(X).tobytes() == four.margin(X).tobytes()
    assert one.n_trees == 40


def test_large_matrices_use_more_threads_with_the_same_bits(monkeypatch):
    X, _ = data("binary")
    small = train("binary")
    monkeypatch.setattr("hva_ml.training.booster.SMALL_CELLS", 10)
    large = train("binary")
    assert large.to_text() == small.to_text()
    assert large.margin(X).tobytes() == small.margin(X).tobytes()


def test_seed_and_data_change_the_model_and_fixed_parameters_stay():
    assert train("binary").to_text() != train("binary", seed=8).to_text()
    stubborn = train("binary", params={**PARAMS, "deterministic": False, "force_col_wise": False})
    assert stubborn.to_text() == train("binary").to_text()


def test_text_round_trip_keeps_every_bit():
    X, _ = data("binary")
    booster = train("binary")
    again = Booster.from_text(booster.to_text())
    assert again.to_text() == booster.to_text()
    assert again.margin(X).tobytes() == booster.margin(X).tobytes()
    assert again.names == NAMES
    assert again.n_features == len(NAMES)
    assert copy.deepcopy(booster).margin(X).tobytes() == booster.margin(X).tobytes()
    # Memory layout of the matrix is no part of its meaning.
    assert booster.margin(np.asfortranarray(X)).tobytes() == booster.margin(X).tobytes()


@pytest.mark.parametrize("objective", ["binary", "gamma"])
def test_a_constant_joins_the_leaves(objective):
    X, _ = data(objective, 9000)
    plain = train(objective)
    for by in (0.25, -1.5):
        raised = plain.raised(by)
        np.testing.assert_allclose(raised.margin(X), plain.margin(X) + by, rtol=0, atol=1e-9)
        assert raised.margin(X)[:9].tobytes() == raised.margin(X[:9]).tobytes()
        assert Booster.from_text(raised.to_text()).margin(X).tobytes() == raised.margin(X).tobytes()
        assert raised.n_trees == plain.n_trees


def test_gain_finds_the_signal():
    gain = train("binary").native.feature_importance("gain")
    assert gain.shape == (12,)
    assert set(np.argsort(gain)[-2:]) == {0, 5}


def test_weights_count():
    X, y = data("binary")
    heavy = Booster.fit(
        X,
        y,
        objective="binary",
        names=NAMES,
        params=PARAMS,
        rounds=20,
        seed=7,
        weight=np.where(y == 1, 5.0, 1.0),
    )
    assert heavy.margin(X).mean() > train("binary", rounds=20).margin(X).mean() + 1


def test_a_constant_value_is_a_constant_model():
    X, y = data("gamma")
    for objective in ("tweedie", "gamma"):
        booster = Booster.fit(
            X, np.full(len(y), 3.0), objective=objective, names=NAMES, params=PARAMS, rounds=20, seed=7
        )
        np.testing.assert_allclose(booster.margin(X), np.log(3.0), atol=1e-6)
        assert booster.native.feature_importance("gain").sum() == 0


@pytest.mark.parametrize(
    ("objective", "y", "error", "message"),
    [
        ("binary", np.ones(50), NotEnoughDataError, "same outcome"),
        ("binary", np.tile([0.0, 1.0], 4), NotEnoughDataError, "8 rows are too few"),
        ("binary", np.zeros(0), NotEnoughDataError, "0 rows"),
        ("tweedie", np.zeros(50), NotEnoughDataError, "positive value"),
        ("binary", np.tile([0.0, 0.5], 25), ContractError, "25 of 50 rows"),
        ("gamma", np.tile([0.0, 1.0], 25), ContractError, "domain"),
        ("tweedie", np.tile([-1.0, 1.0], 25), ContractError, "domain"),
        ("regression", np.tile([np.nan, 1.0], 25), ContractError, "domain"),
        ("poisson", np.ones(50), ContractError, "Unknown objective"),
    ],
)
def test_targets_that_cannot_be_learned(objective, y, error, message):
    X = np.zeros((len(y), 2))
    with pytest.raises(error, match=message):
        Booster.fit(X, y, objective=objective, names=["a", "b"], params=PARAMS, rounds=5, seed=7)


def test_shapes_must_fit():
    with pytest.raises(ContractError, match="do not fit"):
        Booster.fit(
            np.zeros((50, 2)), np.ones(50), objective="gamma", names=["a"], params=PARAMS, rounds=5, seed=7
        )
    booster = train("binary", rounds=5)
    with pytest.raises(ContractError, match="12 features"):
        booster.margin(np.zeros((3, 11)))
    assert booster.margin(np.zeros((0, 12))).shape == (0,)


def test_a_broken_text_is_an_integrity_error():
    text = train("binary", rounds=5).to_text()
    for broken in ("", "garbage", text[:400], text.replace("num_class=1\n", "")):
        with pytest.raises(IntegrityError):
            Booster.from_text(broken)
