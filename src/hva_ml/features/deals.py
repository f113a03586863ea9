"""Deal history: the state of every deal as of the cutoff, read from its stage history only."""

from dataclasses import dataclass

import numpy as np

from hva_ml.config import PipelineConfig
from hva_ml.features.across import Totals
from hva_ml.features.definition import FeatureDefinition, Unit
from hva_ml.features.universe import Bools, Codes, Feature, Floats, Rows, Universe
from hva_ml.features.versions import ranks
from hva_ml.features.windows import NONE, Ints, earliest, latest
from hva_ml.features.wording import chosen

WIN_RATE_WEIGHT = 4.0
"""An account's own win rate counts as much as the rate of all accounts once it has this many ended deals."""

_OUTCOMES = ("lost", "won")

_WORDS: tuple[tuple[str, Unit, str, str, str], ...] = (
    ("open_count", "count", "open", "offene Verkaufschancen", "open deals"),
    ("open_amount", "money", "open_amount", "Volumen offener Verkaufschancen", "volume of open deals"),
    ("won_count", "count", "won", "gewonnene Verkaufschancen", "won deals"),
    ("lost_count", "count", "lost", "verlorene Verkaufschancen", "lost deals"),
    ("win_rate", "share", "win_rate", "Abschlussquote", "win rate"),
    ("days_in_stage", "days", "days_in_stage", "Tage in der aktuellen Verkaufsphase",
     "days in the current deal stage"),
    ("last_outcome", "category", "last_outcome", "Ausgang der letzten Verkaufschance",
     "outcome of the last deal"),
    ("days_since_won", "days", "days_since_won", "Tage seit dem letzten gewonnenen Auftrag",
     "days since the last won deal"),
    ("days_since_lost", "days", "days_since_lost", "Tage seit der letzten verlorenen Verkaufschance",
     "days since the last lost deal"),
    ("won_amount_mean", "money", "won_amount_mean", "durchschnittlicher Auftragswert", "average won deal"),
    ("oldest_open_days", "days", "oldest_open", "Alter der ältesten offenen Verkaufschance",
     "age of the oldest open deal"),
)  # fmt: skip


@dataclass(frozen=True)
class _States:
    """Every deal at every cutoff that knows it: arrays of one length, one entry per deal and cutoff."""

    place: Ints
    open: Bools
    won: Bools
    lost: Bools
    cents: Ints
    priced: Bools
    changed: Ints
    begun: Ints
    shape: tuple[int, int]

    def count(self, which: Bools) -> Ints:
        return self.total(np.ones(len(which), dtype=np.int64), which)

    def total(self, values: Ints, which: Bools) -> Ints:
        grid = np.zeros(self.shape[0] * self.shape[1], dtype=np.int64)
        np.add.at(grid, self.place[which], values[which])
        return grid.reshape(self.shape)

    def newest(self, values: Ints, which: Bools) -> Ints:
        grid = np.full(self.shape[0] * self.shape[1], NONE, dtype=np.int64)
        np.maximum.at(grid, self.place[which], values[which])
        return grid.reshape(self.shape)


