"""Promises that are still under way: which conversions came in day by day, and which were due.

Every week another night is followed, and each day's conversions are held against the latest of them only: a
promise made before the accounts changed says nothing for long. A day counts what became known on it: nothing
that comes in late changes an earlier day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from hva_ml.monitoring.pace import STRATA, Pace

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
APART_DAYS = 7
# On the first days only conversions that are told at once are known: after a week, days are like each other.
SETTLED_DAYS = 7


@dataclass(frozen=True, eq=False)
class UnderWay:
    """One followed night.

    Attributes
    ----------
    as_of, run_id, release : str
        The night, and what scored it.
    begin : int
        Days from the night to the first day that is counted: the gap before the horizon, and a few more.
    length : int
        Days for which it is followed.
    seen, due : numpy.ndarray, shape (n_days, n_strata)
        Conversions that became known on each day until now, and those that were due.
    """

    as_of: str
    run_id: str
    release: str
    begin: int
    length: int
    seen: Ints
    due: Floats

    @property
    def day(self) -> date:
        """The night's day."""
        return date.fromisoformat(self.as_of)

    @property
    def first(self) -> date:
        """The first day that is counted."""
        return self.day + timedelta(days=self.begin)

    @property
    def complete(self) -> bool:
        """Whether all its days are over."""
        return len(self.seen) >= self.length

    def until(self, day: date) -> "UnderWay":
        """Return it as one knew it on an earlier day."""
        days = max(0, min(len(self.seen), (day - self.first).days))
        return UnderWay(
            self.as_of, self.run_id, self.release, self.begin, self.length, self.seen[:days], self.due[:days]
        )

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        return {
            "as_of": self.as_of,
            "run_id": self.run_id,
            "release": self.release,
            "begin": self.begin,
            "length": self.length,
            "seen": self.seen.tolist(),
            "due": self.due.tolist(),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "UnderWay":
        """Rebuild from `record`."""
        seen, due = np.array(record["seen"], np.int64), np.array(record["due"], np.float64)
        return cls(
            record["as_of"], record["run_id"], record["release"], int(record["begin"]),
            int(record["length"]), seen.reshape(-1, STRATA), due.reshape(-1, STRATA),
        )  # fmt: skip


def followed(days: Sequence[date], apart: int = APART_DAYS) -> tuple[date, ...]:
    """Return which nights are followed: the first, then always the first at least so many days later.

    Examples
    --------
    >>> [d.day for d in followed([date(2025, 1, 1), date(2025, 1, 5), date(2025, 1, 8)])]
    [1, 8]
    """
    found: list[date] = []
    for day in sorted(days):
        if not found or (day - found[-1]).days >= apart:
            found.append(day)
    return tuple(found)


def begin_of(gap: int, horizon: int) -> int:
    """Return the days from a night to the first day that is counted.

    Examples
    --------
    >>> begin_of(10, 90), begin_of(0, 14)
    (17, 3)
    """
    return gap + min(SETTLED_DAYS, horizon // 4)


def counted_until(
    pace: Pace, probability: Floats, after: Ints, begin: int, elapsed: int
) -> tuple[int, Ints, Floats]:
    """Return for how many days a night is followed, and conversions seen and due on those that are over.

    Parameters
    ----------
    pace : Pace
        Of the release.
    probability, after : numpy.ndarray, shape (n_accounts,)
        What was promised; after how many days the conversion was known, −1 for none so far.
    begin, elapsed : int
        Days from the night to the first day that is counted, and to the end of the last one that is over.
    """
    length = max(0, pace.days - begin)
    return length, *pace.expected(probability, after, begin, max(0, min(length, elapsed - begin)))


@dataclass(frozen=True, eq=False)
class Flow:
    """Days in a row: conversions seen and due, by column (all accounts, then each stratum).

    Attributes
    ----------
    days : tuple of datetime.date
    seen, due : numpy.ndarray of float64, shape (n_days, 1 + n_strata)
    """

    days: tuple[date, ...]
    seen: Floats
    due: Floats


def flow(parts: Sequence[UnderWay], weekdays: Sequence[float]) -> Flow | None:
    """Join followed nights of one release to days in a row; days that no night covers have nothing due.

    Parameters
    ----------
    parts : sequence of UnderWay
        Where two nights cover a day, the later one counts.
    weekdays : sequence of float, length 7
        How many times as much is due on a Monday, …, Sunday as on an average day.
    """
    parts = [p for p in sorted(parts, key=lambda p: p.as_of) if len(p.seen)]
    if not parts:
        return None
    first = parts[0].first
    last = max(p.first + timedelta(days=len(p.seen) - 1) for p in parts)
    n, strata = (last - first).days + 1, parts[0].seen.shape[1]
    seen, due = np.zeros((n, strata)), np.zeros((n, strata))
    for p in parts:
        here = slice((p.first - first).days, (p.first - first).days + len(p.seen))
        seen[here], due[here] = p.seen, p.due
    days = tuple(first + timedelta(days=k) for k in range(n))
    due = due * np.array([weekdays[d.weekday()] for d in days])[:, None]
    return Flow(
        days,
        np.column_stack([seen.sum(axis=1), seen]),
        np.column_stack([due.sum(axis=1), due]),
    )
