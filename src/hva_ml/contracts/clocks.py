"""Times of any sort -> instants in UTC microseconds, by one rule for local times skipped or doubled.

It never reads the clock of the machine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]
Longs = npt.NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (local wall time is counted from here)
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
EARLIEST = int((datetime(1900, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
LATEST = int((datetime(2101, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
_ISO = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?\s?(Z|[+-]\d{2}(:?\d{2})?)?)?$"  # ISO 8601
_AWARE = r"\d{2}:\d{2}.*(Z|[+-]\d{2}(:?\d{2})?)$"


@dataclass(frozen=True)
class Instants:
    """Times read; every mask has the shape (n_rows,).

    Attributes
    ----------
    values : pyarrow.Array or None
        ``timestamp[us, UTC]``, null where there is no usable instant; None if the type holds no times.
    unreadable, impossible, absurd : numpy.ndarray
        Cells without an instant: not a time, in a DST gap, before 1900 or after 2100.
    ambiguous, naive : numpy.ndarray
        Cells with an instant: the earlier of two, and those that came without a zone.
    """

    values: pa.Array | None
    unreadable: Mask
    impossible: Mask
    absurd: Mask
    ambiguous: Mask
    naive: Mask


def instants(values: pa.Array, timezone: str) -> Instants:
    """Read times as instants.

    Parameters
    ----------
    values : pyarrow.Array
        Timestamps (with or without a zone), dates, or ISO 8601 strings, of shape (n_rows,).
    timezone : str
        IANA zone in which times without one are meant. A date is its local midnight (if clocks skip it,
        the first moment of the day).

    Returns
    -------
    Instants
        Ambiguous local times become the earlier instant.
    """
    kind = values.type
    none = np.zeros(len(values), dtype=bool)
    if pa.types.is_null(kind):
        return Instants(pa.nulls(len(values), pa.timestamp("us", "UTC")), none, none, none, none, none)
    if pa.types.is_timestamp(kind):
        micros, empty, absurd = _micros(values, kind.unit)
        aware = none if kind.tz is None else ~none
        return _localised(micros, empty, absurd, none, aware, none, timezone)
    if pa.types.is_date(kind):
        micros, empty, absurd = _micros(values.cast(pa.date32()).cast(pa.timestamp("s")), "s")
        return _localised(micros, empty, absurd, none, none, ~none, timezone)
    if pa.types.is_string(kind):
        return _parsed(values, timezone)
    return Instants(None, none, none, none, none, none)


def _micros(values: pa.Array, unit: str) -> tuple[Longs, Mask, Mask]:
    empty = np.asarray(values.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    raw = values.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    per = _PER_SECOND[unit]
    absurd = ((raw < EARLIEST * per) | (raw >= LATEST * per)) & ~empty
    kept = np.where(absurd, 0, raw)
    micros = kept // (per // _SECOND) if per >= _SECOND else kept * (_SECOND // per)
    return micros.astype(np.int64), empty, absurd


def _parsed(values: pa.Array, timezone: str) -> Instants:
    text = pc.utf8_trim_whitespace(values)
    text = pc.if_else(pc.equal(text, ""), None, text)
    empty = np.asarray(text.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    iso = _true(pc.match_substring_regex(text, _ISO))
    aware = iso & _true(pc.match_substring_regex(text, _AWARE))
    micros = np.zeros(len(text), dtype=np.int64)
    readable = np.zeros(len(text), dtype=bool)
    absurd = np.zeros(len(text), dtype=bool)
    for group in (iso & ~aware, aware):
        places = np.flatnonzero(group)
        if len(places):
            cells = text.take(pa.array(places)).to_pandas()
            parsed = pd.to_datetime(cells, format="ISO8601", errors="coerce", utc=True)
            found = parsed.notna().to_numpy()
            raw = parsed.dt.as_unit("us").astype("int64").to_numpy()[found]
            readable[places[found]] = True
            micros[places[found]] = raw
    absurd = readable & ((micros < EARLIEST * _SECOND) | (micros >= LATEST * _SECOND))
    micros = np.where(absurd, 0, micros)
    dates = readable & _true(pc.equal(pc.utf8_length(text), 10))
    return _localised(micros, empty, absurd, ~empty & ~readable, aware, dates, timezone)


def _localised(
    micros: Longs, empty: Mask, absurd: Mask, unreadable: Mask, aware: Mask, dates: Mask, timezone: str
) -> Instants:
    usable = ~(empty | absurd | unreadable)
    naive = usable & ~aware
    offset, gap, twice = np.zeros_like(micros), np.zeros_like(naive), np.zeros_like(naive)
    places = np.flatnonzero(naive)
    if len(places):
        offset[places], gap[places], twice[places] = local_offsets(micros[places], timezone)
    gap &= ~dates  # offset before the gap: midnight that was skipped becomes the first moment of the day
    usable &= ~gap
    values = pa.array(micros - offset, pa.int64(), mask=~usable).cast(pa.timestamp("us", "UTC"))
    return Instants(values, unreadable, gap, absurd, twice & usable, naive & usable)


def local_offsets(local: Longs, timezone: str) -> tuple[Longs, Mask, Mask]:
    """Return what to subtract from local wall times to get UTC.

    Whole days without a change of clocks are done at once; only times on days of a change are looked at
    one by one.

    Parameters
    ----------
    local : numpy.ndarray
        Wall times in microseconds since 1970, of shape (n_rows,).
    timezone : str
        IANA zone.

    Returns
    -------
    offset : numpy.ndarray
        Microseconds; the earlier instant where the wall time occurs twice, the offset before the change
        where it does not occur.
    skipped, twice : numpy.ndarray
        Whether the wall time does not exist, and whether it occurs twice.
    """
    zone = ZoneInfo(timezone)
    if timezone == "UTC":
        return np.zeros_like(local), np.zeros(len(local), dtype=bool), np.zeros(len(local), dtype=bool)
    days, of_day = np.unique(local // _DAY, return_inverse=True)
    edges = _offsets(np.unique(np.concatenate([days, days + 1])) * _DAY, zone)
    first, second = edges
    known = np.unique(np.concatenate([days, days + 1]))
    start, end = np.searchsorted(known, days), np.searchsorted(known, days + 1)
    plain = (first[start] == second[start]) & (first[start] == first[end]) & (first[start] == second[end])
    offset = first[start][of_day]
    skipped, twice = np.zeros(len(local), dtype=bool), np.zeros(len(local), dtype=bool)
    places = np.flatnonzero(~plain[of_day])
    if len(places):
        cells, of_cell = np.unique(local[places], return_inverse=True)
        early, late = _offsets(cells, zone)
        offset[places] = early[of_cell]
        skipped[places] = (early < late)[of_cell]
        twice[places] = (early > late)[of_cell]
    return offset, skipped, twice


def _offsets(cells: Longs, zone: ZoneInfo) -> tuple[Longs, Longs]:
    def at(fold: int) -> Longs:
        of: Callable[[datetime], timedelta | None] = zone.utcoffset
        times = (_EPOCH + timedelta(microseconds=int(c)) for c in cells)
        shifts = (of(t.replace(tzinfo=zone, fold=fold)) or timedelta() for t in times)
        return np.array([s // timedelta(microseconds=1) for s in shifts], dtype=np.int64)

    return at(0), at(1)


def _true(mask: pa.Array) -> Mask:
    return np.asarray(mask.fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)
