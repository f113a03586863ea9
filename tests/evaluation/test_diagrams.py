"""Diagrams tell what counting by hand tells, whatever the order of rows."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.evaluation.diagrams import COHORT, diagrams
from hva_ml.evaluation.metrics import ModelPrediction, case

DAYS = (date(2025, 1, 1), date(2025, 2, 1))


def world(n: int = 80, seed: int = 0, ties: bool = False):
    rng = np.random.default_rng(seed)
    p = rng.random(n).round(1 if ties else 12)
    won = (rng.random(n) < p) * 1.0
    value = won * rng.gamma(2.0, 100.0, n)
    days = [DAYS[k] for k in np.sort(rng.integers(0, 2, n))]
    return ModelPrediction(p, np.full(n, 200.0), 200.0 * p), won, value, days


def test_the_best_k_of_each_cutoff_are_counted():
    said, won, value, days = world()
    table = diagrams({"m": said}, won, value, days, 5).capacity
    assert table["k"].to_pylist()[0] == 1
    assert max(table["k"].to_pylist()) == 20
    for row in table.to_pylist():
        best = []
        for day in DAYS:
            here = [i for i, d in enumerate(days) if d == day]
            best += sorted(here, key=lambda i: -said.expected_value[i])[: row["k"]]
        assert row["precision"] == pytest.approx(won[best].mean())
        assert row["value"] == pytest.approx(value[best].sum() / 2)


def test_gains_are_shares_of_conversions():
    said, won, value, days = world(100)
    rows = diagrams({"m": said}, won, value, days, 5).gains.to_pylist()
    order = np.argsort(-said.probability)
    for row in rows[1:]:
        top = won[order][: round(row["share"] * 100)].sum() / won.sum()
        assert row["gained"] == pytest.approx(top)
        assert row["lift"] == pytest.approx(top / row["share"])
    assert rows[0] == {"model": "m", "share": 0.0, "gained": 0.0, "lift": None}
    assert rows[-1]["gained"] == 1.0


def test_residuals_hold_the_mean_and_all_rows():
    said, won, value, days = world(400)
    rows = diagrams({"m": said}, won, value, days, 5).residuals.to_pylist()
    assert len(rows) == 10
    assert sum(r["n"] for r in rows) == 400
    assert sum(r["n"] * r["actual"] for r in rows) == pytest.approx(value.sum())
    assert sum(r["n"] * r["promised"] for r in rows) == pytest.approx(said.expected_value.sum())
    promised = [r["promised"] for r in rows]
    assert promised == sorted(promised)
    assert all(r["low"] <= r["actual"] <= r["high"] for r in rows)


def test_cohorts_are_measured_alone():
    said, won, value, days = world(200)
    for row in diagrams({"m": said}, won, value, days, 5).cohorts.to_pylist():
        here = np.array([d == row["cutoff"] for d in days])
        few = ModelPrediction(
            *(a[here] for a in (said.probability, said.value_if_converted, said.expected_value))
        )
        told = case(few, won[here], value[here], 5, "m").measure(np.ones((1, here.sum())), COHORT)
        assert row["rows"] == here.sum()
        assert row["conversions"] == won[here].sum()
        for name in COHORT:
            found = float(told[name][0])
            assert row[name] == (pytest.approx(found) if np.isfinite(found) else None)


def test_a_world_without_conversions_has_no_gains_and_breaks_nothing():
    said, won, value, days = world(60)
    found = diagrams({"m": said}, won * 0, value * 0, days, 500)
    assert found.gains.num_rows == found.captured.num_rows == 0
    assert set(found.capacity["precision"].to_pylist()) == {0.0}
    assert found.cohorts["roc_auc"].null_count == 2


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(60)))
def test_the_order_of_rows_does_not_matter(order):
    said, won, value, days = world(60, ties=True)
    plain = diagrams({"m": said}, won, value, days, 5)
    moved = ModelPrediction(
        *(a[order] for a in (said.probability, said.value_if_converted, said.expected_value))
    )
    mixed = diagrams({"m": moved}, won[order], value[order], [days[k] for k in order], 5)
    for name in ("gains", "captured", "calibration", "capacity", "residuals", "cohorts"):
        one, two = getattr(plain, name).to_pylist(), getattr(mixed, name).to_pylist()
        for a, b in zip(one, two, strict=True):
            for key, kept in a.items():
                assert b[key] == (pytest.approx(kept) if isinstance(kept, float) else kept), (name, key)
    assert isinstance(plain.gains, pa.Table)
