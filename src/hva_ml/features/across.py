"""What features need to know about all accounts together: whole numbers at each cutoff, which add up.

So the accounts may be counted part by part, in any parts, and every part then sees the same totals.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import numpy as np
import pyarrow as pa

from hva_ml.features.log import Ints
from hva_ml.features.universe import Feature, Rows

SCHEMA = pa.schema([("name", pa.string()), ("value", pa.string()), ("totals", pa.list_(pa.int64()))])


class Totals:
    """Whole numbers at each cutoff, by name and, where it counts categories, by value.

    Parameters
    ----------
    n_cutoffs : int
        Length of each array.
    counts : iterable of ((str, str), numpy.ndarray of int64)
        Name and value, and the numbers, shape (n_cutoffs,); what has one name and value is added up.

    Examples
    --------
    >>> parts = [Totals(1, [(("won", ""), np.array([n]))]) for n in (2, 3)]
    >>> Totals.added(1, (part.table() for part in parts)).at("won").tolist()
    [5]
    """

    def __init__(self, n_cutoffs: int, counts: Iterable[tuple[tuple[str, str], Ints]] = ()) -> None:
        self._n_cutoffs = n_cutoffs
        self._counts: dict[tuple[str, str], Ints] = {}
        for key, numbers in counts:
            self._counts[key] = self._counts[key] + numbers if key in self._counts else numbers

    def at(self, name: str, value: str = "") -> Ints:
        """Return the numbers of one name and value, 0 where nothing was counted, shape (n_cutoffs,)."""
        found = self._counts.get((name, value))
        return np.zeros(self._n_cutoffs, dtype=np.int64) if found is None else found

    def whole(self, name: str) -> Ints:
        """Return the sum over all values of a name, shape (n_cutoffs,)."""
        return sum((n for (own, _), n in self._counts.items() if own == name), self.at(""))

    def largest(self, name: str) -> Ints:
        """Return the largest value counted of a name whose values are whole numbers, 0 without any.

        So the parts tell a largest number by counts, which add up; shape (n_cutoffs,).

        Examples
        --------
        >>> totals = Totals(2, [(("age", "9"), np.array([1, 0])), (("age", "12"), np.array([0, 2]))])
        >>> totals.largest("age").tolist()
        [9, 12]
        """
        found = np.zeros(self._n_cutoffs, dtype=np.int64)
        for (own, value), numbers in self._counts.items():
            if own == name:
                found = np.maximum(found, np.where(numbers > 0, int(value), 0))
        return found

    def table(self) -> pa.Table:
        """Return all of them as a table: ``name``, ``value``, ``totals`` (one number for each cutoff)."""
        rows = [
            {"name": name, "value": value, "totals": numbers.tolist()}
            for (name, value), numbers in self._counts.items()
        ]
        return pa.Table.from_pylist(rows, SCHEMA)

    @classmethod
    def added(cls, n_cutoffs: int, tables: Iterable[pa.Table]) -> "Totals":
        """Return the sum of several tables made by `table`."""
        return cls(n_cutoffs, (row for table in tables for row in _rows(table)))


class AcrossAccounts(Protocol):
    """A group of features that are held against all accounts."""

    def counts(self) -> Mapping[tuple[str, str], Ints]:
        """Return what is to be added up over all accounts, by name and value; names are the group's own."""
        ...

    def features(self, rows: Rows, totals: Totals) -> list[Feature]:
        """Return the features at the rows wanted, given the totals over all accounts."""
        ...


def _rows(table: pa.Table) -> Iterator[tuple[tuple[str, str], Ints]]:
    for row in table.to_pylist():
        yield (row["name"], row["value"]), np.array(row["totals"], dtype=np.int64)
