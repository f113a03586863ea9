"""A table on its way through the contract: which rows are still clean, which are set aside and why."""

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.contracts import codes, privacy
from hva_ml.contracts.records import Violation
from hva_ml.contracts.schema import TableContract
from hva_ml.errors import MAX_IDS

Mask = npt.NDArray[np.bool_]


class Draft:
    """Collects the columns read, the rows set aside and the findings of one table.

    A row is set aside once, under the first code that meets it; later findings may count it too.

    Parameters
    ----------
    contract : TableContract
        What the table should be.
    raw : pyarrow.Table
        What the query returned.
    """

    def __init__(self, contract: TableContract, raw: pa.Table) -> None:
        self.contract = contract
        self.raw = _takeable(raw)
        self.columns: dict[str, pa.Array] = {}
        self.found: list[Violation] = []
        self.usable = True
        self._reason: npt.NDArray[np.int16] = np.zeros(raw.num_rows, dtype=np.int16)  # number of the code

    @property
    def clean(self) -> Mask:
        """Rows not set aside, of shape (n_rows,)."""
        return np.asarray(self._reason == 0)

    def set_aside_by(self, code: str) -> int:
        """Return how many rows are set aside under `code`."""
        return int((self._reason == _number(code)).sum())

    def note(
        self, code: str, column: str = "", rows: Mask | None = None, count: int = 0, *, what: str = "",
        fix: str = "",
    ) -> None:  # fmt: skip
        """Report a finding; with `rows`, only if there are any."""
        if rows is not None:
            count = int(rows.sum())
            if not count:
                return
        where = f"{self.contract.name}.{column}" if column else self.contract.name
        ids = self.ids(rows) if rows is not None else ()
        self.found.append(codes.violation(code, where, count, ids, what=what, fix=fix))

    def set_aside(self, code: str, column: str, rows: Mask, *, what: str = "", fix: str = "") -> None:
        """Report a finding and put its rows into quarantine."""
        self.note(code, column, rows, what=what, fix=fix)
        self._reason[rows & self.clean] = _number(code)

    def give_up(self, code: str, column: str = "", *, what: str = "", fix: str = "") -> None:
        """Report that the whole table is unusable; all its rows go into quarantine."""
        self.note(code, column, count=self.raw.num_rows, what=what, fix=fix)
        self._reason[self.clean] = _number(code)
        self.usable = False

    def ids(self, rows: Mask) -> tuple[str, ...]:
        """Return at most five keys of such rows, the smallest ones; the same in any row order."""
        key = self.columns.get(self.contract.key[0])
        if key is None:
            return ()
        some = pc.unique(key.filter(pa.array(rows))).drop_null()
        order = pc.select_k_unstable(some, k=min(MAX_IDS, len(some)), sort_keys=[("", "ascending")])
        return tuple(dict.fromkeys(privacy.shown(k) for k in some.take(order).to_pylist()))

    def table(self) -> pa.Table:
        """Return all rows under the contract's schema; columns not read are null."""
        n = self.raw.num_rows
        arrays = [self.columns.get(f.name, pa.nulls(n, f.type)) for f in self.contract.arrow_schema]
        return pa.table(arrays, schema=self.contract.arrow_schema)

    def settle(self) -> tuple[pa.Table, pa.Table]:
        """Return the clean rows sorted by key, and the others as they came, with ``violation_code``."""
        kept = self.table().filter(pa.array(self.clean))
        kept = kept.take(pc.sort_indices(kept, sort_keys=[(k, "ascending") for k in self.contract.key]))
        places = np.flatnonzero(~self.clean)
        aside = self.raw.take(pa.array(places, pa.int64()))
        reasons = pa.array([f"HVD{r:03d}" for r in self._reason[places]], pa.string())
        return kept.combine_chunks(), aside.append_column("violation_code", reasons)


def _number(code: str) -> int:
    return int(code.removeprefix("HVD"))


def _takeable(raw: pa.Table) -> pa.Table:
    """Return the same rows without view types, of which Arrow cannot take single rows."""
    plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    fields = [f.with_type(plain.get(f.type, f.type)) for f in raw.schema]
    return raw.cast(pa.schema(fields)) if any(f.type in plain for f in raw.schema) else raw


def repeated(table: pa.Table, key: tuple[str, ...]) -> tuple[Mask, Mask]:
    """Find rows that share their key.

    Parameters
    ----------
    table : pyarrow.Table
        Rows of a contract table without empty keys.
    key : tuple of str
        Its key.

    Returns
    -------
    copies : numpy.ndarray
        Rows equal to an earlier row in every column, of shape (n_rows,).
    conflicts : numpy.ndarray
        All other rows whose key also stands for other content, of shape (n_rows,).
    """
    n = table.num_rows
    copies, conflicts = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    if n < 2:
        return copies, conflicts
    keyed = table.select(list(key)).to_pandas()
    places = np.flatnonzero(keyed.duplicated(keep=False).to_numpy())
    if len(places):
        shared = table.take(pa.array(places)).to_pandas(types_mapper=pd.ArrowDtype)
        copy = shared.duplicated(keep="first").to_numpy()
        copies[places] = copy
        left = shared[~copy]
        conflicts[places[~copy]] = left.duplicated(subset=list(key), keep=False).to_numpy()
    return copies, conflicts


def fingerprint(table: pa.Table) -> str:
    """Return the sha256 of a table's Arrow stream, independent of chunking."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for batch in table.combine_chunks().to_batches(max_chunksize=65_536):
            writer.write_batch(batch)
    return hashlib.sha256(sink.getvalue()).hexdigest()
