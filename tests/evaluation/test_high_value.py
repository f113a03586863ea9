"""The likelihood of being among the best is measured beside the expected value, on the same rows."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from hva_ml.evaluation.high_value import high_value_result


def test_the_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=800)
    p = 1 / (1 + np.exp(1.5 - x))
    best = (rng.random(800) < p).astype(np.int8)
    worse = x + rng.normal(size=800)
    found = high_value_result(
        p, np.exp(worse), p[::-1].copy(), best, [f"g{k // 2}" for k in range(800)],
        share=0.2, resamples=200, seed=7,
    )  # fmt: skip
    assert found is not None
    assert (found.rows, found.best) == (800, int(best.sum()))
    assert found.roc_auc == pytest.approx(roc_auc_score(best, p))
    assert found.by_expected_value == pytest.approx(roc_auc_score(best, worse))
    assert found.by_probability == pytest.approx(roc_auc_score(best, p[::-1]))
    assert found.brier == pytest.approx(brier_score_loss(best, p))
    assert found.brier_of_rate == pytest.approx(best.mean() * (1 - best.mean()))
    assert found.promised == pytest.approx(p.sum())
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.roc_auc < found.high
    assert found.ahead_low is not None
    assert found.ahead_low > 0
    assert found.record()["share"] == 0.2


def test_without_both_kinds_nothing_is_measured() -> None:
    one = np.full(5, 0.5)
    for best in (np.zeros(5, dtype=np.int8), np.ones(5, dtype=np.int8)):
        assert high_value_result(one, one, one, best, list("abcde"), share=0.2, resamples=5, seed=7) is None
