"""Leaks of public data sets are pointed at, and their honest remainder is not."""

from pathlib import Path

import pytest
from benchmarks import leaks_real

pytestmark = pytest.mark.real_data


def test_duration_of_a_call_is_hinted_at(real_data: Path) -> None:
    leaky, honest = leaks_real.bank_marketing(real_data)
    assert "hint, duration first" in leaky["all together, AUC"]
    assert "no hint" in honest["all together, AUC"]


def test_every_field_of_closed_deals_is_named(real_data: Path) -> None:
    leaky, honest = leaks_real.olist(real_data)
    assert "HVL012 9 fields" in leaky["named"]
    assert (leaky["others named"], honest["others named"]) == ("nothing", "nothing")
    assert "no hint" in honest["all together, AUC"]


def test_a_year_that_was_still_to_come_is_named(real_data: Path) -> None:
    leaky, honest = leaks_real.adventureworks()
    assert leaky["named"] == "HVL015 lastorderyear"
    assert (leaky["others named"], honest["others named"]) == ("nothing", "nothing")
