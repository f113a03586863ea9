"""The reliability diagram's table, with Wilson intervals against the textbook."""

import numpy as np
import pytest

from hva_ml.evaluation.calibration_curve import CURVE, calibration_curve, wilson


def test_bins_hold_all_rows_and_their_means() -> None:
    rng = np.random.default_rng(1)
    p = rng.random(1000)
    y = (rng.random(1000) < p).astype(int)
    table = calibration_curve(p, y, bins=5)
    assert table.schema == CURVE
    rows = table.to_pylist()
    assert [r["n"] for r in rows] == [200] * 5
    assert np.average([r["observed"] for r in rows]) == pytest.approx(y.mean())
    assert np.average([r["predicted"] for r in rows]) == pytest.approx(p.mean())
    assert [r["predicted"] for r in rows] == sorted(r["predicted"] for r in rows)
    assert all(r["low"] <= r["observed"] <= r["high"] for r in rows)


def test_ties_leave_fewer_bins_numbered_without_gaps() -> None:
    table = calibration_curve(np.repeat([0.1, 0.9], 30), np.repeat([0, 1], 30))
    assert table["bin"].to_pylist() == [0, 1]
    assert table["n"].to_pylist() == [30, 30]


def test_wilson_textbook_values() -> None:
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 29 of 29.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(29, 29) == pytest.approx((0.8830, 1.0), abs=1e-4)
