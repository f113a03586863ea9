"""What a segment adds to the log-odds of the shared map, drawn to nothing as far as evidence is thin.

It is kept only if it pays on rows that it was not learned from.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from hva_ml.calibration.base_rate import BaseRate
from hva_ml.calibration.later import Ints, Later, Membership
from hva_ml.calibration.logistic import Array
from hva_ml.cutoffs import MICROSECONDS_PER_DAY
from hva_ml.splits import group_folds

Bools = npt.NDArray[np.bool_]

SDS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2)
SD_PRIOR = 0.5
LEAST_OF_A_CLASS = 30
FOLDS = 5
TOLD = 30
_STEPS = 60


@dataclass(frozen=True)
class SegmentRow:
    """One segment on the rows that judged: what came, and what was promised with and without its shift.

    Attributes
    ----------
    segment : str
        Value of the category.
    rows : int
        Rows that judged.
    rate, shared, own : float
        Share that converted; mean probability by the shared map; mean probability with the shift that the
        other rows taught.
    shift : float
        Log-odds that all rows together teach.
    """

    segment: str
    rows: int
    rate: float
    shared: float
    own: float
    shift: float


@dataclass(frozen=True, eq=False)
class Segments:
    """What was learned of segments, and whether it is used.

    Attributes
    ----------
    feature : str
        The category whose values are the segments.
    shift : ndarray of float64, shape (n_categories,)
        Log-odds to add for each value; 0 for one that no row had.
    sd : float
        Standard deviation between segments that explains the rows best; 0 if none does.
    judged : {"later", "groups", "nothing"}
        Judged on cohorts later than those that taught, on groups held out, or not at all.
    gain, error : float
        Log loss of the shared map less that with shifts on the rows that judged, mean per row, and its
        standard error: the larger of that by group and that by segment and cohort.
    rows : tuple of SegmentRow
        The largest segments, by descending number of rows.
    """

    feature: str
    shift: Array
    sd: float
    judged: Literal["later", "groups", "nothing"]
    gain: float
    error: float
    rows: tuple[SegmentRow, ...]

    @property
    def kept(self) -> bool:
        """Whether it pays: better on rows that did not teach it, by more than a standard error."""
        return bool(self.sd > 0 and self.gain > self.error)

    def of(self, member: Membership) -> Array:
        """Return what is added to the log-odds of each row, shape (n_rows,); 0 without a known segment."""
        return np.append(self.shift, 0.0)[member.code]

    def record(self) -> dict[str, Any]:
        """Return what reports and the card tell, JSON-ready."""
        return {
            "feature": self.feature,
            "kept": self.kept,
            "sd": self.sd,
            "judged": self.judged,
            "gain": self.gain,
            "error": self.error,
            "segments": [vars(r) for r in self.rows],
        }


def segments(later: Later, logit: Array, level: BaseRate, known_after_days: float, seed: int) -> Segments:
    """Learn what each segment adds to the shared log-odds, and judge it on rows that did not teach it.

    A segment's shift is normal around 0 with one standard deviation for all segments (partial pooling;
    Gelman and Hill 2007, ch. 12): its value is where likelihood and prior together are highest, so a segment
    of few rows hardly moves. The standard deviation is the one under which the rows are most likely
    (empirical Bayes, Laplace's approximation), with a preference for small ones (half-normal, 0.5); none at
    all is one of the choices. Rows of one group count as less than one each, as far as they go together.

    Each cohort is judged by what cohorts that were over by then taught. Where no cohort was over before
    another one, groups are held out in five folds instead.

    Parameters
    ----------
    later : Later
        Rows of the calibration side, with their segments.
    logit : ndarray, shape (n_rows,)
        Log-odds by the shared map.
    level : BaseRate
        Where single cohorts stand beside it: a cohort's level is not put down to the segments that were many
        in it.
    known_after_days : float
        Days from a cutoff until the outcomes of its whole cohort are known.
    seed : int
        Decides which groups are held out.
    """
    member = later.segment
    assert member is not None
    offsets = {c.cutoff: c.offset for c in level.cohorts}
    base = logit + np.array([offsets[int(c)] for c in later.cutoff])
    shift, sd = _learned(later, member, base, np.ones(len(base), dtype=np.bool_))
    judged, parts = _parts(later, known_after_days, seed)
    own, asked = base.copy(), np.zeros(len(base), dtype=np.bool_)
    for teach, judge in parts:
        there, _ = _learned(later, member, base, teach)
        own[judge] += np.append(there, 0.0)[member.code[judge]]
        asked |= judge
    gain, error = _paired(later, member, base, own, asked)
    rows = _told(later, member, base, own, asked, shift)
    return Segments(member.feature, shift, sd, judged, gain, error, rows)


def _learned(later: Later, member: Membership, base: Array, use: Bools) -> tuple[Array, float]:
    """Return shifts of all segments, and the standard deviation between them that explains the rows best."""
    n = len(member.names)
    use = use & (member.code >= 0)
    code, y, eta = member.code[use], later.converted[use], base[use]
    weight = later.weight[use] / _together(later, member, base, use)
    start, best = np.zeros(n), (-np.inf, np.zeros(n), 0.0)
    for sd in SDS:
        if sd > 0:
            start, sure = _mode(code, y, eta, weight, start, sd)
            moved = eta + start[code]
            fit = float((weight * (y * start[code] - np.logaddexp(0, moved) + np.logaddexp(0, eta))).sum())
            fit -= float(0.5 * (start**2).sum() / sd**2 + 0.5 * np.log1p(sd**2 * sure).sum())
        else:
            fit = 0.0
        fit -= 0.5 * (sd / SD_PRIOR) ** 2
        if fit > best[0]:
            best = (fit, start, sd)
    return best[1], best[2]


def _mode(code: Ints, y: Array, eta: Array, weight: Array, start: Array, sd: float) -> tuple[Array, Array]:
    """Return the most likely shifts under a prior, and the information of the rows there."""
    shift, n = start, len(start)
    information: Array = np.zeros(n)
    for _ in range(_STEPS):
        p = expit(eta + shift[code])
        information = np.asarray(np.bincount(code, weight * p * (1 - p), n))
        step = (np.bincount(code, weight * (y - p), n) - shift / sd**2) / (information + sd**-2)
        # Newton can leap where hardly anybody converts.
        shift = shift + np.clip(step, -1.0, 1.0)
        if np.abs(step).max(initial=0.0) < 1e-10:
            break
    return shift, information


def _together(later: Later, member: Membership, base: Array, use: Bools) -> float:
    """Return how many rows of one group and segment count as one of their own, on average; at least 1."""
    left = later.weight[use] * (later.converted[use] - expit(base[use]))
    cell = np.unique(later.group[use] * (len(member.names) + 1) + member.code[use], return_inverse=True)[1]
    alone = float((left**2).sum())
    return max(1.0, float((np.bincount(cell, left) ** 2).sum()) / alone) if alone > 0 else 1.0


def _parts(
    later: Later, known_after_days: float, seed: int
) -> tuple[Literal["later", "groups", "nothing"], list[tuple[Bools, Bools]]]:
    """Return which rows teach and which judge."""
    wait = int(known_after_days * MICROSECONDS_PER_DAY)
    ahead = [(later.cutoff + wait <= c, later.cutoff == c) for c in np.unique(later.cutoff)]
    ahead = [(teach, judge) for teach, judge in ahead if _enough(later, teach)]
    if ahead:
        return "later", ahead
    fold = group_folds(later.names, FOLDS, seed, "segments")[later.group]
    held = [(fold != k, fold == k) for k in range(FOLDS)]
    if all(_enough(later, teach) and judge.any() for teach, judge in held):
        return "groups", held
    return "nothing", []


def _enough(later: Later, rows: Bools) -> bool:
    won = int(later.converted[rows].sum())
    return min(won, int(rows.sum()) - won) >= LEAST_OF_A_CLASS


def _paired(later: Later, member: Membership, base: Array, own: Array, asked: Bools) -> tuple[float, float]:
    """Return how much lower the log loss is with shifts, mean per row, and its standard error."""
    if not asked.any():
        return 0.0, 0.0
    y, moved, eta = later.converted[asked], own[asked], base[asked]
    share = later.weight[asked] / later.weight[asked].sum()
    gain = np.logaddexp(0, eta) - np.logaddexp(0, moved) + y * (moved - eta)
    mean = float((share * gain).sum())
    apart = share * (gain - mean)
    cohort = np.unique(later.cutoff[asked], return_inverse=True)[1]
    cell = np.unique(cohort * (len(member.names) + 1) + member.code[asked], return_inverse=True)[1]
    by = (np.bincount(k, apart) for k in (later.group[asked], cell))
    return mean, max(float(np.sqrt((b**2).sum())) for b in by)


def _told(
    later: Later, member: Membership, base: Array, own: Array, asked: Bools, shift: Array
) -> tuple[SegmentRow, ...]:
    known = asked & (member.code >= 0)
    count = np.bincount(member.code[known], minlength=len(member.names))
    came, shared, mine = (
        np.bincount(member.code[known], part[known], len(member.names)) / np.maximum(count, 1)
        for part in (later.converted, expit(base), expit(own))
    )
    order = np.lexsort((np.arange(len(count)), -count))[:TOLD]
    return tuple(
        SegmentRow(
            member.names[k], int(count[k]), float(came[k]), float(shared[k]), float(mine[k]), float(shift[k])
        )
        for k in order.tolist() if count[k]
    )  # fmt: skip
