"""What drives the simulated accounts and nobody can see: fit, interest, relationship, deals.

Everything here is drawn before the first order and never reacts to one. That is what makes the truth exact.
"""

from dataclasses import dataclass

import numpy as np

from hva_ml.starter.companies import Companies
from hva_ml.starter.period import BLOCK, DAY, HOUR, Floats, Ints, Period, generator
from hva_ml.starter.poisson import Pieces, months_alive, points
from hva_ml.starter.vocabulary import COUNTRY_FIT, INDUSTRIES

INTEREST_MEMORY = 0.9
RELATIONSHIP_MEMORY = 0.95
SEASON = (0.85, 0.95, 1.0, 1.0, 1.0, 1.0, 0.9, 0.65, 1.05, 1.15, 1.35, 1.25)
"""Factor on the order intensity by calendar month: Q4 strong, August weak."""

TYPICAL_ORDER_CENTS = 250_000.0
REPEAT_PER_DAY = 8.0e-4
DEALS_PER_DAY = 5.0e-4
STAGE_DAYS = (11.0, 16.0, 21.0)
"""Mean days from one stage of a deal to the next: enquiry, qualified, proposal, negotiation."""
STAGE_LOSS = (0.22, 0.18, 0.12)
"""Share of deals lost in each of these stages, before there is anything to decide."""


@dataclass(frozen=True)
class Latent:
    """State of the accounts of a block; ``m`` counts months of the period.

    Attributes
    ----------
    fit : numpy.ndarray of float64, shape (BLOCK,)
        Likeness to the vendor's ideal customer, about mean 0 and deviation 1.
    interest : numpy.ndarray of float64, shape (BLOCK, n_months)
        Monthly AR(1), stationary, deviation 1.
    relationship : numpy.ndarray of float64, shape (BLOCK, n_months)
        How much of a customer the account is; slow, lower for new accounts.
    order_value : numpy.ndarray of float64, shape (BLOCK,)
        Expected amount of a repeat order in cents.
    """

    fit: Floats
    interest: Floats
    relationship: Floats
    order_value: Floats


@dataclass(frozen=True)
class Deals:
    """Deals as they run until they are decided, ordered by account and opening; shape (n_deals, …).

    Attributes
    ----------
    account : numpy.ndarray of int64, shape (n_deals,)
        Position in the block.
    entered : numpy.ndarray of int64, shape (n_deals, 4)
        When each open stage is entered, if it is reached.
    reached : numpy.ndarray of int64, shape (n_deals,)
        Number of open stages reached, 1 to 4; only a deal that reaches all four can be won.
    closing : numpy.ndarray of int64, shape (n_deals,)
        When the deal counts as lost unless an order came before.
    value : numpy.ndarray of float64, shape (n_deals,)
        Expected amount in cents.
    """

    account: Ints
    entered: Ints
    reached: Ints
    closing: Ints
    value: Floats


def draw(seed: int, companies: Companies, period: Period) -> Latent:
    """Draw fit, interest, relationship and order value of a block."""
    rng = generator(seed, companies.block, "latent")
    size = np.log(companies.employees)
    industry_fit = np.array([i.fit for i in INDUSTRIES])[companies.industry]
    own = rng.normal(size=BLOCK)
    group = np.where(companies.parent >= 0, own[np.maximum(companies.parent, 0)], rng.normal(size=BLOCK))
    fit = (
        0.9 * industry_fit
        + np.array(COUNTRY_FIT)[companies.country]
        - 0.25 * (size - np.log(200.0)) ** 2 / 1.25**2
        + 0.35 * own
        + 0.25 * group
        + 0.1
    )
    industry_value = np.array([i.value for i in INDUSTRIES])[companies.industry]
    value = np.log(TYPICAL_ORDER_CENTS) + 0.3 * (size - np.log(60.0)) + 0.8 * industry_value
    value = value + rng.normal(0, 0.3, BLOCK)
    interest = _ar1(rng, period.n_months, INTEREST_MEMORY)
    standing = rng.normal(size=BLOCK)
    age_days = (period.edges[:-1] - companies.birth[:, None]) / DAY
    newcomer = np.where(companies.birth > period.start + DAY, 1.2, 0.0)[:, None]
    relationship = (
        standing[:, None]
        + 0.4 * _ar1(rng, period.n_months, RELATIONSHIP_MEMORY)
        - newcomer * np.exp(-np.maximum(age_days, 0.0) / 270.0)
    )
    return Latent(fit, interest, relationship, np.exp(value))


