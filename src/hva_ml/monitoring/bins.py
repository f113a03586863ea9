"""The fixed bins of a feature or score, cut once where the model learned; nights are counted into them."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.evaluation.stability import quantile_cuts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LARGEST_CATEGORIES = 12
SMALLEST_SHARE = 0.01


@dataclass(frozen=True)
class Bins:
    """Where the values of one subject are counted.

    Attributes
    ----------
    name : str
        Feature, or ``scores.<column>``.
    kind : str
        ``number`` or ``category``.
    cuts : tuple of float
        Of numbers: a bin holds what is at most its cut; one more bin holds what is above the last.
    categories : tuple of str
        Of categories: those with a bin of their own; one more bin holds all others, seen or not.

    The last bin of either kind holds what is unknown.
    """

    name: str
    kind: Literal["number", "category"]
    cuts: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, column: "pa.ChunkedArray | Floats") -> "Bins":
        """Cut bins of about a tenth of the known numbers each, or one for each frequent category.

        Examples
        --------
        >>> Bins.of("a", np.arange(1000.0)).cuts[:2]
        (99.0, 199.0)
        """
        if is_category(column):
            counts = Counter(_strings(column).drop_null().to_pylist())
            known = sorted(counts, key=lambda c: (-counts[c], c))[:LARGEST_CATEGORIES]
            least = SMALLEST_SHARE * sum(counts.values())
            return cls(name, "category", categories=tuple(c for c in known if counts[c] >= least))
        numbers = _numbers(column)
        numbers = numbers[~np.isnan(numbers)]
        cuts = quantile_cuts(numbers) if len(numbers) else np.array([])
        return cls(name, "number", tuple(float(c) for c in cuts))

    @property
    def size(self) -> int:
        """Number of bins."""
        return (len(self.cuts) if self.kind == "number" else len(self.categories)) + 2

    def place(self, column: "pa.ChunkedArray | Floats") -> Ints:
        """Return the bin of each row, shape (n_rows,)."""
        if self.kind == "category":
            places = pc.index_in(_strings(column), value_set=pa.array(self.categories, pa.string()))
            others = np.asarray(pc.fill_null(places, len(self.categories)).to_numpy(), dtype=np.int64)
            return np.where(np.asarray(_strings(column).is_null()), self.size - 1, others)
        numbers = _numbers(column)
        found = np.searchsorted(np.asarray(self.cuts, dtype=np.float64), numbers, side="left")
        return np.where(np.isnan(numbers), self.size - 1, found).astype(np.int64)

    def count(self, column: "pa.ChunkedArray | Floats", part: Ints, parts: int) -> Ints:
        """Count rows by part and bin.

        Parameters
        ----------
        column : pyarrow.ChunkedArray or numpy.ndarray of float64, shape (n_rows,)
            Null and NaN are unknown.
        part : numpy.ndarray of int64, shape (n_rows,)
            Part of each row; −1 belongs to none.
        parts : int
            Number of parts.

        Returns
        -------
        numpy.ndarray of int64, shape (parts, size)
        """
        place, inside = self.place(column), part >= 0
        flat = np.bincount(part[inside] * self.size + place[inside], minlength=parts * self.size)
        return np.asarray(flat, dtype=np.int64).reshape(parts, self.size)

    def split(self, column: "pa.ChunkedArray | Floats", part: Ints, parts: int) -> Ints:
        """Count all rows, then those of each part, as `count` does; shape (1 + parts, size)."""
        place = self.place(column)
        flat = np.bincount((part + 1) * self.size + place, minlength=(parts + 1) * self.size)
        found = np.asarray(flat, dtype=np.int64).reshape(parts + 1, self.size)
        found[0] = found.sum(axis=0)
        return found

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        told = {"cuts": list(self.cuts)} if self.kind == "number" else {"categories": list(self.categories)}
        return {"name": self.name, "kind": self.kind, **told}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Bins":
        """Rebuild from `record`."""
        cuts, categories = record.get("cuts", ()), record.get("categories", ())
        return cls(record["name"], record["kind"], tuple(map(float, cuts)), tuple(map(str, categories)))


def is_category(column: "pa.ChunkedArray | Floats") -> bool:
    """Return whether a column holds texts."""
    return not isinstance(column, np.ndarray) and not pa.types.is_floating(column.type)


def _strings(column: Any) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _numbers(column: "pa.ChunkedArray | Floats") -> Floats:
    if isinstance(column, np.ndarray):
        return column
    return np.asarray(pc.fill_null(column.cast(pa.float64()), float("nan")).to_numpy(), dtype=np.float64)
