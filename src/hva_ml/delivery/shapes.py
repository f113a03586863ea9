"""The flat tables that databases hold: plain columns, no lists, names that never depend on the features."""

from collections.abc import Collection, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import SinkTable

_REASON = (
    ("feature", pa.string()),
    ("topic", pa.string()),
    ("factor", pa.float64()),
    ("value", pa.string()),
    ("reference", pa.string()),
)
SCHEMAS: dict[SinkTable, pa.Schema] = {
    "scores": pa.schema(
        [
            ("account_id", pa.string()),
            ("as_of", pa.date32()),
            ("conversion_probability", pa.float64()),
            ("probability_low", pa.float64()),
            ("probability_high", pa.float64()),
            ("value_if_converted", pa.float64()),
            ("value_low", pa.float64()),
            ("value_high", pa.float64()),
            ("expected_value", pa.float64()),
            ("stable_score", pa.float64()),
            ("hva_likelihood", pa.float64()),
            ("percentile", pa.float64()),
            ("rank", pa.int64()),
            ("tier", pa.string()),
            ("tier_reason", pa.string()),
            ("in_capacity", pa.bool_()),
            ("strategic_weight", pa.float64()),
            ("unseen_categories", pa.int64()),
            ("model_version", pa.string()),
        ]
    ),
    "reasons": pa.schema(
        [("account_id", pa.string()), ("direction", pa.string()), ("place", pa.int64()), *_REASON]
    ),
    "texts": pa.schema(
        [
            ("account_id", pa.string()),
            ("language", pa.string()),
            ("place", pa.int64()),
            ("sentence", pa.string()),
        ]
    ),
    "explanations": pa.schema(
        [
            ("account_id", pa.string()),
            ("feature", pa.string()),
            ("log_probability", pa.float64()),
            ("log_value", pa.float64()),
        ]
    ),
    "accounts": pa.schema([("account_id", pa.string()), ("name", pa.string())]),
    "lifetime": pa.schema(
        [
            ("account_id", pa.string()),
            ("from_days", pa.int64()),
            ("horizon_days", pa.int64()),
            ("probability", pa.float64()),
            ("value_if_active", pa.float64()),
            ("value_in_window", pa.float64()),
            ("value", pa.float64()),
            ("survival", pa.float64()),
        ]
    ),
}
KEYS: dict[SinkTable, tuple[str, ...]] = {
    "scores": ("account_id",),
    "reasons": ("account_id", "direction", "place"),
    "texts": ("account_id", "language", "place"),
    "explanations": ("account_id", "feature"),
    "accounts": ("account_id",),
    "lifetime": ("account_id", "horizon_days"),
}
_SINCE: tuple[SinkTable, ...] = ("lifetime",)
# Which table of a run each is made of.
SOURCES: dict[SinkTable, str] = {"reasons": "scores"}
BASE = "(reference)"
_AT_ONCE = 2_000


def counted(tables: Collection[str]) -> tuple[SinkTable, ...]:
    """Return the tables that ``current`` has columns for: all of the first version, later ones if delivered.

    So a sink that does not ask for a later table keeps its form.
    """
    return tuple(t for t in SCHEMAS if t in tables or t not in _SINCE)


def flat(table: SinkTable, piece: pa.Table) -> Iterator[pa.Table]:
    """Yield a piece of a run's table in the form of `SCHEMAS`, in parts that fit into memory."""
    if table == "reasons":
        for direction in ("positive", "negative"):
            yield _reasons(piece, direction)
    elif table == "texts":
        yield _texts(piece)
    elif table == "explanations":
        for first in range(0, piece.num_rows, _AT_ONCE):
            yield _explanations(piece.slice(first, _AT_ONCE))
    else:
        yield pa.table([_column(piece, f) for f in SCHEMAS[table]], schema=SCHEMAS[table])


def _column(piece: pa.Table, field: pa.Field) -> pa.ChunkedArray | pa.Array:
    """Return a column of a piece, empty where it was published before there was such a column."""
    if field.name in piece.column_names:
        return piece[field.name].cast(field.type)
    return pa.nulls(piece.num_rows, field.type)


def _reasons(piece: pa.Table, direction: str) -> pa.Table:
    ids, place, found = _spread(piece, f"reasons_{direction}", first=1)
    names = pa.array([direction] * len(ids), pa.string())
    return pa.table(
        [ids, names, place, *(pc.struct_field(found, name) for name, _ in _REASON)], schema=SCHEMAS["reasons"]
    )


def _texts(piece: pa.Table) -> pa.Table:
    """Return the paragraph as place 0, then the reasons, strongest for first."""
    ids, place, sentence = _spread(piece, "sentences", first=1)
    languages = piece["language"].combine_chunks().take(_rows(piece, "sentences"))
    zero = pa.array(np.zeros(piece.num_rows, dtype=np.int64))
    whole = [piece["account_id"], piece["language"], zero, piece["paragraph"]]
    return pa.concat_tables(
        pa.table(columns, schema=SCHEMAS["texts"]) for columns in (whole, [ids, languages, place, sentence])
    )


def _spread(piece: pa.Table, column: str, *, first: int) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Return account, place within its list, and entry, for every entry of a list column."""
    rows = np.asarray(_rows(piece, column))
    begins = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]]) if len(rows) else rows
    counts = np.diff(np.r_[begins, len(rows)])
    place = np.arange(len(rows)) - np.repeat(begins, counts) + first
    ids = piece["account_id"].combine_chunks().take(pa.array(rows))
    return ids, pa.array(place, pa.int64()), pc.list_flatten(piece[column].combine_chunks())


def _rows(piece: pa.Table, column: str) -> pa.Array:
    return pc.list_parent_indices(piece[column].combine_chunks())


def _explanations(piece: pa.Table) -> pa.Table:
    """Return one row for each feature that moves an account, and one for what it is compared with.

    Features whose factor is exactly 1 have no row: the sums stay the same.
    """
    features = [c.removeprefix("likelihood.") for c in piece.column_names if c.startswith("likelihood.")]
    names = np.array([BASE, *features], dtype=object)
    log_p = _matrix(piece, ["log_base_probability", *(f"likelihood.{f}" for f in features)])
    log_v = _matrix(piece, ["log_base_value", *(f"value.{f}" for f in features)])
    kept = (log_p != 0) | (log_v != 0)
    kept[:, 0] = True
    row, column = np.nonzero(kept)
    return pa.table(
        [
            piece["account_id"].combine_chunks().take(pa.array(row)),
            pa.array(names[column].tolist(), pa.string()),
            pa.array(log_p[row, column]),
            pa.array(log_v[row, column]),
        ],
        schema=SCHEMAS["explanations"],
    )


def _matrix(piece: pa.Table, columns: list[str]) -> np.ndarray:
    return np.column_stack([np.asarray(piece[c].cast(pa.float64())) for c in columns])
