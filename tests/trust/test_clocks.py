"""Neither the machine's zone nor its clock reaches a night; `python -m benchmarks.trust --only clocks`."""

from pathlib import Path

import pytest
from benchmarks.trust import clocks
from benchmarks.trust.kills import Trial

from hva_ml.contracts.clocks import instants


def test_local_times_follow_one_rule_on_every_machine() -> None:
    found = list(clocks.local_times(every=False))
    assert [t.bad for t in found] == [[]] * len(clocks.ZONES)
    assert all(t.ends["refused: clocks never showed it"] for t in found[:3])
    assert all(t.tried > 10_000 for t in found)


def test_another_rule_would_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "instants", lambda form, _: instants(form, "Europe/Vienna"))
    berlin, york, *_ = clocks.local_times(every=False)
    assert not berlin.bad
    assert york.bad


@pytest.mark.skipif(not clocks.may_shift(), reason="no C compiler to move the clock with")
def test_the_clock_is_moved(tmp_path: Path) -> None:
    asked = ("-c", "import time, datetime; print(time.time(), datetime.datetime.now().year)")
    right, fast = (clocks.run(asked, "UTC", shift, tmp_path)[1].split() for shift in (0, 10 * clocks.YEAR))
    assert float(fast[0]) - float(right[0]) > 9 * clocks.YEAR
    assert int(fast[1]) - int(right[1]) in (9, 10)


@pytest.mark.slow
def test_a_night_elsewhere_with_a_wrong_clock_is_the_same(trial: Trial) -> None:
    tally = clocks.nights(trial, every=False)
    assert tally.bad == []
    assert tally.tried == 1
