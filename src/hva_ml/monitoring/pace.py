"""How soon conversions come after a night, and how much their number varies from week to week."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
STRATA = 3
FOLLOWED_DAYS = 56
LEAST_CONVERTED = 50
LEAST_WEEKS = 12
_DAY = 86_400_000_000


@dataclass(frozen=True, eq=False)
class Pace:
    """What of a promise should have come true by when, learned where the model has learned.

    Attributes
    ----------
    cuts : tuple of float
        Probabilities that part accounts into three strata, likeliest last, each with a third of all promised
        conversions.
    known : numpy.ndarray of float64, shape (STRATA, n_days + 1)
        Share of the conversions within the horizon that is known so many whole days after the cutoff.
    weekdays : tuple of float, length 7
        How many times as many conversions become known on a Monday, …, Sunday as on an average day.
    by_day, by_week : float
        How many times as much the conversions of a day and of a week vary as Poisson numbers do, ≥ 1.
    converted : int
        Conversions that this was learned from.
    """

    cuts: tuple[float, ...]
    known: Floats
    weekdays: tuple[float, ...]
    by_day: float
    by_week: float
    converted: int

    @property
    def days(self) -> int:
        """Days after the cutoff for which it is known."""
        return int(self.known.shape[1]) - 1

    def stratum(self, probability: Floats) -> Ints:
        """Return the stratum of each account, shape (n_accounts,)."""
        return np.searchsorted(np.asarray(self.cuts), probability, side="left").astype(np.int64)

    def expected(self, probability: Floats, after: Ints, begin: int, days: int) -> tuple[Ints, Floats]:
        """Count known conversions, and those that were due, day by day.

        Due is the promise times what becomes known of promises on that day. Whether an account has converted
        already plays no part: hot accounts convert first, and whoever leaves them out soon expects too few.

        Parameters
        ----------
        probability : numpy.ndarray of float64, shape (n_accounts,)
            What was promised.
        after : numpy.ndarray of int64, shape (n_accounts,)
            After how many days the conversion was known, −1 for none so far.
        begin, days : int
            The days ``begin, …, begin + days − 1`` after the cutoff; at most as many as are known.

        Returns
        -------
        tuple of numpy.ndarray, shape (days, STRATA)
            Seen, and due.
        """
        stratum = self.stratum(probability)
        inside = (after >= begin) & (after < begin + days)
        places = (after[inside] - begin) * STRATA + stratum[inside]
        seen = np.bincount(places, minlength=days * STRATA).reshape(days, STRATA)
        promised = np.bincount(stratum, probability, minlength=STRATA)
        share = np.diff(self.known[:, begin : begin + days + 1], axis=1).T
        return seen.astype(np.int64), promised * share

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        return {
            "cuts": list(self.cuts),
            "known": [[round(x, 6) for x in line] for line in self.known.tolist()],
            "weekdays": list(self.weekdays),
            "by_day": self.by_day,
            "by_week": self.by_week,
            "converted": self.converted,
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Pace":
        """Rebuild from `record`."""
        return cls(
            tuple(map(float, record["cuts"])), np.array(record["known"], dtype=np.float64),
            tuple(map(float, record["weekdays"])), float(record["by_day"]), float(record["by_week"]),
            int(record["converted"]),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Accounts whose conversions became known, day by day, where the model has learned.

    Attributes
    ----------
    daily : numpy.ndarray of int64, shape (7 * n_weeks,)
        Different accounts on each day of whole weeks.
    weekly : numpy.ndarray of int64, shape (n_weeks,)
        Different accounts in each week.
    weekday : int
        Of the first day, 0 for Monday.
    """

    daily: Ints
    weekly: Ints
    weekday: int


