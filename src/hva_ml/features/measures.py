"""Measures of one table over windows: from the kernel's grids to numbers at the rows of the population.

All categories and windows of a measure come from one pass of the kernel, made when it is first asked for.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hva_ml.contracts.schema import Column
from hva_ml.errors import ContractError
from hva_ml.features.deviation import deviation, squares
from hva_ml.features.log import Bools, Floats, Ints
from hva_ml.features.lookback import Window
from hva_ml.features.rhythm import Rhythm
from hva_ml.features.series import Series
from hva_ml.features.universe import Rows
from hva_ml.features.windows import NONE

FIXED_POINT = 1_000_000
"""Numbers that are not whole are summed exactly in millionths."""


@dataclass(frozen=True)
class _Amounts:
    """A column in the order of the log: whole numbers, where they are known, and by what to divide."""

    whole: Ints
    known: Bools
    scale: float


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
        self._columns: dict[str, _Amounts] = {}
        self._made: dict[tuple[str, str], Ints] = {}

    def value(self, measure: str, category: int, window: Window, column: Column | None) -> Floats:
        """Return one measure at all rows wanted, shape (n_rows,), NaN where it is not known.

        - ``count``, ``active_days`` (days of UTC), ``distinct`` (known values) and ``sum`` (exact, in the
          unit of the column) are 0 where the window holds nothing.
        - ``mean``, ``min``, ``max`` and ``std`` are over known values; ``std`` is that of a sample, known
          from two values on.
        - ``recency`` and ``since_first`` are days from the latest and the earliest row; they have no window.
        - ``trend`` and ``surge``: see there. ``share`` is that of the category among all rows of the window.
        - ``gap_mean``, ``gap_max``, ``gap_std`` are days from one active day (UTC) to the next within the
          window; known from two active days on, ``gap_std`` from three.
        - ``streak`` counts weeks in a row with a row, back from the cutoff; ``streak_max`` the most anywhere
          in the window. The first such week is ``[cutoff - 7 days, cutoff)``.
        """
        if column is not None:
            return self._measured(measure, category, window, column)
        if measure == "recency":
            return self._rows.days_since(self._first_and_last[1][category], self._cutoffs)
        if measure == "since_first":
            return self._rows.days_since(self._first_and_last[0][category], self._cutoffs)
        if measure == "active_days":
            return self._at(self._active_days, category, window).astype(np.float64)
        if measure.startswith(("gap_", "streak")):
            return self._paced(measure, category, window)
        return self._compared(measure, category, window)

    def _compared(self, measure: str, category: int, window: Window) -> Floats:
        """Count, or hold the count against another."""
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

    def _paced(self, measure: str, category: int, window: Window) -> Floats:
        found = self._rhythm
        if measure in ("streak", "streak_max"):
            weeks = found.streak if measure == "streak" else found.best
            return self._at(weeks, category, window).astype(np.float64)
        gaps = self._at(found.days, category, window) - 1
        if measure == "gap_max":
            longest = self._at(found.longest, category, window)
            return np.where(gaps > 0, longest, np.nan)
        between = self._at(found.between, category, window)
        if measure == "gap_mean":
            return np.where(gaps > 0, between / np.maximum(gaps, 1), np.nan)
        squared = self._at(found.squares, category, window)
        nothing = np.zeros_like(squared)
        return deviation(np.maximum(gaps, 0), between, np.stack([squared, nothing, nothing]))

    def _measured(self, measure: str, category: int, window: Window, column: Column) -> Floats:
        if measure == "distinct":
            return self._at(self._different(column), category, window).astype(np.float64)
        scale = self._amounts(column).scale
        if measure in ("min", "max"):
            found = self._at(self._extreme(measure, column), category, window)
            return np.where(found == NONE, np.nan, np.where(found == NONE, 0, found) / scale)
        total, known, *squared = (self._at(sums, category, window) for sums in self._sums(column))
        if measure == "std":
            return deviation(known, total, np.stack(squared)) / scale
        added = np.asarray(total / scale, dtype=np.float64)
        return added if measure == "sum" else np.where(known > 0, added / np.maximum(known, 1), np.nan)

    def _different(self, column: Column) -> Ints:
        def make() -> Ints:
            items = self._series.log.take(self._series.table.items(column.stored))
            return self._series.distinct(self._begins, items)

        return self._once("distinct", column, make)

    def _extreme(self, measure: str, column: Column) -> Ints:
        def make() -> Ints:
            amounts = self._amounts(column)
            values = np.where(amounts.known, amounts.whole, NONE)
            return self._series.extreme(self._begins, values, smallest=measure == "min")

        return self._once(measure, column, make)

    def _sums(self, column: Column) -> Ints:
        """Sum up the amounts, how many are known, and (for std) the limbs of their squares."""

        def make() -> Ints:
            amounts = self._amounts(column)
            parts = [amounts.whole, amounts.known.astype(np.int64)]
            parts += [*squares(amounts.whole)] if "std" in self._names else []
            return self._series.totals(self._begins, np.stack(parts))[1]

        return self._once("sum", column, make)

    def _once(self, what: str, column: Column, make: Callable[[], Ints]) -> Ints:
        if (what, column.name) not in self._made:
            self._made[what, column.name] = make()
        return self._made[what, column.name]

    def _amounts(self, column: Column) -> _Amounts:
        if column.name not in self._columns:
            self._columns[column.name] = _amounts(self._series, column)
        return self._columns[column.name]

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
    def _rhythm(self) -> Rhythm:
        return self._series.rhythm(self._begins)

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


def _amounts(series: Series, column: Column) -> _Amounts:
    """Return a column as whole numbers that can be added exactly."""
    take, table = series.log.take, series.table
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
    return _Amounts(amounts.astype(np.int64), known, scale)


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
