"""Logistic regression as steps is scikit-learn's, and goes on where training ended."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from hva_ml.errors import NotEnoughDataError
from hva_ml.training.logistic import FURTHEST, RARE, fit_logistic
from hva_ml.training.matrix import EncodedColumn

SIZE = EncodedColumn("size", "number")
ORIGIN = EncodedColumn("origin", "category", ("a", "b", "c", "rare"), 4.0)


def _rows(n: int = 800, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    origin = rng.integers(0, 3, n).astype(float)
    origin[:5] = 3.0
    X = np.column_stack([origin, rng.lognormal(3.0, 1.0, n)])
    margin = np.array([0.5, 0.0, -0.5, 0.0])[X[:, 0].astype(int)] + 1.2 * (np.log1p(X[:, 1]) - 3.0)
    return X, (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(float)


@given(penalty=st.sampled_from([0.1, 1.0, 10.0]), seed=st.integers(0, 50))
@settings(max_examples=15, deadline=None)
def test_it_is_scikit_learns_but_for_an_eighth_of_a_standard_deviation(penalty: float, seed: int) -> None:
    X, y = _rows(seed=seed)
    dummies = (X[:, :1] == np.arange(4)).astype(float)
    line = StandardScaler().fit_transform(np.log1p(X[:, 1:]))
    design = np.concatenate([dummies, line], axis=1)
    oracle = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=10_000).fit(design, y)
    found = fit_logistic(X, y, (ORIGIN, SIZE), penalty=penalty).margin(X)
    near = np.abs(line[:, 0]) < FURTHEST
    assert near.mean() > 0.99
    assert np.abs(found - oracle.decision_function(design))[near].max() < 0.0625 * 1.7 + 0.02
    only = fit_logistic(X[:, :1], y, (ORIGIN,), penalty=penalty).margin(X[:, :1])
    oracle = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=10_000).fit(dummies, y)
    np.testing.assert_allclose(only, oracle.decision_function(dummies), atol=1e-5)


def test_it_goes_on_beyond_what_was_seen_but_not_for_ever() -> None:
    X, y = _rows()
    model = fit_logistic(X[:, 1:], y, (SIZE,), penalty=1.0)
    bent = np.log1p(X[:, 1])
    sizes = np.expm1(bent.mean() + bent.std() * np.array([[2.0], [3.0], [3.9], [4.5], [40.0]]))
    assert X[:, 1].max() < sizes[2, 0]
    told = model.margin(sizes)
    assert told[0] < told[1] < told[2]
    assert told[2] == told[3] == told[4]


def test_unknown_has_a_coefficient_and_rare_and_unseen_values_share_one() -> None:
    X, y = _rows()
    X[:60, 1], y[:60] = np.nan, 1.0
    model = fit_logistic(X, y, (ORIGIN, SIZE), penalty=1.0)
    middle = float(np.nanmedian(X[:, 1]))
    known, unknown = model.margin(np.array([[0.0, middle], [0.0, np.nan]]))
    assert unknown > known + 1.0
    assert (X[:, 0] == 3.0).sum() < RARE
    rare, unseen = model.margin(np.array([[3.0, middle], [4.0, middle]]))
    assert rare == unseen


def test_a_share_is_two_rows_and_a_row_without_weight_is_none() -> None:
    X, y = _rows()
    X = X[:, :1]
    shares = np.full(len(y), 0.25) + 0.5 * y
    split = fit_logistic(
        np.concatenate([X, X]), np.repeat([1.0, 0.0], len(y)), (ORIGIN,), penalty=1.0,
        weight=np.concatenate([shares, 1 - shares]),
    )  # fmt: skip
    whole = fit_logistic(X, shares, (ORIGIN,), penalty=1.0)
    # What is rare is told by rows, of which there are twice as many.
    often = X[:, 0] < 3
    np.testing.assert_allclose(split.margin(X)[often], whole.margin(X)[often], atol=0.02)
    weight = np.where(np.arange(len(y)) < 300, 0.0, 1.0)
    less = fit_logistic(X[300:], y[300:], (ORIGIN,), penalty=1.0)
    np.testing.assert_array_equal(
        fit_logistic(X, y, (ORIGIN,), penalty=1.0, weight=weight).margin(X), less.margin(X)
    )


def test_the_bits_do_not_depend_on_threads() -> None:
    X, y = _rows(5_000)
    texts = set()
    for threads in (1, 2, 4):
        with threadpool_limits(threads, user_api="blas"):
            texts.add(fit_logistic(X, y, (ORIGIN, SIZE), penalty=1.0).text)
    assert len(texts) == 1


def test_a_constant_column_says_nothing_and_one_outcome_is_refused() -> None:
    X, y = _rows()
    X[:, 1] = 7.0
    model = fit_logistic(X, y, (ORIGIN, SIZE), penalty=1.0)
    one, other = model.margin(np.array([[0.0, 7.0], [0.0, 900.0]]))
    assert one == other
    with pytest.raises(NotEnoughDataError, match="same outcome"):
        fit_logistic(X, np.ones_like(y), (ORIGIN, SIZE), penalty=1.0)
