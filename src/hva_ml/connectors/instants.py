"""Times as sources write them: ISO or German text, naive or aware; and tables cut at an instant."""

from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.errors import SourceError, nearest

_DATE = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?"
_ZONE = r"(?:Z|[+-]\d{2}(?::?\d{2})?)"
_TIME = f"^{_DATE}(?: {_CLOCK}{_ZONE}?)?$"
_STEPS = (
    (r"^(\d)\.", r"0\1."),
    (r"^(\d\d)\.(\d)\.", r"\1.0\2."),
    (r"^(\d\d)\.(\d\d)\.(\d{4})(,?)", r"\3-\2-\1"),
    (r"^(\d{4}-\d{2}-\d{2})[T ] *", r"\1 "),
    (r" (\d):", r" 0\1:"),
)
_MIDNIGHT = r" 00:00(?::00(?:\.0+)?)?$"


def parse_times(text: pa.ChunkedArray) -> tuple[pa.ChunkedArray | None, list[int]]:
    """Read text as points in time.

    Parameters
    ----------
    text : pyarrow.ChunkedArray of string
        ISO (``2024-12-31``, ``2024-12-31T23:59[:59[.999]][+01:00]``) or German
        (``31.12.2024 [23:59[:59]]``), null where unknown.

    Returns
    -------
    tuple of pyarrow.ChunkedArray or None, and list of int
        ``timestamp[us]`` without a zone if no value names one, ``timestamp[us, UTC]`` if every value does;
        else None and the positions of the values that are no time, or are of the rarer kind.

    Examples
    --------
    >>> parse_times(pa.chunked_array([["1.2.2024 9:30", "2024-02-01"]]))[0].to_pylist()[0].isoformat()
    '2024-02-01T09:30:00'
    """
    plain = _plain(text)
    good = pc.fill_null(pc.match_substring_regex(plain, _TIME), True)
    if not pc.all(good, min_count=0).as_py():
        return None, _positions(pc.invert(good))
    aware = pc.match_substring_regex(plain, f":.*{_ZONE}$")
    count = pc.sum(aware).as_py() or 0
    known = len(plain) - plain.null_count
    if 0 < count < known:
        return None, _positions(aware if count * 2 <= known else pc.invert(aware))
    kind = pa.timestamp("us", "UTC") if count else pa.timestamp("us")
    try:
        return pc.cast(plain, kind), []
    except pa.ArrowInvalid:
        return None, [i for i, v in enumerate(plain.to_pylist()) if v is not None and not _exists(v)]


def parse_dates(text: pa.ChunkedArray) -> tuple[pa.ChunkedArray | None, list[int]]:
    """Read text as days, ISO or German; a clock time is accepted only if it is midnight.

    Examples
    --------
    >>> parse_dates(pa.chunked_array([["31.12.2024", "2024-12-31 00:00"]]))[0].to_pylist()[0].isoformat()
    '2024-12-31'
    """
    plain = pc.replace_substring_regex(_plain(text), _MIDNIGHT, "")
    good = pc.fill_null(pc.match_substring_regex(plain, f"^{_DATE}$"), True)
    if not pc.all(good, min_count=0).as_py():
        return None, _positions(pc.invert(good))
    try:
        return pc.cast(plain, pa.date32()), []
    except pa.ArrowInvalid:
        return None, [i for i, v in enumerate(plain.to_pylist()) if v is not None and not _exists(v)]


def before(table: pa.Table, column: str, cutoff: datetime, timezone: str, where: str) -> pa.Table:
    """Keep the rows whose `column` lies before `cutoff`; those without a value are left out.

    A naive value is read in `timezone`: the earlier of two instants where the clock was set back, the
    first existing one where it was set forward.

    Raises
    ------
    SourceError
        If the column is missing or is no time.

    Examples
    --------
    >>> from datetime import UTC
    >>> t = pa.table({"t": ["2024-06-30 23:00", "2024-07-01"]})
    >>> before(t, "t", datetime(2024, 6, 30, 22, tzinfo=UTC), "Europe/Berlin", "x").num_rows
    1
    """
    if column not in table.column_names:
        raise SourceError(
            f"The source has no column '{column}'.{nearest(column, table.column_names)}",
            where=where,
            why="Without it nobody can tell which rows were there before a cutoff.",
            fix="Name the raw column that says when a row came to be.",
        )
    moments = _moments(table[column], column, where)
    unit = "ns" if moments.type.unit == "ns" else "us"
    if moments.type.tz is None:
        moments = pc.assume_timezone(
            pc.cast(moments, pa.timestamp(unit)), timezone, ambiguous="earliest", nonexistent="latest"
        )
    instants = pc.cast(moments, pa.timestamp(unit, "UTC"))
    limit = pc.cast(pa.scalar(cutoff, pa.timestamp("us", "UTC")), pa.timestamp(unit, "UTC"))
    return table.filter(pc.less(instants, limit), null_selection_behavior="drop")


def _moments(values: pa.ChunkedArray, column: str, where: str) -> pa.ChunkedArray:
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = pc.cast(values, kind.value_type)
        kind = values.type
    if pa.types.is_timestamp(kind):
        return values
    if pa.types.is_date(kind) or pa.types.is_null(kind):
        return pc.cast(values, pa.timestamp("us"))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        read, bad = parse_times(pc.cast(values, pa.string()))
        if read is not None:
            return read
        raise SourceError(
            f"{len(bad)} values of the time column '{column}' are no time, or differ in naming a zone.",
            where=f"{where}, rows {', '.join(str(b + 1) for b in bad[:5])}",
            why="A row whose time is unknown cannot be placed before or after a cutoff.",
            fix="Write all as 2024-12-31 23:59:59 or 31.12.2024 23:59, all with a zone or all without.",
        )
    raise SourceError(
        f"The column '{column}' holds {kind}, not times.",
        where=where,
        fix="Name a column of timestamps, dates or text that is a date.",
    )


def _plain(text: pa.ChunkedArray) -> pa.ChunkedArray:
    plain = pc.utf8_trim_whitespace(text)
    for pattern, to in _STEPS:
        plain = pc.replace_substring_regex(plain, pattern, to)
    return plain


def _positions(mask: pa.ChunkedArray) -> list[int]:
    flags: list[bool | None] = mask.to_pylist()
    return [i for i, flag in enumerate(flags) if flag]


def _exists(value: str) -> bool:
    try:
        if len(value) == len("2024-12-31"):
            date.fromisoformat(value)
        else:
            datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
