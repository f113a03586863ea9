"""Accounts as of a day -> likelihood, value, expected value, tier and the factors that lead there."""

from hva_ml.scoring.accounts import Scored, score
from hva_ml.scoring.tiers import Tiers, tiers

__all__ = ["Scored", "Tiers", "score", "tiers"]
