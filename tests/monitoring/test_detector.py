"""The e-detector: as a plain sum over all beginnings, rarely wrong, and soon right."""

import math

import numpy as np
import pytest

from hva_ml.monitoring.detector import DAY, LESS, MORE, WEEK, evidence

PLAIN = {DAY: 1.0, WEEK: 1.0}


def by_hand(
    seen: list[float], due: list[float], days: int, dispersion: float, tolerance: float
) -> list[list[float]]:
    """Sum bets begun on every night, each on so many days at a time, for fewer and for more."""
    totals: list[list[float]] = []
    for night in range(len(seen)):
        total = [0.0, 0.0]
        for begin in range(night + 1):
            stakes = [1.0] * (len(LESS) + len(MORE))
            at = begin
            while at + days - 1 <= night:
                n, mean = sum(seen[at : at + days]), sum(due[at : at + days])
                for k, r in enumerate((*LESS, *MORE)):
                    edge = mean * (1 - tolerance if r < 1 else 1 + tolerance)
                    stakes[k] *= math.exp((n * math.log(r) - (r - 1) * edge) / dispersion)
                at += days
            sides = stakes[: len(LESS)], stakes[len(LESS) :]
            total = [old + sum(side) / len(stakes) for old, side in zip(total, sides, strict=True)]
        totals.append(total)
    return totals


@pytest.mark.parametrize("spread", [{DAY: 1.0, WEEK: 1.0}, {DAY: 1.5, WEEK: 2.5}, {WEEK: 1.0}])
def test_the_evidence_is_the_sum_of_all_bets(spread: dict[int, float]) -> None:
    rng = np.random.default_rng(6)
    seen, due = rng.poisson(5, 40).astype(float), np.full(40, 5.0)
    found = evidence(seen[:, None], due[:, None], dispersion=spread, tolerance=0.1, nights_between_alarms=1e6)
    parts = [by_hand(seen.tolist(), due.tolist(), days, by, 0.1) for days, by in spread.items()]
    assert found.total == pytest.approx(np.mean(parts, axis=0))


def first_alarm(
    rng: np.random.Generator,
    factor: np.ndarray,
    *,
    lumps: int = 1,
    dispersion: float = 1.0,
    weekdays: np.ndarray | None = None,
) -> int:
    due = np.tile([20.0, 20 / 3, 20 / 3, 20 / 3], (len(factor), 1))
    if weekdays is not None:
        due = due * np.resize(weekdays, len(factor))[:, None]
    parts = lumps * rng.poisson(due[:, 1:] * factor[:, None] / lumps)
    seen = np.column_stack([parts.sum(axis=1), parts]).astype(float)
    spread = {DAY: dispersion, WEEK: dispersion}
    found = evidence(seen, due, dispersion=spread, tolerance=0.1, nights_between_alarms=365.0)
    alarms = np.flatnonzero(found.alarm.any(axis=1))
    return int(alarms[0]) if len(alarms) else len(factor)


@pytest.mark.parametrize("level", [0.9, 1.0, 1.1])
def test_false_alarms_are_at_least_as_rare_as_asked_at_the_edges_too(level: float) -> None:
    rng = np.random.default_rng(7)
    waited = [first_alarm(rng, np.full(365, level)) for _ in range(60)]
    # Were the mean time between alarms only 365 nights, most of these years would have one.
    assert np.mean(np.array(waited) < 365) <= 0.3


def test_lumpy_conversions_are_no_alarm_where_the_training_knew_them() -> None:
    rng = np.random.default_rng(8)
    known = [first_alarm(rng, np.ones(200), lumps=5, dispersion=5.0) for _ in range(30)]
    unknown = [first_alarm(rng, np.ones(200), lumps=5) for _ in range(30)]
    assert np.mean(np.array(known) < 200) <= 0.1
    assert np.mean(np.array(unknown) < 200) >= 0.9


@pytest.mark.parametrize(("factor", "nights"), [(0.3, 7), (2.5, 7), (0.55, 14), (1.8, 14), (0.65, 30)])
def test_larger_changes_are_told_sooner(factor: float, nights: int) -> None:
    rng = np.random.default_rng(9)
    world = np.concatenate([np.ones(60), np.full(90, factor)])
    waited = [first_alarm(rng, world) - 60 + 1 for _ in range(20)]
    assert min(waited) > 0
    assert np.quantile(waited, 0.8) <= nights


def test_no_conversions_on_weekends_are_no_finding() -> None:
    rng = np.random.default_rng(10)
    weekdays = np.array([1.4, 1.4, 1.4, 1.4, 1.4, 0.0, 0.0])
    assert first_alarm(rng, np.ones(210), weekdays=weekdays) == 210


def test_when_all_is_as_promised_again_the_alarm_ends() -> None:
    due = np.full((200, 1), 20.0)
    seen = due.copy()
    seen[50:90] = 4.0
    found = evidence(seen, due, dispersion=PLAIN, tolerance=0.1, nights_between_alarms=365.0)
    assert found.alarm[60:90, 0].all()
    assert not found.alarm[120:].any()
    assert not found.alarm[:, 1].any()


def test_the_other_direction_is_an_alarm_of_its_own_while_the_first_is_open() -> None:
    due = np.full((200, 1), 20.0)
    seen = due.copy()
    seen[50:90], seen[90:130] = 60.0, 8.0
    found = evidence(seen, due, dispersion=PLAIN, tolerance=0.1, nights_between_alarms=365.0)
    fewer, more = (np.flatnonzero(found.alarm[:, k]) for k in range(2))
    assert 50 <= more[0] < 55
    assert 90 < fewer[0] < 97
    assert more[-1] < 120 < fewer[-1] < 160


def test_days_that_nobody_follows_say_nothing() -> None:
    nothing = np.zeros((30, 1))
    found = evidence(nothing, nothing, dispersion=PLAIN, tolerance=0.1, nights_between_alarms=365.0)
    assert found.total == pytest.approx(np.column_stack([np.arange(1.0, 31.0) / 2] * 2))
