"""Every measure by its definition, in plain Python and with no code of ours: rows are dicts."""

import math
import statistics
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

DAY = 86_400_000_000
MONTHS = {"mtd": 1, "qtd": 3, "ytd": 12}
USUAL_DAYS = {"mtd": 365, "qtd": 365, "ytd": 2 * 366}


@dataclass(frozen=True)
class Moment:
    """A cutoff: local midnight of a day."""

    day: date
    zone: str

    @property
    def micros(self):
        return midnight(self.day, self.zone)


def midnight(day, zone):
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000


def stretch(window, at):
    """Begin of a window (``30d``, ``qtd``), begin and end of the stretch before it."""
    cutoff = at.micros
    if window not in MONTHS:
        days = int(window[:-1]) * DAY
        return cutoff - days, cutoff - 2 * days, cutoff - days
    last = at.day - timedelta(days=1)
    first = _first(last, MONTHS[window])
    before = _first(first - timedelta(days=1), MONTHS[window])
    end = min(before + (at.day - first), first)
    return tuple(midnight(d, at.zone) for d in (first, before, end))


def _first(day, months):
    return date(day.year, day.month - (day.month - 1) % months, 1)


def seen(rows, cutoff, begin=-(2**62)):
    """Rows of the window whose two clocks lie before the cutoff."""
    return [r for r in rows if begin <= r["event_time"] < cutoff and r["known_at"] < cutoff]


def counted(chosen, others, at, window):
    """All measures of rows themselves, by name: `chosen` of one value, `others` of all values."""
    cutoff = at.micros
    begin, earlier, end = stretch(window, at)
    inside = seen(chosen, cutoff, begin)
    before = [r for r in seen(chosen, cutoff, earlier) if r["event_time"] < end]
    past = [r["event_time"] for r in seen(chosen, cutoff)]
    whole = len(seen(others, cutoff, begin))
    active = sorted({r["event_time"] // DAY for r in inside})
    gaps = [b - a for a, b in pairwise(active)]
    streak, longest = _weeks_in_a_row(inside, cutoff)
    return {
        f"count_{window}": float(len(inside)),
        f"active_days_{window}": float(len(active)),
        f"trend_{window}": math.log((len(inside) + 1) / (len(before) + 1)),
        f"surge_{window}": _surge(chosen, others, at, window),
        f"share_{window}": len(inside) / whole if whole else None,
        f"gap_mean_{window}": sum(gaps) / len(gaps) if gaps else None,
        f"gap_max_{window}": max(gaps, default=None),
        f"gap_std_{window}": statistics.stdev(gaps) if len(gaps) > 1 else None,
        f"streak_{window}": float(streak),
        f"streak_max_{window}": float(longest),
        "recency_days": (cutoff - max(past)) / DAY if past else None,
        "since_first_days": (cutoff - min(past)) / DAY if past else None,
    }


def _surge(chosen, others, at, window):
    cutoff, begin = at.micros, stretch(window, at)[0]
    recent, days = len(seen(chosen, cutoff, begin)), (cutoff - begin) / DAY
    span = USUAL_DAYS.get(window) or max(365, 2 * int(window[:-1]))
    there = min(
        ((cutoff - r["event_time"]) / DAY for r in seen(others, cutoff)), default=None, key=lambda d: -d
    )
    if there is None or min(there, span) <= days:
        return None
    usual = (
        (len(seen(chosen, cutoff, cutoff - span * DAY)) - recent) * days / max(min(there, span) - days, days)
    )
    return math.log((recent + 1) / (usual + 1))


def _weeks_in_a_row(rows, cutoff):
    weeks = {(cutoff - 1 - r["event_time"]) // (7 * DAY) for r in rows}
    runs = {w: next(n for n in range(1, len(weeks) + 2) if w + n not in weeks) for w in weeks}
    return runs.get(0, 0), max(runs.values(), default=0)


def added(chosen, at, window, column, scale=1):
    """All measures of a column of numbers or money, by name."""
    values = [r.get(column) for r in seen(chosen, at.micros, stretch(window, at)[0])]
    known = [v / scale for v in values if v is not None]
    return {
        f"sum_{window}": sum(known),
        f"mean_{window}": sum(known) / len(known) if known else None,
        f"min_{window}": min(known, default=None),
        f"max_{window}": max(known, default=None),
        f"std_{window}": statistics.stdev(known) if len(known) > 1 else None,
    }


def different(chosen, at, window, column):
    """How many known values of a column there are."""
    values = {r.get(column) for r in seen(chosen, at.micros, stretch(window, at)[0])}
    return float(len(values - {None}))


def close(got, want):
    """Whether a number is what it should be, but for the last bits of a sum; unknown is only unknown."""
    if got is None or want is None:
        return got is want
    return math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-6)
