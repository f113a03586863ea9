"""The words of a whole night: paragraph and reasons of every account, the same as for one account alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.errors import HvaError
from hva_ml.explanation.formats import factor, locale_name
from hva_ml.explanation.paragraph import Facts, compose
from hva_ml.explanation.phrases import Value, say
from hva_ml.explanation.reader import Reader
from hva_ml.explanation.reasons import plain
from hva_ml.explanation.selection import THRESHOLD, Floats, Ints, Selected, select, topics
from hva_ml.features.definition import FeatureDefinition, of_leads

TEXTS = pa.schema(
    [
        ("account_id", pa.string()),
        ("language", pa.string()),
        ("paragraph", pa.string()),
        ("sentences", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True, eq=False)
class Rows:
    """The accounts to be told of, all columns in one order.

    Attributes
    ----------
    account_id : pyarrow.Array of string, shape (n_rows,)
    values : pyarrow.Table
        Features before encoding, one column per definition, found by name; null where unknown.
    contributions : numpy.ndarray of float64, shape (n_rows, n_features)
        To ln(expected value), in the order of the definitions.
    probability, value_if_converted, expected_value, reference_expected_value : numpy.ndarray of float64
        Shape (n_rows,); amounts in currency units, the last one that of the row's own reference account.
    references : tuple of sequence
        Reference accounts, decoded (categories by name, None where unknown), each of length n_features.
    reference_of : numpy.ndarray of int64, shape (n_rows,)
        Which of `references` each row is compared with.
    value_bounds : tuple of numpy.ndarray of float64, each of shape (n_rows,), optional
        Between what the value mostly comes out if the row converts, in currency units.
    segments : tuple of str
        What the segment of each reference is called; empty where there is but one reference.
    """

    account_id: pa.Array | pa.ChunkedArray
    values: pa.Table
    contributions: Floats
    probability: Floats
    value_if_converted: Floats
    expected_value: Floats
    reference_expected_value: Floats
    references: tuple[Sequence[Value], ...]
    reference_of: Ints
    segments: tuple[str, ...] = ()
    value_bounds: tuple[Floats, Floats] | None = None

    def __post_init__(self) -> None:
        lengths = {
            len(self.account_id), self.values.num_rows, len(self.contributions), len(self.probability),
            len(self.value_if_converted), len(self.expected_value), len(self.reference_expected_value),
            len(self.reference_of), *(len(b) for b in self.value_bounds or ()),
        }  # fmt: skip
        if len(lengths) > 1 or len(self.segments) not in (0, len(self.references)):
            raise HvaError(
                f"The columns of the accounts have lengths {sorted(lengths)}.",
                where="texts",
                why="A sentence told under another account's name would be a false reason.",
                fix="Give all columns in one order of rows.",
            )


def texts(
    definitions: Sequence[FeatureDefinition],
    rows: Rows,
    *,
    languages: Sequence[str],
    horizon_days: int,
    country: str = "DE",
    currency: str = "EUR",
    reference: str = "typical",
    limit: int = 3,
    threshold: float = THRESHOLD,
) -> pa.Table:
    """Return paragraph and reasons of every account in every language, in the words of one account alone.

    Parameters
    ----------
    definitions : sequence of FeatureDefinition, length n_features
        What the columns mean.
    rows : Rows
        The accounts.
    languages : sequence of str
        ``de``, ``en`` or both.
    horizon_days : int
        Horizon of likelihood and value.
    country, currency, reference, limit, threshold
        See `reasons`.

    Returns
    -------
    pyarrow.Table
        Of schema `TEXTS`: account_id, language, paragraph, sentences (reasons for, strongest first, then
        those against, strongest first); languages one after the other, rows in their order.

    Raises
    ------
    UsageError
        For a language other than ``de`` and ``en``.
    """
    chosen = select(topics(definitions, rows.contributions), limit, threshold)
    parts = []
    for language in languages:
        locale_name(language, country)
        reader = Reader(language, country, currency, reference, of_leads(definitions))
        parts.append(_texts(definitions, rows, chosen, horizon_days, reader))
    return pa.concat_tables(parts) if parts else TEXTS.empty_table()


def _texts(
    definitions: Sequence[FeatureDefinition],
    rows: Rows,
    chosen: Selected,
    horizon_days: int,
    reader: Reader,
) -> pa.Table:
    sentences = _sentences(definitions, rows, chosen, reader)
    ups = np.bincount(chosen.row[chosen.effect > 0], minlength=len(chosen.counts)).tolist()
    ends = np.cumsum(chosen.counts).tolist()
    n = len(rows.probability)
    bounds: list[Any] = [None] * n
    if rows.value_bounds is not None:
        bounds = list(zip(*(b.tolist() for b in rows.value_bounds), strict=True))
    figures = zip(
        rows.probability.tolist(), rows.value_if_converted.tolist(), rows.expected_value.tolist(),
        rows.reference_expected_value.tolist(), bounds, strict=True,
    )  # fmt: skip
    segments = [rows.segments[k] if rows.segments else "" for k in rows.reference_of.tolist()]
    told, begin = [], 0
    for facts, up, end, segment in zip(figures, ups, ends, segments, strict=True):
        middle = begin + up
        told.append(
            compose(
                Facts(*facts), sentences[begin:middle], sentences[middle:end], horizon_days, reader, segment
            )
        )
        begin = end
    offsets = pa.array(np.r_[0, np.cumsum(chosen.counts)].astype(np.int32))
    columns = [
        rows.account_id.cast(pa.string()),
        pa.array([reader.language] * len(told), pa.string()),
        pa.array(told, pa.string()),
        pa.ListArray.from_arrays(offsets, pa.array(sentences, pa.string())),
    ]
    return pa.table(columns, schema=TEXTS)


def _sentences(
    definitions: Sequence[FeatureDefinition], rows: Rows, chosen: Selected, reader: Reader
) -> list[str]:
    """Return the sentence of every selected factor; each pair of values of a feature is worded once."""
    clauses = np.empty(len(chosen.row), dtype=object)
    compared = rows.reference_of[chosen.row]
    for j in np.unique(chosen.column).tolist():
        definition = definitions[j]
        here = np.flatnonzero(chosen.column == j)
        codes, values = _coded(rows.values[definition.name].take(pa.array(chosen.row[here])))
        pairs, inverse = np.unique(compared[here] * len(values) + codes, return_inverse=True)
        words = np.empty(len(pairs), dtype=object)
        for k, pair in enumerate(pairs.tolist()):
            home, code = divmod(pair, len(values))
            against = plain(rows.references[home][j])
            words[k] = say(definition, plain(values[code]), against, reader).text
        clauses[here] = words[inverse]
    spoken = reader.spoken
    times = np.exp(chosen.effect).tolist()
    return [f"{c}: {factor(t, **spoken)}" for c, t in zip(clauses.tolist(), times, strict=True)]


def _coded(cells: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], list[Any]]:
    """Return a code for every cell and what each code stands for, null (code 0) first."""
    encoded = cells.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    indices = np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    return indices + 1, [None, *encoded.dictionary.to_pylist()]
