"""A simulated vendor of industrial goods with customers in Germany, Austria and Switzerland, and its truth.

Nothing here is real: no company, contact or invoice exists. What it simplifies, on purpose:

- An order is invoiced at the moment it is placed, net, in euro, also in Switzerland.
- Given the hidden path (fit, interest, relationship, deals), orders are a Poisson process. Past orders do not
  cause later ones; both come from the same slow relationship. Engagement and deals follow the path, too.
- Times spread evenly over day and week; there are no weekends, holidays or price lists.
- A company's hidden fit uses its first master data; a later change of employees changes nothing else.
- The vendor knows every account from the first day of the period or from the day it came to be.
"""

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.errors import UsageError
from hva_ml.starter import companies, deals, engagement, latent, orders
from hva_ml.starter.period import BLOCK, Period, generator
from hva_ml.starter.poisson import Pieces
from hva_ml.starter.truth import Truth

SCHEMAS: dict[str, pa.Schema] = {
    "companies": companies.SCHEMA,
    "contacts": engagement.CONTACTS,
    "engagement": engagement.EVENTS,
    "deals": deals.SCHEMA,
    "invoices": orders.SCHEMA,
}
"""Raw tables, as exported from CRM and ERP; times in UTC."""


@dataclass(frozen=True)
class Simulated:
    """A simulated export, and what is true of it.

    Attributes
    ----------
    tables : dict of str to pyarrow.Table
        ``companies``, ``contacts``, ``engagement``, ``deals``, ``invoices`` under ``SCHEMAS``, each ordered
        by company.
    truth : Truth
        Exact probabilities and expected values.
    """

    tables: dict[str, pa.Table]
    truth: Truth


@dataclass(frozen=True)
class Block:
    """One block of accounts: raw tables, account keys and order intensities."""

    tables: dict[str, pa.Table]
    ids: pa.Array
    pieces: Pieces


def simulate(*, accounts: int, seed: int, first: date, last: date, events_per_account: float) -> Simulated:
    """Simulate the vendor's data.

    The first n accounts are the same, row by row, however many more are asked for.

    Parameters
    ----------
    accounts : int
        Number of accounts, at least 1. Some come to be only during the period.
    seed : int
        At least 0; the same seed gives the same rows.
    first, last : date
        Rows lie in ``[first, last)``, from midnight to midnight in Europe/Berlin; `last` is the day of the
        export. Rows that would have been recorded later are not in it yet.
    events_per_account : float
        Mean number of engagement events per account over the period, above 0.

    Raises
    ------
    UsageError
        For a value out of its domain.
    """
    check_domain(accounts, seed, events_per_account)
    period = Period.of(first, last)
    blocks = [
        block(number, size=size, seed=seed, period=period, events_per_account=events_per_account)
        for number, size in sizes(accounts)
    ]
    tables = {n: pa.concat_tables([b.tables[n] for b in blocks]).combine_chunks() for n in SCHEMAS}
    pieces = Pieces.joined([b.pieces for b in blocks], [k * BLOCK for k in range(len(blocks))])
    ids = pa.concat_arrays([b.ids for b in blocks])
    return Simulated(tables, Truth(ids, period, pieces))


def sizes(accounts: int) -> list[tuple[int, int]]:
    """Return number and size of each block.

    Examples
    --------
    >>> sizes(2500)
    [(0, 1000), (1, 1000), (2, 500)]
    """
    return [(k, min(BLOCK, accounts - k * BLOCK)) for k in range(-(-accounts // BLOCK))]


def block(number: int, *, size: int, seed: int, period: Period, events_per_account: float) -> Block:
    """Simulate one block and keep its first `size` accounts.

    Always the whole block is drawn, so that a smaller simulation is the beginning of a larger one.
    """
    who, master = companies.draw(seed, number, period)
    hidden = latent.draw(seed, who, period)
    pieces, pipeline = latent.order_pieces(seed, who, hidden, period)
    placed = orders.draw(generator(seed, number, "orders"), pieces)
    known, contacts = engagement.contacts(seed, who, period)
    tables = {
        "companies": master,
        "contacts": contacts,
        "engagement": engagement.events(seed, who, hidden, known, period, events_per_account),
        "deals": deals.table(seed, who, pipeline, placed, period),
        "invoices": orders.table(placed, who, period),
    }
    ids = who.ids.slice(0, size)
    if size == BLOCK:
        return Block(tables, ids, pieces)
    kept = {n: t.filter(pc.is_in(t["company_id"], value_set=ids)) for n, t in tables.items()}
    return Block(kept, ids, pieces.upto(size))


def check_domain(accounts: int, seed: int, events_per_account: float) -> None:
    """Refuse sizes that cannot be simulated (``UsageError``)."""
    for name, value, least in (("accounts", accounts, 1), ("seed", seed, 0)):
        if value < least:
            raise UsageError(f"{name} must be at least {least} (given: {value}).", where="[simulation]")
    if not events_per_account > 0:
        raise UsageError(
            f"events_per_account must be above 0 (given: {events_per_account}).",
            where="[simulation]",
            fix="For example events_per_account = 40.",
        )
