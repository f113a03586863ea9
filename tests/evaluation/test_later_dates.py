"""A value that names a moment after its cutoff cannot have been known there."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from hva_ml.cutoffs import Calendar
from hva_ml.evaluation.suspicion.dates import later_dates
from hva_ml.features.definition import FeatureDefinition, FeatureSet

CALENDAR = Calendar((date(2024, 1, 1), date(2024, 7, 1)), 60, 0, "America/New_York")


def asked(values, days=None):
    column = values if isinstance(values, pa.Array) else pa.array(values)
    places = [1] * len(column) if days is None else days
    cutoffs = pa.array([CALENDAR.cutoffs[k] for k in places], pa.timestamp("us", "UTC"))
    kind = "category" if pa.types.is_string(column.type) else "number"
    made = FeatureDefinition("x", "firmographic", kind, "accounts", "attribute", "number", "x", "x")
    return later_dates(FeatureSet(pa.table({"cutoff": cutoffs, "x": column}), (made,)), CALENDAR)


@pytest.mark.parametrize(
    ("value", "later"),
    [
        ("2024", False), ("2025", True), ("2024-06", False), ("2024-07", True),
        ("2024-06-30", False), ("2024-07-01", True), ("1999-12-31", False),
    ],
)  # fmt: skip
def test_a_date_is_later_if_none_of_it_lies_before_the_cutoff(value, later):
    probe = asked(["2001", None, value])
    assert [(v.code, v.count, v.severity) for v in probe.violations] == (
        [("HVL015", 1, "warning")] if later else []
    )


def test_each_row_has_its_own_cutoff():
    probe = asked([2023.0, 2024.0, 2024.0], days=[0, 0, 1])
    assert [(v.ids, v.count) for v in probe.violations] == [(("x",), 1)]
    assert probe.outcome == "found"


@pytest.mark.parametrize(
    "values",
    [
        [2024.0, 2150.0], [2024.0, 250.0], [2030.5], np.array([np.inf]), ["2030", "soon"], ["2024-13"],
        pa.nulls(3, pa.float64()), pa.nulls(3, pa.string()),
    ],
)  # fmt: skip
def test_what_is_no_date_is_not_asked(values):
    probe = asked(values)
    assert probe.outcome == "not applicable"
    assert probe.violations == ()


def test_no_rows_are_no_finding():
    assert asked(pa.array([], pa.float64())).outcome == "not applicable"
