"""How near every subject is to its bound, night by night or week by week: what a heat map shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from hva_ml.monitoring.drift import VOLUME, Drift

MOST_NIGHTS = 90
# Not told, as in training, a quarter, a half, the whole of what is tolerated, and beyond it by no chance.
UNTOLD, BEYOND, ALARM = 0, 4, 5
_STEPS = (0.25, 0.5, 1.0)


@dataclass(frozen=True, eq=False)
class Levels:
    """Tests by columns of time.

    Attributes
    ----------
    columns : tuple of datetime.date
        First day of each column.
    weekly : bool
        Whether a column is a week: its worst night counts.
    names, segments : tuple of str
        Subject and segment of each row.
    level : numpy.ndarray of int64, shape (n_rows, n_columns)
        0 not told, 1 still, 2 and 3 nearer to the bound, 4 beyond it but perhaps by chance, 5 an alarm.
    nearness : numpy.ndarray of float64, shape (n_rows,)
        The last night over its bound: 1 is at it; NaN where it is not told.
    borders : tuple of int
        Columns in which another release begins.
    """

    columns: tuple[date, ...]
    weekly: bool
    names: tuple[str, ...]
    segments: tuple[str, ...]
    level: npt.NDArray[np.int64]
    nearness: npt.NDArray[np.float64]
    borders: tuple[int, ...]


def levels(parts: Sequence[Drift]) -> Levels | None:
    """Join the nights of all releases, oldest first; the last release says which rows there are."""
    parts = [p for p in parts if p.days]
    if not parts:
        return None
    last = parts[-1]
    rows = {key: k for k, key in enumerate(zip(last.names, last.segments, strict=True))}
    days = sorted(day for p in parts for day in p.days)
    weekly = len(days) > MOST_NIGHTS
    starts = [d - timedelta(days=d.weekday()) for d in days] if weekly else days
    columns = tuple(dict.fromkeys(starts))
    place = {column: k for k, column in enumerate(columns)}
    level = np.zeros((len(rows), len(columns)), dtype=np.int64)
    first: dict[int, int] = {}
    for number, part in enumerate(parts):
        mine = np.array([rows.get(key, -1) for key in zip(part.names, part.segments, strict=True)])
        there = mine >= 0
        found = _level(part)
        for night, day in enumerate(part.days):
            column = place[day - timedelta(days=day.weekday()) if weekly else day]
            level[mine[there], column] = np.maximum(level[mine[there], column], found[night, there])
            first[number] = min(first.get(number, column), column)
    borders = tuple(sorted({column for number, column in first.items() if number and column}))
    nearness = _nearness(last)[-1]
    return Levels(columns, weekly, last.names, last.segments, level, nearness, borders)


def _nearness(part: Drift) -> npt.NDArray[np.float64]:
    """Return what was measured over what is tolerated; of volumes in logarithms."""
    volume = np.array([name.startswith(VOLUME) for name in part.names], dtype=np.bool_)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.abs(np.log(part.measured)) / np.log(np.maximum(part.tolerated, 1 + 1e-9))
    return np.where(volume, logs, part.measured / part.tolerated)


def _level(part: Drift) -> npt.NDArray[np.int64]:
    near = _nearness(part)
    level = 1 + np.searchsorted(_STEPS, np.nan_to_num(near), side="right")
    level = np.where(part.found, ALARM, np.minimum(level, BEYOND))
    return np.where(np.isnan(near), UNTOLD, level).astype(np.int64)
