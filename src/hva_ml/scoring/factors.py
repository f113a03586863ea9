"""The strongest factors of every account as rows; explanation.reasons makes sentences of them later."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.explanation.reasons import THRESHOLD
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.training.matrix import Encoder

Floats = npt.NDArray[np.float64]

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
    features: FeatureSet, encoder: Encoder, reference: Floats, contributions: Floats, limit: int
) -> tuple[pa.Array, pa.Array]:
    """Return the factors that raise and those that lower each account's expected value, strongest first.

    Features of one topic are one factor, told by its most telling feature; those nearer to 1 than 5 % are
    left out. Topics and order are those of ``explanation.reasons``.

    Parameters
    ----------
    features : FeatureSet
        The rows, for the values as they were before encoding.
    encoder : Encoder
        Decodes the reference.
    reference : numpy.ndarray of float64, shape (n_features,)
        The typical account as encoded.
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
    groups = topics(features.definitions)
    names = sorted(groups)
    sums = np.column_stack([contributions[:, groups[t]].sum(axis=1) for t in names])
    told = _telling(groups, names, sums, contributions)
    typical = [
        _written(encoder.decode(d.name, v) if d.kind == "category" else v)
        for d, v in zip(features.definitions, reference.tolist(), strict=True)
    ]
    return (
        _lists(features, typical, names, told, sums, sums, limit),
        _lists(features, typical, names, told, sums, -sums, limit),
    )


def topics(definitions: Sequence[FeatureDefinition]) -> dict[str, list[int]]:
    """Return the columns of each topic; a feature without a topic is its own.

    Columns are ordered by feature name, so that of equally telling ones always the same is named.
    """
    groups: dict[str, list[int]] = {}
    for j, d in sorted(enumerate(definitions), key=lambda item: item[1].name):
        groups.setdefault(d.topic or d.name, []).append(j)
    return groups


def _telling(
    groups: Mapping[str, list[int]],
    names: Sequence[str],
    sums: Floats,
    contributions: Floats,
) -> npt.NDArray[np.int64]:
    """Return the column that contributes most in the direction of its topic, shape (n_rows, n_topics)."""
    told = np.empty(sums.shape, dtype=np.int64)
    for t, name in enumerate(names):
        members = np.array(groups[name])
        sign = np.where(sums[:, t] >= 0, 1.0, -1.0)
        told[:, t] = members[np.argmax(sign[:, None] * contributions[:, members], axis=1)]
    return told


def _lists(
    features: FeatureSet,
    typical: Sequence[str | None],
    names: Sequence[str],
    told: npt.NDArray[np.int64],
    sums: Floats,
    strength: Floats,
    limit: int,
) -> pa.Array:
    order = np.argsort(-strength, axis=1, kind="stable")[:, :limit]
    lines = np.arange(len(strength))[:, None]
    kept = (strength[lines, order] >= THRESHOLD) & (strength[lines, order] > 0)
    rows, picks = np.nonzero(kept)
    topic = order[rows, picks]
    column = told[rows, topic]
    values = np.full(len(rows), None, dtype=object)
    for j in np.unique(column):
        here = np.flatnonzero(column == j)
        cells = features.table[features.definitions[j].name].take(pa.array(rows[here]))
        values[here] = [_written(v) for v in cells.to_pylist()]
    structs = pa.StructArray.from_arrays(
        [
            pa.array([features.definitions[j].name for j in column], pa.string()),
            pa.array([names[t] for t in topic], pa.string()),
            pa.array(np.exp(sums[rows, topic]), pa.float64()),
            pa.array(values.tolist(), pa.string()),
            pa.array([typical[j] for j in column], pa.string()),
        ],
        fields=list(REASON),
    )
    offsets = np.r_[0, np.cumsum(kept.sum(axis=1))].astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), structs)


def _written(value: float | str | None) -> str | None:
    """Write a number so that it reads back exactly; unknown stays unknown."""
    if value is None or isinstance(value, str):
        return value
    return None if np.isnan(value) else repr(float(value))
