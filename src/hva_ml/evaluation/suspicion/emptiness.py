"""Lifts where attributes are empty: a field may be filled in because an account converted.

Only attributes are judged, for there empty means "not filled in". A recency that is null because nothing ever
happened is information of before the cutoff, and may predict as well as it likes.

The thresholds of the lifts are those by which D&B's lead scoring warns of attributes ("How to review a fit
model", "prediction from later data" and "prediction from missing data"). A lift is the conversion rate of
some rows over the conversion rate of all.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from hva_ml.contracts.records import Violation
from hva_ml.features.definition import FeatureSet

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

MOSTLY_EMPTY = 0.8
FILLED_LIFT = 1.5
EMPTY_LIFT = 0.6
MISSING_LOW, MISSING_HIGH = 0.7, 1.2
CERTAIN = 0.95
"""Where so many of the known rows convert, being known is the outcome. Our own rule, for rates up to 0.5."""
MIN_GROUPS = 20
"""Rows of fewer company groups are not judged."""
Z = 2.576
"""A lift must lie beyond its threshold with 99 % confidence; the interval counts company groups, not rows."""

NONE_OF = float(-np.log(0.01))
"""Divided by n: the rate at which none in n has a probability of one in a hundred."""

_FIX = (
    "Ask who fills the field in, and when; give its rows that known_at, or leave the feature out. "
    "If it is filled in for reasons of its own before the cutoff, keep it."
)


@dataclass(frozen=True)
class Lift:
    """A lift with its interval; all nan where it cannot be judged.

    Attributes
    ----------
    value, low, high : float
        Lift and its 99 % interval.
    rows : int
        Rows it is the lift of.
    """

    value: float
    low: float
    high: float
    rows: int


def future_information(features: FeatureSet, actual: Bools) -> list[Violation]:
    """Find attributes that are mostly empty, whose filled values go with conversion and empty ones do not.

    Parameters
    ----------
    features : FeatureSet
        Features of matured cutoffs.
    actual : numpy.ndarray of bool, shape (n_rows,)
        Whether the account converted; some do.

    Returns
    -------
    list of Violation
        ``HVL012`` warning: at least 80 % of the rows are empty and have a lift below 0.6, and a value (of a
        category; of a number any known one) has a lift above 1.5; or all but 5 % of the known rows convert.
    """
    group = _groups(features)
    found = []
    for name, empty in _attributes(features):
        if empty.mean() < MOSTLY_EMPTY or empty.all():
            continue
        told = _certain(~empty, actual, group) or _grows(features, name, empty, actual, group)
        if told:
            what = f"Empty in {empty.mean():.0%} of the rows, and {told}: probably filled in later."
            found.append(Violation("HVL012", name, int((~empty).sum()), "warning", what, _FIX, (name,)))
    return found


def missing_values(features: FeatureSet, actual: Bools) -> list[Violation]:
    """Find attributes whose missing values predict by themselves.

    Parameters
    ----------
    features, actual
        As of `future_information`.

    Returns
    -------
    list of Violation
        ``HVL013`` warning: the rows where it is missing have a lift below 0.7 or above 1.2.
    """
    group = _groups(features)
    found = []
    for name, empty in _attributes(features):
        if not empty.any() or empty.all():
            continue
        without = lift(empty, actual, group)
        if without.high < MISSING_LOW or without.low > MISSING_HIGH:
            what = (
                f"Where this attribute is missing, accounts convert {without.value:.2f} times as often as "
                "all: probably it is filled in for a reason that is known only later."
            )
            found.append(Violation("HVL013", name, without.rows, "warning", what, _FIX, (name,)))
    return found


def lift(rows: Bools, actual: Bools, group: Ints) -> Lift:
    """Return the conversion rate of some rows over that of all, with a 99 % interval.

    The interval takes whole company groups as its units, because an account comes back at every cutoff: the
    lift is linearised as a ratio of sums over groups (Woodruff 1971), and its variance is the sum of their
    squares. Its upper end is never below what no conversion at all in so many groups would still allow.

    Parameters
    ----------
    rows, actual : numpy.ndarray of bool, shape (n_rows,)
        Which rows, and which of all converted.
    group : numpy.ndarray of int64, shape (n_rows,)
        Number of the company group, from 0.

    Examples
    --------
    >>> half = np.arange(400) % 2 == 0
    >>> won = np.arange(400) % 4 == 0
    >>> lift(half, won, np.arange(400)).value
    2.0
    """
    n, n_groups = int(rows.sum()), len(np.unique(group[rows]))
    if not actual.any() or n_groups < MIN_GROUPS:
        return Lift(float("nan"), float("nan"), float("nan"), n)
    base = float(actual.mean())
    rate = float(actual[rows].mean())
    value = rate / base
    error = np.where(rows, (actual - rate) / n, 0.0) - value * (actual - base) / len(actual)
    spread = Z * float(np.sqrt((np.bincount(group, weights=error) ** 2).sum())) / base
    return Lift(value, value - spread, max(value + spread, NONE_OF / n_groups / base), n)


def _certain(known: Bools, actual: Bools, group: Ints) -> str:
    rate = float(actual[known].mean())
    if actual.mean() > 0.5 or rate < CERTAIN or len(np.unique(group[known])) < MIN_GROUPS:
        return ""
    return f"where it is known {rate:.0%} convert"


def _grows(features: FeatureSet, name: str, empty: Bools, actual: Bools, group: Ints) -> str:
    without = lift(empty, actual, group)
    if not without.high < EMPTY_LIFT:
        return ""
    for value, rows in _values(features, name, empty):
        with_it = lift(rows, actual, group)
        if with_it.low > FILLED_LIFT:
            return (
                f"those convert {without.value:.2f} times as often as all; "
                f"{value} converts {with_it.value:.2f} times as often"
            )
    return ""


def _attributes(features: FeatureSet) -> list[tuple[str, Bools]]:
    return [
        (d.name, np.asarray(pc.is_null(features.table[d.name]).to_numpy(), dtype=np.bool_))
        for d in features.definitions
        if d.measure == "attribute"
    ]


def _values(features: FeatureSet, name: str, empty: Bools) -> list[tuple[str, Bools]]:
    """Return the rows of each category, the most frequent first; of a number all known ones together."""
    definition = next(d for d in features.definitions if d.name == name)
    if definition.kind == "number":
        return [("any value", ~empty)]
    encoded = features.table[name].combine_chunks().dictionary_encode()
    codes = np.asarray(pc.fill_null(encoded.indices, -1).to_numpy(), dtype=np.int64)
    words = encoded.dictionary.to_pylist()
    count = np.bincount(codes[codes >= 0], minlength=len(words))
    order = sorted(range(len(words)), key=lambda k: (-count[k], words[k]))
    return [(f"'{words[k][:40]}'", codes == k) for k in order]


def _groups(features: FeatureSet) -> Ints:
    codes = features.table["group_id"].combine_chunks().dictionary_encode().indices
    return np.asarray(codes.to_numpy(), dtype=np.int64)
