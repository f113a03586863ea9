"""Raw scores of a LightGBM model by bits: one operation sends 64 rows through a split.

A bit for each row says whether it meets a condition; each condition is asked once for all trees that share
it, as in QuickScorer (Lucchese et al. 2015, SIGIR) and RapidScorer (Ye et al. 2018, KDD). Those keep a bit
for each leaf of one row; here a word holds 64 rows at one split, so that trees of any size fit, and the
number of the leaf that each row reaches comes out digit by digit. Leaves are added in the order of the trees,
as LightGBM adds them: the same bits as ``Booster.predict(raw_score=True)``.
"""

import numpy as np

from hva_ml.compiled import in_blocks, kernel
from hva_ml.training.layout import SETS, TOGETHER, ZERO, Layout
from hva_ml.training.trees import NEARLY_ZERO, Floats

WORDS = 8
"""So many times 64 rows go through a tree together. (Measured: with 4 or 16 it is no faster.)"""
ROWS = 64 * WORDS
DIGITS = 6
"""So many digits of a leaf's number are always read; larger trees read more."""
ROWS_AT_ONCE = 4 * ROWS
_NONE, _ONE, _ALL = np.uint64(0), np.uint64(1), ~np.uint64(0)


def raw_scores(model: Layout, X: Floats, threads: int | None = None) -> Floats:
    """Return the raw score of each row, shape (n_rows,).

    Parameters
    ----------
    model : Layout
        The trees.
    X : numpy.ndarray of float64, shape (n_rows, n_features)
        C-contiguous, NaN where unknown.
    threads : int, optional
        At most so many; they change the time, never a bit.
    """
    found = np.empty(len(X))
    e = model.ensemble
    most_leaves = int(np.diff(e.first_leaf).max(initial=1))

    def work(first: int, last: int) -> None:
        _rows(
            X, found, first, last, model.feature, model.reading, model.first_line, model.n_keys, model.key,
            model.default_left, model.first_member, model.member, model.node, e.first_node, e.first_leaf,
            e.leaf_value, most_leaves,
        )  # fmt: skip

    in_blocks(work, len(X), ROWS_AT_ONCE, threads)
    return found


@kernel
def _read(X, first, last, j, reading, x):  # type: ignore[no-untyped-def]
    """Write a column's values as LightGBM reads them: numbers, whole categories, NaN where missing."""
    for r in range(last - first):
        value = X[first + r, j]
        # Its predictor takes all that is nearly zero for zero, whatever the split says.
        value = 0.0 if np.abs(value) <= NEARLY_ZERO else value
        if reading == SETS:
            value = np.float64(np.int64(value)) if -1.0 < value < 2.0**31 else np.nan
        elif reading == ZERO:
            value = np.nan if value == 0.0 else value
        elif reading == 0:
            value = 0.0 if value != value else value
        x[r] = value


@kernel
def _search(x, key, first, n_keys, place):  # type: ignore[no-untyped-def]
    """Write the line of the first key that is not below the value, for all rows side by side.

    A binary search without branches: a step to the last whole power of two, then steps of half the size.
    """
    place[:] = first
    if n_keys == 0:
        return
    size = _NONE
    while n_keys >> (size + _ONE):
        size += _ONE
    rest, ahead = n_keys - (_ONE << size), (_ONE << size) - _ONE
    for r in range(ROWS):
        place[r] += rest * np.uint64(key[place[r] + ahead] < x[r])
    while size:
        size -= _ONE
        ahead = (_ONE << size) - _ONE
        for r in range(ROWS):
            place[r] += np.uint64(key[place[r] + ahead] < x[r]) << size
    for r in range(ROWS):
        place[r] += np.uint64(key[place[r]] < x[r])


@kernel
def _mark(x, place, key, first, end, sets, line):  # type: ignore[no-untyped-def]
    """Set each row's bit in the line found for it, in none if its value is missing or no category."""
    for r in range(ROWS):
        if x[r] != x[r] or (sets and key[place[r]] != x[r]):
            place[r] = end
    for k in range(first, end + _ONE):
        for w in range(WORDS):
            line[k, w] = 0
    for w in range(WORDS):
        for b in range(64):
            line[place[64 * w + b], w] |= _ONE << np.uint64(b)


@kernel
def _thresholds(x, first, last, default_left, line, missing, below):  # type: ignore[no-untyped-def]
    """Turn the rows of each threshold into the rows up to it; add the missing ones where they go left."""
    for w in range(WORDS):
        bits = np.uint64(0)
        for b in range(64):
            bits |= np.uint64(x[64 * w + b] != x[64 * w + b]) << np.uint64(b)
        missing[w] = bits
        below[w] = 0
    for k in range(first, last):
        for w in range(WORDS):
            below[w] |= line[k, w]
            line[k, w] = below[w] | (missing[w] & default_left[k])