def _ar1(rng: np.random.Generator, n_months: int, memory: float) -> Floats:
    noise = rng.normal(size=(BLOCK, n_months))
    path = np.empty((BLOCK, n_months))
    path[:, 0] = noise[:, 0]
    for m in range(1, n_months):
        path[:, m] = memory * path[:, m - 1] + np.sqrt(1 - memory**2) * noise[:, m]
    return path


def order_pieces(seed: int, companies: Companies, latent: Latent, period: Period) -> tuple[Pieces, Deals]:
    """Return the order intensity of a block: repeat business by month, and the decisions on deals.

    Repeat business runs at ``c · exp(0.85 fit + 0.75 interest + 0.9 relationship) · season(month)`` orders a
    day. A deal in negotiation adds a constant hazard until it is closed; its first order wins it,
    further ones in the same time are call-offs.
    """
    season = np.array(SEASON)[period.months - 1]
    lo, hi = months_alive(period, companies.birth)
    fit = latent.fit[:, None]
    repeat = REPEAT_PER_DAY * season * np.exp(0.85 * fit + 0.75 * latent.interest + 0.9 * latent.relationship)
    opening = DEALS_PER_DAY * season * np.exp(0.5 * fit + 0.8 * latent.interest)
    deals, decisions = _deals(seed, companies.block, latent, (lo.ravel(), hi.ravel(), opening.ravel()))
    account = np.repeat(np.arange(BLOCK), period.n_months)
    monthly = Pieces(
        account, lo.ravel(), hi.ravel(), repeat.ravel(), latent.order_value[account],
        np.full(len(account), -1),
    )  # fmt: skip
    inside = Pieces(
        decisions.account,
        np.minimum(decisions.lo, period.end),
        np.minimum(decisions.hi, period.end),
        decisions.rate,
        decisions.value,
        decisions.deal,
    )
    return Pieces.joined([monthly, inside], [0, 0]), deals


def _deals(
    seed: int, block: int, latent: Latent, openings: tuple[Ints, Ints, Floats]
) -> tuple[Deals, Pieces]:
    rng = generator(seed, block, "deals")
    piece, opened = points(rng, *openings)
    n_months = latent.interest.shape[1]
    order = np.lexsort((opened, piece // n_months))
    piece, opened = piece[order], opened[order]
    account, month = piece // n_months, piece % n_months
    count = len(account)
    gaps = 2 * HOUR + (rng.gamma(2.0, np.array(STAGE_DAYS) / 2, (count, 3)) * DAY).astype(np.int64)
    entered = opened[:, None] + np.concatenate([np.zeros((count, 1), np.int64), np.cumsum(gaps, 1)], 1)
    lost = rng.random((count, 3)) < np.array(STAGE_LOSS)
    reached = np.where(lost.any(1), lost.argmax(1) + 1, 4)
    open_days = 30.0 + 60.0 * rng.random(count)
    appeal = 0.1 + 0.5 * latent.fit[account] + 0.5 * latent.interest[account, month]
    win = 0.05 + 0.85 / (1 + np.exp(-appeal))
    last = np.take_along_axis(entered, reached[:, None] - 1, 1)[:, 0]
    # Nobody decides on the first day; it also keeps the win strictly after the stage before it.
    begin = last + DAY
    closing = begin + (open_days * DAY).astype(np.int64)
    value = latent.order_value[account] * 2.2 * np.exp(rng.normal(-0.125, 0.5, count))
    decided = reached == 4
    hazard = -np.log1p(-win) / open_days
    decisions = Pieces(
        account[decided], begin[decided], closing[decided], hazard[decided], value[decided],
        np.flatnonzero(decided),
    )  # fmt: skip
    return Deals(account, entered, reached, closing, value), decisions
