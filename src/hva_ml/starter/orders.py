"""Orders, invoices and credit notes: all that the latent path leaves to chance."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from hva_ml.starter.companies import Companies
from hva_ml.starter.period import BLOCK, DAY, Floats, Ints, Period
from hva_ml.starter.poisson import Pieces, points

AMOUNT_SPREAD = 0.6
"""Standard deviation of the logarithm of an order's amount around the account's expectation."""
CREDIT_SHARE_OF_ORDERS = 0.07
CREDIT_DAYS = (7, 21, 45)
CREDIT_DAYS_WEIGHTS = (0.5, 0.3, 0.2)
CREDIT_PARTS = (0.1, 0.25, 0.5, 1.0)
"""Parts of an invoice that a credit note may take back, all equally likely."""

SCHEMA = pa.schema(
    [
        ("invoice_no", pa.string()), ("company_id", pa.string()), ("issued_at", pa.timestamp("us", "UTC")),
        ("amount_cents", pa.int64()), ("currency", pa.string()), ("refers_to", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Orders:
    """Orders ordered by account and time, each invoiced at once; all arrays of shape (n_orders,).

    Attributes
    ----------
    account, deal : numpy.ndarray of int64
        Position of the account, and of the deal that it belongs to or -1.
    time : numpy.ndarray of int64
        Microseconds.
    amount : numpy.ndarray of int64
        Net amount in cents, at least 1.
    credit_time, credit : numpy.ndarray of int64
        Time and cents of the credit note; 0 cents where there is none.
    """

    account: Ints
    deal: Ints
    time: Ints
    amount: Ints
    credit_time: Ints
    credit: Ints


def draw(rng: np.random.Generator, pieces: Pieces) -> Orders:
    """Draw all orders on a given latent path; drawing again with other numbers leaves the path as it is."""
    piece, time = points(rng, pieces.lo, pieces.hi, pieces.rate)
    order = np.lexsort((time, pieces.account[piece]))
    piece, time = piece[order], time[order]
    noise = np.exp(rng.normal(-(AMOUNT_SPREAD**2) / 2, AMOUNT_SPREAD, len(piece)))
    amount = np.maximum(1, np.rint(pieces.value[piece] * noise)).astype(np.int64)
    returned = rng.random(len(piece)) < CREDIT_SHARE_OF_ORDERS
    part = np.array(CREDIT_PARTS)[rng.integers(0, len(CREDIT_PARTS), len(piece))]
    credit = np.where(returned, np.maximum(1, np.rint(part * amount)), 0).astype(np.int64)
    days = rng.choice(CREDIT_DAYS, len(piece), p=CREDIT_DAYS_WEIGHTS)
    return Orders(pieces.account[piece], pieces.deal[piece], time, amount, time + days * DAY, credit)


def expected_credit_part() -> float:
    """Return the part of an order's amount that is expected to be credited later."""
    return CREDIT_SHARE_OF_ORDERS * float(np.mean(CREDIT_PARTS))


def first_of_deals(orders: Orders, n_deals: int, nothing: int) -> tuple[Ints, Ints]:
    """Return time and amount of the first order of each deal, `nothing` and 0 for a deal without one."""
    time = np.full(n_deals, nothing, np.int64)
    amount = np.zeros(n_deals, np.int64)
    of_deal = np.flatnonzero(orders.deal >= 0)[::-1]
    # Later writes win: going backwards leaves the earliest order of each deal.
    time[orders.deal[of_deal]] = orders.time[of_deal]
    amount[orders.deal[of_deal]] = orders.amount[of_deal]
    return time, amount


def counted(account: Ints) -> Ints:
    """Return the running number of each row within its account; `account` must be sorted.

    Examples
    --------
    >>> counted(np.array([4, 4, 7, 7, 7])).tolist()
    [0, 1, 0, 1, 2]
    """
    if not len(account):
        return np.zeros(0, np.int64)
    starts = np.concatenate([[True], account[1:] != account[:-1]])
    first = np.maximum.accumulate(np.where(starts, np.arange(len(account)), 0))
    return np.arange(len(account)) - first


def table(orders: Orders, companies: Companies, period: Period) -> pa.Table:
    """Return invoices and credit notes issued within the period, ordered by account and time."""
    start = companies.block * BLOCK
    number = counted(orders.account)
    names = np.array(
        [f"{start + a:06d}-{k + 1:04d}" for a, k in zip(orders.account, number, strict=True)], dtype=object
    )
    back = np.flatnonzero((orders.credit > 0) & (orders.credit_time < period.end))
    account = np.concatenate([orders.account, orders.account[back]])
    time = np.concatenate([orders.time, orders.credit_time[back]])
    amount = np.concatenate([orders.amount, -orders.credit[back]])
    invoice = ["RE" + n for n in names]
    note = ["GS" + n for n in names[back]]
    refers: list[str | None] = [None] * len(invoice)
    refers += ["RE" + n for n in names[back]]
    order = pa.array(np.lexsort((time, account)))
    columns = [
        pa.array(invoice + note, pa.string()).take(order),
        companies.ids.take(pa.array(account)).take(order),
        pa.array(time, pa.timestamp("us", "UTC")).take(order),
        pa.array(amount, pa.int64()).take(order),
        pa.repeat(pa.scalar("EUR"), len(order)),
        pa.array(refers, pa.string()).take(order),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def by_account(weights: Floats, account: Ints, n_accounts: int) -> Floats:
    """Return the sum of `weights` of each account, shape (n_accounts,)."""
    return np.bincount(account, weights=weights, minlength=n_accounts).astype(np.float64)
