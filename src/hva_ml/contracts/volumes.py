"""How many rows each source brought within four weeks before an instant, as known then. It judges nothing."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.contracts.records import ContractTables
from hva_ml.contracts.stored import CLOCKS

Ints = npt.NDArray[np.int64]
HISTORY = ("events", "deal_stages", "invoices")
KIND = "event_type"
WINDOW = 4 * 7 * 86_400_000_000


def volumes(tables: ContractTables, moments: Ints) -> dict[str, Ints]:
    """Count the rows that came in within four weeks before each moment.

    A row came in when it had happened and was known. Counted are the tables of history, as ``table``, and
    each kind of event, as ``table.kind``.

    Parameters
    ----------
    tables : ContractTables
        With all rows known until the last moment, or longer.
    moments : numpy.ndarray of int64, shape (n_moments,)
        Microseconds since 1970-01-01 UTC.

    Returns
    -------
    dict of str to numpy.ndarray of int64, shape (n_moments,)
        By name of the source.
    """
    found: dict[str, Ints] = {}
    for name, came in _streams(tables):
        ordered = np.sort(came)
        rows = np.searchsorted(ordered, moments) - np.searchsorted(ordered, moments - WINDOW)
        found[name] = found.get(name, 0) + rows.astype(np.int64)
    return dict(sorted(found.items()))


def _streams(tables: ContractTables) -> Iterator[tuple[str, Ints]]:
    """Yield when the rows of each table, and of each kind of event, came in, piece by piece."""
    pieces = ((n, p) for n in HISTORY if n in tables.tables for p in tables.pieces(n, (*CLOCKS, KIND)))
    for name, table in pieces:
        came = np.maximum(*(_int64(table[c]) for c in CLOCKS))
        yield name, came
        if KIND in table.column_names:
            kinds = table[KIND].combine_chunks()
            if not pa.types.is_dictionary(kinds.type):
                kinds = pc.dictionary_encode(kinds)
            code = np.asarray(pc.fill_null(kinds.indices, -1))
            for k, kind in enumerate(kinds.dictionary.to_pylist()):
                yield f"{name}.{kind}", came[code == k]


def _int64(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)
