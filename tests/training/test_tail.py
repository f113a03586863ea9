"""Heavy tails: told as they are, held back in training only, and their total given back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.training.tail import tail, winsorised
from hva_ml.training.value import ValueModel, fit_value

PARAMS = {"num_leaves": 7, "learning_rate": 0.1, "num_threads": 1}
NAMES = ["a", "b", "c"]


def heavy(n: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(n, 3))
    y = np.exp(X[:, 0] + 0.4 * rng.normal(size=n))
    y[:6] *= 300.0
    return X, y


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60),
    st.one_of(st.none(), st.floats(0.5, 0.999)),
)
def test_the_tail_is_what_lies_above_the_quantile(values, quantile):
    y = np.array(values)
    found = tail(y, quantile)
    positive = [v for v in values if v > 0]
    if not positive:
        assert (found.rows, found.share, found.above) == (0, 0.0, 0.0)
        return
    cut = float(np.quantile(positive, 0.99 if quantile is None else quantile))
    high = [v for v in positive if v > cut]
    assert found.rows == len(high)
    assert found.share == pytest.approx(sum(high) / sum(positive), abs=1e-9)
    assert found.above == pytest.approx(sum(v - cut for v in high) / sum(positive), abs=1e-9)
    held = winsorised(y, quantile)
    if quantile is None:
        assert held is y
    else:
        assert held.tolist() == [min(v, cut) for v in values]


@pytest.mark.parametrize("distribution", ["tweedie", "gamma", "lognormal", "huber"])
def test_training_holds_the_tail_back_and_gives_its_total_back(distribution):
    X, y = heavy()
    given_ = {"distribution": distribution, "names": NAMES, "params": PARAMS, "rounds": 40, "seed": 7}
    held = fit_value(X, y, winsorise=0.99, **given_)
    cut = fit_value(X, winsorised(y, 0.99), **given_)
    assert held.booster.text == cut.booster.text
    lost = np.log(y.mean() / winsorised(y, 0.99).mean())
    assert lost > 0.3
    np.testing.assert_allclose(held.log_scale - cut.log_scale, lost, rtol=1e-12)
    as_they_are = fit_value(X, y, **given_)
    assert as_they_are.booster.text != held.booster.text
    model = ValueModel(distribution=distribution, winsorise=0.99, rounds=20).fit(X, y)
    assert np.isfinite(model.predict(X)).all()


def test_huber_forgets_what_lognormal_remembers():
    """A handful of wild values at ordinary accounts: the robust regression of the log hardly moves."""
    X, y = heavy()
    wild = y.copy()
    wild[6:60] *= 1e4
    moved = {}
    for distribution in ("lognormal", "huber"):
        trees = [
            fit_value(X, v, distribution=distribution, names=NAMES, params=PARAMS, rounds=40, seed=7).booster
            for v in (y, wild)
        ]
        order = [t.margin(X) - t.margin(X).mean() for t in trees]
        moved[distribution] = float(np.abs(order[1] - order[0])[200:].mean())
    assert moved["huber"] < 0.6 * moved["lognormal"]
