"""Figures of lifetime value, against plain sums."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from hva_ml.evaluation.lifetime import activity, lifetime_figures
from hva_ml.evaluation.metrics import MODEL


def test_figures_are_plain_sums_and_the_better_rule_is_ahead() -> None:
    rng = np.random.default_rng(7)
    actual = rng.gamma(2.0, 50.0, 300)
    said = {MODEL: actual * rng.lognormal(0.0, 0.1, 300), "rule": actual * rng.lognormal(0.5, 0.8, 300)}
    groups = [f"g{k // 2}" for k in range(300)]
    ours, rule = lifetime_figures(said, actual, groups, resamples=50, seed=7)
    for found, values in ((ours, said[MODEL]), (rule, said["rule"])):
        assert found.total_ratio == pytest.approx(values.sum() / actual.sum())
        assert found.mae == pytest.approx(np.abs(values - actual).mean())
        assert found.spearman == pytest.approx(spearmanr(values, actual).statistic)
        assert found.total_span is not None
        assert found.total_span[0] < found.total_ratio < found.total_span[1]
    assert ours.mae_ahead is None
    assert rule.mae_ahead is not None
    assert rule.mae_ahead[0] > 0


def test_where_nothing_varies_there_is_no_rank_correlation() -> None:
    (found,) = lifetime_figures({MODEL: np.ones(4)}, np.arange(4.0), list("abcd"), resamples=20, seed=7)
    assert found.record()["spearman"] is None


def test_activity_tells_promise_and_rate() -> None:
    came = np.array([0, 1, 1, 0], dtype=np.int8)
    told = activity(np.array([0.2, 0.6, 0.8, 0.4]), came)
    assert (told["promised"], told["rate"], told["roc_auc"]) == (pytest.approx(0.5), 0.5, 1.0)
    assert activity(np.array([0.2, 0.6]), np.ones(2, dtype=np.int8))["roc_auc"] is None
