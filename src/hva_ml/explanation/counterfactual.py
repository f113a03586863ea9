"""What would help: small changes of actionable features, scored by the real models, near real accounts.

An association the models have learned, never a promise; features that are not marked never move.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hva_ml.explanation.levers import Lever, Rule, consistent, moves, subject, together
from hva_ml.explanation.selection import THRESHOLD, Floats

NEIGHBOURS = 5
"""A change is plausible if so many similar accounts have about the proposed values."""
SIMILAR = (50, 0.05, 1000)
"""Similar are the nearest 5 % of all accounts, but at least 50 and at most 1,000."""
ENOUGH = 0.95
PAIR_GAIN = 1.1
_FAR = 3.0
_STRONGEST = 4


@dataclass(frozen=True)
class Moved:
    """One feature of a proposal.

    Attributes
    ----------
    feature : str
        Its name.
    now, proposed : float
        Present value (NaN where unknown) and proposed one.
    leading : bool
        False where it only moves along: a longer window, the whole, the last time.
    """

    feature: str
    now: float
    proposed: float
    leading: bool


@dataclass(frozen=True)
class Advice:
    """One change that goes with a higher expected value.

    Attributes
    ----------
    changes : tuple of Moved
        Leading ones first, then by name.
    expected_value : float
        What the models say of the changed account, currency units.
    factor : float
        Against the present expected value, > 1.
    neighbours : int
        Similar accounts that have about the proposed values, at least `NEIGHBOURS`.
    neighbours_expected_value : float
        Their mean published expected value.
    """

    changes: tuple[Moved, ...]
    expected_value: float
    factor: float
    neighbours: int
    neighbours_expected_value: float


@dataclass(frozen=True)
class _Candidate:
    gain: float
    expected: float
    leads: tuple[str, ...]
    change: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Population:
    """Other accounts as the models see them.

    Attributes
    ----------
    names : tuple of str
        Of the columns.
    X : numpy.ndarray of float64, shape (n_accounts, n_features)
        Encoded.
    categories : tuple of bool
        Which columns are codes.
    expected_value : numpy.ndarray of float64, shape (n_accounts,)
        As published.
    """

    names: tuple[str, ...]
    X: Floats
    categories: tuple[bool, ...]
    expected_value: Floats

    @cached_property
    def _scales(self) -> tuple[Floats, Floats]:
        """Middle and width of every column, the same for any order of accounts."""
        middle, width = np.zeros(len(self.names)), np.ones(len(self.names))
        for j, code in enumerate(self.categories):
            known = np.sort(self.X[~np.isnan(self.X[:, j]), j])
            if code or not len(known):
                continue
            low, middle[j], high = known[[len(known) // 4, len(known) // 2, 3 * len(known) // 4]]
            width[j] = (high - low) / 1.349 or float(known.std()) or 1.0
        return middle, width

    def _scaled(self, X: Floats) -> npt.NDArray[np.float32]:
        middle, width = self._scales
        far = np.where(np.array(self.categories), np.inf, _FAR)
        return np.clip((X - middle) / width, -far, far).astype(np.float32)

    @cached_property
    def _columns(self) -> npt.NDArray[np.float32]:
        return np.ascontiguousarray(self._scaled(self.X).T)

    def similar(self, account: Floats, free: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the accounts most like one in all features but `free`, in the order of the population.

        Distance is the sum over features of the absolute difference in robust units, at most 1 for each;
        another category, or known against unknown, is 1. Equally distant accounts are all in or all out.

        Parameters
        ----------
        account : numpy.ndarray of float64, shape (n_features,)
            Encoded; it is not itself in the population.
        """
        if not len(self.X):
            return np.empty(0, dtype=np.int64)
        own, columns = self._scaled(account[None, :])[0], self._columns
        distance = np.zeros(len(self.X), dtype=np.float32)
        for j, name in enumerate(self.names):
            if name in free:
                continue
            if np.isnan(own[j]):
                distance += ~np.isnan(columns[j])
            elif self.categories[j]:
                distance += columns[j] != own[j]
            else:
                # fmin takes what is known: unknown against known is 1 too.
                distance += np.fmin(np.abs(columns[j] - own[j]), np.float32(1.0))
        least, share, most = SIMILAR
        count = min(len(distance), max(least, min(most, int(share * len(distance)))))
        return np.flatnonzero(distance <= np.partition(distance, count - 1)[count - 1])


