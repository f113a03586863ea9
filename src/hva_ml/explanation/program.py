"""An ensemble as steps from edge to edge, with the factors that each edge brings: what the kernel runs.

A step is one edge of one tree, in the order of a walk that goes left first. What depends on the background
(cover ratios, or a reference account) is in tables of its own, so that the walk is laid out once.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hva_ml.compiled import kernel
from hva_ml.training.trees import Ensemble, Floats, Ints, read_trees


@dataclass(frozen=True, eq=False)
class Program:
    """The walk through all trees.

    Attributes
    ----------
    ensemble : Ensemble
        What is walked.
    first : numpy.ndarray of int64, shape (n_trees + 1,)
        Where the steps of each tree begin.
    node, leaf : numpy.ndarray of int64, shape (n_steps,)
        Split the edge leaves (in the ensemble's numbering); leaf it leads to, or -1.
    side : numpy.ndarray of int64, shape (n_steps,)
        1 to the left, 0 to the right.
    depth : numpy.ndarray of int64, shape (n_steps,)
        Edges from the root, this one included.
    above : numpy.ndarray of int64, shape (n_steps,)
        Step of the nearest edge further up on the same feature, or -1.
    nodes : numpy.ndarray of int64, shape (n_trees,)
        Gauss-Legendre nodes that are exact for each tree: half its longest path of different features.
    table : numpy.ndarray of int64, shape (n_steps,)
        Where the step's factors begin in the tables.
    points, weights : numpy.ndarray of float64, shape (most nodes + 1, most nodes)
        Row k: the k nodes on (0, 1) and their weights.
    deepest : int
        Largest depth.
    """

    ensemble: Ensemble
    first: Ints
    node: Ints
    leaf: Ints
    side: Ints
    depth: Ints
    above: Ints
    nodes: Ints
    table: Ints
    points: Floats
    weights: Floats
    deepest: int


@lru_cache(maxsize=8)
def program(text: str) -> Program:
    """Lay out the walk for a LightGBM model text (``IntegrityError`` as `read_trees`)."""
    ensemble = read_trees(text)
    n_steps = 2 * len(ensemble.feature)
    steps = np.full((5, n_steps), -1, dtype=np.int64)
    longest = np.zeros(ensemble.n_trees, dtype=np.int64)
    _walk(
        ensemble.first_node,
        ensemble.first_leaf,
        ensemble.feature,
        ensemble.left,
        ensemble.right,
        steps,
        longest,
    )
    node, leaf, side, depth, above = steps
    nodes = (longest + 1) // 2
    first = 2 * ensemble.first_node
    per_step = np.repeat(nodes, np.diff(first))
    most = int(nodes.max(initial=1))
    points, weights = np.zeros((most + 1, most)), np.zeros((most + 1, most))
    for k in range(1, most + 1):
        x, w = np.polynomial.legendre.leggauss(k)
        points[k, :k], weights[k, :k] = (x + 1.0) / 2.0, w / 2.0
    return Program(
        ensemble, first, node, leaf, side, depth, above, nodes,
        np.cumsum(per_step) - per_step, points, weights, int(depth.max(initial=0)),
    )  # fmt: skip


@kernel
def _walk(first_node, first_leaf, feature, left, right, steps, longest):  # type: ignore[no-untyped-def]
    """Write node, leaf, side, depth and edge above of every step; count a path's different features."""
    most = 0
    for tree in range(len(longest)):
        most = max(most, first_node[tree + 1] - first_node[tree])
    stack = np.empty((4, 2 * most + 2), dtype=np.int64)
    path = np.empty(most + 2, dtype=np.int64)
    step = 0
    for tree in range(len(longest)):
        base, leaves = first_node[tree], first_leaf[tree]
        if first_node[tree + 1] == base:
            continue
        top = 0
        for side in range(2):
            stack[0, top], stack[1, top], stack[2, top], stack[3, top] = base, side, 1, 0
            top += 1
        while top > 0:
            top -= 1
            node, side, depth, different = stack[0, top], stack[1, top], stack[2, top], stack[3, top]
            child = left[node] if side == 1 else right[node]
            above = -1
            for d in range(depth - 1, 0, -1):
                if feature[steps[0, path[d]]] == feature[node]:
                    above = path[d]
                    break
            if above < 0:
                different += 1
            path[depth] = step
            steps[0, step], steps[2, step], steps[3, step], steps[4, step] = node, side, depth, above
            step += 1
            if child < 0:
                steps[1, step - 1] = leaves + ~child
                longest[tree] = max(longest[tree], different)
                continue
            for below in range(2):
                stack[0, top], stack[1, top] = base + child, below
                stack[2, top], stack[3, top] = depth + 1, different
                top += 1


def cover_ratios(walk: Program) -> Floats:
    """Return for each edge the share of the split's training rows that went its way, shape (n_steps,)."""
    e = walk.ensemble
    child = np.where(walk.side == 1, e.left[walk.node], e.right[walk.node])
    tree_start = np.repeat(e.first_node[:-1], np.diff(walk.first))
    inner = np.append(e.node_count, 0.0)[np.where(walk.leaf < 0, tree_start + child, len(e.node_count))]
    outer = np.append(e.leaf_count, 0.0)[np.where(walk.leaf < 0, len(e.leaf_count), walk.leaf)]
    ratio: Floats = (inner + outer) / e.node_count[walk.node]
    return ratio


def folded(walk: Program, share: Floats) -> Floats:
    """Multiply each edge's share with those of the edges above on the same feature, shape (n_steps,)."""
    found = share.copy()
    _fold(walk.above, found)
    return found


@kernel
def _fold(above, share):  # type: ignore[no-untyped-def]
    for step in range(len(above)):
        if above[step] >= 0:
            share[step] *= share[above[step]]


def tables(walk: Program, share: Floats) -> Floats:
    """Return what each edge brings at each node t, from its folded share z of the background.

    Parameters
    ----------
    share : numpy.ndarray of float64, shape (n_steps,)
        z, in [0, 1].

    Returns
    -------
    numpy.ndarray of float64, shape (n_entries, 5)
        The factor z (1 - t) of rows that do not go this way (it is z (1 - t) + t for those that do); the
        reciprocals of both, 0 where a factor is 0; and (o - z) over the factor for o = 0 and o = 1.
    """
    size = int(np.repeat(walk.nodes, np.diff(walk.first)).sum())
    found = np.zeros((size, 5))
    _fill(walk.first, walk.nodes, walk.table, walk.points, share, found)
    return found


@kernel
def _fill(first, nodes, table, points, share, found):  # type: ignore[no-untyped-def]
    for tree in range(len(nodes)):
        for step in range(first[tree], first[tree + 1]):
            z = share[step]
            for k in range(nodes[tree]):
                t = points[nodes[tree], k]
                off, on = z * (1.0 - t), z * (1.0 - t) + t
                row = table[step] + k
                found[row, 0] = off
                found[row, 1] = 1.0 / off if off > 0.0 else 0.0
                found[row, 2] = 1.0 / on
                found[row, 3] = -z / off if off > 0.0 else 0.0
                found[row, 4] = (1.0 - z) / on
