"""The CRM's history of deals: each stage when it was entered, and when somebody wrote it down."""

import numpy as np
import pyarrow as pa

from hva_ml.starter.companies import Companies
from hva_ml.starter.latent import Deals
from hva_ml.starter.orders import Orders, counted, first_of_deals
from hva_ml.starter.period import BLOCK, DAY, Floats, Ints, Period, generator

STAGES = ("Anfrage", "Qualifiziert", "Angebot", "Verhandlung", "Gewonnen", "Verloren")
"""As a German CRM calls them; the first four are open."""
WON, LOST = 4, 5

SCHEMA = pa.schema(
    [
        ("deal_id", pa.string()), ("company_id", pa.string()), ("stage", pa.string()),
        ("entered_at", pa.timestamp("us", "UTC")), ("recorded_at", pa.timestamp("us", "UTC")),
        ("amount_cents", pa.int64()), ("currency", pa.string()),
    ]
)  # fmt: skip


def table(seed: int, companies: Companies, deals: Deals, orders: Orders, period: Period) -> pa.Table:
    """Return the stage history known at the end of the period, ordered by account, deal and time.

    The first order of a deal wins it, at the order's own time; a deal without one is lost when it closes.
    A row that would be recorded only after the period is not in the export yet.
    """
    count = len(deals.account)
    rng = generator(seed, companies.block, "deals", draw=1)
    won_at, won_amount = first_of_deals(orders, count, nothing=period.end)
    end_at = np.where(won_at < period.end, won_at, deals.closing)
    end_stage = np.where(won_at < period.end, WON, LOST)
    open_stage = np.arange(4)[None, :]
    times = np.concatenate([deals.entered, end_at[:, None]], 1)
    stages = np.concatenate([np.broadcast_to(open_stage, (count, 4)), end_stage[:, None]], 1)
    there = np.concatenate([open_stage < deals.reached[:, None], np.ones((count, 1), bool)], 1)
    amounts = _amounts(rng, deals.value, won_amount)
    late = np.where(rng.random((count, 5)) < 0.3, rng.random((count, 5)) * 5 * DAY, 0).astype(np.int64)
    there &= (times + late) < period.end
    row, column = np.nonzero(there)
    number = counted(deals.account)
    start = companies.block * BLOCK
    ids = pa.array(
        [f"D{start + a:06d}-{k + 1:03d}" for a, k in zip(deals.account, number, strict=True)], pa.string()
    )
    shown = amounts[row, column]
    columns = [
        ids.take(pa.array(row)),
        companies.ids.take(pa.array(deals.account[row])),
        pa.array(STAGES).take(pa.array(stages[row, column])),
        pa.array(times[row, column], pa.timestamp("us", "UTC")),
        pa.array((times + late)[row, column], pa.timestamp("us", "UTC")),
        pa.array(shown, pa.int64(), mask=shown == 0),
        pa.repeat(pa.scalar("EUR"), len(row)),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _amounts(rng: np.random.Generator, expected: Floats, won: Ints) -> Ints:
    """Return amounts as shown in each stage, shape (n_deals, 5) in cents, 0 for none.

    Nobody knows one at first; estimates come nearer to what is then ordered.
    """
    count = len(expected)
    rough = expected * np.exp(rng.normal(0, 0.5, count))
    near = expected * np.exp(rng.normal(0, 0.15, count))
    steps = [
        np.zeros(count),
        np.rint(rough / 1e5) * 1e5,
        np.rint(near / 1e4) * 1e4,
        np.rint(near / 1e4) * 1e4,
        np.where(won > 0, won, np.rint(near / 1e4) * 1e4),
    ]
    return np.stack(steps, 1).astype(np.int64)
