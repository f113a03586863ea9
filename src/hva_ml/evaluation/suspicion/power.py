"""Single-feature power: which features alone predict too well to be true.

Whole honest models of sales data reach AUCs of about 0.7 to 0.85; a single feature that reaches 0.90 is worth
a look, and at 0.95 it has most probably been recorded after the fact, such as the duration of a sales call or
a field that is filled in only once a deal is won.
"""

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from hva_ml.contracts.records import Severity, Violation
from hva_ml.features.definition import FeatureDefinition, FeatureSet

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ERROR_AUC = 0.95
WARNING_AUC = 0.90
MIN_EACH = 20
"""With fewer rows of either outcome nothing is judged: a high AUC is easily chance."""
SMOOTHING = 20.0
"""Rows of overall conversion rate mixed into the rate of each category."""

_FIX = "Ask when the value is really recorded and give its rows that known_at; or leave the feature out."


def single_power(features: FeatureSet, actual: Bools) -> list[Violation]:
    """Find features that alone predict conversion too well to be true.

    The AUC of each feature is taken over all rows, in whichever direction is stronger. Unknown numbers form a
    level of their own, below or above all others. Categories are ordered by the conversion rate of one half
    of the company groups and judged on the other half, so that a rare category cannot vouch for itself.

    Parameters
    ----------
    features : FeatureSet
        Features of matured cutoffs.
    actual : numpy.ndarray of bool, shape (n_rows,)
        Whether the account converted; both outcomes occur.

    Returns
    -------
    list of Violation
        ``HVL010``; error from an AUC of 0.95, warning from 0.90.
    """
    half = halves(features)
    found: list[Violation] = []
    for definition in features.definitions:
        power = feature_auc(features, definition, actual, half)
        what = (
            f"This feature alone predicts too well to be true (AUC {power:.3f}): "
            "probably recorded after the fact."
        )
        found += _violation("HVL010", definition.name, power, len(actual), what)
    return found


def presence_power(features: FeatureSet, actual: Bools) -> list[Violation]:
    """Find features of which it already predicts too well whether they are known at all.

    Parameters
    ----------
    features, actual
        As of `single_power`.

    Returns
    -------
    list of Violation
        ``HVL011``; error from an AUC of 0.95, warning from 0.90.
    """
    found: list[Violation] = []
    for name in features.names:
        unknown = np.asarray(pc.is_null(features.table[name]).to_numpy(), dtype=np.bool_)
        power = _either(_level_auc(unknown.astype(np.int64), actual))
        what = (
            f"Whether this feature is known at all predicts too well to be true (AUC {power:.3f}): "
            "probably it is filled in only after the fact."
        )
        found += _violation("HVL011", name, power, int(unknown.sum()), what)
    return found


def strongest(features: FeatureSet, actual: Bools, count: int) -> list[tuple[str, float]]:
    """Return the names and AUCs of the features that alone predict best, best first."""
    half = halves(features)
    powers = [(d.name, feature_auc(features, d, actual, half)) for d in features.definitions]
    return sorted(powers, key=lambda pair: (-pair[1], pair[0]))[:count]


def feature_auc(features: FeatureSet, definition: FeatureDefinition, actual: Bools, half: Bools) -> float:
    """Return the AUC of one feature, within [0, 1]; `half` marks the rows of half the groups."""
    column = features.table[definition.name]
    if definition.kind == "category":
        codes = column.combine_chunks().dictionary_encode().indices
        levels = np.asarray(pc.fill_null(codes, -1).to_numpy(), dtype=np.int64) + 1
        return _category_power(levels, actual, half)
    unknown = np.asarray(pc.is_null(column).to_numpy(), dtype=np.bool_)
    return _number_power(np.asarray(pc.fill_null(column, 0.0).to_numpy()), unknown, actual)


def halves(features: FeatureSet) -> Bools:
    """Split the company groups into two halves by their place in sorted order."""
    groups = np.asarray(features.table["group_id"].to_pylist(), dtype=object).astype(str)
    return np.asarray(np.unique(groups, return_inverse=True)[1] % 2 == 1, dtype=np.bool_)


def auc(score: Floats, actual: Bools) -> float:
    """Return the area under the ROC curve by ranks, ties counting one half.

    Parameters
    ----------
    score : numpy.ndarray of float64, shape (n_rows,)
        Finite.
    actual : numpy.ndarray of bool, shape (n_rows,)

    Returns
    -------
    float
        Within [0, 1]; 0.5 if only one class is there.

    Examples
    --------
    >>> auc(np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, False, True, True]))
    0.875
    """
    return _level_auc(np.unique(score, return_inverse=True)[1], actual)


def _level_auc(level: npt.NDArray[np.int64], actual: Bools) -> float:
    """Return the AUC of scores given as levels: whole numbers from 0 in the order of the scores."""
    rows = np.bincount(level)
    yes = np.bincount(level[actual], minlength=len(rows))
    no = rows - yes
    positives, negatives = int(yes.sum()), int(no.sum())
    if not positives or not negatives:
        return 0.5
    below = np.cumsum(no) - no
    return float((yes * (2 * below + no)).sum() / (2 * positives * negatives))


def _either(power: float) -> float:
    return max(power, 1.0 - power)


def _number_power(values: Floats, unknown: Bools, actual: Bools) -> float:
    _, level = np.unique(values, return_inverse=True)
    ends = (0, len(values) + 1)
    return max(_either(_level_auc(np.where(unknown, end, level + 1), actual)) for end in ends)


def _category_power(level: npt.NDArray[np.int64], actual: Bools, half: Bools) -> float:
    powers = []
    for judged in (half, ~half):
        learned = ~judged
        if not actual[learned].any() or not actual[judged].any() or actual[judged].all():
            return 0.5
        n_levels = int(level.max()) + 1
        rows = np.bincount(level[learned], minlength=n_levels)
        yes = np.bincount(level[learned & actual], minlength=n_levels)
        rate = (yes + SMOOTHING * actual[learned].mean()) / (rows + SMOOTHING)
        powers.append(auc(rate[level[judged]], actual[judged]))
    return float(np.mean(powers))


def _violation(code: str, name: str, power: float, count: int, what: str) -> list[Violation]:
    if power < WARNING_AUC:
        return []
    severity: Severity = "error" if power >= ERROR_AUC else "warning"
    return [Violation(code, name, count, severity, what, _FIX, (name,))]
