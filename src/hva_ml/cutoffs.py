"""The calendar of a pipeline: cutoffs, horizon, gap and embargo. Features lie before a cutoff, labels after.

Nothing here reads the clock of the machine.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from hva_ml.errors import ConfigError, NotEnoughDataError

MICROSECONDS_PER_DAY = 86_400_000_000

Period = Literal["month", "quarter", "year"]
LONGEST_DAYS: dict[Period, int] = {"month": 31, "quarter": 92, "year": 366}


def instant(day: date, timezone: str = "UTC") -> datetime:
    """Return local midnight of `day` in `timezone` as an instant in UTC.

    Examples
    --------
    >>> instant(date(2025, 7, 1), "Europe/Berlin").isoformat()
    '2025-06-30T22:00:00+00:00'
    """
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def microseconds(moment: datetime) -> int:
    """Return an aware datetime as integer microseconds since 1970-01-01 UTC."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@dataclass(frozen=True)
class Calendar:
    """Cutoffs with one horizon and one gap for all.

    Attributes
    ----------
    days : tuple of datetime.date
        Cutoff days in the pipeline's timezone, strictly increasing.
    horizon_days, gap_days : int
        Labels cover ``[cutoff + gap, cutoff + gap + horizon)``.
    timezone : str
        IANA name; a cutoff is local midnight there.
    """

    days: tuple[date, ...]
    horizon_days: int
    gap_days: int
    timezone: str

    @property
    def cutoffs(self) -> tuple[datetime, ...]:
        """Cutoffs as instants in UTC."""
        return tuple(instant(d, self.timezone) for d in self.days)

    @property
    def micros(self) -> npt.NDArray[np.int64]:
        """Cutoffs as microseconds since the epoch, shape (n_cutoffs,)."""
        return np.array([microseconds(c) for c in self.cutoffs], dtype=np.int64)

    def label_window(self, day: date) -> tuple[datetime, datetime]:
        """Return the half-open label window of the cutoff on `day`, as instants."""
        start = day + timedelta(days=self.gap_days)
        return instant(start, self.timezone), instant(
            start + timedelta(days=self.horizon_days), self.timezone
        )

    def matured(self, data_end: datetime) -> "Calendar":
        """Keep only cutoffs whose label window is complete at `data_end`; an immature one is no negative.

        Raises
        ------
        NotEnoughDataError
            If no cutoff is complete.
        """
        days = tuple(d for d in self.days if self.label_window(d)[1] <= data_end)
        if not days:
            raise NotEnoughDataError(
                f"No cutoff has a complete horizon of {self.horizon_days} days.",
                where=f"[cutoffs] first = {self.days[0]}; data end {data_end:%Y-%m-%d}",
                why="An account whose horizon is not over yet is neither a success nor a failure.",
                fix="Choose earlier cutoffs or a shorter [horizon] days.",
            )
        return Calendar(days, self.horizon_days, self.gap_days, self.timezone)

    def only(self, days: tuple[date, ...]) -> "Calendar":
        """Return the same calendar with other cutoff days."""
        return Calendar(days, self.horizon_days, self.gap_days, self.timezone)


def series(first: date, last: date, every: str) -> tuple[date, ...]:
    """Return the days from `first` to `last` (both included), a week, month or quarter apart.

    Examples
    --------
    >>> [d.isoformat() for d in series(date(2025, 1, 31), date(2025, 3, 31), "month")]
    ['2025-01-31', '2025-02-28', '2025-03-31']
    """
    if last < first:
        raise ConfigError(
            f"The last cutoff {last} lies before the first {first}.",
            where="[cutoffs]",
            fix="Swap `first` and `last`.",
        )
    if every == "week":
        return tuple(first + timedelta(days=7 * k) for k in range((last - first).days // 7 + 1))
    step = {"month": 1, "quarter": 3}[every]
    days: list[date] = []
    k = 0
    while (day := _add_months(first, k * step)) <= last:
        days.append(day)
        k += 1
    return tuple(days)


def period_begin(day: date, period: Period) -> date:
    """Return the first day of the month, quarter or year that `day` lies in.

    Examples
    --------
    >>> period_begin(date(2024, 2, 29), "quarter").isoformat()
    '2024-01-01'
    """
    first = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[period]
    return date(day.year, first, 1)


def _add_months(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))
