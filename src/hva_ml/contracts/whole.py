"""What a table is judged by beside its single cells: end of the data, currency, keys, whole columns."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.contracts import codes
from hva_ml.contracts.casting import mask
from hva_ml.contracts.draft import Draft, repeated, shared
from hva_ml.contracts.schema import Column

MUCH = 0.2


def as_a_whole(draft: Draft) -> None:
    """Note if there is no row, or a column without any value."""
    if not draft.delivered:
        draft.note(codes.EMPTY_TABLE, what=f"The query of '{draft.contract.name}' returned no row.")
        return
    for name, given in draft.given.items():
        if not given:
            draft.note(codes.ALL_NULL, name, count=draft.delivered)


def future(draft: Draft, data_end: datetime | None) -> None:
    """Set aside rows after the end of the data."""
    if data_end is not None:
        end = pa.scalar(data_end, pa.timestamp("us", "UTC"))
        later = mask(pc.greater_equal(draft.columns["event_time"], end))
        draft.set_aside(codes.FUTURE_EVENT, "event_time", later & draft.clean)


def same_currency(draft: Draft, currency: str) -> None:
    """Set aside rows in another currency."""
    given = draft.columns.get("currency")
    if given is None or "currency" not in draft.contract.names:
        return
    other = mask(pc.not_equal(given, currency)) & draft.clean
    draft.set_aside(
        codes.MIXED_CURRENCY, "currency", other,
        what=f"Amounts are in another currency than the pipeline's {currency}: mixed currency.",
    )  # fmt: skip


def keys_once(draft: Draft) -> None:
    """Set aside rows that repeat a key: all copies but one, and everything that contradicts each other."""
    clean, key = draft.clean, draft.contract.key
    places = shared(draft.key_hashes(), clean)
    copies, conflicts = repeated(draft.rows(places), key)
    for code, found in ((codes.DUPLICATE_ROW, copies), (codes.CONFLICTING_KEY, conflicts)):
        rows = np.zeros(len(clean), dtype=bool)
        rows[places] = found
        draft.set_aside(code, "+".join(key), rows)


class Seen:
    """What the clean rows of a table say, all together; they may come in parts.

    Parameters
    ----------
    draft : Draft
        Of the table, or of a part of it.
    """

    def __init__(self, draft: Draft) -> None:
        self._n_rows = 0
        self._outcomes: set[str] = set()
        # Of each column that may have one value only: that value, None before the first row.
        self._only: dict[Column, object] = {
            c: None
            for c in draft.contract.columns
            if c.stored in draft.columns and not c.required and c.name not in ("known_at", "currency")
        }

    def add(self, draft: Draft) -> None:
        """Look at the clean rows of a part."""
        n, rows = int(draft.clean.sum()), pa.array(draft.clean)
        if not n:
            return
        self._n_rows += n
        if draft.contract.name == "deal_stages":
            stages = draft.columns["stage"].filter(rows)
            self._outcomes |= {o for o in ("won", "lost") if mask(pc.equal(stages, o)).any()}
        for column, value in list(self._only.items()):
            values = draft.columns[column.stored]
            same = _one_value(values if n == len(values) else values.filter(rows))
            if same is None or value not in (None, same):
                del self._only[column]
            else:
                self._only[column] = same

    def report(self, draft: Draft, future: int) -> None:
        """Note deals that never end, columns that say nothing, and how much was set aside.

        Parameters
        ----------
        draft : Draft
            Takes the notes.
        future : int
            Rows set aside because they lie after the end of the data.
        """
        if draft.contract.name == "deal_stages" and self._n_rows:
            never = [o for o in ("won", "lost") if o not in self._outcomes]
            if never:
                what = f"No row has the stage {' or '.join(repr(o) for o in never)}."
                draft.note(codes.NO_OUTCOME, "stage", count=self._n_rows, what=what)
        if self._n_rows > 1:
            for column in self._only:
                draft.note(codes.CONSTANT, column.name, count=self._n_rows)
        aside = draft.delivered - self._n_rows - future
        if aside > MUCH * (draft.delivered - future):
            what = f"{aside} of {draft.delivered - future} rows are in quarantine."
            draft.note(codes.MUCH_QUARANTINED, count=aside, what=what)


def _one_value(values: pa.Array) -> object:
    """Return the value that all cells have; None if there are several, or empty cells."""
    if values.null_count:
        return None
    # Words that are coded have one code each.
    coded = pa.types.is_dictionary(values.type)
    ends = pc.min_max(values.indices if coded else values)
    return values[0].as_py() if ends["min"] == ends["max"] else None
