"""The rows of one table that a feature looks at, in the order of the kernel, split into categories."""

from dataclasses import dataclass, replace

import numpy as np

from hva_ml.cutoffs import MICROSECONDS_PER_DAY
from hva_ml.features import extremes
from hva_ml.features.log import Bools, Ints, Log, Small
from hva_ml.features.lookback import Window
from hva_ml.features.rhythm import Rhythm, rhythm
from hva_ml.features.universe import CodedTable, Universe
from hva_ml.features.variety import distinct
from hva_ml.features.windows import first_and_last, totals


@dataclass(frozen=True)
class Series:
    """The rows of one table that a feature looks at.

    Attributes
    ----------
    universe : Universe
        Accounts and cutoffs.
    table : CodedTable
        The whole table.
    log : Log
        Those of its rows that count and that some cutoff sees, by account and time.
    category : numpy.ndarray of int32, shape (n_rows,)
        Category of each row of the log.
    n_categories : int
        All measures are made for each of them.
    """

    universe: Universe
    table: CodedTable
    log: Log
    category: Small
    n_categories: int = 1

    def only(self, keep: Bools) -> "Series":
        """Return the rows of a mask of shape (n_rows,), in the order of the log."""
        return replace(self, log=self.log.only(keep), category=self.category[keep])

    def among(self, column: str, values: tuple[str, ...]) -> "Series":
        """Return the rows whose category column has one of the values."""
        return self.only(self.log.take(self.table.codes(column).among(values)))

    def by(self, column: str, values: tuple[str, ...]) -> "Series":
        """Return the rows split by the values of a column; the last category holds all other rows."""
        codes = self.table.codes(column)
        place = np.array([values.index(v) if v in values else len(values) for v in (*codes.values, "")])
        place[-1] = len(values)
        return self.split(place.astype(np.int32)[self.log.take(codes.codes)], len(values) + 1)

    def split(self, category: Small, n_categories: int) -> "Series":
        """Return the rows with other categories, shape (n_rows,), in the order of the log."""
        return replace(self, category=category, n_categories=n_categories)

    def begins(self, *windows: Window) -> Ints:
        """Return where windows begin, shape (n_windows, n_cutoffs)."""
        return np.stack([w.begins(self.universe.calendar) for w in windows])

    def totals(self, begins: Ints, amounts: Ints | None = None) -> tuple[Ints, Ints]:
        """Count rows and sum amounts; see `windows.totals`."""
        return totals(self.log, begins, self.category, self.n_categories, amounts)

    def distinct(self, begins: Ints, item: Small) -> Ints:
        """Count different items; see `variety.distinct`."""
        return distinct(self.log, begins, self.category, self.n_categories, item)

    def active_days(self, begins: Ints) -> Ints:
        """Count different days (UTC) with a row; see `variety.distinct`."""
        day = self.log.time // MICROSECONDS_PER_DAY
        return self.distinct(begins, (day - day.min(initial=0)).astype(np.int32))

    def extreme(self, begins: Ints, values: Ints, *, smallest: bool) -> Ints:
        """Return the largest or the smallest values; see `extremes`."""
        find = extremes.smallest if smallest else extremes.largest
        return find(self.log, begins, self.category, self.n_categories, values)

    def rhythm(self, begins: Ints) -> Rhythm:
        """Measure gaps and streaks; see `rhythm.rhythm`."""
        return rhythm(self.log, begins, self.category, self.n_categories, self.universe.cutoffs)

    def first_and_last(self) -> tuple[Ints, Ints]:
        """Return the times of the earliest and the latest visible row; see `windows.first_and_last`."""
        return first_and_last(self.log, self.category, self.n_categories, self.universe.n_cutoffs)


def series(universe: Universe, name: str) -> Series:
    """Return all rows of a contract table that any cutoff sees, as one category."""
    log = universe.log(name)
    return Series(universe, universe.table(name), log, np.zeros(len(log.order), dtype=np.int32))
