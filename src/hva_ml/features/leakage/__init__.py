"""Leakage probes: does any feature know something from after its cutoff? Asked by taking the future away.

They see what the contract tables hold; whether the source queries looked ahead is asked by cutting the raw
data and comparing (`Subject.differences`). Attributes declared static are exempt: the user vouches for them.
"""

from hva_ml.features.leakage.probes import perturbation, population, sources, truncation
from hva_ml.features.leakage.scrambling import Moved, moved, scrambled, shown
from hva_ml.features.leakage.subject import POPULATION, Subject, Travel, Travels, compare, travel

__all__ = [
    "POPULATION",
    "Moved",
    "Subject",
    "Travel",
    "Travels",
    "compare",
    "moved",
    "perturbation",
    "population",
    "scrambled",
    "shown",
    "sources",
    "travel",
    "truncation",
]
