"""The kernel: SHAP values of a tree ensemble by quadrature along the diagonal of the unit cube.

For a path with m different features, a leaf's share of feature i is v (o_i - z_i) times the integral over
t in (0, 1) of the product over j other than i of z_j (1 - t) + o_j t: a polynomial of degree m - 1, for which
half as many nodes are exact. Products go down the tree, sums over subtrees come up; each edge costs one
multiplication and one addition per node and row, on rows side by side. (Owen's integral form of the Shapley
value, 1972; Linear TreeSHAP: Yu et al. 2022, NeurIPS 35, in quadrature form.)
"""

import numpy as np

from hva_ml.compiled import in_blocks, kernel
from hva_ml.explanation.program import Program
from hva_ml.training.trees import NEARLY_ZERO, Floats

WIDTH = 128
"""Rows side by side. (Measured: 64 reach half the speed, more than 128 gain nothing.)"""
GROUPS = 2
"""So many times `WIDTH` rows go through a tree before the next one: its tables are then near."""


def contributions(walk: Program, background: Floats, X: Floats, threads: int | None = None) -> Floats:
    """Return what each feature adds to each row's margin, against a background.

    Parameters
    ----------
    walk : Program
        The ensemble laid out.
    background : numpy.ndarray of float64, shape (n_entries, 5)
        From `program.tables`.
    X : numpy.ndarray of float64, shape (n_rows, n_features)
        C-contiguous, NaN where unknown.
    threads : int, optional
        At most so many; they change the time, never a bit.

    Returns
    -------
    numpy.ndarray of float64, shape (n_rows, n_features)
    """
    found = np.zeros(X.shape)
    e, most = walk.ensemble, walk.points.shape[1]

    def work(first: int, last: int) -> None:
        _rows(
            walk.first, walk.node, walk.leaf, walk.side, walk.depth, walk.above, walk.nodes, walk.table,
            walk.points, walk.weights, background, e.feature, e.threshold, e.decision, e.first_word,
            e.last_word, e.words, e.leaf_value, X, found, first, last, walk.deepest, most,
        )  # fmt: skip

    in_blocks(work, len(X), GROUPS * WIDTH, threads)
    return found


@kernel
def _goes_left(x, j, threshold, decision, first_word, last_word, words, left, d):  # type: ignore[no-untyped-def]
    """Write 1.0 where a row goes left at a split, else 0.0, by LightGBM's own rules."""
    if decision & 1:
        # LightGBM takes NaN, negative and too large categories to the right.
        bits = 32 * (last_word - first_word)
        for r in range(WIDTH):
            here = x[j, r]
            code = np.int64(here if here > -1.0 and here < bits else bits)
            left[d, r] = np.float64((words[first_word + (code >> 5)] >> np.uint32(code & 31)) & np.uint32(1))
        return
    missing = (decision >> 2) & 3
    default = 1.0 if decision & 2 else 0.0
    if missing == 2:
        for r in range(WIDTH):
            here = 1.0 if x[j, r] <= threshold else 0.0
            left[d, r] = default if x[j, r] != x[j, r] else here
    elif missing == 1:
        for r in range(WIDTH):
            here = 1.0 if x[j, r] <= threshold else 0.0
            # A NaN counts as zero, and zero means missing.
            left[d, r] = here if np.abs(x[j, r]) > NEARLY_ZERO else default
    else:
        zero = 1.0 if threshold >= 0.0 else 0.0
        for r in range(WIDTH):
            here = 1.0 if x[j, r] <= threshold else 0.0
            left[d, r] = zero if x[j, r] != x[j, r] else here


@kernel
def _down(table, row, upper, n, points, scale, product, d, on, up):  # type: ignore[no-untyped-def]
    """Carry the products over one edge: times its factor, over that of the edge it refines."""
    for k in range(n):
        off, t = table[row + k, 0] * scale, points[n, k] * scale
        if up < 0:
            for r in range(WIDTH):
                product[d, k, r] = product[d - 1, k, r] * (off + on[d, r] * t)
        else:
            i0 = table[upper + k, 1]
            step = table[upper + k, 2] - i0
            for r in range(WIDTH):
                product[d, k, r] = product[d - 1, k, r] * (off + on[d, r] * t) * (i0 + on[up, r] * step)


@kernel
def _up(table, row, upper, n, total, d, on, up, gain, j):  # type: ignore[no-untyped-def]
    """Credit the edge's feature with the sums over its subtree."""
    if up >= 0:
        for k in range(n):
            c0, u0 = table[row + k, 3], table[upper + k, 3]
            step, upstep = table[row + k, 4] - c0, table[upper + k, 4] - u0
            for r in range(WIDTH):
                gain[j, r] += total[d, k, r] * ((c0 + on[d, r] * step) - (u0 + on[up, r] * upstep))
        return
    for k in range(0, n - 1, 2):
        c0, c1 = table[row + k, 3], table[row + k + 1, 3]
        s0, s1 = table[row + k, 4] - c0, table[row + k + 1, 4] - c1
        for r in range(WIDTH):
            gain[j, r] += total[d, k, r] * (c0 + on[d, r] * s0) + total[d, k + 1, r] * (c1 + on[d, r] * s1)
    if n % 2:
        c0 = table[row + n - 1, 3]
        s0 = table[row + n - 1, 4] - c0
        for r in range(WIDTH):
            gain[j, r] += total[d, n - 1, r] * (c0 + on[d, r] * s0)


