"""What became of an account after a cutoff: did it convert within the horizon, and what was it then worth.

Labels look only at ``event_time``, of accounts in the label window; no feature is computed here.
"""

from collections.abc import Iterable, Iterator

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
NEEDED = ("account_id", "event_time", "known_at", "event_type", "stage", "amount_cents")
"""Columns that say whose a row is, when it came, and what it counts."""


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
    _needed(tables, config.target.table)
    _needed(tables, config.target.value_table)
    account = index["account_id"].combine_chunks().dictionary_encode()
    place = _places(index, calendar) + _int64(account.indices) * len(calendar.days)
    names = account.dictionary
    converted = _sums(deciding(tables, config), names, calendar, None)
    column = f"{config.target.value_column}_cents"
    cents = _sums(paying(tables, config), names, calendar, column)
    found = {
        "account_id": index["account_id"],
        "cutoff": index["cutoff"],
        "converted": pa.array((converted[place] > 0).astype(np.int8)),
        "value_cents": pa.array(cents[place]),
    }
    if config.features.outlook:
        moved = market(paying(tables, config), column, calendar)
        found["market"] = pa.array(moved[place % len(calendar.days)], from_pandas=True)
    return pa.table(found)


def market(value: Iterable[pa.Table], column: str, calendar: Calendar) -> Floats:
    """Return how the market of each horizon compares with the usual one before the cutoff.

    Parameters
    ----------
    value : iterable of pyarrow.Table
        Rows of the value table that count, in pieces.
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
    windows = [tuple(microseconds(moment) for moment in calendar.label_window(d)) for d in calendar.days]
    cutoffs = calendar.micros.tolist()
    usual = [(c - d * MICROSECONDS_PER_DAY, c) for c in cutoffs for d in USUAL_DAYS]
    edges = np.unique(np.array([*windows, *usual], dtype=np.int64))
    begin, paid = _paid_before(value, column, edges)

    def log_rate(start: int, end: int) -> float:
        days = (end - max(start, begin)) / MICROSECONDS_PER_DAY
        cents = paid[np.searchsorted(edges, end)] - paid[np.searchsorted(edges, start)]
        return float(np.log(cents / days)) if cents > 0 and days >= LEAST_DAYS else np.nan

    found = []
    for window, cutoff in zip(windows, cutoffs, strict=True):
        before = [log_rate(cutoff - d * MICROSECONDS_PER_DAY, cutoff) for d in USUAL_DAYS]
        found.append(log_rate(*window) - float(np.mean(before)))
    return np.array(found, dtype=np.float64)


def _paid_before(value: Iterable[pa.Table], column: str, edges: Ints) -> tuple[int, Ints]:
    """Return the time of the first row (0 without any), and all amounts before each edge."""
    between = np.zeros(len(edges) + 1, dtype=np.int64)
    begins = []
    for piece in value:
        time = _int64(piece["event_time"].cast(pa.int64()))
        np.add.at(between, np.searchsorted(edges, time, side="right"), _int64(pc.fill_null(piece[column], 0)))
        begins += [int(time.min())] if len(time) else []
    return min(begins, default=0), np.cumsum(between)[:-1]


def deciding(tables: ContractTables, config: PipelineConfig) -> Iterator[pa.Table]:
    """Yield the rows that are conversions, piece by piece, with those of their columns that are `NEEDED`."""
    for piece in tables.pieces(config.target.table, NEEDED):
        yield piece.filter(pa.array(conversions(piece, config.target)))


def paying(tables: ContractTables, config: PipelineConfig) -> Iterator[pa.Table]:
    """Yield the rows whose amounts count as value, piece by piece, with columns as those of `deciding`."""
    won = config.target.value_table == "deal_stages"
    for piece in tables.pieces(config.target.value_table, NEEDED):
        yield piece.filter(pc.equal(piece["stage"], "won")) if won else piece


def known_after(tables: ContractTables, index: pa.Table, config: PipelineConfig, calendar: Calendar) -> Ints:
    """Return after how many days one knew that an account had converted within the horizon.

    Unlike a label it looks at both clocks: a conversion counts from the day on which it had happened and was
    known. It may be asked before the horizon is over; what is not known yet has not converted yet.

    Parameters
    ----------
    tables, index, config, calendar
        As for `build`; the tables hold what is known at the time of asking.

    Returns
    -------
    numpy.ndarray of int64, shape (n_rows,)
        Whole days since the cutoff, −1 where no conversion is known.
    """
    _needed(tables, config.target.table)
    account = index["account_id"].combine_chunks().dictionary_encode()
    width, never = len(calendar.days), np.iinfo(np.int64).max
    first = np.full(len(account.dictionary) * width, never)
    for piece in deciding(tables, config):
        number = pc.index_in(piece["account_id"], value_set=account.dictionary)
        piece, who = piece.filter(pc.is_valid(number)), _int64(number.drop_null())
        time, known = (_int64(piece[c].cast(pa.int64())) for c in ("event_time", "known_at"))
        came = np.maximum(time, known)
        for k, day in enumerate(calendar.days):
            start, end = (microseconds(moment) for moment in calendar.label_window(day))
            inside = (time >= start) & (time < end)
            elapsed = (came[inside] - calendar.micros[k]) // MICROSECONDS_PER_DAY
            np.minimum.at(first, who[inside] * width + k, elapsed)
    found = first[_places(index, calendar) + _int64(account.indices) * width]
    return np.where(found == never, -1, found)


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


def _needed(tables: ContractTables, name: str) -> None:
    if name not in tables.tables:
        raise ContractError(
            f"The contract table '{name}' is missing.",
            where=f"[target] {name}",
            why="Without it nobody can say what became of an account.",
            fix=f"Declare [tables.{name}] and let its query return rows.",
        )


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


def _sums(pieces: Iterable[pa.Table], names: pa.Array, calendar: Calendar, column: str | None) -> Ints:
    """Count rows, or add a column, over each label window; flat, shape (n_accounts * n_cutoffs,)."""
    width = len(calendar.days)
    windows = [tuple(microseconds(moment) for moment in calendar.label_window(d)) for d in calendar.days]
    sums = np.zeros(len(names) * width, dtype=np.int64)
    for table in pieces:
        account = pc.index_in(table["account_id"], value_set=names)
        known = table.filter(pc.is_valid(account))
        number = _int64(account.drop_null())
        time = _int64(known["event_time"].cast(pa.int64()))
        amount = _int64(pc.fill_null(known[column], 0)) if column else np.ones(len(number), dtype=np.int64)
        for k, (start, end) in enumerate(windows):
            inside = (time >= start) & (time < end)
            np.add.at(sums, number[inside] * width + k, amount[inside])
    return sums


def _int64(column: "pa.Array | pa.ChunkedArray") -> Ints:
    return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)
