"""Whether two models give the same reasons for the same accounts, e.g. before and after a retraining."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hva_ml.explanation.overview import Bools, means, mentioned
from hva_ml.explanation.ranks import correlation
from hva_ml.explanation.selection import Floats, topics
from hva_ml.features.definition import FeatureDefinition


@dataclass(frozen=True)
class Stability:
    """How alike the reasons of two models are.

    Attributes
    ----------
    n_accounts : int
        Accounts that both explained.
    importance : float or None
        Spearman's rank correlation of the topics' mean absolute effects, over topics that move anything in
        either model; in [-1, 1], None where it cannot be told.
    overlap : float
        Median over accounts of the Jaccard index of what is told of them, in [0, 1]: the same topic in the
        same direction. Where neither model tells anything it is 1.
    cosine : float
        Median over accounts of the cosine of the contributions by feature, in [-1, 1]; 1 where both are zero.
    """

    n_accounts: int
    importance: float | None
    overlap: float
    cosine: float


def stability(
    before: Sequence[FeatureDefinition],
    contributions_before: Floats,
    after: Sequence[FeatureDefinition],
    contributions_after: Floats,
    limit: int,
) -> Stability:
    """Compare the contributions of two models, features and topics by name.

    What only one of them reads has no effect in the other.

    Parameters
    ----------
    before, after : sequence of FeatureDefinition
        What each model reads.
    contributions_before, contributions_after : numpy.ndarray of float64, shape (n_rows, n_features)
        To ln(expected value) of the same accounts in the same order, at least one.
    limit : int
        Most reasons told for each direction.
    """
    old, new = topics(before, contributions_before), topics(after, contributions_after)
    sizes = [
        dict(zip(f.names, means(np.abs(f.effects)), strict=True)) for f in (old, new)
    ]  # fmt: skip
    moving = sorted(t for t in {*old.names, *new.names} if any(s.get(t, 0.0) > 0.0 for s in sizes))
    ranked = [np.array([s.get(t, 0.0) for t in moving]) for s in sizes]
    told = [dict(zip(f.names, mentioned(f, limit).transpose(1, 0, 2), strict=True)) for f in (old, new)]
    return Stability(
        len(contributions_after),
        correlation(*ranked),
        float(np.median(_overlaps(*told))),
        float(np.median(_cosines(before, contributions_before, after, contributions_after))),
    )


def _overlaps(old: dict[str, Bools], new: dict[str, Bools]) -> Floats:
    """Return the Jaccard index of each account; each topic has told flags of shape (n_rows, 2)."""
    n = len(next(iter(new.values())))
    common, either, nothing = np.zeros(n), np.zeros(n), np.zeros((n, 2), dtype=np.bool_)
    for topic in {*old, *new}:
        a, b = old.get(topic, nothing), new.get(topic, nothing)
        common += (a & b).sum(axis=1)
        either += (a | b).sum(axis=1)
    return np.where(either > 0, common / np.maximum(either, 1.0), 1.0)


def _cosines(
    before: Sequence[FeatureDefinition], old: Floats, after: Sequence[FeatureDefinition], new: Floats
) -> Floats:
    """Return the cosine of each account, summed feature by feature: the same bits for any number of rows."""
    places = [{d.name: j for j, d in enumerate(s)} for s in (before, after)]
    dot, left, right = np.zeros(len(new)), np.zeros(len(new)), np.zeros(len(new))
    for name in sorted({*places[0], *places[1]}):
        a, b = (
            m[:, p[name]] if name in p else np.zeros(len(m))
            for m, p in zip((old, new), places, strict=True)
        )  # fmt: skip
        dot += a * b
        left += a * a
        right += b * b
    length = np.sqrt(left) * np.sqrt(right)
    both_zero = (left == 0) & (right == 0)
    return np.where(both_zero, 1.0, np.clip(dot / np.where(length > 0, length, 1.0), -1.0, 1.0))
