"""Measures of one table over windows: from the kernel's grids to numbers at the rows of the population.

All categories and windows of a measure come from one pass of the kernel, made when it is first asked for.
"""

from collections.abc import Iterable
from functools import cached_property

import numpy as np

from hva_ml.contracts.schema import Column
from hva_ml.errors import ContractError
from hva_ml.features.log import Floats, Ints
from hva_ml.features.lookback import Window
from hva_ml.features.series import Series
from hva_ml.features.universe import Rows
from hva_ml.features.windows import NONE

FIXED_POINT = 1_000_000
"""Numbers that are not whole are summed exactly in millionths."""


class Measures:
    """What can be measured of the rows of one table, for each category and window, at each row wanted.

    Parameters
    ----------
    series : Series
        The rows, split into categories.
    rows : Rows
        Accounts and cutoffs at which values are wanted, shape (n_rows,).
    windows : iterable of Window
        Those that will be asked for.
    names : iterable of str
        The measures that will be asked for, as in ``config.Measure``.
    """

    def __init__(self, series: Series, rows: Rows, windows: Iterable[Window], names: Iterable[str]) -> None:
        self._series, self._rows = series, rows
        self._calendar, self._cutoffs = series.universe.calendar, series.universe.cutoffs
        self._windows, self._names = tuple(windows), frozenset(names)
        self._columns: dict[str, tuple[Ints, float]] = {}
        self._items: dict[str, Ints] = {}

    def value(self, measure: str, category: int, window: Window, column: Column | None) -> Floats:
        """Return one measure at all rows wanted, shape (n_rows,), NaN where it is not known.

        ``count``, ``active_days`` (days of UTC) and ``distinct`` are 0 where nothing is seen; ``sum`` too, in
        the unit of the column. ``mean`` is over known values. ``recency`` is in days and has no window.
        ``share`` is that of the category among all rows of the window. See `trend` and `surge`.
        """
        if column is not None:
            return self._measured(measure, category, window, column)
        if measure == "recency":
            return self._rows.days_since(self._first_and_last[1][category], self._cutoffs)
        if measure == "active_days":
            return self._at(self._active_days, category, window).astype(np.float64)
        recent = self._count(category, window.begins(self._calendar))
        if measure == "count":
            return recent.astype(np.float64)
        if measure == "trend":
            begin, end = window.before(self._calendar)
            return trend(recent, self._count(category, begin) - self._count(category, end))
        if measure == "share":
            whole = sum(
                self._count(k, window.begins(self._calendar)) for k in range(self._series.n_categories)
            )
            return np.where(whole > 0, recent / np.maximum(whole, 1), np.nan)
        baseline = window.baseline
        longer = self._count(category, baseline.begins(self._calendar))
        days = window.length_days(self._calendar)[self._rows.cutoff]
        return surge(recent, longer, self._tenure, days, baseline.days)

    def _measured(self, measure: str, category: int, window: Window, column: Column) -> Floats:
        if measure == "distinct":
            if column.name not in self._items:
                item = self._series.log.take(self._series.table.codes(column.stored).codes)
                self._items[column.name] = self._series.distinct(self._begins, item.astype(np.int32))
            return self._at(self._items[column.name], category, window).astype(np.float64)
        if column.name not in self._columns:
            amounts, scale = self._amounts(column)
            self._columns[column.name] = self._series.totals(self._begins, amounts)[1], scale
        sums, scale = self._columns[column.name]
        total = self._at(sums[0], category, window) / scale
        if measure == "sum":
            return np.asarray(total, dtype=np.float64)
        known = self._at(sums[1], category, window)
        return np.where(known > 0, total / np.maximum(known, 1), np.nan)

    def _amounts(self, column: Column) -> tuple[Ints, float]:
        """Return whole numbers to be added, and 1 where they are known, by rows; and their scale."""
        take, table = self._series.log.take, self._series.table
        if column.kind == "number":
            value = take(table.numbers(column.stored))
            known = np.isfinite(value)
            amounts, scale = np.rint(np.where(known, value, 0.0) * FIXED_POINT), float(FIXED_POINT)
        else:
            whole, there = table.integers(column.stored)
            amounts, known = take(whole), take(there)
            scale = 100.0 if column.kind == "money" else 1.0
        if np.abs(amounts.astype(np.float64)).sum() >= 2.0**61:
            raise ContractError(
                f"The numbers in '{column.name}' are too large to be added exactly.",
                where=column.name,
                why="A sum that overflows would be silently wrong.",
                fix="Give the column in a larger unit.",
            )
        return np.stack([amounts.astype(np.int64), known.astype(np.int64)]), scale

    @cached_property
    def _begins(self) -> Ints:
        return self._series.begins(*self._windows)

    def _at(self, grids: Ints, category: int, window: Window) -> Ints:
        return self._rows.pick(grids[category, self._windows.index(window)])

    @cached_property
    def _counts(self) -> dict[bytes, Ints]:
        """Counts of all categories, shape (n_categories, n_accounts, n_cutoffs), by where windows begin."""
        wanted = [w.begins(self._calendar) for w in self._windows]
        if "trend" in self._names:
            wanted += [begin for w in self._windows for begin in w.before(self._calendar)]
        if "surge" in self._names:
            wanted += [w.baseline.begins(self._calendar) for w in self._windows]
        begins = {begin.tobytes(): begin for begin in wanted}
        counts, _ = self._series.totals(np.stack(list(begins.values())))
        return {key: counts[:, place] for place, key in enumerate(begins)}

    def _count(self, category: int, begin: Ints) -> Ints:
        return self._rows.pick(self._counts[begin.tobytes()][category])

    @cached_property
    def _active_days(self) -> Ints:
        return self._series.active_days(self._begins)

    @cached_property
    def _first_and_last(self) -> tuple[Ints, Ints]:
        return self._series.first_and_last()

    @cached_property
    def _tenure(self) -> Floats:
        """Days since the account's first row of any category."""
        first = self._first_and_last[0]
        begun = np.where(first == NONE, np.iinfo(np.int64).max, first).min(axis=0)
        begun = np.where((first == NONE).all(axis=0), NONE, begun)
        return self._rows.days_since(begun, self._cutoffs)


