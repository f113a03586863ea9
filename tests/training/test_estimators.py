"""The two models as scikit-learn estimators, and as what they promise themselves."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from hva_ml.errors import ConfigError, NotEnoughDataError
from hva_ml.training.booster import Booster
from hva_ml.training.propensity import ConversionModel
from hva_ml.training.value import ValueModel, clipped, fit_value

PARAMS = {
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_child_samples": 20,
    "feature_fraction": 0.8,
    "lambda_l2": 1.0,
}

WEIGHTS = "min_child_samples counts rows, so a row of weight 2 is not two rows"


def expected(estimator: object) -> dict[str, str]:
    return {"check_sample_weight_equivalence_on_dense_data": WEIGHTS}


@parametrize_with_checks(
    [
        ConversionModel(rounds=10, min_child_samples=2),
        *(
            ValueModel(rounds=10, min_child_samples=2, distribution=d)
            for d in ("tweedie", "gamma", "lognormal", "huber")
        ),
    ],
    expected_failed_checks=expected,
)
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


def money(n: int = 3000, scale: float = 1000.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(n, 6))
    return X, scale * np.exp(0.6 * X[:, 0] - 0.3 * X[:, 1] + 0.5 * rng.normal(size=n))


def test_conversion_learns_and_takes_data_frames():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.normal(size=(3000, 4)), columns=["visits", "events.mail", "Größe", "d"])
    y = np.where(frame["visits"] + rng.normal(size=3000) > 1, "won", "lost")
    model = ConversionModel().fit(frame, y)
    assert model.classes_.tolist() == ["lost", "won"]
    assert list(model.feature_names_in_) == list(frame.columns)
    assert model.booster_.names == ("f0", "f1", "f2", "f3")
    probability = model.predict_proba(frame)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    assert np.corrcoef(probability[:, 1], y == "won")[0, 1] > 0.5
    assert probability[:, 1].mean() == pytest.approx((y == "won").mean(), abs=0.01)
    array = ConversionModel().fit(frame.to_numpy(), y)
    np.testing.assert_array_equal(array.predict_proba(frame.to_numpy()), probability)
    plain = ConversionModel().fit(frame[["visits", "events.mail"]], y)
    assert plain.booster_.names == ("visits", "events.mail")


def test_estimators_fit_into_scikit_learn():
    X, y = money(600)
    score = cross_val_score(make_pipeline(StandardScaler(), ValueModel(rounds=60)), X, y, cv=3)
    assert score.mean() > 0.2
    model = clone(ConversionModel(num_leaves=5)).fit(X, y > np.median(y))
    assert model.get_params()["num_leaves"] == 5
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 - scikit-learn's convention; the package never does
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("distribution", ["tweedie", "gamma", "lognormal", "huber"])
def test_value_is_right_on_average_and_in_any_currency(distribution):
    X, y = money()
    model = ValueModel(distribution=distribution, rounds=200).fit(X[:2000], y[:2000])
    predicted = model.predict(X[2000:])
    np.testing.assert_array_equal(predicted, np.exp(model.booster_.margin(X[2000:]) + model.log_scale_))
    assert predicted.sum() / y[2000:].sum() == pytest.approx(1, abs=0.06)
    assert np.corrcoef(np.log(predicted), np.log(y[2000:]))[0, 1] > 0.7
    # A power of two shifts only exponents: the same trees, so the same relative values to the last bits.
    cents = ValueModel(distribution=distribution, rounds=200).fit(X[:2000], y[:2000] * 128)
    np.testing.assert_allclose(cents.predict(X[2000:]), predicted * 128, rtol=1e-6)


def test_smearing_corrects_the_mean_of_the_log():
    X, y = money()
    fitted = fit_value(X, y, distribution="lognormal", names=list("abcdef"), params=PARAMS, rounds=60, seed=7)
    log_mean = float(np.log(y.mean()))
    residual = np.log(y) - (fitted.booster.margin(X) + log_mean)
    assert fitted.log_scale - log_mean == pytest.approx(np.log(np.mean(np.exp(residual))), abs=1e-12)
    assert fitted.log_scale > log_mean + 0.05


@pytest.mark.parametrize(("distribution", "n_clipped"), [("tweedie", 7), ("gamma", 12), ("lognormal", 12)])
def test_values_outside_the_domain_are_raised_and_counted(distribution, n_clipped):
    X, y = money(500)
    y[:7], y[7:12] = -50.0, 0.0
    model = ValueModel(distribution=distribution, rounds=20).fit(X, y)
    assert model.n_clipped_ == n_clipped
    assert np.isfinite(model.predict(X)).all()
    low = clipped(y, distribution)[0].min()
    assert low == (0.0 if distribution == "tweedie" else 0.01 * np.median(y[12:]))


def test_constant_values_are_learned_as_they_are():
    X, _ = money(200)
    for distribution in ("tweedie", "gamma", "lognormal", "huber"):
        model = ValueModel(distribution=distribution, rounds=20).fit(X, np.full(200, 990.0))
        np.testing.assert_allclose(model.predict(X), 990.0, rtol=1e-5)


def test_errors_are_value_errors_in_estimators_and_ours_below():
    X, y = money(50)
    with pytest.raises(ValueError, match="one class only"):
        ConversionModel().fit(X, np.zeros(50))
    with pytest.raises(ValueError, match="positive value"):
        ValueModel().fit(X, -y)
    with pytest.raises(ValueError, match="Did you mean 'tweedie'"):
        ValueModel(distribution="tweedy").fit(X, y)
    given = {"names": list("abcdef"), "params": PARAMS, "rounds": 5, "seed": 7}
    with pytest.raises(NotEnoughDataError, match="positive value"):
        fit_value(X, -y, distribution="gamma", **given)
    with pytest.raises(NotEnoughDataError, match="too few"):
        fit_value(X[:5], y[:5], distribution="gamma", **given)
    with pytest.raises(ConfigError):
        fit_value(X, y, distribution="normal", **given)


def test_the_estimator_is_the_booster_it_says():
    X, y = money(800)
    model = ConversionModel(rounds=30).fit(X, y > 1000)
    direct = Booster.fit(
        X, (y > 1000).astype(float), objective="binary", names=[f"f{k}" for k in range(6)], rounds=30, seed=7,
        params={"learning_rate": 0.05, "num_leaves": 15, "min_child_samples": 40, "feature_fraction": 0.7,
                "lambda_l2": 10.0},
    )  # fmt: skip
    assert direct.to_text() == model.booster_.to_text()
