"""One table held to the contract piece by piece, in bounded memory: the same as if it were read at once.

Rows are read and judged by themselves first; what is clean passes again in the order of its key.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import PipelineConfig
from hva_ml.contracts import between, codes, keys, whole
from hva_ml.contracts.casting import Cells
from hva_ml.contracts.draft import Draft, number, set_aside
from hva_ml.contracts.fingerprints import Fingerprint
from hva_ml.contracts.notes import Note, added
from hva_ml.contracts.reading import read
from hva_ml.contracts.records import Violation
from hva_ml.contracts.schema import TableContract
from hva_ml.contracts.tables import contract_for
from hva_ml.engines.spool import Spooled, Store

Reasons = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Held:
    """What became of one table.

    Attributes
    ----------
    clean : Spooled or None
        Clean rows sorted by key; None if the table is unusable as a whole.
    aside : Spooled or None
        Rows set aside, as they came, with a last column ``violation_code``; None if there is none.
    violations : tuple of Violation
        What was found.
    fingerprint : str
        Of the clean rows.
    """

    clean: Spooled | None
    aside: Spooled | None
    violations: tuple[Violation, ...]
    fingerprint: str


def hold(
    name: str, raw: Spooled, config: PipelineConfig, data_end: datetime | None, known: pa.Array | None,
    store: Store,
) -> Held:  # fmt: skip
    """Hold what the query of a contract table returned to the contract.

    Parameters
    ----------
    name : str
        The contract table.
    raw : Spooled
        What its query returned.
    config : PipelineConfig
        The pipeline.
    data_end : datetime or None
        Aware instant at which the data end; later events are set aside.
    known : pyarrow.Array or None
        Ids of the clean accounts; rows of others are set aside. None for accounts themselves.
    store : Store
        Where rows wait in between, and the results.
    """
    contract = contract_for(name, dict(config.tables[name].columns))  # type: ignore[index]
    passed = _read(contract, raw, config, data_end, store)
    total = _total(passed, contract, raw.schema)
    clean, print_ = _sorted(passed, total, config, known, store) if total.usable else (None, "")
    aside = _aside(raw, passed.reasons, store) if passed.reasons.any() else None
    return Held(clean, aside, total.found, print_)


@dataclass(frozen=True)
class _Passed:
    """What reading all pieces gave: clean rows with their numbers, and numbers that add up."""

    rows: Spooled
    columns: frozenset[str]
    usable: bool
    delivered: int
    given: dict[str, int]
    read: tuple[Note, ...]
    judged: tuple[Note, ...]
    reasons: Reasons


def _read(
    contract: TableContract, raw: Spooled, config: PipelineConfig, data_end: datetime | None, store: Store
) -> _Passed:
    """Read all pieces; once more if a column turns out to be of a wrong type, for then nothing holds."""
    wrong: frozenset[str] = frozenset()
    while True:
        found = _Adding()
        rows = store.keep(found.piece(contract, p, config, data_end, wrong) for p in raw.pieces())
        more = frozenset(name for name, cells in found.cells.items() if cells.wrong)
        if not more:
            return found.passed(rows)
        wrong |= more


class _Adding:
    """Adds up what is found in pieces."""

    def __init__(self) -> None:
        self.cells: dict[str, Cells] = {}
        self._given: dict[str, int] = {}
        self._notes: tuple[Note, ...] = ()
        self._n_read = 0
        self._reasons: list[Reasons] = []
        self._delivered = 0
        self._last: Draft | None = None

    def piece(
        self, contract: TableContract, raw: pa.Table, config: PipelineConfig, data_end: datetime | None,
        wrong: frozenset[str],
    ) -> pa.Table:  # fmt: skip
        """Read some rows; returns the clean ones with their numbers."""
        draft = read(contract.name, raw, config, wrong)
        self._n_read = len(draft.notes)
        if draft.usable:
            whole.future(draft, data_end)
            whole.same_currency(draft, config.pipeline.currency)
        self._notes = tuple(draft.notes) if self._last is None else added([self._notes, draft.notes])
        self._last = draft
        for name, cells in draft.cells.items():
            self.cells[name] = self.cells.get(name, Cells()) + cells
        for name, given in draft.given.items():
            self._given[name] = self._given.get(name, 0) + given
        self._reasons.append(draft.reasons.astype(np.uint8))
        numbers = pa.array(np.flatnonzero(draft.clean) + self._delivered)
        self._delivered += raw.num_rows
        return draft.clean_rows().append_column(keys.ROW, numbers)

    def passed(self, rows: Spooled) -> _Passed:
        """Return the sum of all pieces, at least one."""
        assert self._last is not None
        notes, n = self._notes, self._n_read
        return _Passed(
            rows, frozenset(self._last.columns), self._last.usable, self._delivered, self._given,
            notes[:n], notes[n:], np.concatenate(self._reasons),
        )  # fmt: skip


def _total(passed: _Passed, contract: TableContract, schema: pa.Schema) -> Draft:
    """Return a draft of no rows for the notes on the table as a whole."""
    draft = Draft(contract, schema.empty_table())
    draft.delivered, draft.given, draft.usable = passed.delivered, passed.given, passed.usable
    draft.notes = list(passed.read)
    whole.as_a_whole(draft)
    draft.notes += passed.judged
    return draft


def _sorted(
    passed: _Passed, total: Draft, config: PipelineConfig, known: pa.Array | None, store: Store
) -> tuple[Spooled, str]:
    """Let clean rows pass in the order of their key; what repeats a key, or is of nobody, is set aside."""
    contract = total.contract
    spool, hashed = store.spool(), Fingerprint(contract.arrow_schema)
    seen: whole.Seen | None = None
    notes: tuple[Note, ...] | None = None
    for draft, numbers in _parts(passed, contract, store):
        whole.keys_once(draft)
        if known is not None:
            between.strangers(draft, known)
        notes = tuple(draft.notes) if notes is None else added([notes, draft.notes])
        passed.reasons[numbers] = draft.reasons
        rows = draft.clean_rows()
        spool.add(rows)
        hashed.add(rows)
        seen = seen or whole.Seen(draft)
        seen.add(draft)
    assert seen is not None
    total.notes += notes or ()
    clean = spool.close()
    if contract.name == "accounts":
        _among_accounts(clean, passed, total, config)
    seen.report(total, int((passed.reasons == number(codes.FUTURE_EVENT)).sum()))
    return clean, hashed.hexdigest()


def _parts(
    passed: _Passed, contract: TableContract, store: Store
) -> Iterator[tuple[Draft, npt.NDArray[np.int64]]]:
    """Yield clean rows in the order of their key, as drafts of whole keys, with their numbers."""
    for part in keys.in_order(passed.rows, contract.key, store):
        numbers = part[keys.ROW].to_numpy()
        rows = part.drop_columns([keys.ROW])
        draft = Draft(contract, rows)
        draft.columns = {n: rows[n].combine_chunks() for n in rows.column_names if n in passed.columns}
        yield draft, numbers


def _among_accounts(clean: Spooled, passed: _Passed, total: Draft, config: PipelineConfig) -> None:
    rows = clean.table(["account_id", "event_time", "parent_id"])
    draft = Draft(total.contract, rows)
    draft.names, draft.delivered = total.names, passed.delivered
    draft.columns = {n: rows[n].combine_chunks() for n in rows.column_names if n in passed.columns}
    between.among_accounts(draft, pc.unique(draft.columns["account_id"]), config)
    total.notes += draft.notes


def _aside(raw: Spooled, reasons: Reasons, store: Store) -> Spooled:
    """Return the rows that are set aside, as they came, with ``violation_code``."""
    spool, first = store.spool(), 0
    for piece in raw.pieces():
        here = reasons[first : first + piece.num_rows]
        first += piece.num_rows
        spool.add(set_aside(piece, here))
    return spool.close()
