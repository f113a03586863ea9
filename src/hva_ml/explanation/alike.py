"""Accounts that were scored for the same reasons: nearest in what moved their expected value."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hva_ml.explanation.selection import THRESHOLD, Floats, topics
from hva_ml.features.definition import FeatureDefinition

MOST_SHARED = 3


@dataclass(frozen=True)
class Alike:
    """One of the candidates.

    Attributes
    ----------
    row : int
        Its place among the candidates.
    distance : float
        Sum over topics of the absolute difference of log factors; 0 means: scored alike in every respect.
    shared : tuple of (column, factor)
        What moved both in the same direction, most first: the column that tells it at the candidate, and the
        factor that both have at least (above 1) or at most (below 1).
    """

    row: int
    distance: float
    shared: tuple[tuple[int, float], ...]


def alike(
    definitions: Sequence[FeatureDefinition],
    account: Floats,
    candidates: Floats,
    names: Sequence[str],
    limit: int = 3,
) -> tuple[Alike, ...]:
    """Return the candidates nearest to an account, one row for each name.

    Distance is L1 between the effects of topics on ln(expected value): a feature that moved neither score
    cannot make two accounts alike or unlike, whatever its unit.

    Parameters
    ----------
    definitions : sequence of FeatureDefinition, length n_features
    account : numpy.ndarray of float64, shape (n_features,)
        Contributions of the account.
    candidates : numpy.ndarray of float64, shape (n_candidates, n_features)
        Contributions of the candidates against the same reference; equally near ones keep their order.
    names : sequence of str, length n_candidates
        Which account each candidate is.
    limit : int
        Most accounts returned.
    """
    own = topics(definitions, account[None, :]).effects[0]
    others = topics(definitions, candidates)
    distance = np.abs(others.effects - own).sum(axis=1)
    found: list[Alike] = []
    taken: set[str] = set()
    for k in np.argsort(distance, kind="stable").tolist():
        if names[k] in taken:
            continue
        taken.add(names[k])
        common = np.where(
            np.sign(own) == np.sign(others.effects[k]),
            np.sign(own) * np.minimum(np.abs(own), np.abs(others.effects[k])), 0.0,
        )  # fmt: skip
        order = np.argsort(-np.abs(common), kind="stable")[:MOST_SHARED]
        shared = tuple(
            (int(others.told[k, t]), float(np.exp(common[t]))) for t in order if abs(common[t]) >= THRESHOLD
        )
        found.append(Alike(k, float(distance[k]), shared))
        if len(found) == limit:
            break
    return tuple(found)
