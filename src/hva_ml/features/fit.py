"""Likeness to past winners (ICP fit), learned at each cutoff from what is visible there and nothing else."""

from dataclasses import dataclass

import numpy as np

from hva_ml.config import PipelineConfig
from hva_ml.features import firmographic
from hva_ml.features.declared import fit_attributes
from hva_ml.features.definition import FeatureDefinition
from hva_ml.features.population import converted, groups_as_of
from hva_ml.features.universe import Bools, Feature, Floats, Rows, Universe
from hva_ml.features.versions import Versions
from hva_ml.features.windows import NONE, Ints, latest
from hva_ml.features.wording import chosen

PSEUDO_WINNERS = 1.0
"""Added to both the observed and the expected number of winners of a value (Laplace)."""


def features(universe: Universe, versions: Versions, rows: Rows, config: PipelineConfig) -> list[Feature]:
    """Return ``fit.icp``: how much likelier a company of this kind is among past winners than among all.

    A naive-Bayes log-likelihood ratio over the declared categories of `accounts` (null ones are left out):
    the sum over attributes of ``ln((w + 1) / (e + 1))``, where w winners (accounts with a visible conversion)
    share the account's value and ``e = W n / N`` were to be expected from the n of N known accounts that
    share it. The account's own group of companies is left out of all four counts, so that its own success
    does not vouch for it. Null if no other winner is visible, or none of its attributes is known.
    """
    table = universe.table(config.population.table)
    seen = latest(table.account, table.entered, table.event_time, *universe.shape) != NONE
    won = converted(universe, config.target)
    known = Rows.where(np.asarray(seen | won, dtype=np.bool_))
    group = np.stack([groups_as_of(versions, c) for c in range(universe.n_cutoffs)], axis=1)
    sample = _Sample(known.cutoff, known.pick(group), won[known.account, known.cutoff], universe.shape)
    score = np.zeros(len(known.account))
    judged = np.zeros(len(known.account), dtype=np.bool_)
    for name in fit_attributes(config):
        codes = (
            firmographic.category(versions, name, known)
            if name in firmographic.CATEGORIES
            else versions.category(name, known)
        ).codes
        ratio, usable = sample.log_ratio(codes)
        score += np.where(usable, ratio, 0.0)
        judged |= usable
    score = np.where(judged, score, np.nan)
    width = universe.n_accounts
    place = np.searchsorted(known.cutoff * width + known.account, rows.cutoff * width + rows.account)
    label = chosen(
        config.features.labels, ("fit.icp", "icp"),
        "Ähnlichkeit mit bisherigen Gewinnerkunden", "likeness to past winners",
    )  # fmt: skip
    definition = FeatureDefinition(
        "fit.icp", "fit", "number", "accounts", "log_likelihood_ratio", "score", *label, None, "fit.icp"
    )
    return [Feature(definition, score[place])]


@dataclass(frozen=True)
class _Sample:
    """The known accounts at each cutoff, with their group of companies and whether they have won."""

    cutoff: Ints
    group: Ints
    won: Bools
    shape: tuple[int, int]

    def log_ratio(self, codes: Ints) -> tuple[Floats, Bools]:
        """Return ln((w + 1) / (e + 1)) of each account's value, and where it can be judged."""
        some = codes >= 0
        n_values = int(codes.max(initial=-1)) + 1
        cutoff, won = self.cutoff[some], self.won[some]
        team = self.group[some] * self.shape[1] + cutoff
        value = codes[some] * self.shape[1] + cutoff
        like, like_won = _tally(value, won)
        everyone, all_won = _tally(cutoff, won)
        own, own_won = _tally(team, won)
        own_like, own_like_won = _tally(team * max(n_values, 1) + codes[some], won)
        others, other_won = everyone - own, all_won - own_won
        observed = (like_won - own_like_won).astype(np.float64)
        expected = other_won * (like - own_like) / np.maximum(others, 1)
        ratio, usable = np.zeros(len(codes)), np.zeros(len(codes), dtype=np.bool_)
        ratio[some] = np.log((observed + PSEUDO_WINNERS) / (expected + PSEUDO_WINNERS))
        usable[some] = other_won > 0
        return ratio, usable


def _tally(key: Ints, won: Bools) -> tuple[Ints, Ints]:
    """Return, for each entry, how many entries have its key, and how many of them have won."""
    _, inverse = np.unique(key, return_inverse=True)
    count = np.bincount(inverse)[inverse] if len(key) else np.zeros(0, dtype=np.int64)
    winners = np.bincount(inverse[won], minlength=int(inverse.max(initial=-1)) + 1)
    return count.astype(np.int64), winners[inverse].astype(np.int64)
