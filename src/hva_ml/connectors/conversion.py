"""Converts the columns a pipeline file declares, exactly or not at all: never a value silently lost."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.connectors.instants import parse_dates, parse_times
from hva_ml.contracts.privacy import shown
from hva_ml.engines.spool import Spooled
from hva_ml.errors import SourceError, nearest

Locate = Callable[[list[int]], str]
"""Turns positions of rows (from 0) into words such as ``"lines 3, 7"``."""

Keep = Callable[[Iterable[pa.Table]], Spooled]
"""Takes the pieces of a source in: at least one, all of one schema."""

MAX_EXAMPLES = 5
_YES = ("ja", "j", "yes", "y", "true", "wahr", "1", "x")
_NO = ("nein", "n", "no", "false", "falsch", "0")
_KINDS = {
    "text": "text",
    "number": "a number such as 1.234,56 or 1234.56",
    "integer": "a whole number",
    "time": "a time (2024-12-31 23:59:59 or 31.12.2024 23:59), all with a zone or all without",
    "date": "a date (2024-12-31 or 31.12.2024)",
    "flag": "yes or no (ja/nein, true/false, 1/0, x)",
}
_ARROW = {
    "text": pa.string(), "number": pa.float64(), "integer": pa.int64(),
    "time": pa.timestamp("us"), "date": pa.date32(), "flag": pa.bool_(),
}  # fmt: skip
_SPACES = "[\u00a0\u202f\u2009 '’]"


def convert(
    rows: Spooled, types: Mapping[str, str], decimal: str, where: str, locate: Locate, keep: Keep
) -> Spooled:
    """Convert the declared columns of a source, piece by piece; others stay as they are.

    Parameters
    ----------
    rows : Spooled
        As read; columns of text or already typed.
    types : mapping of str to str
        Column to ``text``, ``number`` (float64), ``integer`` (int64), ``time`` (timestamp[us], in UTC if the
        text names zones), ``date`` (date32) or ``flag`` (bool). Null and blank text stay null.
    decimal : {"", ",", "."}
        Decimal mark of text; "" detects one for the whole source.
    where : str
        The source in the pipeline file, for errors.
    locate : callable
        Names the lines of rows that do not convert.
    keep : callable
        Takes the converted pieces in.

    Raises
    ------
    SourceError
        If a declared column is missing, the decimal mark cannot be told, or cells do not convert. Values
        are never quoted, only their form (letters as a, digits as 9).

    Examples
    --------
    >>> from hva_ml.engines.spool import Store
    >>> t = Spooled.of(pa.table({"sum": ["1.234,56", None]}))
    >>> convert(t, {"sum": "number"}, "", "[sources.x]", str, Store().keep).table()["sum"].to_pylist()
    [1234.56, None]
    """
    for column in types:
        if column not in rows.schema.names:
            raise SourceError(
                f"The source has no column '{column}'.{nearest(column, rows.schema.names)}",
                where=f"{where} types",
                why="A declared column that is missing often means that an export was changed.",
                fix=f"It has: {', '.join(map(shown, rows.schema.names))}.",
            )
    if not types:
        return rows
    numeric = [
        c for c, k in types.items() if k in ("number", "integer") and _is_text(rows.schema.field(c).type)
    ]
    mark = decimal or decimal_mark((piece[c] for piece in _pieces(rows, numeric) for c in numeric), where)
    targets = {column: _target(rows, column, kind, mark) for column, kind in types.items()}
    try:
        return keep(_converted(piece, types, targets, mark) for piece in rows.pieces())
    except _UnreadableError:
        # Which cells are wrong is told by the whole column, and of several columns by the first declared.
        for column, kind in types.items():
            values = rows.table([column])[column]
            read, bad = _read(values, kind, mark)
            if read is None:
                raise _refused(column, kind, values, bad, where, locate) from None
        raise


class _UnreadableError(Exception):
    """A piece holds cells that do not convert, or not as those of other pieces."""


def _converted(
    piece: pa.Table, types: Mapping[str, str], targets: Mapping[str, pa.DataType], mark: str
) -> pa.Table:
    for column, kind in types.items():
        read, _ = _read(piece[column], kind, mark)
        if read is not None and read.type != targets[column] and read.null_count == len(read):
            read = pa.chunked_array([pa.nulls(len(read), targets[column])])
        if read is None or read.type != targets[column]:
            raise _UnreadableError
        piece = piece.set_column(piece.column_names.index(column), column, read)
    return piece


def _target(rows: Spooled, column: str, kind: str, mark: str) -> pa.DataType:
    """Return the type of a converted column: its first value tells whether times name a zone."""
    for piece in _pieces(rows, [column]):
        known = pc.drop_null(piece[column])
        if _is_text(known.type):
            known = known.filter(pc.not_equal(pc.utf8_trim_whitespace(known), ""))
        read, _ = _read(known.slice(0, 1), kind, mark)
        if len(known) and read is not None:
            return read.type
    read, _ = _read(pa.chunked_array([], rows.schema.field(column).type), kind, mark)
    return _ARROW[kind] if read is None else read.type


def _pieces(rows: Spooled, columns: list[str]) -> Iterator[pa.Table]:
    return rows.pieces(columns) if columns else iter(())


def _read(values: pa.ChunkedArray, kind: str, mark: str) -> tuple[pa.ChunkedArray | None, list[int]]:
    return _from_text(values, kind, mark) if _is_text(values.type) else _from_typed(values, kind)


def decimal_mark(columns: Iterable[pa.ChunkedArray], where: str) -> str:
    """Tell the decimal mark from the numbers themselves, for all columns of one source together.

    ``1.234,5``, ``0,5``, ``12,34`` and ``1.234.567`` speak for the comma, their mirror images for the point;
    ``1.234`` alone says nothing.

    Raises
    ------
    SourceError
        If numbers speak for both, or carry a mark but none of them tells which.
    """
    says = {
        ",": r"^[^,]*\d,\d*(?:[eE].*)?$|^[+-]?,\d+$|\.\d{3}\.\d{3}",
        ".": r"^[^.]*\d\.\d*(?:[eE].*)?$|^[+-]?\.\d+$|,\d{3},\d{3}",
    }
    unclear = r"^[+-]?[1-9]\d{0,2}[.,]\d{3}-?$"
    found: set[str] = set()
    open_question = False
    for column in columns:
        text = pc.drop_null(pc.replace_substring_regex(pc.unique(_clean(column)), "-$", ""))
        vague = pc.match_substring_regex(text, unclear)
        open_question = open_question or bool(pc.any(vague).as_py())
        clear = text.filter(pc.invert(vague))
        found |= {m for m, rx in says.items() if pc.any(pc.match_substring_regex(clear, rx)).as_py()}
    if len(found) == 1:
        return found.pop()
    if not found and not open_question:
        return "."
    raise SourceError(
        "The decimal mark is not clear: "
        + ("some numbers are written 1.234,56, others 1,234.56." if found else "1.234 may be 1234 or 1,234."),
        where=where,
        why="Read the wrong way, an amount is a thousand times too large or too small.",
        fix='Add decimal = "," (1.234,56) or decimal = "." (1,234.56) to the source.',
    )


def _from_text(values: pa.ChunkedArray, kind: str, mark: str) -> tuple[pa.ChunkedArray | None, list[int]]:
    text = pc.cast(values, pa.string())
    if kind == "text":
        return text, []
    text = _blank_to_null(pc.utf8_trim_whitespace(text))
    if kind == "time":
        return parse_times(text)
    if kind == "date":
        return parse_dates(text)
    if kind == "flag":
        lower = pc.utf8_lower(text)
        yes = pc.is_in(lower, value_set=pa.array(_YES))
        no = pc.is_in(lower, value_set=pa.array(_NO))
        good = pc.or_(pc.or_(yes, no), pc.is_null(text))
        return _checked(pc.if_else(pc.is_null(text), pa.scalar(None, pa.bool_()), yes), good)
    return _numbers(text, kind, mark)


def _numbers(text: pa.ChunkedArray, kind: str, mark: str) -> tuple[pa.ChunkedArray | None, list[int]]:
    plain = _clean(text)
    thousands = r"\." if mark == "," else ","
    point = "," if mark == "," else r"\."
    tail = rf"(?:{point}0*)?" if kind == "integer" else rf"(?:{point}\d*)?(?:[eE][+-]?\d{{1,3}})?"
    whole = rf"(?:\d{{1,3}}(?:{thousands}\d{{3}})+|\d+)"
    bare = "" if kind == "integer" else rf"|{point}\d+"
    pattern = rf"^(?:[+-]?(?:{whole}{tail}{bare})|(?:{whole}{tail}{bare})-)$"
    good = pc.fill_null(pc.match_substring_regex(plain, pattern), True)
    if not pc.all(good, min_count=0).as_py():
        return _checked(plain, good)
    plain = pc.replace_substring_regex(plain, thousands, "")
    plain = pc.replace_substring_regex(plain, r"^(.*\d.*)-$", r"-\1")
    plain = pc.replace_substring_regex(plain, r"^\+", "")
    if kind == "number":
        read = pc.cast(pc.replace_substring(plain, ",", ".") if mark == "," else plain, pa.float64())
        return _checked(read, pc.fill_null(pc.is_finite(read), True))
    plain = pc.replace_substring_regex(plain, rf"{point}0*$", "")
    try:
        return pc.cast(plain, pa.int64()), []
    except pa.ArrowInvalid:
        fits = [v is None or -(2**63) <= int(v) < 2**63 for v in plain.to_pylist()]
        return _checked(plain, pa.chunked_array([fits]))


def _from_typed(values: pa.ChunkedArray, kind: str) -> tuple[pa.ChunkedArray | None, list[int]]:
    source = values.type
    if pa.types.is_dictionary(source):
        plain = pc.cast(values, source.value_type)
        return _from_text(plain, kind, ".") if _is_text(plain.type) else _from_typed(plain, kind)
    target = _ARROW[kind]
    if kind == "time" and pa.types.is_timestamp(source):
        target = pa.timestamp("us", "UTC" if source.tz else None)
    if kind == "text" and pa.types.is_floating(source):
        whole, bad = _from_typed(values, "integer")
        return (None, bad) if whole is None else (pc.cast(whole, pa.string()), [])
    if kind == "date" and pa.types.is_timestamp(source):
        midnight = pc.equal(values, pc.floor_temporal(values, unit="day"))
        return _checked(pc.cast(values, pa.date32(), safe=False), pc.fill_null(midnight, True))
    if kind == "flag" and pa.types.is_integer(source):
        return _checked(pc.equal(values, 1), pc.fill_null(pc.is_in(values, pa.array([0, 1], source)), True))
    try:
        return pc.cast(values, target), []
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None, _refused_cells(values, target)


def _refused_cells(values: pa.ChunkedArray, target: pa.DataType) -> list[int]:
    bad = []
    for i, value in enumerate(values):
        try:
            value.cast(target)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            bad.append(i)
    return bad


def _checked(read: pa.ChunkedArray, good: pa.ChunkedArray) -> tuple[pa.ChunkedArray | None, list[int]]:
    if pc.all(good, min_count=0).as_py():
        return read, []
    return None, [i for i, g in enumerate(good.to_pylist()) if not g]


def _refused(
    column: str, kind: str, values: pa.ChunkedArray, bad: list[int], where: str, locate: Locate
) -> SourceError:
    known = len(values) - values.null_count
    example = values[bad[0]].as_py() if bad else ""
    form = f" For example a value of the form {_form(example)}." if isinstance(example, str) else ""
    return SourceError(
        f"{len(bad)} of {known} values in the column '{column}' are not {_KINDS[kind]}.{form}",
        where=f"{where} types, {locate(bad[:MAX_EXAMPLES])}",
        why="A value left out silently would change every sum that it belongs to.",
        fix=f'Correct the cells, or declare {column} = "text" and convert it in the query.',
    )


def _form(value: str) -> str:
    if "@" in value:
        return "of an e-mail address"
    return "'" + re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", value.strip()[:24])) + "'"


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _clean(values: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pc.utf8_trim_whitespace(pc.cast(values, pa.string()))
    text = pc.replace_substring(text, "\u2212", "-")
    # Only between groups of three: "12 34" is two numbers in one cell, not one.
    grouped = pc.match_substring_regex(text, rf"^[+-]?\d{{1,3}}(?:{_SPACES}\d{{3}})+(?:[.,]\d*)?-?$")
    return _blank_to_null(pc.if_else(grouped, pc.replace_substring_regex(text, _SPACES, ""), text))


def _blank_to_null(text: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
