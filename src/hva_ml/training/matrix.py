"""Features -> the matrix a model sees: one column per feature, categories as ordinal codes.

What the codes mean is kept as JSON beside the model; raw strings never enter a model file.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.errors import ContractError, IntegrityError, NotEnoughDataError, nearest
from hva_ml.features.definition import FeatureSet

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EncodedColumn:
    """How one feature becomes numbers.

    Attributes
    ----------
    name, kind : str
        As in the feature's definition.
    categories : tuple of str
        Values seen in training, by descending frequency, ties by name; the position is the code.
    fill : float or None
        Stands for a null if training had none: the training median of a number, the code "unseen" of a
        category. None where training had nulls: they stay NaN, which the model has learned to read.
    """

    name: str
    kind: Literal["number", "category"]
    categories: tuple[str, ...] = ()
    fill: float | None = None

    @property
    def unseen_code(self) -> int:
        """Code of every value that training has not seen."""
        return len(self.categories)


@dataclass(frozen=True)
class Encoder:
    """Turns a feature set into a matrix, always in the same way.

    Attributes
    ----------
    columns : tuple of EncodedColumn
        In the order of the definitions seen by `fit`.
    """

    columns: tuple[EncodedColumn, ...]
    _codes: Mapping[str, Mapping[str, int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        codes = {c.name: {v: k for k, v in enumerate(c.categories)} for c in self.columns}
        object.__setattr__(self, "_codes", codes)

    @classmethod
    def fit(cls, features: FeatureSet, orders: Mapping[str, Sequence[str]] | None = None) -> "Encoder":
        """Learn categories and fill values from training rows; the order of rows does not matter.

        `orders` gives the values of some categories from low to high; further ones come after them.

        Raises
        ------
        NotEnoughDataError
            If there are no rows or no features.
        ContractError
            If a number is infinite.
        """
        if not features.definitions or not features.table.num_rows:
            raise NotEnoughDataError(
                f"Nothing to learn from: {features.table.num_rows} rows, {len(features.names)} features.",
                where="training side",
                fix="Check [population], [cutoffs] and [features] of the pipeline.",
            )
        table, known = features.table, orders or {}
        return cls(
            tuple(_learn(d.name, d.kind, table[d.name], known.get(d.name, ())) for d in features.definitions)
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names, one per matrix column, in order."""
        return tuple(c.name for c in self.columns)

    def transform(self, features: FeatureSet) -> Matrix:
        """Return the matrix, shape (n_rows, n_features); features are found by name, further ones ignored.

        Raises
        ------
        ContractError
            If a feature is missing, has another kind than in training, or holds an infinite number.
        """
        kinds = {d.name: d.kind for d in features.definitions}
        out = np.empty((features.table.num_rows, len(self.columns)), dtype=np.float64)
        for j, column in enumerate(self.columns):
            _check(column, kinds)
            values = features.table[column.name]
            if column.kind == "number":
                coded = _numbers(column.name, values)
            else:
                coded = _coded(values, self._codes[column.name], column.unseen_code)
            if column.fill is not None:
                coded = np.where(np.isnan(coded), column.fill, coded)
            out[:, j] = coded
        return out

    def unseen(self, features: FeatureSet) -> dict[str, int]:
        """Return the number of rows with a value unseen in training, per category feature that has any."""
        counts: dict[str, int] = {}
        for column in self.columns:
            if column.kind == "category" and column.name in features.names:
                coded = _coded(features.table[column.name], self._codes[column.name], column.unseen_code)
                if found := int((coded == column.unseen_code).sum()):
                    counts[column.name] = found
        return counts

    def decode(self, name: str, code: float) -> str | None:
        """Return the category behind a code; None for a number, a null or an unseen value.

        Raises
        ------
        KeyError
            If there is no such feature.
        """
        column = next((c for c in self.columns if c.name == name), None)
        if column is None:
            raise KeyError(name)
        if np.isnan(code) or not 0 <= int(code) < len(column.categories):
            return None
        return column.categories[int(code)]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready record."""
        return {"columns": [{**asdict(c), "categories": list(c.categories)} for c in self.columns]}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Encoder":
        """Rebuild from `to_dict`.

        Raises
        ------
        IntegrityError
            If the record is not one that `to_dict` writes.
        """
        try:
            columns = tuple(
                EncodedColumn(
                    str(c["name"]),
                    _kind(c["kind"]),
                    tuple(str(v) for v in c["categories"]),
                    None if c["fill"] is None else float(c["fill"]),
                )
                for c in record["columns"]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError(
                "The stored encoder is not in the form this version writes.",
                where="encoder record",
                fix="Restore the model files, or train again.",
            ) from error
        return cls(columns)


def _kind(value: object) -> Literal["number", "category"]:
    if value == "number":
        return "number"
    if value == "category":
        return "category"
    raise ValueError(value)


def _learn(
    name: str, kind: Literal["number", "category"], values: pa.ChunkedArray, order: Sequence[str]
) -> EncodedColumn:
    if kind == "number":
        numbers = _numbers(name, values)
        fill = None if np.isnan(numbers).any() else float(np.median(numbers))
        return EncodedColumn(name, kind, (), fill)
    counts = Counter(v for v in _strings(values).to_pylist() if v is not None)
    first = {v: k for k, v in enumerate(order)}
    categories = tuple(sorted(counts, key=lambda v: (first.get(v, len(first)), -counts[v], v)))
    # A model that never met a null reads NaN as code 0, the most frequent category: say "unseen" instead.
    return EncodedColumn(name, kind, categories, None if values.null_count else float(len(categories)))


def _strings(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values.cast(pa.string()) if pa.types.is_dictionary(values.type) else values


def _numbers(name: str, values: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    filled = pc.fill_null(values.cast(pa.float64()), float("nan"))
    numbers = np.asarray(filled.to_numpy(), dtype=np.float64)
    if infinite := int(np.isinf(numbers).sum()):
        raise ContractError(
            "A feature has infinite values.",
            where=f"{name}, {infinite} rows",
            why="No tree can split on infinity, and no reason could be told for it.",
            fix="Give null where a ratio has no denominator.",
        )
    return numbers


def _coded(values: pa.ChunkedArray, codes: Mapping[str, int], unseen: int) -> npt.NDArray[np.float64]:
    encoded = _strings(values).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = pa.concat_arrays(encoded.chunks) if encoded.num_chunks else pa.array([], pa.string())
    encoded = encoded.dictionary_encode()
    table = np.array([codes.get(v, unseen) for v in encoded.dictionary.to_pylist()] + [np.nan], np.float64)
    positions = pc.fill_null(encoded.indices.cast(pa.int64()), len(table) - 1)
    return np.asarray(table[positions.to_numpy(zero_copy_only=False)], dtype=np.float64)


def _check(column: EncodedColumn, kinds: Mapping[str, str]) -> None:
    found = kinds.get(column.name)
    if found == column.kind:
        return
    if found is None:
        raise ContractError(
            f"The model needs a feature that is not there.{nearest(column.name, kinds)}",
            where=column.name,
            fix="Build features with the pipeline file the model was trained with.",
        )
    raise ContractError(
        f"A feature is a {found} now and was a {column.kind} in training.",
        where=column.name,
        fix="Build features with the pipeline file the model was trained with, or train again.",
    )
