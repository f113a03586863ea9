"""How conversions and amounts of whole cohorts come in, day by day after the cutoff."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import MICROSECONDS_PER_DAY, Calendar, microseconds
from hva_ml.labels import Ints, known_after, paying


@dataclass(frozen=True, eq=False)
class Flows:
    """What had come of each cohort, and was known, so many days after its cutoff.

    Attributes
    ----------
    cutoffs : numpy.ndarray of int64, shape (n_cutoffs,)
        Microseconds since the epoch.
    converted, cents : numpy.ndarray of int64, shape (n_cutoffs, gap_days + horizon_days + 1)
        Accounts that had converted, and net amounts within the horizon, by the number of days. What became
        known only after the horizon stands in the last column.
    """

    cutoffs: Ints
    converted: Ints
    cents: Ints


def flows(tables: ContractTables, index: pa.Table, config: PipelineConfig, calendar: Calendar) -> Flows:
    """Add up what came of the accounts of an index, by cutoff and days.

    Parameters
    ----------
    tables, index, config, calendar
        As for `hva_ml.labels.build`; horizons need not be over.
    """
    width = calendar.gap_days + calendar.horizon_days + 1
    shape = (len(calendar.days), width)
    place = pc.index_in(index["cutoff"].cast(pa.int64()), value_set=pa.array(calendar.micros, pa.int64()))
    cutoff = np.asarray(place.to_numpy(), dtype=np.int64)
    after = known_after(tables, index, config, calendar)
    converted, cents = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    # A conversion on the first day is known once one day has passed.
    came = after >= 0
    np.add.at(converted, (cutoff[came], np.minimum(after[came] + 1, width - 1)), 1)
    accounts = index["account_id"].combine_chunks()
    members = [accounts.filter(pa.array(cutoff == k)) for k in range(len(calendar.days))]
    column = f"{config.target.value_column}_cents"
    for piece in paying(tables, config):
        time, known = (_int64(piece[c].cast(pa.int64())) for c in ("event_time", "known_at"))
        amount = _int64(pc.fill_null(piece[column], 0))
        for k, day in enumerate(calendar.days):
            start, end = (microseconds(moment) for moment in calendar.label_window(day))
            here = np.flatnonzero((time >= start) & (time < end))
            own = pc.is_in(piece["account_id"].take(pa.array(here)), value_set=members[k])
            here = here[np.asarray(own)]
            days = (np.maximum(time, known)[here] - calendar.micros[k]) // MICROSECONDS_PER_DAY + 1
            np.add.at(cents[k], np.minimum(days, width - 1), amount[here])
    return Flows(calendar.micros, converted.cumsum(axis=1), cents.cumsum(axis=1))


def _int64(column: "pa.Array | pa.ChunkedArray") -> Ints:
    return np.asarray(column.to_numpy(), dtype=np.int64)
