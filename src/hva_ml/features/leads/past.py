"""What was known of earlier leads when a lead was contacted: how many there were, how many of them were won.

A lead that is still open counts as a part of one: the share of later wins that would have come by its age.
Outcomes that came to be known on the same day, or later, do not count.
"""

from dataclasses import dataclass

import numpy as np

from hva_ml.contracts.decisions import Bools, Decisions, Floats, Ints

LEAST_WINS = 20
"""With fewer wins whose days are all over, the ages of all known wins say how long wins take."""
PRIOR = 20.0
"""Average leads mixed into the rate of each value, so that two lucky ones do not shout."""


@dataclass(frozen=True, eq=False)
class Counts:
    """What was known at each lead's own contact, shape (n_leads,) each: leads that count, and wins."""

    leads: Floats
    won: Floats


def track_record(told: Decisions, code: Ints) -> Floats:
    """Return how often earlier leads of the same value were won, relative to all earlier leads.

    ``((w + 20 r) / (n + 20)) / r`` of the w wins among n earlier leads of the value, where r is the rate of
    all earlier leads; 1 where nothing is known.

    Parameters
    ----------
    told : Decisions
        All leads.
    code : numpy.ndarray of int64, shape (n_leads,)
        Value of each lead, >= 0.
    """
    rate = _rate(counts(told, np.zeros_like(code)))
    own = counts(told, code)
    return np.asarray((own.won + PRIOR * rate) / (own.leads + PRIOR) / rate)


def recent_rate(told: Decisions, width: int) -> Floats:
    """Return the share of wins among the leads of the last `width` days or places, shape (n_leads,)."""
    nothing = np.zeros(len(told.position), dtype=np.int64)
    rate = _rate(counts(told, nothing))
    late = counts(told, nothing, width)
    return np.asarray((late.won + PRIOR * rate) / (late.leads + PRIOR))


def counts(told: Decisions, code: Ints, width: int | None = None) -> Counts:
    """Count earlier leads of the same code, as known at each lead's contact.

    Parameters
    ----------
    told : Decisions
        All leads, in any order.
    code : numpy.ndarray of int64, shape (n_leads,)
        Groups that are counted by themselves, >= 0.
    width : int, optional
        Count only leads contacted at most so many days or places before.
    """
    days_over = told.position + told.span + 1
    certain = told.decided | told.by_day
    leads, won = (_before(told.position, days_over, code, m) for m in (certain, certain & told.won))
    if width is not None:
        first = told.position - width + told.span
        gone, gone_won = (_before(first, days_over, code, m) for m in (certain, certain & told.won))
        leads, won = np.maximum(leads - gone, 0.0), np.maximum(won - gone_won, 0.0)
    if not told.by_day:
        return Counts(leads, won)
    return _with_open(told, code, width, Counts(leads, won))


def _rate(whole: Counts) -> Floats:
    return np.asarray((whole.won + 1.0) / (whole.leads + PRIOR))


def _before(moment: Ints, since: Ints, code: Ints, rows: Bools) -> Floats:
    """Count, for each lead, the rows of its code that count since its moment or before."""
    if not rows.any():
        return np.zeros(len(moment))
    times, place = np.unique(since[rows], return_inverse=True)
    width = len(times) + 1
    keys = np.sort(code[rows] * width + place + 1)
    upto = np.searchsorted(times, moment, side="right")
    first = np.searchsorted(keys, code * width, side="left")
    return np.asarray(np.searchsorted(keys, code * width + upto, side="right") - first, dtype=np.float64)


def _with_open(told: Decisions, code: Ints, width: int | None, found: Counts) -> Counts:
    """Add leads whose days were not over: wins known by then whole, the others by the part of their age."""
    order = np.argsort(told.position, kind="stable")
    position, delay, ordered = told.position[order], told.delay[order], code[order]
    leads, won = found.leads.copy(), found.won.copy()
    for day in np.unique(position):
        here = slice(*np.searchsorted(position, (day, day + 1)))
        oldest = day - (told.span if width is None else min(told.span, width))
        near = slice(np.searchsorted(position, oldest), here.start)
        if near.start == near.stop:
            continue
        known = position[near] + delay[near] < day
        ages = day - 1 - position[near]
        part = np.where(known, 1.0, _share_by_age(told, int(day))[ages])
        rows, codes = order[here], ordered[near]
        size = int(code.max()) + 1
        leads[rows] += np.bincount(codes, part, size)[code[rows]]
        won[rows] += np.bincount(codes[known], minlength=size)[code[rows]]
    return Counts(leads, won)


def _share_by_age(told: Decisions, day: int) -> Floats:
    """Return which share of wins comes within 0, 1, 2 … days, by the wins known before a day."""
    over = told.won & (told.position + told.span < day)
    wins = over if over.sum() >= LEAST_WINS else told.won & (told.position + told.delay < day)
    by_day = np.bincount(told.delay[wins].astype(np.int64), minlength=told.span + 1)
    return np.asarray((np.cumsum(by_day) + 1.0) / (by_day.sum() + 1.0))
