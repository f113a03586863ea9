"""Accounts as of a day -> likelihood, value, expected value, tier and the factors that lead there."""

from hva_ml.scoring.accounts import Scored, score
from hva_ml.scoring.explained import references, segment_words
from hva_ml.scoring.scorer import Scorer
from hva_ml.scoring.tiers import Tiers, tiers

__all__ = ["Scored", "Scorer", "Tiers", "references", "score", "segment_words", "tiers"]
