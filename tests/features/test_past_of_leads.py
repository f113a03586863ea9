"""What a lead knows of earlier ones, counted again lead by lead in plain Python, and never the future."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.contracts.decisions import Decisions
from hva_ml.features.leads.past import LEAST_WINS, PRIOR, counts, recent_rate, track_record

SPAN = 9


@st.composite
def _told(draw: st.DrawFn, *, by_day: bool) -> tuple[Decisions, np.ndarray]:
    n = draw(st.integers(1, 40))
    position = np.array(draw(st.lists(st.integers(0, 30), min_size=n, max_size=n)), dtype=np.int64)
    if by_day:
        delay = st.one_of(st.just(math.inf), st.integers(0, SPAN).map(float))
    else:
        delay = st.sampled_from([math.inf, float(SPAN)])
    delays = np.array(draw(st.lists(delay, min_size=n, max_size=n)))
    decided = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    if by_day:
        decided = position + SPAN < 35
    else:
        delays = np.where(decided, delays, math.inf)
    code = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), dtype=np.int64)
    return Decisions(position, delays, SPAN, decided, np.zeros(n, dtype=np.int64), by_day), code


def _plain(told: Decisions, code: np.ndarray, width: int | None) -> tuple[list[float], list[float]]:
    """Count again; a lead still open counts by the share of wins that come by its age."""
    leads, won = [], []
    for k, moment in enumerate(told.position.tolist()):
        share = _share(told, moment)
        n = w = 0.0
        for j, then in enumerate(told.position.tolist()):
            if code[j] != code[k] or then >= moment or (width is not None and then < moment - width):
                continue
            came = then + told.delay[j] < moment
            if told.by_day:
                n += 1.0 if came or then + SPAN < moment else share[moment - 1 - then]
                w += float(came)
            elif told.decided[j] and then + SPAN < moment:
                n += 1.0
                w += float(math.isfinite(told.delay[j]))
        leads.append(n)
        won.append(w)
    return leads, won


def _recent(told: Decisions, _: np.ndarray) -> np.ndarray:
    return recent_rate(told, 7)


def _share(told: Decisions, moment: int) -> list[float]:
    wins = [
        (p, d) for p, d in zip(told.position.tolist(), told.delay.tolist(), strict=True) if math.isfinite(d)
    ]
    over = [int(d) for p, d in wins if p + SPAN < moment]
    if len(over) < LEAST_WINS:
        over = [int(d) for p, d in wins if p + d < moment]
    return [(sum(d <= a for d in over) + 1.0) / (len(over) + 1.0) for a in range(SPAN + 1)]


@pytest.mark.parametrize("by_day", [True, False])
@given(data=st.data(), width=st.sampled_from([None, 5, 12]))
@settings(max_examples=60)
def test_counts_are_those_of_a_loop_over_all_leads(
    by_day: bool, data: st.DataObject, width: int | None
) -> None:
    told, code = data.draw(_told(by_day=by_day))
    if not by_day and width is not None:
        # Places are counted by when their outcome is known, which is a width earlier or later for all alike.
        width = None
    found = counts(told, code, width)
    leads, won = _plain(told, code, width)
    np.testing.assert_allclose(found.leads, leads, rtol=1e-12)
    np.testing.assert_allclose(found.won, won, rtol=1e-12)


@pytest.mark.parametrize("by_day", [True, False])
@given(data=st.data(), moment=st.integers(0, 31))
@settings(max_examples=60)
def test_nothing_that_comes_later_changes_a_feature(by_day: bool, data: st.DataObject, moment: int) -> None:
    told, code = data.draw(_told(by_day=by_day))
    known = told.known(moment)
    cut = replace(told, delay=np.where(known, told.delay, math.inf), decided=known)
    here = told.position == moment
    past = told.position <= moment
    for make in (track_record, _recent):
        whole = make(told, code)[here]
        alone = make(cut.take(past), code[past])[here[past]]
        assert np.array_equal(whole, alone)


def test_the_rate_of_a_value_is_drawn_towards_all() -> None:
    n = 60
    position = np.arange(n, dtype=np.int64)
    delay = np.where(np.arange(n) % 2 == 0, 0.0, math.inf)
    told = Decisions(position, delay, 0, np.ones(n, dtype=bool), np.zeros(n, dtype=np.int64), False)
    code = (np.arange(n) % 2).astype(np.int64)
    rate = (29 + 1.0) / (58 + PRIOR)
    assert track_record(told, code)[58] == pytest.approx((29 + PRIOR * rate) / (29 + PRIOR) / rate)
    assert track_record(told, code)[0] == 1.0
