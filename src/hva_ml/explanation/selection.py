"""Which factors are told of an account: those of one topic together, the strongest for and against it.

The same choice for one account and for all of a night, so that the words of both are the same.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hva_ml.features.definition import FeatureDefinition

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
THRESHOLD = math.log(1.05)


@dataclass(frozen=True, eq=False)
class Topics:
    """The effects of topics, for every account.

    Attributes
    ----------
    names : tuple of str
        Topics in alphabetical order; a feature without a topic is its own.
    members : tuple of tuple of int
        Columns of each topic, by feature name.
    effects : numpy.ndarray of float64, shape (n_rows, n_topics)
        Sums of contributions to ln(expected value).
    told : numpy.ndarray of int64, shape (n_rows, n_topics)
        The column that contributes most in the direction of its topic; of equals the first by name.
    """

    names: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    effects: Floats
    told: Ints


@dataclass(frozen=True, eq=False)
class Selected:
    """The factors that are told, one entry each, in the order they are read: for, then against.

    Attributes
    ----------
    row, topic, column : numpy.ndarray of int64, shape (n_selected,)
        Row, place in `Topics.names`, and the feature that is named; sorted by row.
    effect : numpy.ndarray of float64, shape (n_selected,)
        Of the topic, in log space.
    counts : numpy.ndarray of int64, shape (n_rows,)
        Entries of each row.
    """

    row: Ints
    topic: Ints
    column: Ints
    effect: Floats
    counts: Ints


def grouped(definitions: Sequence[FeatureDefinition]) -> dict[str, tuple[int, ...]]:
    """Return the columns of each topic, topics and columns in alphabetical order."""
    groups: dict[str, list[int]] = {}
    for j, d in sorted(enumerate(definitions), key=lambda item: item[1].name):
        groups.setdefault(d.topic or d.name, []).append(j)
    return {name: tuple(groups[name]) for name in sorted(groups)}


def topics(definitions: Sequence[FeatureDefinition], contributions: Floats) -> Topics:
    """Sum contributions of shape (n_rows, n_features) by topic, the same bits for any number of rows."""
    groups = grouped(definitions)
    effects = np.zeros((len(contributions), len(groups)))
    told = np.zeros(effects.shape, dtype=np.int64)
    for t, members in enumerate(groups.values()):
        for j in members:
            effects[:, t] += contributions[:, j]
        if len(members) > 1:
            sign = np.where(effects[:, t] >= 0, 1.0, -1.0)
            columns = np.array(members)
            told[:, t] = columns[np.argmax(sign[:, None] * contributions[:, columns], axis=1)]
        else:
            told[:, t] = members[0]
    return Topics(tuple(groups), tuple(groups.values()), effects, told)


def select(found: Topics, limit: int, threshold: float = THRESHOLD) -> Selected:
    """Choose at most `limit` topics for and `limit` against each row, none weaker than `threshold`.

    Strongest first within a direction, equals by the name of the topic.
    """
    parts = [_strongest(found, way, limit, threshold) for way in (1.0, -1.0)]
    row = np.concatenate([p[0] for p in parts])
    topic = np.concatenate([p[1] for p in parts])
    order = np.argsort(row, kind="stable")
    row, topic = row[order], topic[order]
    return Selected(
        row, topic, found.told[row, topic], found.effects[row, topic],
        np.bincount(row, minlength=len(found.effects)).astype(np.int64),
    )  # fmt: skip


def _strongest(found: Topics, way: float, limit: int, threshold: float) -> tuple[Ints, Ints]:
    strength = way * found.effects
    order = np.argsort(-strength, axis=1, kind="stable")[:, :limit]
    chosen = np.take_along_axis(strength, order, axis=1)
    row, place = np.nonzero((chosen >= threshold) & (chosen > 0.0))
    return row.astype(np.int64), order[row, place].astype(np.int64)
