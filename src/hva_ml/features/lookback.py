"""How far back a window looks from each cutoff: a number of days, or a period of the calendar to date."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from hva_ml.cutoffs import (
    LONGEST_DAYS,
    MICROSECONDS_PER_DAY,
    Calendar,
    Period,
    instant,
    microseconds,
    period_begin,
)
from hva_ml.features.log import Floats, Ints

BASELINE_DAYS = 365
"""An account's own usual level is judged over this many days, or twice the window if that is longer."""

_SHORT: dict[Period, str] = {"month": "mtd", "quarter": "qtd", "year": "ytd"}


@dataclass(frozen=True)
class Window:
    """``[begin, cutoff)``: exactly one of the two attributes says where it begins.

    Attributes
    ----------
    days : int
        So many days of 86 400 000 000 microseconds in absolute time, whatever the clocks of a country do;
        0 for a period.
    to_date : str
        ``month``, ``quarter`` or ``year``: the period in which the last day before the cutoff lies, from its
        first local midnight. On 1 April the quarter to date is the whole first quarter.
    """

    days: int = 0
    to_date: Period | None = None

    @property
    def suffix(self) -> str:
        """End of a feature's name: ``30d``, ``qtd``.

        Examples
        --------
        >>> Window(30).suffix, Window(to_date="quarter").suffix
        ('30d', 'qtd')
        """
        return _SHORT[self.to_date] if self.to_date else f"{self.days}d"

    @property
    def baseline(self) -> "Window":
        """The longer window that says what is usual."""
        return Window(max(BASELINE_DAYS, 2 * (LONGEST_DAYS[self.to_date] if self.to_date else self.days)))

    def begins(self, calendar: Calendar) -> Ints:
        """Return where it begins at each cutoff, in microseconds, shape (n_cutoffs,); never further back."""
        if not self.to_date:
            return calendar.micros - self.days * MICROSECONDS_PER_DAY
        return _midnights([self._first(day) for day in calendar.days], calendar)

    def length_days(self, calendar: Calendar) -> Floats:
        """Return how many days it has at each cutoff, shape (n_cutoffs,)."""
        return (calendar.micros - self.begins(calendar)) / MICROSECONDS_PER_DAY

    def before(self, calendar: Calendar) -> tuple[Ints, Ints]:
        """Return begin and end of the stretch before it, for each cutoff, in microseconds.

        For days: as many days before. For a period: as many local days of the period before, which ends
        where this one begins at the latest.

        Examples
        --------
        >>> calendar = Calendar((date(2024, 5, 11),), 90, 0, "UTC")
        >>> begin, end = Window(to_date="month").before(calendar)
        >>> (end - begin).item() // MICROSECONDS_PER_DAY
        10
        """
        if not self.to_date:
            begin = self.begins(calendar)
            return begin - self.days * MICROSECONDS_PER_DAY, begin
        firsts, lasts = [], []
        for day in calendar.days:
            here = self._first(day)
            there = period_begin(here - timedelta(days=1), self.to_date)
            firsts.append(there)
            lasts.append(min(there + (day - here), here))
        return _midnights(firsts, calendar), _midnights(lasts, calendar)

    def _first(self, day: date) -> date:
        assert self.to_date is not None
        return period_begin(day - timedelta(days=1), self.to_date)


ALL = Window(100_000)
"""The whole past."""


def _midnights(days: list[date], calendar: Calendar) -> Ints:
    return np.array([microseconds(instant(day, calendar.timezone)) for day in days], dtype=np.int64)
