"""Amounts of any sort -> whole cents, exactly: half a cent goes to the even cent. It knows no currency."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]
Longs = npt.NDArray[np.int64]

_LIMIT = 2**62  # cents; far above any amount, and sums of two still fit
_PLAIN = r"^[+-]?\d{1,18}(\.\d{1,8})?$"
_SUSPICIOUS = 1e-6  # cents around a half where the float product might err; exact arithmetic decides there
_EXACT_BELOW = 2.0**30  # cents; below it the product errs by less than _SUSPICIOUS


def cents(values: pa.Array) -> tuple[pa.Array | None, Mask]:
    """Read amounts in currency units as integer cents.

    Parameters
    ----------
    values : pyarrow.Array
        Integers, decimals, floats or strings such as ``"1234.56"``, of shape (n_rows,).

    Returns
    -------
    cents : pyarrow.Int64Array or None
        Null where the amount is null or unusable; None if the type holds no amounts.
    unusable : numpy.ndarray
        Boolean, of shape (n_rows,): not finite, not a number, or beyond 2**62 cents.

    Notes
    -----
    A float is taken for the exact binary number that it is: 2.675 lies below 2.675 and gives 267 cents.

    Examples
    --------
    >>> cents(pa.array([1.0, 0.125, 2.675]))[0].to_pylist()
    [100, 12, 267]
    """
    kind = values.type
    empty = np.asarray(values.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    if pa.types.is_null(kind):
        return pa.nulls(len(values), pa.int64()), np.zeros(len(values), dtype=bool)
    if pa.types.is_integer(kind):
        values = values.cast(pa.decimal128(20, 0))
        kind = values.type
    if pa.types.is_decimal(kind):
        found, bad = _decimals(values)
    elif pa.types.is_floating(kind):
        found, bad = _floats(values.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False))
    elif pa.types.is_string(kind):
        found, bad, blank = _strings(values)
        empty |= blank
    else:
        return None, np.zeros(len(values), dtype=bool)
    bad &= ~empty
    return pa.array(found, pa.int64(), mask=empty | bad), bad


def _decimals(values: pa.Array) -> tuple[Longs, Mask]:
    wide = values.cast(pa.decimal256(76, max(values.type.scale, 2))).fill_null(Decimal(0))
    rounded = pc.round(wide, ndigits=2, round_mode="half_to_even").cast(pa.decimal256(76, 2))
    # The unscaled number of a decimal with two places is the number of cents: four little-endian words.
    words = np.frombuffer(rounded.buffers()[1], dtype="<i8").reshape(-1, 4)
    words = words[rounded.offset : rounded.offset + len(rounded)]
    low = words[:, 0].astype(np.int64)
    bad = (words[:, 1:] != (low >> 63)[:, None]).any(axis=1) | (np.abs(low // 2) >= _LIMIT // 2)
    return np.where(bad, 0, low), bad


def _floats(values: npt.NDArray[np.float64]) -> tuple[Longs, Mask]:
    bad = ~np.isfinite(values) | (np.abs(values) >= _LIMIT / 100)
    product = np.where(bad, 0.0, values) * 100.0
    found = np.rint(product).astype(np.int64)
    near_half = np.abs(np.abs(product - np.floor(product)) - 0.5) < _SUSPICIOUS
    places = np.flatnonzero(~bad & (near_half | (np.abs(product) >= _EXACT_BELOW)))
    if len(places):
        cells, of_cell = np.unique(values[places], return_inverse=True)
        exact = np.array([_half_even(Decimal(float(c))) for c in cells], dtype=np.int64)
        found[places] = exact[of_cell]
    return found, bad


def _strings(values: pa.Array) -> tuple[Longs, Mask, Mask]:
    text = pc.utf8_trim_whitespace(values).fill_null("")
    blank = np.asarray(pc.equal(text, "").to_numpy(zero_copy_only=False), dtype=bool)
    plain = pc.match_substring_regex(text, _PLAIN)
    found, bad = _decimals(
        pc.if_else(plain, pc.replace_substring_regex(text, r"^\+", ""), "0").cast(pa.decimal128(38, 8))
    )
    other = np.flatnonzero(~np.asarray(plain.to_numpy(zero_copy_only=False), dtype=bool) & ~blank)
    if len(other):
        coded = text.take(pa.array(other)).dictionary_encode()
        read = [_read(t) for t in coded.dictionary.to_pylist()]
        codes = coded.indices.to_numpy(zero_copy_only=False)
        bad[other] = np.array([r is None for r in read])[codes]
        found[other] = np.array([r or 0 for r in read], dtype=np.int64)[codes]
    return found, bad, blank


def _read(text: str) -> int | None:
    if len(text) > 60 or "_" in text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    if not amount.is_finite() or abs(amount) >= _LIMIT / 100:
        return None
    return _half_even(amount)


def _half_even(amount: Decimal) -> int:
    return int(amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN) * 100)