class Deals:
    """The deal features.

    A deal is in the stage of its latest visible row (event time, then known time); it is open unless that is
    'won' or 'lost', and its amount is the latest one known. A reopened deal is open again.

    - ``open_count``, ``won_count``, ``lost_count``, ``open_amount``: 0 where there is none.
    - ``win_rate``: (won + 4 r) / (won + lost + 4) with r the rate over all deals visible at that cutoff; null
      without an ended deal.
    - ``days_in_stage``: of the open deal that changed last. ``oldest_open_days``: since the first visible row
      of the oldest open deal.
    - ``last_outcome``: of the deal that ended last; 'won' if two ended at the same moment.
    - ``won_amount_mean``: over won deals with an amount.
    """

    def __init__(self, universe: Universe, config: PipelineConfig) -> None:
        self._universe, self._config = universe, config
        self._states = _states(universe)
        self._won = self._states.count(self._states.won)
        self._lost = self._states.count(self._states.lost)

    def counts(self) -> dict[tuple[str, str], Ints]:
        """Count won and lost deals; see ``AcrossAccounts.counts``."""
        return {("deals.won", ""): self._won.sum(axis=0), ("deals.lost", ""): self._lost.sum(axis=0)}

    def features(self, rows: Rows, totals: Totals) -> list[Feature]:
        """Return the features; the overall win rate is that of the totals."""
        states, won, lost = self._states, self._won, self._lost
        last_won = states.newest(states.changed, states.won)
        last_lost = states.newest(states.changed, states.lost)
        priced = states.won & states.priced
        n_priced = rows.pick(states.count(priced))
        oldest = states.newest(-states.begun, states.open)
        cutoffs = self._universe.cutoffs
        values: dict[str, Floats] = {
            "open_count": rows.pick(states.count(states.open)).astype(np.float64),
            "open_amount": rows.pick(states.total(states.cents, states.open)) / 100.0,
            "won_count": rows.pick(won).astype(np.float64),
            "lost_count": rows.pick(lost).astype(np.float64),
            "win_rate": _win_rate(won, lost, rows, totals),
            "days_in_stage": rows.days_since(states.newest(states.changed, states.open), cutoffs),
            "days_since_won": rows.days_since(last_won, cutoffs),
            "days_since_lost": rows.days_since(last_lost, cutoffs),
            "won_amount_mean": np.where(
                n_priced > 0,
                rows.pick(states.total(states.cents, priced)) / (np.maximum(n_priced, 1) * 100.0),
                np.nan,
            ),
            "oldest_open_days": rows.days_since(np.where(oldest == NONE, NONE, -oldest), cutoffs),
        }
        ended = rows.pick(np.maximum(last_won, last_lost)) != NONE
        outcome = np.where(ended, rows.pick((last_won >= last_lost).astype(np.int64)), -1)
        made = []
        for key, unit, topic, de, en in _WORDS:
            label = chosen(self._config.features.labels, (f"deals.{key}", key), de, en)
            definition = FeatureDefinition(
                f"deals.{key}", "deal_history", "category" if unit == "category" else "number",
                "deal_stages", key, unit, *label, None, f"deals.{topic}",
            )  # fmt: skip
            value = Codes(outcome, _OUTCOMES).strings() if key == "last_outcome" else values[key]
            made.append(Feature(definition, value))
        return made


def _win_rate(won: Ints, lost: Ints, rows: Rows, totals: Totals) -> Floats:
    all_won, all_lost = totals.at("deals.won"), totals.at("deals.lost")
    overall = all_won / np.maximum(all_won + all_lost, 1)
    mine, ended = rows.pick(won), rows.pick(won + lost)
    smoothed = (mine + WIN_RATE_WEIGHT * overall[rows.cutoff]) / (ended + WIN_RATE_WEIGHT)
    return np.where(ended > 0, smoothed, np.nan)


def _states(universe: Universe) -> _States:
    table = universe.table("deal_stages")
    deal = table.codes("deal_id")
    n_deals, n_cutoffs = len(deal.values), universe.n_cutoffs
    rank, order = ranks(table, ("account_id", "deal_id", "stage", "amount_cents"))
    cents, known = table.integers("amount_cents")
    newest = latest(deal.codes, table.entered, rank, n_deals, n_cutoffs)
    priced = latest(deal.codes[known], table.entered[known], rank[known], n_deals, n_cutoffs)
    begun = earliest(deal.codes, table.entered, table.event_time, n_deals, n_cutoffs)
    place, cutoff = np.nonzero(newest != NONE)
    row = order[newest[place, cutoff]]
    price = priced[place, cutoff]
    stage = table.codes("stage")
    won, lost = stage.among(("won",))[row], stage.among(("lost",))[row]
    return _States(
        place=table.account[row] * n_cutoffs + cutoff,
        open=~(won | lost),
        won=won,
        lost=lost,
        cents=np.where(price == NONE, 0, np.append(cents, 0)[np.append(order, -1)[np.maximum(price, -1)]]),
        priced=price != NONE,
        changed=table.event_time[row],
        begun=begun[place, cutoff],
        shape=universe.shape,
    )
