"""Cents against Decimal, the oracle; for every sort of number a source may hold."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hva_ml.contracts.money import cents

LIMIT = 2**62
AMOUNTS = st.decimals(min_value=-(10**15), max_value=10**15, allow_nan=False, places=6)


def oracle(amount: Decimal) -> int | None:
    if not amount.is_finite() or abs(amount) * 100 >= LIMIT:
        return None
    return int(amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN) * 100)


def read(values: pa.Array) -> list[int | None]:
    found, bad = cents(values)
    assert found.type == pa.int64()
    assert bad.tolist() == [f is None and g for f, g in zip(found.to_pylist(), bad.tolist(), strict=True)]
    return found.to_pylist()


@given(st.lists(st.one_of(st.none(), AMOUNTS), max_size=20))
@example([Decimal("1.005"), Decimal("1.015"), Decimal("-0.005"), Decimal("-0.015"), Decimal("99.995")])
def test_decimals(amounts: list[Decimal | None]) -> None:
    expected = [None if a is None else oracle(a) for a in amounts]
    assert read(pa.array(amounts, pa.decimal128(30, 6))) == expected
    assert read(pa.array(amounts, pa.decimal256(50, 8))) == expected


@given(st.lists(st.floats(width=64), max_size=20))
@example([0.125, 0.375, 2.675, 1.005, -0.135, 1e14 + 0.01, 46116860184273879.0, 46116860184273872.0])
@example([float("nan"), float("inf"), -float("inf"), 5e-324, 1e300, 10737418.245])
def test_floats(amounts: list[float]) -> None:
    assert read(pa.array(amounts, pa.float64())) == [oracle(Decimal(a)) for a in amounts]


@given(st.integers(-(10**9), 10**9))
def test_floats_at_half_a_cent(eighths: int) -> None:
    amount = eighths / 8
    assert read(pa.array([amount])) == [oracle(Decimal(amount))]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
@example([2**62 // 100, 2**62 // 100 + 1, -(2**63)])
def test_integers(amounts: list[int]) -> None:
    assert read(pa.array(amounts, pa.int64())) == [oracle(Decimal(a)) for a in amounts]


@given(st.lists(AMOUNTS.map(str), max_size=20))
@example(["1234.56", " 7 ", "+2.3", "1e3", "-0.015", "0.0050000000000000000000000000000000000001"])
@example(["9" * 18, "46116860184273879.04", "46116860184273879.03", "1" * 40])
def test_strings(amounts: list[str]) -> None:
    assert read(pa.array(amounts, pa.string())) == [oracle(Decimal(a.strip())) for a in amounts]


@given(st.lists(st.text(max_size=8), max_size=10))
@example(["1.234,56", "1,5", "€ 5", "NaN", "inf", "1_000", "--1", "0x10"])
def test_other_texts_are_unusable_not_guessed(texts: list[str]) -> None:
    found, bad = cents(pa.array(texts, pa.string()))
    for text, value, unusable in zip(texts, found.to_pylist(), bad, strict=True):
        try:
            expected = None if "_" in text else oracle(Decimal(text.strip()))
        except InvalidOperation:
            expected = None
        if value is None:
            assert expected is None
            assert bool(unusable) == bool(text.strip())
        else:
            assert value == expected


@pytest.mark.parametrize("kind", [pa.bool_(), pa.timestamp("us"), pa.date32(), pa.binary()])
def test_what_holds_no_amounts_is_refused_as_a_whole(kind: pa.DataType) -> None:
    assert cents(pa.nulls(2, kind))[0] is None


def test_slices_of_arrays_read_the_same() -> None:
    values = pa.array([Decimal("1.10"), Decimal("2.20"), Decimal("3.30")])
    assert read(values.slice(1, 2)) == [220, 330]
