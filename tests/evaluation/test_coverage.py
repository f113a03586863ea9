"""Coverage is counted cohort by cohort, over conversions only."""

from datetime import date

import numpy as np

from hva_ml.evaluation.coverage import coverage
from hva_ml.evaluation.metrics import BY_NAME, ModelPrediction, case

DAYS = [date(2025, 4, 1)] * 3 + [date(2025, 1, 1)] * 3
WON = np.array([1, 1, 0, 1, 0, 0])
VALUE = np.array([5.0, 30.0, 0.0, 1.0, 0.0, 0.0])
ONES = np.ones(6)


def said() -> ModelPrediction:
    return ModelPrediction(0.5 * ONES, 10 * ONES, 5 * ONES, (2 * ONES, 20 * ONES))


def test_each_cohort_says_how_many_lay_inside_below_and_above() -> None:
    told = coverage(said(), WON, VALUE, DAYS)
    assert [tuple(t.values()) for t in told] == [
        ("2025-01-01", 1, 0.0, 1.0, 0.0),
        ("2025-04-01", 2, 0.5, 0.0, 0.5),
    ]
    without = ModelPrediction(0.5 * ONES, 10 * ONES, 5 * ONES)
    assert coverage(without, WON, VALUE, DAYS) == []


def test_the_metric_is_the_share_of_conversions() -> None:
    metric = BY_NAME["value_coverage"]
    here = case(said(), WON, VALUE, 2, "m").measure(np.array([[1.0] * 6, [2, 1, 1, 0, 1, 1]]), [metric.name])
    np.testing.assert_allclose(here[metric.name], [1 / 3, 2 / 3])
    for rows, why in (
        (said().take(WON == 0), "no row converted"),
        (None, "no bounds of the value are given"),
    ):
        p = rows or ModelPrediction(0.5 * ONES, 10 * ONES, 5 * ONES)
        n = len(p.probability)
        none = case(p, 0 * ONES[:n], 0 * ONES[:n], 2, "m")
        assert np.isnan(none.measure(np.ones((1, n)), [metric.name])[metric.name]).all()
        assert none.reason(metric) == why
