"""What moves the scores of a whole population: the weight of each topic, and what sets a group apart.

Sums are exactly rounded, so that the order of the accounts changes no bit of what is told.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.explanation.ranks import correlation
from hva_ml.explanation.selection import THRESHOLD, Floats, Topics, select

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Apart:
    """A topic that sets a group apart.

    Attributes
    ----------
    topic : str
        Which.
    here, others : float
        Mean log factor in the group, and of all other accounts.
    """

    topic: str
    here: float
    others: float


@dataclass(frozen=True)
class Group:
    """Some of the accounts, and what sets them apart from the others.

    Attributes
    ----------
    name : str
        E.g. the tier.
    n_accounts : int
        How many.
    expected_value, share : float
        Their sum, currency units, and its share of the sum over all, in [0, 1].
    probability, value_if_converted : float or None
        Means, None of nobody. Their product is not the mean expected value.
    apart : tuple of Apart
        Furthest from the others first.
    """

    name: str
    n_accounts: int
    expected_value: float
    share: float
    probability: float | None
    value_if_converted: float | None
    apart: tuple[Apart, ...]


def mentioned(found: Topics, limit: int, threshold: float = THRESHOLD) -> Bools:
    """Return which topics are told of each account, shape (n_rows, n_topics, 2): for it, against it.

    The choice is that of the published reasons, see `selection.select`.
    """
    chosen = select(found, limit, threshold)
    told = np.zeros((*found.effects.shape, 2), dtype=np.bool_)
    told[chosen.row, chosen.topic, (chosen.effect < 0).astype(np.int64)] = True
    return told


def importance(found: Topics, told: Bools) -> pa.Table:
    """Return the weight of each topic over accounts.

    Parameters
    ----------
    found : Topics
        Effects of at least one account.
    told : numpy.ndarray of bool, shape (n_rows, n_topics, 2)
        See `mentioned`.

    Returns
    -------
    pyarrow.Table
        One row per topic, heaviest first, equals by name: topic, mean_abs_log_factor (≥ 0), factor (its
        exponential, ≥ 1: by how much the topic moves an expected value, up or down), mean_log_factor,
        told_for and told_against (shares of accounts, in [0, 1]).
    """
    n = len(found.effects)
    size, mean = means(np.abs(found.effects)), means(found.effects)
    shares = told.sum(axis=0) / n
    order = sorted(range(len(found.names)), key=lambda t: (-size[t], found.names[t]))
    return pa.table(
        {
            "topic": pa.array([found.names[t] for t in order], pa.string()),
            "mean_abs_log_factor": pa.array([size[t] for t in order], pa.float64()),
            "factor": pa.array([math.exp(size[t]) for t in order], pa.float64()),
            "mean_log_factor": pa.array([mean[t] for t in order], pa.float64()),
            "told_for": pa.array(shares[order, 0]),
            "told_against": pa.array(shares[order, 1]),
        }
    )


def among(found: Topics, rows: Bools) -> Topics:
    """Return the effects of some rows."""
    return Topics(found.names, found.members, found.effects[rows], found.told[rows])


def group(
    name: str,
    rows: Bools,
    found: Topics,
    *,
    probability: Floats,
    value_if_converted: Floats,
    expected_value: Floats,
    limit: int = 3,
    threshold: float = THRESHOLD,
) -> Group:
    """Return what a group holds and what sets it apart.

    Parameters
    ----------
    name : str
        What it is called.
    rows : numpy.ndarray of bool, shape (n_rows,)
        Who belongs to it; there may be nobody.
    found : Topics
        Effects of all.
    probability, value_if_converted, expected_value : numpy.ndarray of float64, shape (n_rows,)
        Scores of all.
    limit, threshold : int, float
        Most topics, and the least difference of mean log factors that is told.
    """
    n, total = int(rows.sum()), math.fsum(expected_value.tolist())
    held = math.fsum(expected_value[rows].tolist())
    apart: list[Apart] = []
    if 0 < n < len(rows):
        here, others = means(found.effects[rows]), means(found.effects[~rows])
        apart = [Apart(t, a, b) for t, a, b in zip(found.names, here, others, strict=True)]
        apart = [a for a in apart if abs(a.here - a.others) >= threshold]
        apart.sort(key=lambda a: (-abs(a.here - a.others), a.topic))
    chance, value = means(np.column_stack([probability[rows], value_if_converted[rows]]))
    return Group(
        name, n, held, held / total if total > 0 else 0.0, chance if n else None, value if n else None,
        tuple(apart[:limit]),
    )  # fmt: skip


def leads(found: Topics, contributions: Floats) -> tuple[int, ...]:
    """Return each topic's heaviest column by mean absolute contribution; of equals the first by name."""
    size = means(np.abs(contributions))
    return tuple(max(members, key=lambda j: size[j]) for members in found.members)


def rises(values: Floats, effects: Floats) -> float | None:
    """Return the rank correlation of a feature's known values with effects, None where it says nothing.

    Near 1, high values raise the expected value; near -1, they lower it.
    """
    known = ~np.isnan(values)
    return correlation(values[known], effects[known])


def means(matrix: Floats) -> list[float]:
    """Return the exactly rounded mean of each column, NaN of no rows."""
    n = len(matrix)
    return [math.fsum(column.tolist()) / n if n else math.nan for column in matrix.T]
