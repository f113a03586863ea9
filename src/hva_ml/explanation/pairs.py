"""Exact interventional SHAP values of each row against a row of its own, e.g. an account's own past."""

from math import factorial

import numpy as np

from hva_ml.compiled import in_blocks, kernel
from hva_ml.errors import IntegrityError
from hva_ml.explanation.program import program
from hva_ml.explanation.treeshap import TOLERANCE, Margins
from hva_ml.training.trees import NEARLY_ZERO, Floats

ROWS_AT_ONCE = 512


def between(booster: Margins, before: Floats, after: Floats, *, threads: int | None = None) -> Floats:
    """Return what each feature adds to the margin on the way from `before` to `after`, row by row.

    The Shapley value of the game in which features outside the coalition keep their old value. A feature that
    has not changed gets exactly 0. (Against one reference for all rows see ``treeshap.interventional``.) Both
    rows walk down each tree together, and part only at features that send them different ways; of a leaf that
    p features reach by their new value only and q by their old one only, each of the p earns
    (p-1)! q! / (p+q)!, each of the q loses p! (q-1)! / (p+q)!.

    Parameters
    ----------
    booster : Booster
        The model whose margins are explained.
    before, after : numpy.ndarray of float64, shape (n_rows, n_features)
        NaN where unknown.
    threads : int, optional
        At most so many; they change the time, never a bit.

    Returns
    -------
    numpy.ndarray of float64, shape (n_rows, n_features)
        ``margin(before) + sum(axis=1) == margin(after)`` within 1e-9, checked on every call.

    Raises
    ------
    IntegrityError
        If a row's contributions miss the difference of its margins.
    """
    found, _ = _walked(booster, before, after, threads, together=False)
    return found


def interactions(booster: Margins, before: Floats, after: Floats, *, threads: int | None = None) -> Floats:
    """Return what every two features add to the margin together on the way from `before` to `after`.

    Half the Shapley interaction index (Grabisch and Roubens 1999) stands on each side of the diagonal, what a
    feature adds beyond its interactions on it, as shap has it (Lundberg et al. 2020). By the same walk: of a
    leaf that p features reach by their new value only and q by their old one only, a pair of the p has index
    (p-2)! q! / (p+q-1)!, a pair of the q has p! (q-2)! / (p+q-1)!, a mixed one -(p-1)! (q-1)! / (p+q-1)!.

    Parameters
    ----------
    booster, before, after, threads
        As for `between`; n_rows × n_features² numbers must fit into memory.

    Returns
    -------
    numpy.ndarray of float64, shape (n_rows, n_features, n_features)
        Symmetric; ``sum(axis=2)`` is what `between` gives.
    """
    found, together = _walked(booster, before, after, threads, together=True)
    own = np.arange(found.shape[1])
    together[:, own, own] = found - together.sum(axis=2)
    return together


def _walked(
    booster: Margins, before: Floats, after: Floats, threads: int | None, *, together: bool
) -> tuple[Floats, Floats]:
    before, after = (np.ascontiguousarray(x, dtype=np.float64) for x in (before, after))
    found = np.zeros(after.shape)
    joint = np.zeros((*after.shape, after.shape[1]) if together else (0, 0, 0))
    if not len(after):
        return found, joint
    walk = program(booster.to_text())
    e, gains = walk.ensemble, (_weights(walk.deepest), *_pair_weights(walk.deepest))

    def work(first: int, last: int) -> None:
        _rows(
            e.first_node, e.first_leaf, e.feature, e.threshold, e.decision, e.first_word, e.last_word,
            e.words, e.left, e.right, e.leaf_value, *gains, before, after, found, joint, first, last,
            walk.deepest,
        )  # fmt: skip

    in_blocks(work, len(after), ROWS_AT_ONCE, threads)
    error = np.abs(found.sum(axis=1) - (booster.margin(after) - booster.margin(before)))
    worst = int(np.argmax(np.where(np.isnan(error), np.inf, error)))
    if not error[worst] <= TOLERANCE:
        raise IntegrityError(
            f"The parts of a change miss the change of the margin by {error[worst]:.3g}.",
            where=f"{int((~(error <= TOLERANCE)).sum())} of {len(error)} rows",
            why="Reasons that do not add up to the change are no reasons.",
            fix="Restore the model files, or train and promote again.",
        )
    return found, joint


