"""What became of an account after a cutoff: did it convert within the horizon, and what was it then worth.

Labels look only at ``event_time``, of accounts in the label window; no feature is computed here.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import PipelineConfig
from hva_ml.contracts.outcomes import conversions
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import MICROSECONDS_PER_DAY, Calendar, instant, microseconds
from hva_ml.errors import ContractError, NotEnoughDataError, UsageError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

USUAL_DAYS = (90, 365)
LEAST_DAYS = 30


def build(tables: ContractTables, index: pa.Table, config: PipelineConfig, calendar: Calendar) -> pa.Table:
    """Return the labels of every row of a feature index.

    Conversion is a row of the target table in ``[cutoff + gap, cutoff + gap + horizon)``: of stage 'won'
    (deal_stages), with a positive amount (invoices), or of one of the event types (events). Value is the net
    sum of the value table's amounts there, credit notes included; of deals only rows of stage 'won' count.
    When a row became known does not matter: a label is the truth as we know it today.

    Parameters
    ----------
    tables : ContractTables
        Clean tables that reach to the end of the last label window.
    index : pyarrow.Table
        ``account_id`` and ``cutoff``, in any order.
    config : PipelineConfig
        With ``target`` and, if known, ``cutoffs.data_end``.
    calendar : Calendar
        Cutoffs, horizon and gap.

    Returns
    -------
    pyarrow.Table
        ``account_id``, ``cutoff``, ``converted`` (int8), ``value_cents`` (int64), in the order of `index`;
        with an outlook among the features also ``market`` (float64, see `market`).

    Raises
    ------
    NotEnoughDataError
        If a cutoff's label window ends after the declared end of the data.
    UsageError
        If the index has a cutoff that the calendar does not.
    ContractError
        If a needed table is missing.
    """
    _refuse_immature(config, calendar)
    target = _table(tables, config.target.table)
    value = _table(tables, config.target.value_table)
    account = index["account_id"].combine_chunks().dictionary_encode()
    place = _places(index, calendar) + _int64(account.indices) * len(calendar.days)
    names = account.dictionary
    converted = _sums(target.filter(pa.array(conversions(target, config.target))), names, calendar, None)
    if config.target.value_table == "deal_stages":
        value = value.filter(pc.equal(value["stage"], "won"))
    cents = _sums(value, names, calendar, f"{config.target.value_column}_cents")
    found = {
        "account_id": index["account_id"],
        "cutoff": index["cutoff"],
        "converted": pa.array((converted[place] > 0).astype(np.int8)),
        "value_cents": pa.array(cents[place]),
    }
    if config.features.outlook:
        moved = market(value, f"{config.target.value_column}_cents", calendar)
        found["market"] = pa.array(moved[place % len(calendar.days)], from_pandas=True)
    return pa.table(found)


def market(value: pa.Table, column: str, calendar: Calendar) -> Floats:
    """Return how the market of each horizon compares with the usual one before the cutoff.

    Parameters
    ----------
    value : pyarrow.Table
        Rows of the value table that count.
    column : str
        Their amounts, in cents.
    calendar : Calendar
        Cutoffs and horizon.

    Returns
    -------
    numpy.ndarray of float64, shape (n_cutoffs,)
        ln of the amount per day in the horizon over the geometric mean of the amounts per day of the last 90
        and the last 365 days, or of as many as there are data; NaN with fewer than 30 of them, or where an
        amount is not positive. What the feature ``season.outlook`` foresees.
    """
    time = _int64(value["event_time"].cast(pa.int64()))
    order = np.argsort(time, kind="stable")
    time = time[order]
    paid = np.concatenate([[0], np.cumsum(_int64(pc.fill_null(value[column], 0))[order])])
    begin = int(time[0]) if len(time) else 0

    def log_rate(start: int, end: int) -> float:
        start = max(start, begin)
        days = (end - start) / MICROSECONDS_PER_DAY
        cents = paid[np.searchsorted(time, end)] - paid[np.searchsorted(time, start)]
        return float(np.log(cents / days)) if cents > 0 and days >= LEAST_DAYS else np.nan

    found = []
    for day, cutoff in zip(calendar.days, calendar.micros.tolist(), strict=True):
        usual = [log_rate(cutoff - d * MICROSECONDS_PER_DAY, cutoff) for d in USUAL_DAYS]
        window = (microseconds(moment) for moment in calendar.label_window(day))
        found.append(log_rate(*window) - float(np.mean(usual)))
    return np.array(found, dtype=np.float64)


def _refuse_immature(config: PipelineConfig, calendar: Calendar) -> None:
    if config.cutoffs.data_end is None:
        return
    end = instant(config.cutoffs.data_end, config.pipeline.timezone)
    immature = [day for day in calendar.days if calendar.label_window(day)[1] > end]
    if immature:
        raise NotEnoughDataError(
            f"The horizon of {len(immature)} cutoffs is not over when the data end.",
            where=f"cutoff {immature[0]}, horizon {calendar.horizon_days} days after a gap of "
            f"{calendar.gap_days}, data end {config.cutoffs.data_end}",
            why="An account whose horizon is not over yet is neither a success nor a failure.",
            fix="Use calendar.matured(data_end), or earlier cutoffs.",
        )


def _table(tables: ContractTables, name: str) -> pa.Table:
    if name not in tables.tables:
        raise ContractError(
            f"The contract table '{name}' is missing.",
            where=f"[target] {name}",
            why="Without it nobody can say what became of an account.",
            fix=f"Declare [tables.{name}] and let its query return rows.",
        )
    return tables.tables[name]


def _places(index: pa.Table, calendar: Calendar) -> Ints:
    moments = pa.array(calendar.micros, pa.int64())
    place = pc.index_in(index["cutoff"].cast(pa.int64()), value_set=moments)
    if place.null_count:
        raise UsageError(
            "The index has a cutoff that is not in the calendar.",
            where=f"{place.null_count} rows",
            fix="Build features and labels with the same calendar.",
        )
    return _int64(place)


def _sums(table: pa.Table, names: pa.Array, calendar: Calendar, column: str | None) -> Ints:
    """Count rows, or add a column, over each label window; flat, shape (n_accounts * n_cutoffs,)."""
    account = pc.index_in(table["account_id"], value_set=names)
    table = table.filter(pc.is_valid(account))
    number = _int64(account.drop_null())
    time = _int64(table["event_time"].cast(pa.int64()))
    amount = _int64(pc.fill_null(table[column], 0)) if column else np.ones(len(number), dtype=np.int64)
    width = len(calendar.days)
    sums = np.zeros(len(names) * width, dtype=np.int64)
    for k, day in enumerate(calendar.days):
        start, end = (microseconds(moment) for moment in calendar.label_window(day))
        inside = (time >= start) & (time < end)
        np.add.at(sums, number[inside] * width + k, amount[inside])
    return sums


def _int64(column: "pa.Array | pa.ChunkedArray") -> Ints:
    return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)
