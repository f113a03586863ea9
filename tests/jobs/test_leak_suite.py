"""Ten planted leakers are caught, and their honest twins are let through."""

from pathlib import Path

import pytest
from benchmarks.leakers import LEAKERS, Leaker
from benchmarks.leaks import alarms, caught_by, checked

KINDS = pytest.mark.parametrize("leaker", LEAKERS, ids=lambda leaker: leaker.name.replace(" ", "-"))


@KINDS
def test_a_planted_leaker_is_caught(leaker: Leaker) -> None:
    assert caught_by(leaker, "small") != []


@KINDS
def test_its_honest_twin_is_not(leaker: Leaker) -> None:
    assert alarms(checked(leaker.twin, "small")) == []


def test_there_are_ten_kinds() -> None:
    assert len({leaker.name for leaker in LEAKERS}) == 10


def test_the_page_tells_what_became_of_each() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "leakage.md").read_text(encoding="utf-8")
    for leaker in LEAKERS:
        assert f"| {leaker.name} | {leaker.how} | yes |" in page
    assert "10 of 10 planted leakers caught; 0 false alarms on dach_sample, 0 on 10 honest twins." in page