def trend(recent: Ints, before: Ints) -> Floats:
    """Return ``ln((recent + 1) / (before + 1))``: this window against the one before it.

    Parameters
    ----------
    recent, before : numpy.ndarray of int64, shape (n_rows,)
        Rows in the window, and in the stretch before it.

    Examples
    --------
    >>> trend(np.array([3]), np.array([1])).round(3).tolist()
    [0.693]
    """
    return np.log((recent + 1) / (before + 1))


def surge(recent: Ints, span_count: Ints, tenure: Floats, days: Floats, span: int) -> Floats:
    """Return ``ln((recent + 1) / (usual + 1))``: this window against the account's own usual level.

    Usual is the number of rows before the window, within `span` days of the cutoff, scaled from the days the
    account was there in that time to the length of the window. One is added to both, so that small numbers do
    not cry wolf.

    Parameters
    ----------
    recent, span_count : numpy.ndarray of int64, shape (n_rows,)
        Rows in the window, and within `span` days before the cutoff.
    tenure : numpy.ndarray of float64, shape (n_rows,)
        Days since the account's first visible row of the table, NaN if none.
    days : numpy.ndarray of float64, shape (n_rows,)
        Length of the window.
    span : int
        Days of the whole look back, longer than any window.

    Returns
    -------
    numpy.ndarray of float64, shape (n_rows,)
        NaN where the account was not there before the window: it has no usual level yet.

    Examples
    --------
    >>> surge(np.array([5]), np.array([5 + 67]), np.array([500.0]), np.array([30.0]), 365).round(3).tolist()
    [-0.154]
    """
    length = np.minimum(tenure, float(span)) - days
    some = length > 0
    usual = (span_count - recent) * days / np.maximum(np.where(some, length, days), days)
    return np.where(some, np.log((recent + 1) / (usual + 1)), np.nan)
