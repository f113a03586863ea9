"""Deal history: the state of every deal as of the cutoff, read from its stage history only."""

from collections.abc import Iterator

import numpy as np

from hva_ml.config import PipelineConfig
from hva_ml.cutoffs import MICROSECONDS_PER_DAY, microseconds
from hva_ml.features.across import Totals
from hva_ml.features.deal_states import states
from hva_ml.features.deal_words import CLOSE_DATES, WORDS, Words, of_stage
from hva_ml.features.universe import Bools, Codes, Feature, Floats, Rows, Universe
from hva_ml.features.windows import NONE, Ints

WIN_RATE_WEIGHT = 4.0
"""An account's own win rate counts as much as the rate of all accounts once it has this many ended deals."""

_OUTCOMES = ("lost", "won")


class Deals:
    """The deal features.

    A deal is in the stage of its latest visible row (event time, then known time); it is open unless that is
    'won' or 'lost', and its amount and expected close date are the latest ones known. A reopened deal is open
    again. It entered its stage with the first of its last rows that all name that stage: further rows may say
    that only its amount or its expected close date changed.

    - ``open_count``, ``won_count``, ``lost_count``, ``open_amount``: 0 where there is none.
    - ``win_rate``: (won + 4 r) / (won + lost + 4) with r the rate over all deals visible at that cutoff; null
      without an ended deal.
    - ``days_in_stage``: of the open deal that changed its stage last. ``oldest_open_days``: since the first
      visible row of the oldest open deal.
    - ``last_outcome``: of the deal that ended last; 'won' if two ended at the same moment.
    - ``won_amount_mean``: over won deals with an amount.
    - ``stage_….open_count``, ``stage_….open_amount``: of ``[features] stages``; ``other_stages`` holds the
      open deals in all others, so that the stages always add up to all open deals.

    With ``[features] close_dates``, of open deals; null where none of several has a date:

    - ``slip_count``, ``slipped_days``, ``slipped_days_most``: how often a date was moved to a later one, by
      how many days together, and by how many that of one deal at most.
    - ``overdue_count``, ``overdue_amount``, ``overdue_days``: the date lies before the cutoff; the days are
      those of the longest overdue deal, null where none is.
    - ``due_amount``: the date lies in the cutoff's label window.
    """

    def __init__(self, universe: Universe, config: PipelineConfig) -> None:
        self._universe, self._config = universe, config
        self._states = states(universe)
        self._won = self._states.count(self._states.won)
        self._lost = self._states.count(self._states.lost)

    def counts(self) -> dict[tuple[str, str], Ints]:
        """Count won and lost deals; see ``AcrossAccounts.counts``."""
        return {("deals.won", ""): self._won.sum(axis=0), ("deals.lost", ""): self._lost.sum(axis=0)}

    def features(self, rows: Rows, totals: Totals) -> list[Feature]:
        """Return the features; the overall win rate is that of the totals."""
        wanted = self._config.features
        still = ~(self._states.won | self._states.lost)
        values = self._standing(rows, totals, still)
        last_won, last_lost = self._ended(self._states.won), self._ended(self._states.lost)
        ended = rows.pick(np.maximum(last_won, last_lost)) != NONE
        outcome = np.where(ended, rows.pick((last_won >= last_lost).astype(np.int64)), -1)
        made = [
            Feature(
                word.definition(wanted),
                Codes(outcome, _OUTCOMES).strings() if word.unit == "category" else values[word.key],
            )
            for word in WORDS
        ]
        if wanted.stages:
            made += [Feature(w.definition(wanted), v) for w, v in self._by_stage(rows, still)]
        if wanted.close_dates:
            dated = self._against_dates(rows, still)
            made += [Feature(w.definition(wanted), dated[w.key]) for w in CLOSE_DATES]
        return made

    def _ended(self, which: Bools) -> Ints:
        return self._states.most(self._states.since, which)

    def _standing(self, rows: Rows, totals: Totals, still: Bools) -> dict[str, Floats]:
        found, won, lost = self._states, self._won, self._lost
        paid = found.won & found.priced
        n_paid = rows.pick(found.count(paid))
        oldest = found.most(-found.begun, still)
        cutoffs = self._universe.cutoffs
        return {
            "open_count": rows.pick(found.count(still)).astype(np.float64),
            "open_amount": rows.pick(found.total(found.cents, still)) / 100.0,
            "won_count": rows.pick(won).astype(np.float64),
            "lost_count": rows.pick(lost).astype(np.float64),
            "win_rate": _win_rate(won, lost, rows, totals),
            "days_in_stage": rows.days_since(found.most(found.since, still), cutoffs),
            "days_since_won": rows.days_since(self._ended(found.won), cutoffs),
            "days_since_lost": rows.days_since(self._ended(found.lost), cutoffs),
            "won_amount_mean": np.where(
                n_paid > 0,
                rows.pick(found.total(found.cents, paid)) / (np.maximum(n_paid, 1) * 100.0),
                np.nan,
            ),
            "oldest_open_days": rows.days_since(np.where(oldest == NONE, NONE, -oldest), cutoffs),
        }

    def _by_stage(self, rows: Rows, still: Bools) -> Iterator[tuple[Words, Floats]]:
        found, features = self._states, self._config.features
        for stage in (*features.stages, ""):
            inside = found.stage.among((stage,)) if stage else ~found.stage.among(features.stages)
            count, volume = of_stage(stage, features)
            yield count, rows.pick(found.count(still & inside)).astype(np.float64)
            yield volume, rows.pick(found.total(found.cents, still & inside)) / 100.0

    def _against_dates(self, rows: Rows, still: Bools) -> dict[str, Floats]:
        found, calendar = self._states, self._universe.calendar
        dated = still & (found.due != NONE)
        unknown = (rows.pick(found.count(still)) > 0) & (rows.pick(found.count(dated)) == 0)
        cutoffs = self._universe.cutoffs
        windows = [calendar.label_window(day) for day in calendar.days]
        begin, end = (np.array([microseconds(w[k]) for w in windows], dtype=np.int64) for k in (0, 1))
        overdue = dated & (found.due < cutoffs[found.cutoff])
        due = dated & (begin[found.cutoff] <= found.due) & (found.due < end[found.cutoff])
        longest = found.most(-found.due, overdue)
        counted: dict[str, Floats] = {
            "slip_count": rows.pick(found.total(found.slips, dated)).astype(np.float64),
            "slipped_days": rows.pick(found.total(found.slipped, dated)) / MICROSECONDS_PER_DAY,
            "slipped_days_most": np.maximum(rows.pick(found.most(found.slipped, dated)), 0)
            / MICROSECONDS_PER_DAY,
            "overdue_count": rows.pick(found.count(overdue)).astype(np.float64),
            "overdue_amount": rows.pick(found.total(found.cents, overdue)) / 100.0,
            "due_amount": rows.pick(found.total(found.cents, due)) / 100.0,
        }
        values = {key: np.where(unknown, np.nan, value) for key, value in counted.items()}
        return values | {"overdue_days": rows.days_since(np.where(longest == NONE, NONE, -longest), cutoffs)}


def _win_rate(won: Ints, lost: Ints, rows: Rows, totals: Totals) -> Floats:
    all_won, all_lost = totals.at("deals.won"), totals.at("deals.lost")
    overall = all_won / np.maximum(all_won + all_lost, 1)
    mine, ended = rows.pick(won), rows.pick(won + lost)
    smoothed = (mine + WIN_RATE_WEIGHT * overall[rows.cutoff]) / (ended + WIN_RATE_WEIGHT)
    return np.where(ended > 0, smoothed, np.nan)