def advise(
    population: Population,
    account: Floats,
    levers: Sequence[Lever],
    known: Sequence[Rule],
    values: Mapping[str, float],
    score: Callable[[Floats], Floats],
    *,
    limit: int = 3,
) -> list[Advice]:
    """Return the changes that go with the highest expected value, best first.

    Every consistent change of one lever (with what moves along, see `levers.moves`) is a candidate if at
    least `NEIGHBOURS` of the accounts most like this one in everything else have about these values (within
    half a step or a quarter): nothing is proposed that accounts like this do not do. All candidates are
    scored at once. Of each subject the smallest change with 95 % of its best gain is kept, none below the
    threshold of reasons; two of them together are proposed if that gains a tenth more than the better one,
    and are as plausible.

    Parameters
    ----------
    population : Population
        Other accounts of the published run, in any order.
    account : numpy.ndarray of float64, shape (n_features,)
        This one, encoded.
    levers : sequence of Lever
        What may move.
    known : sequence of Rule
        From `levers.rules`.
    values : mapping of str to float
        The account's features of kind number as published, NaN where unknown.
    score : callable
        Expected value of encoded rows by both models and the calibrator, > 0.
    limit : int
        Most proposals.
    """
    search = _Search(population, account, levers, score)
    groups: dict[str, list[_Candidate]] = {}
    about = {v.name: subject(v.definition) or v.name for v in levers}
    for found in search.helpful([((lead,), change) for lead, change in moves(levers, values, known)]):
        groups.setdefault(about[found.leads[0]], []).append(found)
    best = sorted((_smallest(group, values, search.steps) for group in groups.values()), key=_order)
    pairs = [
        (a.leads + b.leads, together(levers, values, a.change, b.change))
        for k, a in enumerate(best[:_STRONGEST])
        for b in best[k + 1 : _STRONGEST]
    ]
    pairs = [p for p in pairs if consistent(levers, values, p[1], known)]
    top = math.expm1(best[0].gain) if best else 0.0
    best += [c for c in search.helpful(pairs) if math.expm1(c.gain) >= PAIR_GAIN * top]
    return [search.told(c, values) for c in sorted(best, key=_order)[:limit]]


class _Search:
    """One account, the accounts like it, and what the models say of changes."""

    def __init__(
        self,
        population: Population,
        account: Floats,
        levers: Sequence[Lever],
        score: Callable[[Floats], Floats],
    ) -> None:
        self.place = {n: j for j, n in enumerate(population.names)}
        similar = population.similar(account, [v.name for v in levers])
        self.near, self.worth = population.X[similar], population.expected_value[similar]
        self.steps = {v.name: v.step for v in levers}
        self.account, self.score = account, score
        self.present = float(score(account[None, :])[0])

    def alike(self, leads: Sequence[str], change: Mapping[str, float]) -> npt.NDArray[np.bool_]:
        """Return which of the similar accounts have about these values of the leading features."""
        found = np.ones(len(self.near), dtype=np.bool_)
        for name in leads:
            apart = np.abs(self.near[:, self.place[name]] - change[name])
            found &= apart <= max(0.5 * self.steps[name], 0.25 * abs(change[name]))
        return found

    def rows(self, changes: Sequence[Mapping[str, float]]) -> Floats:
        """Return the account with each change, encoded."""
        rows = np.repeat(self.account[None, :], len(changes), axis=0)
        for row, change in zip(rows, changes, strict=True):
            for name, target in change.items():
                row[self.place[name]] = target
        return rows

    def helpful(self, changes: Sequence[tuple[tuple[str, ...], Mapping[str, float]]]) -> list[_Candidate]:
        """Return the plausible changes that gain at least the threshold of reasons."""
        plausible = [c for c in changes if int(self.alike(*c).sum()) >= NEIGHBOURS]
        if not plausible:
            return []
        expected = self.score(self.rows([c for _, c in plausible]))
        gains = np.log(expected / self.present)
        return [
            _Candidate(gain, value, *c)
            for gain, value, c in zip(gains.tolist(), expected.tolist(), plausible, strict=True)
            if gain >= THRESHOLD
        ]

    def told(self, found: _Candidate, values: Mapping[str, float]) -> Advice:
        """Return a candidate as advice."""
        order = sorted(found.change, key=lambda n: (n not in found.leads, n))
        alike = self.alike(found.leads, found.change)
        return Advice(
            tuple(Moved(n, values[n], found.change[n], n in found.leads) for n in order),
            found.expected,
            found.expected / self.present,
            int(alike.sum()),
            math.fsum(self.worth[alike].tolist()) / int(alike.sum()),
        )


def _order(found: _Candidate) -> tuple[float, int, list[tuple[str, float]]]:
    return -found.gain, len(found.leads), sorted(found.change.items())


def _smallest(
    found: Sequence[_Candidate], values: Mapping[str, float], steps: Mapping[str, float]
) -> _Candidate:
    """Return the change of fewest steps that has nearly the best gain."""
    most = max(c.gain for c in found)

    def size(c: _Candidate) -> tuple[float, float, list[tuple[str, float]]]:
        (lead,) = c.leads
        moved = abs(c.change[lead] - float(np.nan_to_num(values[lead]))) / steps[lead]
        return moved, -c.gain, sorted(c.change.items())

    return min((c for c in found if c.gain >= ENOUGH * most), key=size)