def pace(
    probability: Floats,
    converted: npt.NDArray[np.bool_],
    after: Ints,
    arrivals: Arrivals,
    gap: int,
    horizon: int,
) -> Pace | None:
    """Learn the pace from matured cutoffs; None where too few conversions or weeks are known.

    Parameters
    ----------
    probability : numpy.ndarray of float64, shape (n_rows,)
        What the model says.
    converted : numpy.ndarray of bool, shape (n_rows,)
        What became of it.
    after : numpy.ndarray of int64, shape (n_rows,)
        After how many days one knew, −1 for never.
    arrivals : Arrivals
        Over the training's time.
    gap, horizon : int
        Days.
    """
    if converted.sum() < LEAST_CONVERTED or len(arrivals.weekly) < LEAST_WEEKS:
        return None
    ordered = np.sort(probability)
    thirds = np.searchsorted(np.cumsum(ordered), ordered.sum() * np.arange(1, STRATA) / STRATA)
    cuts = tuple(float(p) for p in ordered[np.minimum(thirds, len(ordered) - 1)])
    days = gap + min(horizon, FOLLOWED_DAYS)
    stratum = np.searchsorted(np.asarray(cuts), probability, side="left")
    known = np.zeros((STRATA, days + 1))
    whole = _shares(after[converted], days)
    for k in range(STRATA):
        mine = converted & (stratum == k)
        # A stratum without enough conversions of its own follows all of them.
        known[k] = _shares(after[mine], days) if mine.sum() >= LEAST_CONVERTED else whole
    weekdays = _weekdays(arrivals)
    shape = np.array(weekdays)[(arrivals.weekday + np.arange(len(arrivals.daily))) % 7]
    return Pace(
        cuts, known, weekdays, dispersion(arrivals.daily, shape), dispersion(arrivals.weekly),
        int(converted.sum()),
    )  # fmt: skip


def dispersion(counts: Ints, shape: Floats | None = None) -> float:
    """Return Pearson's dispersion of numbers around their straight trend, at least 1.

    Parameters
    ----------
    counts : numpy.ndarray of int64, shape (n,)
        n > 2.
    shape : numpy.ndarray of float64, shape (n,), optional
        What the trend is multiplied by.

    Examples
    --------
    >>> dispersion(np.array([10, 10, 10, 10])), round(dispersion(np.array([10, 30, 10, 30, 10, 30])), 1)
    (1.0, 7.0)
    """
    at = np.arange(len(counts), dtype=np.float64)
    trend = np.polyval(np.polyfit(at, counts, 1), at) * (1.0 if shape is None else shape)
    expected = np.maximum(trend, 0.5)
    return max(1.0, float(((counts - expected) ** 2 / expected).sum() / (len(counts) - 2)))


def _weekdays(arrivals: Arrivals) -> tuple[float, ...]:
    weeks = arrivals.daily.reshape(-1, 7)
    whole = float(weeks.mean())
    shape = np.roll(weeks.mean(axis=0), arrivals.weekday) / whole if whole else np.ones(7)
    return tuple(float(x) for x in shape)


def _shares(after: Ints, days: int) -> Floats:
    """Return the share that is known by the beginning of each day 0 to `days`."""
    counts = np.bincount(np.minimum(after[after >= 0], days), minlength=days + 1)[:days]
    return np.concatenate([[0.0], np.cumsum(counts)]) / max(len(after), 1)


def arrivals(account: Ints, came: Ints, first: int, last: int, weekday: int) -> Arrivals:
    """Count the accounts whose conversion became known, by day and by whole week.

    Parameters
    ----------
    account, came : numpy.ndarray of int64, shape (n_conversions,)
        Number of the account; when its conversion had happened and was known, in microseconds.
    first, last : int
        The first week begins, and the last one has ended, in microseconds.
    weekday : int
        Of the first day, 0 for Monday.
    """
    weeks = max(0, (last - first) // (7 * _DAY))
    day = (came - first) // _DAY
    inside = (came >= first) & (day < 7 * weeks)
    daily = _different(day[inside], account[inside], 7 * weeks)
    return Arrivals(daily, _different(day[inside] // 7, account[inside], weeks), weekday)


def _different(place: Ints, account: Ints, places: int) -> Ints:
    once = np.unique(np.column_stack([place, account]), axis=0)
    return np.bincount(once[:, 0], minlength=places).astype(np.int64)
