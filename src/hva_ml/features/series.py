"""The rows of one table that a feature looks at, and what the kernel makes of them over windows."""

from dataclasses import dataclass, field

import numpy as np

from hva_ml.cutoffs import MICROSECONDS_PER_DAY
from hva_ml.features.universe import Bools, CodedTable, Universe
from hva_ml.features.windows import Ints, distinct, earliest, latest, leaves, totals


@dataclass
class Series:
    """The rows of one table that a feature looks at, with what was already computed for them.

    Attributes
    ----------
    universe : Universe
        Accounts and cutoffs.
    table : CodedTable
        The whole table.
    rows : numpy.ndarray of int64, shape (n_selected,)
        Which of its rows count.
    """

    universe: Universe
    table: CodedTable
    rows: Ints
    _left: dict[int, Ints] = field(default_factory=dict)
    _counts: dict[int, Ints] = field(default_factory=dict)
    _first: list[Ints] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account = self.table.account[self.rows]
        self.entered = self.table.entered[self.rows]
        self.event_time = self.table.event_time[self.rows]

    def only(self, keep: Bools) -> "Series":
        """Return the rows of a mask of shape (n_selected,)."""
        return Series(self.universe, self.table, self.rows[keep])

    def left(self, days: int) -> Ints:
        """Return the first cutoff that no longer has each row in its window."""
        if days not in self._left:
            self._left[days] = leaves(self.event_time, self.universe.cutoffs, self.entered, days)
        return self._left[days]

    def count(self, days: int) -> Ints:
        """Count the rows in the window, shape (n_accounts, n_cutoffs)."""
        if days not in self._counts:
            self._counts[days] = totals(self.account, self.entered, self.left(days), *self.universe.shape)
        return self._counts[days]

    def total(self, days: int, amounts: Ints) -> Ints:
        """Sum amounts of shape (n_selected,) over the window, shape (n_accounts, n_cutoffs)."""
        return totals(self.account, self.entered, self.left(days), *self.universe.shape, amounts=amounts)

    def different(self, days: int, item: Ints) -> Ints:
        """Count different items (negative: unknown) in the window, shape (n_accounts, n_cutoffs)."""
        known = item >= 0
        return distinct(
            self.account[known],
            item[known],
            self.entered[known],
            self.left(days)[known],
            *self.universe.shape,
        )

    def days_active(self, days: int) -> Ints:
        """Count different days (UTC) with a row in the window, shape (n_accounts, n_cutoffs)."""
        day = self.event_time // MICROSECONDS_PER_DAY
        return self.different(days, day - (day.min() if len(day) else 0))

    def last(self) -> Ints:
        """Return the time of the latest visible row, shape (n_accounts, n_cutoffs)."""
        return latest(self.account, self.entered, self.event_time, *self.universe.shape)

    def first(self) -> Ints:
        """Return the time of the earliest visible row, shape (n_accounts, n_cutoffs)."""
        if not self._first:
            self._first.append(earliest(self.account, self.entered, self.event_time, *self.universe.shape))
        return self._first[0]


def series(universe: Universe, name: str) -> Series:
    """Return all rows of a contract table that any cutoff sees."""
    table = universe.table(name)
    return Series(universe, table, np.flatnonzero(table.entered < universe.n_cutoffs))