@kernel
def _hand_over(n, total, d, sums, left):  # type: ignore[no-untyped-def]
    """Give the sums to the edge above: the left child begins them, the right one adds to them."""
    for k in range(n):
        if left:
            for r in range(WIDTH):
                sums[d - 1, k, r] = total[d, k, r]
        else:
            for r in range(WIDTH):
                sums[d - 1, k, r] += total[d, k, r]


@kernel
def _rows(  # type: ignore[no-untyped-def]
    first, node, leaf, side, depth, above, nodes, table, points, weights, background,
    feature, threshold, decision, first_word, last_word, words, leaf_value,
    X, found, begin, end, deepest, most,
):  # fmt: skip
    """Work on the rows from `begin` to `end`: groups side by side, the last one filled up."""
    n_features = X.shape[1]
    n_groups = (end - begin + WIDTH - 1) // WIDTH
    x = np.zeros((n_groups, n_features, WIDTH))
    gain = np.zeros((n_groups, n_features, WIDTH))
    for r in range(begin, end):
        for j in range(n_features):
            x[(r - begin) // WIDTH, j, (r - begin) % WIDTH] = X[r, j]
    product = np.empty((deepest + 1, most, WIDTH))
    sums = np.empty((deepest + 1, most, WIDTH))
    on = np.empty((deepest + 1, WIDTH))
    left = np.empty((deepest + 1, WIDTH))
    open_step = np.empty(deepest + 2, dtype=np.int64)
    for tree in range(len(nodes)):
        n = nodes[tree]
        for k in range(n):
            product[0, k, :] = weights[n, k]
        for g in range(n_groups):
            into, values = gain[g], x[g]
            deep = 0
            for step in range(first[tree], first[tree + 1] + 1):
                # Close what the walk has left: every open edge as deep as the next one, or all at the end.
                until = depth[step] if step < first[tree + 1] else 1
                while deep >= until:
                    s = open_step[deep]
                    up = depth[above[s]] if above[s] >= 0 else -1
                    upper = table[above[s]] if above[s] >= 0 else 0
                    _up(background, table[s], upper, n, sums, deep, on, up, into, feature[node[s]])
                    _hand_over(n, sums, deep, sums, side[s] == 1)
                    deep -= 1
                if step == first[tree + 1]:
                    break
                d, split = depth[step], node[step]
                up = depth[above[step]] if above[step] >= 0 else -1
                upper = table[above[step]] if above[step] >= 0 else 0
                if side[step] == 1:  # The walk goes left first: decided once for both edges.
                    _goes_left(
                        values, feature[split], threshold[split], decision[split], first_word[split],
                        last_word[split], words, left, d - 1,
                    )  # fmt: skip
                    for r in range(WIDTH):
                        on[d, r] = left[d - 1, r]
                else:
                    for r in range(WIDTH):
                        on[d, r] = 1.0 - left[d - 1, r]
                if up >= 0:
                    for r in range(WIDTH):
                        on[d, r] *= on[up, r]
                if leaf[step] < 0:
                    _down(background, table[step], upper, n, points, 1.0, product, d, on, up)
                    deep = d
                    open_step[d] = step
                    continue
                _down(background, table[step], upper, n, points, leaf_value[leaf[step]], product, d, on, up)
                _up(background, table[step], upper, n, product, d, on, up, into, feature[split])
                _hand_over(n, product, d, sums, side[step] == 1)
    for r in range(begin, end):
        for j in range(n_features):
            found[r, j] = gain[(r - begin) // WIDTH, j, (r - begin) % WIDTH]


def satisfied(walk: Program, row: Floats) -> Floats:
    """Return 1.0 for each edge whose condition a row meets at its split, else 0.0; shape (n_steps,)."""
    e = walk.ensemble
    found = np.zeros(len(walk.node))
    _meets(
        walk.node, walk.side, e.feature, e.threshold, e.decision, e.first_word, e.last_word, e.words,
        np.ascontiguousarray(row), found,
    )  # fmt: skip
    return found


@kernel
def _meets(  # type: ignore[no-untyped-def]
    node, side, feature, threshold, decision, first_word, last_word, words, row, found
):
    x, left = np.zeros((1, WIDTH)), np.zeros((1, WIDTH))
    for step in range(len(node)):
        split = node[step]
        x[0, :] = row[feature[split]]
        _goes_left(
            x, 0, threshold[split], decision[split], first_word[split], last_word[split], words, left, 0
        )
        found[step] = left[0, 0] if side[step] == 1 else 1.0 - left[0, 0]