def _weights(most: int) -> Floats:
    """Return (p-1)! q! / (p+q)! for p, q up to `most` (0 for p = 0), shape (most + 1, most + 1)."""
    found = np.zeros((most + 1, most + 1))
    for p in range(1, most + 1):
        for q in range(most + 1):
            found[p, q] = factorial(p - 1) * factorial(q) / factorial(p + q)
    return found


def _pair_weights(most: int) -> tuple[Floats, Floats]:
    """Return half the indices of two of the p features, and of one of the p with one of the q (negative)."""
    same, mixed = np.zeros((most + 1, most + 1)), np.zeros((most + 1, most + 1))
    for p in range(1, most + 1):
        for q in range(most + 1):
            if p > 1:
                same[p, q] = 0.5 * factorial(p - 2) * factorial(q) / factorial(p + q - 1)
            if q:
                mixed[p, q] = -0.5 * factorial(p - 1) * factorial(q - 1) / factorial(p + q - 1)
    return same, mixed


@kernel
def _goes_left(x, threshold, decision, first_word, last_word, words):  # type: ignore[no-untyped-def]
    """Return whether a value goes left, by LightGBM's own rules (see `quadrature`)."""
    if decision & 1:
        bits = 32 * (last_word - first_word)
        code = np.int64(x if x > -1.0 and x < bits else bits)
        return (words[first_word + (code >> 5)] >> np.uint32(code & 31)) & np.uint32(1) != 0
    missing = (decision >> 2) & 3
    if missing == 2 and np.isnan(x):
        return (decision & 2) != 0
    value = 0.0 if np.isnan(x) else x
    if missing == 1 and np.abs(value) <= NEARLY_ZERO:
        return (decision & 2) != 0
    return value <= threshold


@kernel
def _rows(  # type: ignore[no-untyped-def]
    first_node, first_leaf, feature, threshold, decision, first_word, last_word, words, left, right,
    leaf_value, gain, same, mixed, before, after, found, joint, begin, end, deepest,
):  # fmt: skip
    # side: 0 while both rows meet all conditions of a feature, 1 only the new one does, -1 only the old one.
    side = np.zeros(after.shape[1], dtype=np.int64)
    parted = np.zeros(deepest + 1, dtype=np.int64)
    stack = np.zeros((4, deepest + 2), dtype=np.int64)
    for row in range(begin, end):
        for tree in range(len(first_node) - 1):
            base, node, n, p, q = first_node[tree], 0, 0, 0, 0
            if first_node[tree + 1] == base:
                continue
            top = 0
            while True:
                while node >= 0:
                    split = base + node
                    j = feature[split]
                    rules = threshold[split], decision[split], first_word[split], last_word[split]
                    new = _goes_left(after[row, j], rules[0], rules[1], rules[2], rules[3], words)
                    old = _goes_left(before[row, j], rules[0], rules[1], rules[2], rules[3], words)
                    if side[j] == 0 and new != old:
                        # The old way waits; the walk goes on with the new one.
                        stack[0, top] = left[split] if old else right[split]
                        stack[1, top], stack[2, top], stack[3, top] = n, p, q
                        top += 1
                        side[j], parted[n] = 1, j
                        n, p = n + 1, p + 1
                    way = old if side[j] < 0 else new
                    node = left[split] if way else right[split]
                value = leaf_value[first_leaf[tree] + ~node]
                for i in range(n):
                    if side[parted[i]] > 0:
                        found[row, parted[i]] += value * gain[p, q]
                    else:
                        found[row, parted[i]] -= value * gain[q, p]
                if len(joint):
                    for i in range(n):
                        for k in range(i):
                            a, b = parted[i], parted[k]
                            if side[a] != side[b]:
                                added = value * mixed[p, q]
                            else:
                                added = value * (same[p, q] if side[a] > 0 else same[q, p])
                            joint[row, a, b] += added
                            joint[row, b, a] += added
                if top == 0:
                    break
                top -= 1
                keep = stack[1, top]
                for i in range(keep + 1, n):
                    side[parted[i]] = 0
                node, n, p, q = stack[0, top], keep + 1, stack[2, top], stack[3, top] + 1
                side[parted[keep]] = -1
            for i in range(n):
                side[parted[i]] = 0
