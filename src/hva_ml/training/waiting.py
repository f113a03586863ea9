"""Leads that are still open: what is to be expected of them, by their kind and their age.

To take them for lost would teach a model that recent leads are bad; to leave them out would leave it without
the present. They count as won by the chance that they will be, and else as lost: the delayed-feedback model
of Chapelle (2014, KDD), with delays counted instead of assumed to be exponential.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hva_ml.contracts.decisions import Bools, Decisions, Floats, Ints
from hva_ml.training.additive import fit_additive
from hva_ml.training.matrix import EncodedColumn

STEPS = 6
PENALTY = 10.0


@dataclass(frozen=True, eq=False)
class Lesson:
    """What could be learned from leads at a moment.

    Attributes
    ----------
    rows : numpy.ndarray of int64, shape (n,)
        Positions of leads; an open one stands there twice, once as won and once as lost.
    y : numpy.ndarray of float64, shape (n,)
        1 or 0.
    weight : numpy.ndarray of float64, shape (n,)
        Within [0, 1]; 1 for a lead that was decided by then.
    """

    rows: Ints
    y: Floats
    weight: Floats

    @property
    def converted(self) -> float:
        """Wins that it knows of or expects."""
        return float((self.weight * self.y).sum())

    def drawn(self, lot: Floats) -> Bools:
        """Return which rows to keep so that each lead stands there once, shape (n,).

        A lead that was open is won or lost by lot, with its chance; `lot` is in [0, 1), one for each lead.
        """
        mine = lot[self.rows]
        chosen = np.where(self.y == 1, mine < self.weight, mine >= 1.0 - self.weight)
        return np.asarray((self.weight >= 1.0) | chosen)

    def among(self, mask: Bools) -> "Lesson":
        """Return the part about some of the leads, `mask` of shape (n_leads,)."""
        kept = mask[self.rows]
        return Lesson(self.rows[kept], self.y[kept], self.weight[kept])


def lesson(X: Floats, told: Decisions, columns: Sequence[EncodedColumn], moment: int | None) -> Lesson:
    """Return what could be learned from leads before a moment.

    Parameters
    ----------
    X : numpy.ndarray of float64, shape (n_leads, n_columns)
        Encoded leads.
    told : Decisions
        Of these leads.
    columns : sequence of EncodedColumn
        What the columns of `X` are.
    moment : int or None
        Day or place; None knows all outcomes.
    """
    known = told.decided if moment is None else told.known(moment)
    sure = np.flatnonzero(known)
    found = Lesson(sure, told.won[sure].astype(np.float64), np.ones(len(sure)))
    if moment is None or not told.by_day:
        return found
    waiting = np.flatnonzero(~known & (told.position < moment))
    if not len(waiting) or not found.y.any():
        return found
    chance = _chances(X, told, columns, moment, sure, waiting)
    return Lesson(
        np.concatenate([sure, waiting, waiting]),
        np.concatenate([found.y, np.ones(len(waiting)), np.zeros(len(waiting))]),
        np.concatenate([found.weight, chance, 1.0 - chance]),
    )


def still_to_come(told: Decisions, whole: Lesson, moment: int) -> Floats:
    """Return the share of wins that is still to come when 0, 1 … days after the contact are over.

    Parameters
    ----------
    told : Decisions
        Leads with a day of their win.
    whole : Lesson
        What was known of them at the moment.
    moment : int
        The day.

    Returns
    -------
    numpy.ndarray of float64, shape (told.span + 2,)
        1 where none is over; never 0, for one win may always be the latest yet.
    """
    wins = whole.rows[(whole.y == 1) & (whole.weight >= 1.0)]
    waiting = (whole.y == 1) & (whole.weight < 1.0)
    age = (moment - 1 - told.position[whole.rows[waiting]]).astype(np.int64)
    come = _come_by(told.delay[wins].astype(np.int64), age, whole.weight[waiting], told.span)
    return np.concatenate([[1.0], np.maximum(1.0 - come, 0.5 / (len(wins) + 1.0))])


def _chances(
    X: Floats, told: Decisions, columns: Sequence[EncodedColumn], moment: int, sure: Ints, waiting: Ints
) -> Floats:
    """Return the probability that each waiting lead will still be won, by expectation-maximisation."""
    rows = np.concatenate([sure, waiting])
    won = told.won[sure].astype(np.float64)
    age = (moment - 1 - told.position[waiting]).astype(np.int64)
    delay = told.delay[sure][won > 0].astype(np.int64)
    chance = np.zeros(len(waiting))
    for _ in range(STEPS):
        come = _come_by(delay, age, chance, told.span)[age]
        target = np.concatenate([won, chance])
        model = fit_additive(X[rows], target, columns, penalty=PENALTY)
        p = 1.0 / (1.0 + np.exp(-model.margin(X[waiting])))
        chance = p * (1.0 - come) / (1.0 - p * come)
    return np.asarray(chance)


def _come_by(delay: Ints, age: Ints, chance: Floats, span: int) -> Floats:
    """Return the share of wins that has come after 0, 1 … `span` days, by the product-limit estimator.

    A waiting lead, so far as it will be won, has not come until its age.
    """
    events = np.bincount(delay, minlength=span + 1).astype(np.float64)
    waiting = np.bincount(np.minimum(age, span), chance, span + 1)
    later = np.cumsum(events[::-1])[::-1]
    # Those of age a were watched through day a.
    watched = np.cumsum(waiting[::-1])[::-1]
    at_risk = later + watched
    still = np.cumprod(1.0 - np.divide(events, at_risk, out=np.zeros(span + 1), where=at_risk > 0))
    # A win within the days counted is meant, so none is left when they are over.
    return np.asarray((1.0 - still) / max(1.0 - still[-1], 1e-9))
