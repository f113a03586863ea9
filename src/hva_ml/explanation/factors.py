"""The strongest factors of every account as rows; explanation.reasons makes sentences of them later."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.explanation.selection import Selected, select, topics
from hva_ml.features.definition import FeatureSet

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

REASON = pa.struct(
    [
        ("feature", pa.string()),
        ("topic", pa.string()),
        ("factor", pa.float64()),
        ("value", pa.string()),
        ("reference", pa.string()),
    ]
)


def strongest(
    features: FeatureSet,
    references: Sequence[Sequence[float | str | None]],
    reference_of: Ints,
    contributions: Floats,
    limit: int,
) -> tuple[pa.Array, pa.Array]:
    """Return the factors that raise and those that lower each account's expected value, strongest first.

    Features of one topic are one factor, told by its most telling feature; those nearer to 1 than 5 % are
    left out. Topics and order are those of ``explanation.reasons``.

    Parameters
    ----------
    features : FeatureSet
        The rows, for the values as they were before encoding.
    references : sequence of sequence, each of length n_features
        The reference accounts, decoded.
    reference_of : numpy.ndarray of int64, shape (n_rows,)
        Which of them each row is compared with.
    contributions : numpy.ndarray of float64, shape (n_rows, n_features)
        To ln(expected value).
    limit : int
        Most factors for each direction.

    Returns
    -------
    tuple of pyarrow.Array
        Lists of `REASON`: ``factor`` multiplies the expected value; ``value`` and ``reference`` are the
        feature's own (numbers written so that they read back exactly), null where unknown.
    """
    found = topics(features.definitions, contributions)
    chosen = select(found, limit)
    structs = _structs(features, references, reference_of, chosen, found.names)
    up = chosen.effect > 0
    return _lists(structs, chosen, up), _lists(structs, chosen, ~up)


def _structs(
    features: FeatureSet,
    references: Sequence[Sequence[float | str | None]],
    reference_of: Ints,
    chosen: Selected,
    names: Sequence[str],
) -> pa.StructArray:
    values = np.full(len(chosen.row), None, dtype=object)
    compared = values.copy()
    called = np.array([d.name for d in features.definitions], dtype=object)
    for j in np.unique(chosen.column).tolist():
        here = np.flatnonzero(chosen.column == j)
        rows = chosen.row[here]
        cells = features.table[called[j]].take(pa.array(rows))
        values[here] = [_written(v) for v in cells.to_pylist()]
        homes = np.array([_written(r[j]) for r in references], dtype=object)
        compared[here] = homes[reference_of[rows]]
    return pa.StructArray.from_arrays(
        [
            pa.array(called[chosen.column].tolist(), pa.string()),
            pa.array(np.array(names, dtype=object)[chosen.topic].tolist(), pa.string()),
            pa.array(np.exp(chosen.effect), pa.float64()),
            pa.array(values.tolist(), pa.string()),
            pa.array(compared.tolist(), pa.string()),
        ],
        fields=list(REASON),
    )


def _lists(structs: pa.StructArray, chosen: Selected, mask: npt.NDArray[np.bool_]) -> pa.Array:
    counts = np.bincount(chosen.row[mask], minlength=len(chosen.counts))
    offsets = np.r_[0, np.cumsum(counts)].astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), structs.take(pa.array(np.flatnonzero(mask))))


def _written(value: float | str | None) -> str | None:
    """Write a number so that it reads back exactly; unknown stays unknown."""
    if value is None or isinstance(value, str):
        return value
    return None if np.isnan(value) else repr(float(value))
