"""Likeness to past winners (ICP fit), learned at each cutoff from what is visible there and nothing else."""

from dataclasses import dataclass

import numpy as np

from hva_ml.config import PipelineConfig
from hva_ml.features import firmographic
from hva_ml.features.across import Totals
from hva_ml.features.declared import fit_attributes
from hva_ml.features.definition import FeatureDefinition
from hva_ml.features.population import converted, groups_as_of
from hva_ml.features.universe import Bools, Codes, Feature, Floats, Rows, Universe
from hva_ml.features.versions import Versions
from hva_ml.features.windows import NONE, Ints, latest
from hva_ml.features.wording import chosen

PSEUDO_WINNERS = 1.0
"""Added to both the observed and the expected number of winners of a value (Laplace)."""


class Fit:
    """``fit.icp``: how much likelier a company of this kind is among past winners than among all.

    A naive-Bayes log-likelihood ratio over the declared categories of `accounts` (null ones are left out):
    the sum over attributes of ``ln((w + 1) / (e + 1))``, where w winners (accounts with a visible conversion)
    share the account's value and ``e = W n / N`` were to be expected from the n of N known accounts that
    share it. The account's own group of companies is left out of all four counts, so that its own success
    does not vouch for it. Null if no other winner is visible, or none of its attributes is known.
    """

    def __init__(self, universe: Universe, versions: Versions, config: PipelineConfig) -> None:
        self._universe, self._config = universe, config
        table = universe.table(config.population.table)
        seen = latest(table.account, table.entered, table.event_time, *universe.shape) != NONE
        won = converted(universe, config.target)
        self._known = known = Rows.where(np.asarray(seen | won, dtype=np.bool_))
        group = np.stack([groups_as_of(versions, c) for c in range(universe.n_cutoffs)], axis=1)
        self._sample = _Sample(
            known.cutoff, known.pick(group), won[known.account, known.cutoff], universe.n_cutoffs
        )
        self._attributes = {
            name: firmographic.category(versions, name, known)
            if name in firmographic.CATEGORIES
            else versions.category(name, known)
            for name in fit_attributes(config)
        }

    def counts(self) -> dict[tuple[str, str], Ints]:
        """Count accounts and winners by attribute and value; see ``AcrossAccounts.counts``."""
        found: dict[tuple[str, str], Ints] = {}
        for name, codes in self._attributes.items():
            among, winners = self._sample.by_value(codes)
            for value, all_of_them, won in zip(codes.values, among, winners, strict=True):
                if all_of_them.any():
                    found[f"fit.{name}", value] = all_of_them
                    found[f"fit.{name}.won", value] = won
        return found

    def features(self, rows: Rows, totals: Totals) -> list[Feature]:
        """Return the feature; all counts but those of the own group are those of the totals."""
        known, n_known = self._known, len(self._known.account)
        score = np.zeros(n_known)
        judged = np.zeros(n_known, dtype=np.bool_)
        for name, codes in self._attributes.items():
            ratio, usable = self._sample.log_ratio(codes, totals, f"fit.{name}")
            score += np.where(usable, ratio, 0.0)
            judged |= usable
        score = np.where(judged, score, np.nan)
        width = self._universe.n_accounts
        place = np.searchsorted(known.cutoff * width + known.account, rows.cutoff * width + rows.account)
        label = chosen(
            self._config.features.labels, ("fit.icp", "icp"),
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
    n_cutoffs: int

    def by_value(self, codes: Codes) -> tuple[Ints, Ints]:
        """Count the accounts of each value and those of them that have won, (n_values, n_cutoffs) each."""
        some = codes.codes >= 0
        shape = len(codes.values), self.n_cutoffs
        place = codes.codes[some] * self.n_cutoffs + self.cutoff[some]
        return (
            np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape),
            np.bincount(place[self.won[some]], minlength=shape[0] * shape[1]).reshape(shape),
        )

    def log_ratio(self, codes: Codes, totals: Totals, name: str) -> tuple[Floats, Bools]:
        """Return ln((w + 1) / (e + 1)) of each account's value, and where it can be judged."""
        some = codes.codes >= 0
        code, cutoff, won = codes.codes[some], self.cutoff[some], self.won[some]
        team = self.group[some] * self.n_cutoffs + cutoff
        like, like_won = (_placed(totals, n, codes.values)[code, cutoff] for n in (name, f"{name}.won"))
        everyone, all_won = (totals.whole(n)[cutoff] for n in (name, f"{name}.won"))
        own, own_won = _tally(team, won)
        own_like, own_like_won = _tally(team * max(len(codes.values), 1) + code, won)
        others, other_won = everyone - own, all_won - own_won
        observed = (like_won - own_like_won).astype(np.float64)
        expected = other_won * (like - own_like) / np.maximum(others, 1)
        ratio, usable = np.zeros(len(some)), np.zeros(len(some), dtype=np.bool_)
        ratio[some] = np.log((observed + PSEUDO_WINNERS) / (expected + PSEUDO_WINNERS))
        usable[some] = other_won > 0
        return ratio, usable


def _placed(totals: Totals, name: str, values: tuple[str, ...]) -> Ints:
    """Return the numbers of each value, shape (n_values, n_cutoffs)."""
    return np.stack([totals.at(name, value) for value in values] or [totals.at(name)])


def _tally(key: Ints, won: Bools) -> tuple[Ints, Ints]:
    """Return, for each entry, how many entries have its key, and how many of them have won."""
    _, inverse = np.unique(key, return_inverse=True)
    count = np.bincount(inverse)[inverse] if len(key) else np.zeros(0, dtype=np.int64)
    winners = np.bincount(inverse[won], minlength=int(inverse.max(initial=-1)) + 1)
    return count.astype(np.int64), winners[inverse].astype(np.int64)
