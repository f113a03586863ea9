"""The overview of a score: what each family of features multiplies likelihood, value and their product by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hva_ml.explanation.selection import Floats
from hva_ml.features.definition import FeatureDefinition


@dataclass(frozen=True)
class FamilyFactor:
    """One family; over all families each kind of factor multiplies to the account's over the reference's.

    Attributes
    ----------
    family : str
        As in the feature definitions.
    likelihood, value, total : float
        Factors of probability, value if converted and expected value; ``total = likelihood × value``.
    """

    family: str
    likelihood: float
    value: float
    total: float


def families(
    definitions: Sequence[FeatureDefinition], likelihood: Floats, value: Floats
) -> tuple[FamilyFactor, ...]:
    """Return the factors of one account by family, strongest first, equals by name.

    Parameters
    ----------
    definitions : sequence of FeatureDefinition, length n_features
    likelihood, value : numpy.ndarray of float64, shape (n_features,)
        Contributions to ln(probability) and ln(value if converted).
    """
    sums: dict[str, list[float]] = {}
    for d, p, v in zip(definitions, likelihood.tolist(), value.tolist(), strict=True):
        both = sums.setdefault(d.family, [0.0, 0.0])
        both[0] += p
        both[1] += v
    ordered = sorted(sums.items(), key=lambda item: (-abs(item[1][0] + item[1][1]), item[0]))
    return tuple(FamilyFactor(f, math.exp(p), math.exp(v), math.exp(p + v)) for f, (p, v) in ordered)