@kernel
def _unite(first, last, first_member, member, line):  # type: ignore[no-untyped-def]
    """Fill the lines of sets from those of their categories."""
    for k in range(first, last):
        for w in range(WORDS):
            line[k, w] = 0
        for m in range(first_member[k], first_member[k + 1], TOGETHER):
            m0, m1, m2, m3 = member[m], member[m + 1], member[m + 2], member[m + 3]
            for w in range(WORDS):
                line[k, w] |= (line[m0, w] | line[m1, w]) | (line[m2, w] | line[m3, w])


@kernel
def _descend(node, first, last, line, reach):  # type: ignore[no-untyped-def]
    """Send all rows from the root of a tree to its leaves."""
    for w in range(WORDS):
        reach[0, w] = _ALL
    for split in range(first, last):
        at, k, left, right = split - first, node[split, 0], node[split, 1], node[split, 2]
        for w in range(WORDS):
            here, condition = reach[at, w], line[k, w]
            reach[left, w] = here & condition
            reach[right, w] = here & ~condition


@kernel
def _number(reach, first, n_leaves, digit):  # type: ignore[no-untyped-def]
    """Write the binary digits of the leaf that each row has reached; returns how many there are."""
    n_digits, n = 0, n_leaves
    digit[:] = 0
    while n > 1:
        for i in range(n >> 1):
            for w in range(WORDS):
                odd = reach[first + 2 * i + 1, w]
                digit[n_digits, w] |= odd
                reach[first + i, w] = reach[first + 2 * i, w] | odd
        if n & 1:
            for w in range(WORDS):
                reach[first + (n >> 1), w] = reach[first + n - 1, w]
        n_digits, n = n_digits + 1, (n + 1) >> 1
    return n_digits


@kernel
def _add(digit, n_digits, leaf_value, first, leaf, total):  # type: ignore[no-untyped-def]
    """Add to each row the value of its leaf."""
    for w in range(WORDS):
        for b in range(64):
            number = _NONE
            for k in range(DIGITS):
                number |= ((digit[k, w] >> np.uint64(b)) & _ONE) << np.uint64(k)
            leaf[b] = number
        for k in range(DIGITS, n_digits):
            for b in range(64):
                leaf[b] |= ((digit[k, w] >> np.uint64(b)) & _ONE) << np.uint64(k)
        for b in range(64):
            total[64 * w + b] += leaf_value[first + leaf[b]]


@kernel
def _rows(  # type: ignore[no-untyped-def]
    X, found, begin, end, feature, reading, first_line, n_keys, key, default_left, first_member, member,
    node, first_node, first_leaf, leaf_value, most_leaves,
):  # fmt: skip
    """Score the rows from `begin` to `end`, `ROWS` at a time; the last time some are idle."""
    # A line more than there are takes the bits of rows beyond every threshold.
    line = np.empty((len(key) + 1, WORDS), dtype=np.uint64)
    reach = np.empty((2 * most_leaves, WORDS), dtype=np.uint64)
    n_digits = DIGITS
    while 1 << n_digits < most_leaves:
        n_digits += 1
    digit = np.empty((n_digits, WORDS), dtype=np.uint64)
    missing, below = np.empty(WORDS, dtype=np.uint64), np.empty(WORDS, dtype=np.uint64)
    x, total = np.zeros(ROWS), np.empty(ROWS)
    place, leaf = np.empty(ROWS, dtype=np.uint64), np.empty(64, dtype=np.uint64)
    for first in range(begin, end, ROWS):
        last = min(first + ROWS, end)
        for c in range(len(feature)):
            start, middle, stop = first_line[c], first_line[c] + n_keys[c], first_line[c + 1]
            _read(X, first, last, feature[c], reading[c], x)
            _search(x, key, start, n_keys[c], place)
            _mark(x, place, key, start, middle, reading[c] == SETS, line)
            if reading[c] == SETS:
                _unite(middle, stop, first_member, member, line)
            else:
                _thresholds(x, start, stop, default_left, line, missing, below)
        total[:] = 0.0
        for tree in range(len(first_node) - 1):
            n_leaves = first_leaf[tree + 1] - first_leaf[tree]
            _descend(node, first_node[tree], first_node[tree + 1], line, reach)
            n_digits = _number(reach, n_leaves - 1, n_leaves, digit)
            _add(digit, n_digits, leaf_value, np.uint64(first_leaf[tree]), leaf, total)
        for r in range(last - first):
            found[first + r] = total[r]
