"""The state of every deal at every cutoff: its history walked row by row, as far as the cutoff knows it.

It makes no feature; what it finds out are rows, times and counts.
"""

from dataclasses import dataclass

import numpy as np

from hva_ml.compiled import in_blocks, kernel
from hva_ml.features.log import Bools, Ints
from hva_ml.features.universe import Codes, Universe
from hva_ml.features.versions import ranks
from hva_ml.features.windows import NONE

_DEALS_AT_ONCE = 50_000
_NEWEST, _PRICED, _BEGUN, _SINCE, _DATED = range(5)


@dataclass(frozen=True)
class States:
    """Every deal at every cutoff that knows it: arrays of one length, one entry per deal and cutoff.

    Attributes
    ----------
    place : numpy.ndarray of int64
        Account and cutoff, as a position in the flattened grid of `shape`.
    cutoff : numpy.ndarray of int64
        Position of the cutoff.
    stage : Codes
        Stage of the newest visible row.
    cents, priced : numpy.ndarray of int64 and bool
        The latest amount known, 0 where none is; whether one is.
    since : numpy.ndarray of int64
        When the deal entered its stage: the first of the last rows that all name it, in microseconds.
    begun : numpy.ndarray of int64
        Time of the first visible row.
    due : numpy.ndarray of int64
        The latest expected close date known, ``NONE`` where none is.
    slips, slipped : numpy.ndarray of int64
        How often that date was moved to a later one, and by how many microseconds together; a date moved
        forward takes nothing back.
    shape : tuple of int
        (n_accounts, n_cutoffs).
    """

    place: Ints
    cutoff: Ints
    stage: Codes
    cents: Ints
    priced: Bools
    since: Ints
    begun: Ints
    due: Ints
    slips: Ints
    slipped: Ints
    shape: tuple[int, int]

    @property
    def won(self) -> Bools:
        """Which deals are won."""
        return self.stage.among(("won",))

    @property
    def lost(self) -> Bools:
        """Which deals are lost."""
        return self.stage.among(("lost",))

    def count(self, which: Bools) -> Ints:
        """Return how many deals of a mask each account has at each cutoff, shape (n_accounts, n_cutoffs)."""
        return self.total(np.ones(len(which), dtype=np.int64), which)

    def total(self, values: Ints, which: Bools) -> Ints:
        """Return the sum of values over such deals."""
        grid = np.zeros(self.shape[0] * self.shape[1], dtype=np.int64)
        np.add.at(grid, self.place[which], values[which])
        return grid.reshape(self.shape)

    def most(self, values: Ints, which: Bools) -> Ints:
        """Return the largest value among such deals, ``NONE`` where there is no such deal."""
        grid = np.full(self.shape[0] * self.shape[1], NONE, dtype=np.int64)
        np.maximum.at(grid, self.place[which], values[which])
        return grid.reshape(self.shape)


def states(universe: Universe) -> States:
    """Find the state of every deal at every cutoff, by rows for which both clocks lie before it."""
    table = universe.table("deal_stages")
    n_cutoffs = universe.n_cutoffs
    deal, stage = table.codes("deal_id"), table.codes("stage")
    rank, _ = ranks(table, ("account_id", "deal_id", "stage", "amount_cents", "expected_close_at"))
    order = np.lexsort((rank, deal.codes))
    order = order[table.entered[order] < n_cutoffs]
    cents, priced = table.integers("amount_cents")
    due, dated = table.integers("expected_close_at")
    start = np.searchsorted(deal.codes[order], np.arange(len(deal.values) + 1))
    # Places in the order and counts are small: of millions of deals these grids are what takes memory.
    rows = np.full((5, len(deal.values), n_cutoffs), -1, dtype=np.int32)
    slips = np.zeros((len(deal.values), n_cutoffs), dtype=np.int32)
    slipped = np.zeros((len(deal.values), n_cutoffs), dtype=np.int64)
    columns = (table.entered[order], stage.codes[order], priced[order], due[order], dated[order])
    in_blocks(
        lambda first, last: _walk(start, *columns, rows, slips, slipped, first, last),
        len(deal.values),
        _DEALS_AT_ONCE,
    )
    known, cutoff = np.nonzero(rows[_NEWEST] >= 0)
    found = rows[:, known, cutoff]
    at = np.append(order, -1)[found]
    return States(
        place=table.account[at[_NEWEST]] * n_cutoffs + cutoff,
        cutoff=cutoff,
        stage=Codes(stage.codes[at[_NEWEST]], stage.values),
        cents=np.append(cents, 0)[at[_PRICED]],
        priced=at[_PRICED] >= 0,
        since=table.event_time[at[_SINCE]],
        begun=table.event_time[at[_BEGUN]],
        due=np.append(due, NONE)[at[_DATED]],
        slips=slips[known, cutoff].astype(np.int64),
        slipped=slipped[known, cutoff],
        shape=universe.shape,
    )


@kernel
def _walk(start, entered, stage, priced, due, dated, rows, slips, slipped, first, last):  # type: ignore[no-untyped-def]
    n_cutoffs = rows.shape[2]
    for d in range(first, last):
        for k in range(n_cutoffs):
            fresh = False
            for i in range(start[d], start[d + 1]):
                fresh = fresh or entered[i] == k
            if not fresh:
                if k > 0:
                    rows[:, d, k] = rows[:, d, k - 1]
                    slips[d, k], slipped[d, k] = slips[d, k - 1], slipped[d, k - 1]
                continue
            newest, price, begun, since, date = -1, -1, -1, -1, -1
            for i in range(start[d], start[d + 1]):
                if entered[i] > k:
                    continue
                if newest < 0:
                    begun = i
                if newest < 0 or stage[i] != stage[newest]:
                    since = i
                newest = i
                if priced[i]:
                    price = i
                if dated[i]:
                    if date >= 0 and due[i] > due[date]:
                        slips[d, k] += 1
                        slipped[d, k] += due[i] - due[date]
                    date = i
            rows[0, d, k], rows[1, d, k], rows[2, d, k] = newest, price, begun
            rows[3, d, k], rows[4, d, k] = since, date
