"""The simulated time: months in Europe/Berlin as half-open pieces, and the random streams of each block."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from hva_ml.errors import UsageError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TIMEZONE = "Europe/Berlin"
HOUR = 3_600_000_000
DAY = 24 * HOUR
BLOCK = 1000
"""Accounts are drawn in blocks of this size, so that more accounts never change earlier ones."""

STREAMS = ("companies", "latent", "deals", "contacts", "engagement", "orders")


def micros(moment: datetime) -> int:
    """Return an aware datetime as microseconds since 1970-01-01 UTC.

    Raises
    ------
    UsageError
        If `moment` has no time zone.
    """
    if moment.tzinfo is None:
        raise UsageError(
            "The moment has no time zone.",
            where=moment.isoformat(),
            why="A naive time means another instant on every machine.",
            fix="Pass an aware datetime, e.g. datetime(2025, 1, 1, tzinfo=UTC).",
        )
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@dataclass(frozen=True)
class Period:
    """Pieces of time, one a calendar month; the first and the last may be shorter.

    Attributes
    ----------
    edges : numpy.ndarray of int64, shape (n_months + 1,)
        Local midnights as microseconds since the epoch, strictly increasing.
    months : numpy.ndarray of int64, shape (n_months,)
        Calendar month of each piece, 1 to 12.
    """

    edges: Ints
    months: Ints

    @classmethod
    def of(cls, first: date, last: date) -> "Period":
        """Return the months of ``[first, last)``: rows end where the day `last`, that of the export, begins.

        Raises
        ------
        UsageError
            If `last` does not lie after `first`.

        Examples
        --------
        >>> Period.of(date(2024, 11, 15), date(2025, 2, 1)).months.tolist()
        [11, 12, 1]
        """
        if last <= first:
            raise UsageError(
                f"The last day {last} must lie after the first {first}.",
                where="[simulation]",
                fix="For example first = 2022-01-01 and last = 2025-12-31.",
            )
        count = (last.year - first.year) * 12 + last.month - first.month + 1
        starts = [
            date(first.year + (first.month - 1 + k) // 12, (first.month - 1 + k) % 12 + 1, 1)
            for k in range(count)
        ]
        days = [first] + [d for d in starts if first < d < last]
        zone = ZoneInfo(TIMEZONE)
        edges = [micros(datetime(d.year, d.month, d.day, tzinfo=zone)) for d in [*days, last]]
        return cls(np.array(edges, np.int64), np.array([d.month for d in days], np.int64))

    @property
    def start(self) -> int:
        """First microsecond."""
        return int(self.edges[0])

    @property
    def end(self) -> int:
        """First microsecond after the period."""
        return int(self.edges[-1])

    @property
    def n_months(self) -> int:
        """Number of pieces."""
        return len(self.months)


def generator(seed: int, block: int, stream: str, draw: int = 0) -> np.random.Generator:
    """Return the random numbers of one block and one purpose.

    Parameters
    ----------
    seed, block : int
        Both at least 0.
    stream : str
        One of ``STREAMS``; a change to one purpose leaves the numbers of the others alone.
    draw : int
        Repetition, for drawing the same purpose again.
    """
    return np.random.Generator(
        np.random.PCG64DXSM(np.random.SeedSequence([seed, block, STREAMS.index(stream), draw]))
    )
