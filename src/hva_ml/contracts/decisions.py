"""When and how each lead was decided: the one answer that labels, features and splits of leads share.

An outcome that was not yet known at a moment is neither a success nor a failure then.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import PipelineConfig

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_DAY = 86_400_000_000
_QUARTER = 900_000_000
"""Microseconds of a quarter of an hour: clocks are never set at other moments."""


@dataclass(frozen=True, eq=False)
class Decisions:
    """Outcomes of leads, with the moment from which they are known.

    Attributes
    ----------
    position : numpy.ndarray of int64, shape (n_leads,)
        When a lead was contacted: local day since 1970, its place in the order, or 0 where time is unknown.
    delay : numpy.ndarray of float64, shape (n_leads,)
        How much later it was won, in the same unit; infinite where it was not (soon enough).
    span : int
        Last unit in which a win still counts: a lead not won by then is lost.
    decided : numpy.ndarray of bool, shape (n_leads,)
        Whether the outcome is known when the data end.
    cents : numpy.ndarray of int64, shape (n_leads,)
        Value if won, minor units; 0 where not.
    by_day : bool
        Whether wins have days of their own: then a lead may be won and known so before its `span` is over.
    """

    position: Ints
    delay: Floats
    span: int
    decided: Bools
    cents: Ints
    by_day: bool

    @property
    def won(self) -> Bools:
        """Which leads were won, shape (n_leads,)."""
        return np.isfinite(self.delay)

    def take(self, rows: Bools) -> "Decisions":
        """Return the decisions of some leads."""
        return Decisions(
            self.position[rows],
            self.delay[rows],
            self.span,
            self.decided[rows],
            self.cents[rows],
            self.by_day,
        )

    def known(self, moment: int) -> Bools:
        """Return which outcomes were known before a day or place: none that came to be at it, or later."""
        lost = self.decided & (self.position + self.span < moment)
        return np.asarray(lost | (self.position + self.delay < moment))


def decisions(leads: pa.Table, config: PipelineConfig, end: datetime | None) -> Decisions:
    """Read the outcomes of a clean table of leads.

    Parameters
    ----------
    leads : pyarrow.Table
        Contract table ``leads``.
    config : PipelineConfig
        With ``[leads]``.
    end : datetime or None
        Aware instant at which the data end; by default the day after the latest contact or win.
    """
    told = config.leads
    assert told is not None
    zone, n = config.pipeline.timezone, leads.num_rows
    won = np.asarray(pc.fill_null(leads["won"], False).to_numpy(), dtype=np.bool_)
    open_ = np.asarray(leads["won"].is_null().to_numpy(), dtype=np.bool_)
    cents = np.asarray(pc.fill_null(leads["value_cents"], 0).to_numpy(), dtype=np.int64)
    if told.deal_value is not None or not told.value:
        cents = np.full(n, round(100 * (told.deal_value or 1.0)), dtype=np.int64)
    if told.clock == "days":
        position = local_days(leads["event_time"], zone)
    elif told.clock == "order":
        position = np.asarray(leads["position"].to_numpy(), dtype=np.int64)
    else:
        position = np.zeros(n, dtype=np.int64)
    span = told.known_after
    decided = ~open_
    delay = np.where(won, float(span), np.inf)
    if told.won_within_days is not None:
        span = told.won_within_days - 1
        days = local_days(leads["won_at"], zone)
        later = np.where(days == NEVER, np.inf, np.maximum(days - position, 0).astype(np.float64))
        delay = np.where(later <= span, later, np.inf)
        decided = position + span < _last(position, days, end, zone)
    cents = np.where(np.isfinite(delay), cents, 0)
    return Decisions(position, delay, span, decided, cents, told.won_within_days is not None)


NEVER = np.iinfo(np.int64).min // 4
"""Stands for the day of what has not happened."""


def local_days(moments: pa.ChunkedArray, timezone: str) -> Ints:
    """Return days since 1970-01-01 by the clock of a time zone, `NEVER` where empty, shape (n_rows,)."""
    micros = pc.fill_null(moments.cast(pa.int64()), NEVER).to_numpy()
    micros = np.asarray(micros, dtype=np.int64)
    quarters, place = np.unique(np.where(micros == NEVER, 0, micros) // _QUARTER, return_inverse=True)
    zone = ZoneInfo(timezone)
    ahead = np.array([_ahead(int(q) * _QUARTER, zone) for q in quarters], dtype=np.int64)
    days = (micros + ahead[place]) // _DAY if len(micros) else micros
    return np.where(micros == NEVER, NEVER, days)


def _ahead(micros: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(micros / 1e6, tz=UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return round(offset.total_seconds()) * 1_000_000


def _last(position: Ints, won: Ints, end: datetime | None, timezone: str) -> int:
    """Return the first day of which nothing is known."""
    if end is not None:
        return (end.astimezone(ZoneInfo(timezone)).date() - date(1970, 1, 1)).days
    return int(max(position.max(initial=0), won.max(initial=0))) + 1
