"""Standard deviations from exact whole sums, so that no order of rows and no cancellation can change a bit.

Squares outgrow 64 bits, so they are kept in limbs of 30 bits that are added like any other amounts.
"""

import numpy as np

from hva_ml.features.log import Floats, Ints

_BITS = 30
_MASK = (1 << _BITS) - 1


def squares(amounts: Ints) -> Ints:
    """Return the squares of whole numbers in three limbs: ``a + b 2^30 + c 2^60``.

    Parameters
    ----------
    amounts : numpy.ndarray of int64, shape (n,)
        Below 2^61 in size.

    Returns
    -------
    numpy.ndarray of int64, shape (3, n)
        Not negative. Sums of fewer than 2^32 of them fit, if the amounts add up to less than 2^61 in size.

    Examples
    --------
    >>> squares(np.array([-3, 2**31])).tolist()
    [[9, 0], [0, 0], [0, 4]]
    """
    size = np.abs(amounts)
    low, high = size & _MASK, size >> _BITS
    cross = low * high
    bottom = low * low
    middle = ((cross & (_MASK >> 1)) << 1) + (bottom >> _BITS)
    return np.stack(
        [bottom & _MASK, middle & _MASK, high * high + (cross >> (_BITS - 1)) + (middle >> _BITS)]
    )


def deviation(count: Ints, total: Ints, squared: Ints) -> Floats:
    """Return the standard deviation of the sample, ``sqrt((n Q - S^2) / (n (n - 1)))``; NaN below two values.

    The difference ``n Q - S^2`` is computed in whole numbers.

    Parameters
    ----------
    count, total : numpy.ndarray of int64, shape (n_rows,)
        Number n of values, below 2^31, and their sum S, below 2^61 in size.
    squared : numpy.ndarray of int64, shape (3, n_rows)
        Sums of the limbs of their squares.

    Examples
    --------
    >>> values = np.array([2**40, 2**40 + 2])
    >>> sums = squares(values).sum(axis=1, keepdims=True)
    >>> deviation(np.array([2]), values.sum(keepdims=True), sums).round(6).tolist()
    [1.414214]
    """
    n = count.astype(np.int64)
    q = _carried([n * limb for limb in _carried([*squared])])
    size = np.abs(total)
    s = [size & _MASK, (size >> _BITS) & _MASK, size >> (2 * _BITS)]
    product = [s[0] * s[0], 2 * s[0] * s[1], 2 * s[0] * s[2] + s[1] * s[1], 2 * s[1] * s[2], s[2] * s[2]]
    left = _carried([a - b for a, b in zip(q, _carried(product), strict=True)])
    difference = np.zeros(n.shape)
    for limb in reversed(left):
        difference = difference * float(1 << _BITS) + limb
    pairs = n.astype(np.float64) * (n - 1)
    return np.where(n >= 2, np.sqrt(difference / np.maximum(pairs, 1.0)), np.nan)


def _carried(limbs: list[Ints]) -> list[Ints]:
    """Bring all limbs but the last below 2^30, and add two for what is carried out of it."""
    found, carry = [], np.zeros_like(limbs[0])
    for limb in limbs:
        whole = limb + carry
        found.append(whole & _MASK)
        carry = whole >> _BITS
    return [*found, carry & _MASK, carry >> _BITS]
