"""Columns of any Arrow type -> the contract's types, cell by cell.

What cannot be read is marked, never guessed.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.contracts import clocks, codes, money
from hva_ml.contracts.schema import Column

Mask = npt.NDArray[np.bool_]

_NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_CONTROL = r"[\x00-\x1f\x7f-\x9f]"
_TRUE = ("true", "t", "1", "yes", "y", "ja", "j", "wahr")
_FALSE = ("false", "f", "0", "no", "n", "nein", "falsch")
_SAFE = 2.0**53
MAX_CHARACTERS = 1000


@dataclass(frozen=True)
class Cells:
    """How many cells of a column cannot be read, and how many have something in them."""

    unread: int = 0
    given: int = 0

    def __add__(self, other: "Cells") -> "Cells":
        """Return the sum of two parts."""
        return Cells(self.unread + other.unread, self.given + other.given)

    @property
    def wrong(self) -> bool:
        """Whether none of several can be read: then it is the column that is of a wrong type."""
        return self.unread == self.given > 1


@dataclass(frozen=True)
class Cast:
    """One column read; every mask has the shape (n_rows,).

    Attributes
    ----------
    values : pyarrow.Array or None
        Values of the column's stored type, null where empty or bad; None if the type cannot hold them.
    bad : dict of str to numpy.ndarray
        Rows to set aside, by code.
    noted : dict of str to numpy.ndarray
        Rows that stay but are worth a finding, by code.
    cells : Cells
        How many could be read.
    """

    values: pa.Array | None
    bad: dict[str, Mask] = field(default_factory=dict)
    noted: dict[str, Mask] = field(default_factory=dict)
    cells: Cells = field(default_factory=Cells)


def cast(column: pa.ChunkedArray, target: Column, timezone: str) -> Cast:
    """Read a column of a query result as a column of the contract.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        What the query returned, of shape (n_rows,).
    target : Column
        The contract's column.
    timezone : str
        Zone of times that come without one.
    """
    values = _flat(column)
    if target.kind == "time":
        return _time(values, timezone)
    if target.kind == "money":
        found, bad = money.cents(values)
        return Cast(found, {codes.BAD_AMOUNT: bad}) if found is not None else Cast(None)
    if target.kind in ("id", "category", "text"):
        return _words(values, target)
    if target.kind == "flag":
        return _judged(*_flag(values))
    return _judged(*_number(values, whole=target.kind == "integer"))


def _flat(column: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_large_string(column.type):
        column = column.cast(pa.string())
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def mask(values: pa.Array) -> Mask:
    """Return a boolean Arrow array as NumPy, null as False."""
    return np.asarray(values.fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)


def _judged(found: pa.Array | None, empty: Mask) -> Cast:
    if found is None:
        return Cast(None)
    bad = ~mask(found.is_valid()) & ~empty
    return Cast(found, {codes.UNREADABLE_CELL: bad}, {}, Cells(int(bad.sum()), int((~empty).sum())))


def _time(values: pa.Array, timezone: str) -> Cast:
    read = clocks.instants(values, timezone)
    if read.values is None:
        return Cast(None)
    return Cast(
        read.values,
        {
            codes.UNREADABLE_CELL: read.unreadable,
            codes.IMPOSSIBLE_TIME: read.impossible,
            codes.ABSURD_TIME: read.absurd,
        },
        {codes.NAIVE_TIME: read.naive, codes.AMBIGUOUS_TIME: read.ambiguous},
        Cells(int(read.unreadable.sum()), len(values) - values.null_count),
    )


def _words(values: pa.Array, target: Column) -> Cast:
    """Trim keys and categories; write whole numbers without decimal places (12345.0 is '12345')."""
    kind = values.type
    if (pa.types.is_boolean(kind) and target.kind == "category") or pa.types.is_integer(kind):
        values = values.cast(pa.string())
    elif pa.types.is_decimal(kind):
        # By their digits: as floats, two keys of 18 digits would become one.
        values = pc.replace_substring_regex(values.cast(pa.string()), r"\.0+$", "")
    elif pa.types.is_floating(kind):
        values = _plain_numbers(values)
    elif pa.types.is_null(kind):
        values = values.cast(pa.string())
    elif not pa.types.is_string(kind):
        return Cast(None)
    values, broken = _decoded(values)
    noted: dict[str, Mask] = {}
    if target.kind != "text":
        trimmed = pc.utf8_trim_whitespace(values)
        noted[codes.BLANKS] = mask(pc.and_(pc.not_equal(trimmed, values), pc.not_equal(trimmed, "")))
        values = trimmed
    values = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    control = mask(pc.match_substring_regex(values, _CONTROL))
    noted[codes.CONTROL_CHARACTERS] = control
    if target.kind == "text" and control.any():
        values = pc.replace_substring_regex(values, _CONTROL, " ")
    given = len(values) - values.null_count + int(broken.sum())
    bad = {codes.OVER_LONG: mask(pc.greater(pc.utf8_length(values), MAX_CHARACTERS))}
    # No column of text of PostgreSQL holds NUL; left out of a key, two keys might become one.
    unread = broken | mask(pc.match_substring(values, "\0"))
    if unread.any():
        bad[codes.UNREADABLE_CELL] = unread
    return Cast(values, bad, noted, Cells(int(unread.sum()), given))


def _decoded(values: pa.Array) -> tuple[pa.Array, Mask]:
    """Return texts without those whose bytes are no UTF-8, and which these are; files may hold any bytes."""
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        broken = np.array([not _is_text(cell) for cell in values.view(pa.binary()).to_pylist()], dtype=bool)
        return pc.if_else(pa.array(broken), pa.scalar(None, pa.string()), values), broken
    return values, np.zeros(len(values), dtype=bool)


def _is_text(cell: bytes | None) -> bool:
    try:
        return cell is None or bool(cell.decode() or True)
    except UnicodeDecodeError:
        return False


def _plain_numbers(values: pa.Array) -> pa.Array:
    numbers = values.cast(pa.float64())
    numbers = pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
    whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), _SAFE))
    as_whole = pc.if_else(whole, numbers, pa.scalar(0.0)).cast(pa.int64()).cast(pa.string())
    return pc.if_else(whole, as_whole, numbers.cast(pa.string()))


def _number(values: pa.Array, *, whole: bool) -> tuple[pa.Array | None, Mask]:
    """NaN counts as empty, as pandas and spreadsheets mean it; infinity is unreadable."""
    kind = values.type
    if whole and pa.types.is_integer(kind) and not pa.types.is_uint64(kind):
        return values.cast(pa.int64()), ~mask(values.is_valid())
    if pa.types.is_string(kind):
        text = pc.utf8_trim_whitespace(values)
        empty = mask(pc.equal(text, "")) | ~mask(text.is_valid())
        plain = pc.match_substring_regex(text, _NUMBER)
        text = pc.replace_substring_regex(text, r"^\+", "")
        numbers = pc.if_else(plain, text, pa.scalar(None, pa.string())).cast(pa.float64())
    elif pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        # A head count above 2**53 is no head count: rounding it there is harmless.
        numbers = values.cast(pa.float64(), safe=False)
        empty = ~mask(values.is_valid()) | mask(pc.is_nan(numbers))
    elif pa.types.is_null(kind):
        return values.cast(pa.int64() if whole else pa.float64()), np.ones(len(values), dtype=bool)
    else:
        return None, np.zeros(len(values), dtype=bool)
    numbers = pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
    if not whole:
        return pc.add(numbers, 0.0), empty  # -0.0 becomes 0.0: equal values have equal bits
    fits = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), _SAFE))
    return pc.if_else(fits, numbers, pa.scalar(None, pa.float64())).cast(pa.int64()), empty


def _flag(values: pa.Array) -> tuple[pa.Array | None, Mask]:
    kind = values.type
    empty = ~mask(values.is_valid())
    if pa.types.is_boolean(kind):
        return values, empty
    if pa.types.is_null(kind):
        return values.cast(pa.bool_()), empty
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = values.cast(pa.float64(), safe=False)
        empty |= mask(pc.is_nan(numbers))
        yes, no = pc.equal(numbers, 1.0), pc.equal(numbers, 0.0)
    elif pa.types.is_string(kind):
        text = pc.utf8_lower(pc.utf8_trim_whitespace(values))
        empty |= mask(pc.equal(text, ""))
        yes, no = pc.is_in(text, pa.array(_TRUE)), pc.is_in(text, pa.array(_FALSE))
    else:
        return None, empty
    return pc.if_else(yes, True, pc.if_else(no, False, pa.scalar(None, pa.bool_()))), empty
