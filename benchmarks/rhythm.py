"""A vendor with a calendar: invoices on the first, one newsletter a month, one fair, closed at Christmas.

Nothing is wrong with its sources, and yet much comes at once and leaves a window at once. Windows of the
month, the quarter and the year to date begin anew for all accounts in one night.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.incremental import ZONE

MAIL = ("email_open", "email_click")
FAIR = "event_attended"
NEWSLETTER_DAY = 10
FAIR_MONTH = 9
CLOSED = ((12, 24), 14)
"""The first day, and for how many days nobody works."""
_TO_DATE = """[[features.windows]]
table = "invoices"
measures = ["count", "sum"]
of = ["amount"]
to_date = ["month", "quarter", "year"]

[[features.windows]]
table = "events"
measures = ["count", "active_days"]
to_date = ["month", "quarter"]

"""
_NEXT = "# ---- Models, search and judgement"
WINDOWS = ((_NEXT, _TO_DATE + _NEXT),)


def give(made: Path) -> None:
    """Give the made-up exports of a vendor a rhythm; a row comes later than it did, never earlier."""
    invoices, engagement = (pq.read_table(made / f"{name}.parquet") for name in ("invoices", "engagement"))
    issued = [_first(_local(at)) for at in invoices["issued_at"].to_pylist()]
    pq.write_table(_put(invoices, "issued_at", issued), made / "invoices.parquet")
    kinds = engagement["event_type"].to_pylist()
    before = [_local(at) for at in engagement["occurred_at"].to_pylist()]
    now = [_open(_moved(kind, at)) for kind, at in zip(kinds, before, strict=True)]
    lag = pc.subtract(engagement["imported_at"], engagement["occurred_at"])
    engagement = _put(engagement, "occurred_at", now)
    known = [_open(at) for at in map(_local, pc.add(engagement["occurred_at"], lag).to_pylist())]
    engagement = _put(engagement, "imported_at", known)
    order = pc.sort_indices(engagement, [("imported_at", "ascending"), ("event_id", "ascending")])
    pq.write_table(engagement.take(order), made / "engagement.parquet")


def _moved(kind: str, at: datetime) -> datetime:
    if kind in MAIL:
        # Most read a newsletter on the day on which it comes.
        opened = at.replace(day=NEWSLETTER_DAY)
        return opened if opened >= at else _first(at).replace(day=NEWSLETTER_DAY)
    if kind == FAIR:
        fair = at.replace(month=FAIR_MONTH, day=15 + at.day % 3)
        return fair if fair >= at else fair.replace(year=at.year + 1)
    return at


def _first(at: datetime) -> datetime:
    """Return the first of the next month, at the same time of day."""
    return (at.replace(day=1) + timedelta(days=32)).replace(day=1)


def _open(at: datetime) -> datetime:
    """Return the same time on the next day on which somebody works."""
    (month, day), days = CLOSED
    for year in (at.year - 1, at.year):
        closed = date(year, month, day)
        if closed <= at.date() < closed + timedelta(days=days):
            return at + (closed + timedelta(days=days) - at.date())
    return at


def _local(at: datetime) -> datetime:
    return at.astimezone(ZoneInfo(ZONE))


def _put(table: pa.Table, name: str, times: list[datetime]) -> pa.Table:
    at = table.schema.get_field_index(name)
    whole = np.array([int(t.timestamp()) for t in times], dtype="datetime64[s]")
    return table.set_column(
        at, name, pa.array(whole.astype("datetime64[us]")).cast(table.schema.field(at).type)
    )
