"""Does the order of the accounts put the right ones first? Rank measures, for many weightings at once.

Every function takes weights of shape (n_weightings, n_rows): one row of ones gives the plain measure, rows of
resampled counts give its bootstrap. Tied scores count by their expectation: the order of rows never matters.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Divide elementwise; NaN where the denominator is not positive.

    Examples
    --------
    >>> ratio(np.array([1.0, 1.0]), np.array([2.0, 0.0])).tolist()
    [0.5, nan]
    """
    out = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    return np.asarray(np.divide(numerator, denominator, out=out, where=denominator > 0))


@dataclass(frozen=True)
class Order:
    """Rows from the highest score to the lowest, tied rows together in one block.

    Attributes
    ----------
    rows : numpy.ndarray of int64, shape (n_rows,)
        Row numbers by falling score.
    starts : numpy.ndarray of int64, shape (n_blocks,)
        Position in `rows` at which each block of equal scores begins.
    """

    rows: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, score: Floats) -> "Order":
        """Order the rows of a score of shape (n_rows,) without NaN."""
        rows = np.argsort(-score, kind="stable").astype(np.int64)
        ordered = score[rows]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]).astype(np.int64)
        return cls(rows, starts)

    def masses(self, mass: Floats) -> Floats:
        """Sum a mass of shape (n_weightings, n_rows) within each block: shape (n_weightings, n_blocks)."""
        ordered = mass[:, self.rows]
        return (
            ordered if len(self.starts) == len(self.rows) else np.add.reduceat(ordered, self.starts, axis=1)
        )

    @property
    def block_of_row(self) -> npt.NDArray[np.int64]:
        """Number of the block each row lies in, shape (n_rows,)."""
        sizes = np.diff(np.r_[self.starts, len(self.rows)])
        blocks = np.empty(len(self.rows), dtype=np.int64)
        blocks[self.rows] = np.repeat(np.arange(len(self.starts)), sizes)
        return blocks


@dataclass(frozen=True)
class Gains:
    """Cumulative gains: how much of a mass lies in the best-scored part of the population.

    Attributes
    ----------
    population, mass : numpy.ndarray, shape (n_weightings, n_blocks)
        Weight, and weighted mass, of each block of tied scores from the best to the worst.
    """

    population: Floats
    mass: Floats

    @classmethod
    def of(cls, order: Order, mass: Floats, weight: Floats) -> "Gains":
        """Collect the gains of a mass of shape (n_rows,)."""
        return cls(order.masses(weight), order.masses(weight * mass))

    @property
    def total(self) -> Floats:
        """The whole mass, shape (n_weightings,)."""
        return np.asarray(self.mass.sum(axis=1))

    @property
    def rows(self) -> Floats:
        """The whole weight, shape (n_weightings,)."""
        return np.asarray(self.population.sum(axis=1))

    @cached_property
    def reach(self) -> Floats:
        """Weight down to and with each block, shape (n_weightings, n_blocks)."""
        return np.cumsum(self.population, axis=1)

    @cached_property
    def gained(self) -> Floats:
        """Mass down to and with each block, shape (n_weightings, n_blocks)."""
        return np.cumsum(self.mass, axis=1)

    def within(self, top: Floats) -> Floats:
        """Return the mass in the best `top` rows (shape (n_weightings,)); a cut block counts by its share."""
        lines = np.arange(len(top))
        cut = np.minimum((self.reach < top[:, None]).sum(axis=1), self.reach.shape[1] - 1)
        population, mass = self.population[lines, cut], self.mass[lines, cut]
        missing = top - (self.reach[lines, cut] - population)
        share = np.clip(np.nan_to_num(ratio(missing, population)), 0.0, 1.0)
        return np.asarray(self.gained[lines, cut] - mass + share * mass)

    def area(self) -> Floats:
        """Return the area under the gains curve, both axes scaled to 1: 0.5 for a random order."""
        return ratio(((self.gained - 0.5 * self.mass) * self.population).sum(axis=1), self.rows * self.total)


def roc_auc(order: Order, converted: Floats, weight: Floats) -> Floats:
    """Return the area under the ROC curve; NaN with one class only. Ties count one half (Mann-Whitney)."""
    positive = order.masses(weight * converted)
    negative = order.masses(weight * (1.0 - converted))
    above = np.cumsum(positive, axis=1) - 0.5 * positive
    return ratio((above * negative).sum(axis=1), positive.sum(axis=1) * negative.sum(axis=1))


def average_precision(gains: Gains) -> Floats:
    """Return the area under the precision-recall curve as average precision; NaN without a conversion.

    `gains` of the conversions, by falling probability.
    """
    precision = ratio(gains.gained, gains.reach)
    return ratio(np.nansum(precision * gains.mass, axis=1), gains.total)


def captured(gains: Gains, share: float) -> Floats:
    """Return the share of the mass in the best `share` of the rows; NaN if the total is not positive.

    ``0 < share <= 1``. A part of a row counts by its part: one percent of 250 rows are 2.5 rows.
    """
    return ratio(gains.within(share * gains.rows), gains.total)


def lift(gains: Gains, share: float) -> Floats:
    """Return the rate within the best `share` of the rows divided by the overall rate."""
    return np.asarray(captured(gains, share) / share)


def precision_at(gains: Gains, capacity: int) -> Floats:
    """Return the mean mass of the best `capacity` rows (all rows, if there are fewer)."""
    top = np.minimum(float(capacity), gains.rows)
    return ratio(gains.within(top), top)


def normalized_gini(gains: Gains, perfect: Gains) -> Floats:
    """Return the Gini of the order divided by the Gini of the perfect order: 1 perfect, 0 random.

    NaN if the total is not positive or all values are equal.
    """
    best = 2.0 * perfect.area() - 1.0
    # Equal values leave a rounding error where the perfect order has nothing to order.
    return ratio(2.0 * gains.area() - 1.0, np.where(best > 1e-12, best, np.nan))


def spearman(one: Order, other: Order, weight: Floats) -> Floats:
    """Return Spearman's rank correlation, ties by their mean rank; NaN if one side does not vary."""
    x, y = (_mean_ranks(order, weight) for order in (one, other))
    rows = weight.sum(axis=1, keepdims=True)
    x -= (weight * x).sum(axis=1, keepdims=True) / rows
    y -= (weight * y).sum(axis=1, keepdims=True) / rows
    weighted = weight * x
    together = (weighted * y).sum(axis=1)
    squares = (weighted * x).sum(axis=1) * (weight * y * y).sum(axis=1)
    # Sums of squares of equal ranks are rounding errors, not variation.
    squares[squares < (1e-9 * rows[:, 0] ** 3) ** 2] = 0.0
    return ratio(together, np.sqrt(squares))


def _mean_ranks(order: Order, weight: Floats) -> Floats:
    population = order.masses(weight)
    ranks = np.cumsum(population, axis=1) - 0.5 * population
    return np.asarray(ranks[:, order.block_of_row])
