"""Contacts and what they do: engagement answers to interest and never to an order that is still to come."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from hva_ml.starter.companies import Companies
from hva_ml.starter.latent import Latent
from hva_ml.starter.orders import counted
from hva_ml.starter.period import BLOCK, DAY, HOUR, Ints, Period, generator
from hva_ml.starter.poisson import months_alive, points
from hva_ml.starter.vocabulary import JOB_FUNCTIONS, JOB_WEIGHTS, SENIORITIES, SENIORITY_WEIGHTS


class Kind(NamedTuple):
    """One type of engagement: its share, how strongly it follows interest, who stays unknown, how late it is.

    `late_share` of the rows come `late_days` at most after the fact; the others at once or within the hour.
    """

    name: str
    share: float
    interest: float
    anonymous: float
    late_share: float
    late_days: float


KINDS = (
    Kind("web_visit", 0.43, 0.80, 0.55, 0.0, 0.0),
    Kind("email_open", 0.27, 0.35, 0.0, 0.0, 0.0),
    Kind("email_click", 0.09, 0.80, 0.0, 0.0, 0.0),
    Kind("whitepaper_download", 0.04, 0.90, 0.1, 0.0, 0.0),
    Kind("call", 0.10, 0.60, 0.1, 0.3, 4.0),
    Kind("event_attended", 0.04, 0.50, 0.0, 1.0, 9.0),
    Kind("demo_request", 0.03, 1.30, 0.0, 0.0, 0.0),
)
ACTIVITY_SPREAD = 0.5
"""Deviation of the logarithm of how active an account is for no reason that matters."""
EVENTS_PER_BLOCK = 1_000_000_000

_TIME = pa.timestamp("us", "UTC")
CONTACTS = pa.schema(
    [
        ("contact_id", pa.string()), ("company_id", pa.string()), ("created_at", _TIME),
        ("job_function", pa.string()), ("seniority", pa.string()),
    ]
)  # fmt: skip
EVENTS = pa.schema(
    [
        ("event_id", pa.int64()), ("company_id", pa.string()), ("occurred_at", _TIME),
        ("imported_at", _TIME), ("event_type", pa.string()), ("contact_id", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Contacts:
    """Contacts of a block, ordered by account and time of creation.

    Attributes
    ----------
    account, created : numpy.ndarray of int64, shape (n_contacts,)
        Position of the account, microseconds.
    first, count : numpy.ndarray of int64, shape (BLOCK,)
        Position of each account's first contact, and how many it has.
    ids : pyarrow.Array
        Pseudonymous keys.
    """

    account: Ints
    created: Ints
    first: Ints
    count: Ints
    ids: pa.Array


def contacts(seed: int, companies: Companies, period: Period) -> tuple[Contacts, pa.Table]:
    """Draw the contacts of a block: at least one an account, more at larger companies."""
    rng = generator(seed, companies.block, "contacts")
    count = 1 + np.minimum(rng.poisson(0.8 + 0.35 * np.log(companies.employees)), 11)
    account = np.repeat(np.arange(BLOCK), count)
    number = counted(account)
    span = np.maximum(period.end - companies.birth[account], 1)
    # The first contact is there from the beginning, the others come over the years, most of them early.
    later = (rng.random(len(account)) ** 2 * span).astype(np.int64)
    created = companies.birth[account] + np.where(number == 0, 0, np.minimum(later, span - 1))
    created = created[np.lexsort((created, account))]
    start = companies.block * BLOCK
    ids = pa.array(
        [f"P{start + a:06d}-{k + 1:02d}" for a, k in zip(account, number, strict=True)], pa.string()
    )
    job = rng.choice(len(JOB_FUNCTIONS), len(account), p=JOB_WEIGHTS)
    seniority = rng.choice(len(SENIORITIES), len(account), p=SENIORITY_WEIGHTS)
    table = pa.Table.from_arrays(
        [
            ids,
            companies.ids.take(pa.array(account)),
            pa.array(created, _TIME),
            pa.array(JOB_FUNCTIONS).take(pa.array(job)),
            pa.array(SENIORITIES).take(pa.array(seniority)),
        ],
        schema=CONTACTS,
    )
    first = np.cumsum(count) - count
    return Contacts(account, created, first, count, ids), table


def events(
    seed: int,
    companies: Companies,
    latent: Latent,
    known: Contacts,
    period: Period,
    events_per_account: float,
) -> pa.Table:
    """Draw the engagement of a block, ordered by account and time.

    The intensity of a type is ``share · activity · exp(b · interest + 0.3 fit + 0.3 relationship)``, scaled
    so that an account has `events_per_account` events on average over the whole period.
    """
    rng = generator(seed, companies.block, "engagement")
    lo, hi = months_alive(period, companies.birth)
    activity = rng.normal(0, ACTIVITY_SPREAD, BLOCK) + 0.3 * latent.fit
    base = (activity[:, None] + 0.30 * latent.relationship)[:, :, None]
    strength = np.array([k.interest for k in KINDS])
    # Scaled by what interest adds on average, so that the shares are those of the table above.
    share = np.array([k.share for k in KINDS]) * np.exp(-(strength**2) / 2)
    rate = share * np.exp(base + strength * latent.interest[:, :, None])
    rate *= events_per_account * BLOCK / float((rate.sum(2) * ((hi - lo) / DAY)).sum())
    width = len(KINDS)
    piece, time = points(rng, np.repeat(lo, width), np.repeat(hi, width), rate.ravel())
    kind, account = piece % width, piece // (width * period.n_months)
    order = np.argsort(account * (period.end - period.start) + (time - period.start), kind="stable")
    kind, account, time = kind[order], account[order], time[order]
    who = known.first[account] + (rng.random(len(account)) * known.count[account]).astype(np.int64)
    nobody = (rng.random(len(account)) < np.array([k.anonymous for k in KINDS])[kind]) | (
        known.created[who] > time
    )
    imported = time + _delay(rng, kind)
    there = np.flatnonzero(imported < period.end)
    columns = [
        pa.array(companies.block * EVENTS_PER_BLOCK + there, pa.int64()),
        companies.ids.take(pa.array(account[there])),
        pa.array(time[there], _TIME),
        pa.array(imported[there], _TIME),
        pa.array([k.name for k in KINDS]).take(pa.array(kind[there])),
        known.ids.take(pa.array(who[there], mask=nobody[there])),
    ]
    return pa.Table.from_arrays(columns, schema=EVENTS)


def _delay(rng: np.random.Generator, kind: Ints) -> Ints:
    late = rng.random(len(kind)) < np.array([k.late_share for k in KINDS])[kind]
    days = np.array([k.late_days for k in KINDS])[kind]
    u = rng.random(len(kind))
    return np.where(late, DAY + u * (days - 1) * DAY, u * HOUR).astype(np.int64)
