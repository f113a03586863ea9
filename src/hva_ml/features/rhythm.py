"""The kernel of the rhythm of activity: gaps between active days, and weeks in a row.

Which days are neighbours depends on what is visible, so every cutoff walks over its own window.
"""

from dataclasses import dataclass

import numpy as np

from hva_ml.compiled import kernel
from hva_ml.cutoffs import MICROSECONDS_PER_DAY
from hva_ml.features.log import Ints, Log, Small, over_accounts

_DAY = MICROSECONDS_PER_DAY
_WEEK = 7 * MICROSECONDS_PER_DAY


@dataclass(frozen=True)
class Rhythm:
    """Whole numbers of shape (n_categories, n_windows, n_accounts, n_cutoffs).

    Attributes
    ----------
    days : numpy.ndarray of int64
        Different days (UTC) with an event in the window; there is one gap fewer.
    between : numpy.ndarray of int64
        Days from the first to the last of them: the sum of the gaps.
    squares : numpy.ndarray of int64
        Sum of the squared gaps, in days squared.
    longest : numpy.ndarray of int64
        The longest gap, in days; 0 without any.
    streak : numpy.ndarray of int64
        Weeks in a row with an event, counted back from the cutoff: ``[cutoff - 7 d, cutoff)`` is the first.
    best : numpy.ndarray of int64
        Most such weeks in a row anywhere in the window.
    """

    days: Ints
    between: Ints
    squares: Ints
    longest: Ints
    streak: Ints
    best: Ints


def rhythm(log: Log, begins: Ints, category: Small, n_categories: int, cutoffs: Ints) -> Rhythm:
    """Measure gaps and streaks in every window, for every category, account and cutoff.

    A gap is the number of days (UTC) from one active day to the next: 1 for neighbours.

    Parameters
    ----------
    log, begins, category, n_categories
        See `windows.totals`.
    cutoffs : numpy.ndarray of int64, shape (n_cutoffs,)
        Microseconds since the epoch, strictly increasing.

    Examples
    --------
    >>> from hva_ml.features.log import log
    >>> times, cutoffs = np.array([1, 2, 5]) * _DAY, np.array([8]) * _DAY
    >>> found = log(np.zeros(3, int), times, np.zeros(3, int), 1, 1)
    >>> made = rhythm(found, np.array([[0]]), np.zeros(3, np.int32), 1, cutoffs)
    >>> made.between.item(), made.squares.item(), made.longest.item(), made.streak.item()
    (4, 10, 3, 1)
    """
    found = np.zeros((6, n_categories, len(begins), log.n_accounts, len(cutoffs)), dtype=np.int64)

    def work(first: int, last: int) -> None:
        _rhythm(log.start, log.time, log.entered, category, begins, cutoffs, found, first, last)

    over_accounts(log, work)
    return Rhythm(*found)


@kernel
def _rhythm(start, time, entered, category, begins, cutoffs, found, first, last):  # type: ignore[no-untyped-def]
    n_categories, n_windows = found.shape[1:3]
    n_cutoffs = len(cutoffs)
    # For each category: last day and week seen, then the weeks of the present run.
    day = np.empty(n_categories, dtype=np.int64)
    week = np.empty(n_categories, dtype=np.int64)
    run = np.empty(n_categories, dtype=np.int64)
    for a in range(first, last):
        for w in range(n_windows):
            begin = start[a]
            for k in range(n_cutoffs):
                while begin < start[a + 1] and time[begin] < begins[w, k]:
                    begin += 1
                run[:] = 0
                for i in range(begin, start[a + 1]):
                    if time[i] >= cutoffs[k]:
                        break
                    if entered[i] <= k:
                        _step(time[i], cutoffs[k], category[i], found[:, :, w, a, k], day, week, run)
                for c in range(n_categories):
                    # Counted back from the cutoff only if the last week of all is the one before it.
                    found[4, c, w, a, k] = run[c] if run[c] > 0 and week[c] == 0 else 0


@kernel
def _step(moment, cutoff, c, made, day, week, run):  # type: ignore[no-untyped-def]
    """Take one event into the rhythm of its category."""
    today = moment // _DAY
    back = (cutoff - 1 - moment) // _WEEK
    if run[c] == 0:
        made[0, c] = 1
        run[c] = 1
    else:
        if today > day[c]:
            gap = today - day[c]
            made[0, c] += 1
            made[1, c] += gap
            made[2, c] += gap * gap
            made[3, c] = max(made[3, c], gap)
        if back < week[c]:
            run[c] = run[c] + 1 if back == week[c] - 1 else 1
    day[c] = today
    week[c] = back
    made[5, c] = max(made[5, c], run[c])
