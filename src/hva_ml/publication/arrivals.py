"""Whether every source still arrives: silence would pass for customers who went quiet."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import Audit
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import microseconds
from hva_ml.publication.rows import AuditRow

CODE = "HVS001"
MASTER = ("accounts", "contacts")
KIND = "event_type"
COLUMNS = ("event_time", "known_at", KIND)
LOOK_BACK_DAYS = 730
LEAST_ARRIVALS = 20
LEAST_SILENCE_DAYS = 2.0
_HOUR = 3_600_000_000


@dataclass(frozen=True)
class Stream:
    """The rows of one source as they came in.

    Attributes
    ----------
    name : str
        ``table``, or ``table.kind`` for the events of one kind.
    happened : float or None
        Days from the newest visible event to the day of scoring; None without any row.
    silent : float
        Days since the newest row arrived (when it happened and was known), to the hour.
    longest : float
        Days of the longest silence before it, within two years.
    arrivals : int
        Different hours with an arrival, within two years.
    """

    name: str
    happened: float | None
    silent: float
    longest: float
    arrivals: int


def arrivals(visible: ContractTables, moment: datetime, limits: Audit) -> tuple[AuditRow, ...]:
    """Hold every table of history, and every kind of event, to its own habit of arriving.

    A source is missing if its newest event is older than ``fresh_days``, or if nothing has arrived for more
    than ``max_silence`` times its longest silence in two years (and two days). Kinds of events that are rare,
    or that ended more than two years ago, are only held to the table's own habit.

    Parameters
    ----------
    visible : ContractTables
        What is known before `moment`.
    moment : datetime.datetime
        The day of scoring, as an instant.
    limits : Audit
        ``[audit]`` of the pipeline.

    Returns
    -------
    tuple of AuditRow
        One row a table, and one for each kind of event that is found.
    """
    rows: list[AuditRow] = []
    for name in sorted(set(visible.tables) - set(MASTER)):
        for stream in streams(name, visible.pieces(name, COLUMNS), moment):
            row = _judged(stream, limits)
            if stream.name == name or row.outcome == "found":
                rows.append(row)
    return tuple(rows)


def streams(name: str, pieces: Iterable[pa.Table], moment: datetime) -> Iterator[Stream]:
    """Yield the table as one stream, then each kind of its events; its rows may come in pieces."""
    whole, kinds = _Arrived(), defaultdict[str, _Arrived](_Arrived)
    for piece in pieces:
        now = microseconds(moment)
        happened, known = (np.asarray(piece[c].cast(pa.int64())) for c in ("event_time", "known_at"))
        # To the hour, counted back from the day of scoring.
        age, hour = now - happened, (now - np.maximum(happened, known)) // _HOUR
        whole.add(age, hour)
        if KIND in piece.column_names:
            coded = piece[KIND].cast(pa.string()).combine_chunks().dictionary_encode()
            code = np.asarray(pc.fill_null(coded.indices, -1))
            for k, kind in enumerate(coded.dictionary.to_pylist()):
                kinds[kind].add(age[code == k], hour[code == k])
    yield whole.stream(name)
    for kind, arrived in sorted(kinds.items()):
        yield arrived.stream(f"{name}.{kind}")


class _Arrived:
    """When the rows of a stream happened and arrived, as far as they have been looked at."""

    def __init__(self) -> None:
        self._youngest: int | None = None
        self._hours = np.zeros(LOOK_BACK_DAYS * 24, dtype=np.bool_)

    def add(self, age: npt.NDArray[np.int64], hour: npt.NDArray[np.int64]) -> None:
        """Look at more rows: microseconds since they happened, hours since they arrived."""
        if len(age):
            youngest = int(age.min())
            self._youngest = youngest if self._youngest is None else min(self._youngest, youngest)
            self._hours[hour[hour < len(self._hours)]] = True

    def stream(self, name: str) -> Stream:
        """Return them as a stream."""
        newest = None if self._youngest is None else self._youngest / (24 * _HOUR)
        came = np.flatnonzero(self._hours)
        if len(came) < 2:
            return Stream(name, newest, float(came[0]) / 24 if len(came) else float("inf"), 0.0, len(came))
        return Stream(name, newest, float(came[0]) / 24, float(np.diff(came).max()) / 24, len(came))


def _judged(stream: Stream, limits: Audit) -> AuditRow:
    def row(outcome: str, what: str, measured: float | None = None, bound: str = "") -> AuditRow:
        return AuditRow(
            CODE, outcome, stream.name, what, measured, bound,  # type: ignore[arg-type]
            "Check whether the source arrived; if it may be silent, name it in [audit] may_be_silent.",
        )  # fmt: skip

    if stream.name in limits.may_be_silent:
        return row("not applicable", f"'{stream.name}' may be silent, says [audit] may_be_silent.")
    if stream.happened is None:
        return row("found", f"'{stream.name}' has no row that is known before the day of scoring.")
    whole = "." not in stream.name
    if whole and stream.happened > limits.fresh_days:
        what = f"The newest row of '{stream.name}' is {stream.happened:.0f} days old."
        return row("found", what, stream.happened, f"at most {limits.fresh_days} days")
    if stream.arrivals < LEAST_ARRIVALS:
        return row("not applicable", f"'{stream.name}' has arrived too seldom to have a habit.")
    bound = max(LEAST_SILENCE_DAYS, limits.max_silence * stream.longest)
    asked = f"at most {bound:.3g} days"
    habit = f"its longest silence before was {stream.longest:.3g} days"
    what = f"'{stream.name}' arrived {stream.silent:.3g} days ago; {habit}."
    return row("found" if stream.silent > bound else "passed", what, stream.silent, asked)
