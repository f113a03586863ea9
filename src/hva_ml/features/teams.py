"""Groups of companies as they were known at each cutoff, so that the kernel sees each as one account.

A team is a group for as long as its members are the same. Its rows are those of all its members; so every
measure of an account is one of a group, too, by the same code.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hva_ml.features.log import Ints, Log, log
from hva_ml.features.population import groups_as_of
from hva_ml.features.series import Series
from hva_ml.features.universe import Floats, Rows
from hva_ml.features.versions import Versions


@dataclass(frozen=True)
class Teams:
    """The teams of a universe.

    Attributes
    ----------
    versions : Versions
        Who belonged to whom, as known at each cutoff.
    """

    versions: Versions

    @cached_property
    def _found(self) -> tuple[Ints, Ints, Ints]:
        """Team of each account and cutoff, -1 where it stands alone; and pairs of team and member."""
        n, n_cutoffs = self.versions.universe.shape
        place = np.full((n, n_cutoffs), -1, dtype=np.int64)
        pairs: list[tuple[Ints, Ints]] = []
        number = np.full(n, -1, dtype=np.int64)  # of the team of each head of a group
        before = np.arange(n, dtype=np.int64)
        count = 0
        for k in range(n_cutoffs):
            head = groups_as_of(self.versions, k)
            moved = head != before
            stale = np.zeros(n, dtype=np.bool_)
            stale[head[moved]] = stale[before[moved]] = True
            number[stale] = -1
            grouped = np.flatnonzero(np.bincount(head, minlength=n)[head] > 1)
            new = np.unique(head[grouped][number[head[grouped]] < 0])
            number[new] = count + np.arange(len(new))
            count += len(new)
            place[grouped, k] = number[head[grouped]]
            joined = grouped[np.isin(head[grouped], new)]
            pairs.append((number[head[joined]], joined))
            before = head
        teams, members = (np.concatenate([p[j] for p in pairs]) for j in (0, 1))
        return place, teams.astype(np.int64), members.astype(np.int64)

    def series(self, own: Series) -> Series:
        """Return the rows of accounts as the rows of their teams; a member of several teams has copies."""
        place, teams, members = self._found
        start = own.log.start
        size = start[members + 1] - start[members]
        ends = np.cumsum(size)
        rows = np.arange(ends[-1] if len(ends) else 0) + np.repeat(start[members] - (ends - size), size)
        n_teams = int(place.max(initial=-1)) + 1
        made = log(np.repeat(teams, size), own.log.time[rows], own.log.entered[rows], n_teams, place.shape[1])
        source = rows[made.order]
        return replace(
            own,
            log=Log(own.log.order[source], made.start, made.time, made.entered),
            category=own.category[source],
        )

    def rows(self, rows: Rows) -> tuple[Rows, Ints]:
        """Return the teams of the accounts that are in one at each cutoff, and which rows those are."""
        team = self._found[0][rows.account, rows.cutoff]
        grouped = np.flatnonzero(team >= 0)
        return Rows(team[grouped], rows.cutoff[grouped]), grouped


def spread(values: Floats, grouped: Ints, n: int) -> Floats:
    """Return values at their rows, shape (n,), NaN elsewhere.

    Examples
    --------
    >>> spread(np.array([5.0]), np.array([1]), 3).tolist()
    [nan, 5.0, nan]
    """
    found = np.full(n, np.nan)
    found[grouped] = values
    return found
