"""A future made up: rows that a cutoff must not see change in every way, and are counted before and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.contracts.records import ContractTables
from hva_ml.contracts.schema import ARROW_TYPES
from hva_ml.cutoffs import MICROSECONDS_PER_DAY, microseconds

Ints = npt.NDArray[np.int64]

SHIFT_DAYS = 1500
"""So far at most do made up rows lie from the cutoff: firsts and comparisons over years must notice too."""
_TIME = ARROW_TYPES["time"]


@dataclass(frozen=True)
class Moved:
    """Rows of a table that a cutoff must not see.

    Attributes
    ----------
    later : int
        Rows that happened at or after the cutoff: they ask about ``event_time``.
    late : int
        Rows that happened before it and became known at or after it: they alone ask about ``known_at``.
    """

    later: int = 0
    late: int = 0

    def __add__(self, other: "Moved") -> "Moved":
        """Add up over cutoffs."""
        return Moved(self.later + other.later, self.late + other.late)

    @property
    def rows(self) -> int:
        """Number of both together."""
        return self.later + self.late


def moved(tables: ContractTables, cutoff: datetime) -> Mapping[str, Moved]:
    """Count, by table, the rows that `cutoff` must not see."""
    limit = microseconds(cutoff)
    counts = {}
    for name in sorted(tables.tables):
        event, known = (_int64(tables.tables[name][c]) for c in ("event_time", "known_at"))
        later = event >= limit
        counts[name] = Moved(int(later.sum()), int((~later & (known >= limit)).sum()))
    return counts


def scrambled(tables: ContractTables, cutoff: datetime, seed: int) -> ContractTables:
    """Return tables whose rows before the cutoff are as they were, and all others made up.

    A quarter of the others vanish; the rest change accounts, values, categories and times. Half of them now
    happened before the cutoff and become known only after it: so ``known_at`` is asked about even in data
    that hold no late row. Nothing of this may reach a feature.

    Parameters
    ----------
    tables : ContractTables
        Clean tables; ``known_at`` is filled.
    cutoff : datetime.datetime
        Aware instant.
    seed : int
        Seed of everything that is made up.

    Returns
    -------
    ContractTables
        Of the same schema; what the cutoff may see is unchanged, row by row and in order.
    """
    return _replaced(tables, cutoff, seed, shown=False)


def shown(tables: ContractTables, cutoff: datetime, seed: int) -> ContractTables:
    """Return tables whose rows before the cutoff are as they were, and all others made up and visible there.

    What does not react even to these proves nothing by not reacting to `scrambled` ones.

    Parameters, return value: as of `scrambled`.
    """
    return _replaced(tables, cutoff, seed, shown=True)


def mixed(column: pa.ChunkedArray, random: np.random.Generator) -> pa.ChunkedArray:
    """Return a column's values in another order, half of the numbers and flags changed as well.

    Only half, because a sign may decide what a row counts as: of the invoices some must stay positive.
    """
    kind = column.type
    shuffled = column.take(pa.array(random.permutation(len(column))))
    half = pa.array(random.random(len(column)) < 0.5)
    if pa.types.is_boolean(kind):
        return pc.if_else(half, pc.invert(shuffled), shuffled)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return pc.if_else(half, pc.subtract(pa.scalar(7, kind), shuffled), shuffled)
    return shuffled


def _replaced(tables: ContractTables, cutoff: datetime, seed: int, *, shown: bool) -> ContractTables:
    random = np.random.default_rng(seed)
    limit = pa.scalar(cutoff, _TIME)
    made = {}
    for name in sorted(tables.tables):
        table = tables.tables[name]
        visible = pc.and_(pc.less(table["event_time"], limit), pc.less(table["known_at"], limit))
        others = table.filter(pc.invert(visible))
        others = others.filter(pa.array(random.random(others.num_rows) >= 0.25))
        times = (_past_times if shown else _future_times)(others, microseconds(cutoff), random)
        made[name] = pa.concat_tables(
            [table.filter(visible), _made_up(others, times, random)]
        ).combine_chunks()
    return ContractTables(made)


def _made_up(rows: pa.Table, times: Mapping[str, Ints], random: np.random.Generator) -> pa.Table:
    columns = [
        pa.chunked_array([pa.array(times[c]).cast(_TIME)]) if c in times else mixed(rows[c], random)
        for c in rows.column_names
    ]
    return pa.table(columns, schema=rows.schema)


def _future_times(rows: pa.Table, limit: int, random: np.random.Generator) -> Mapping[str, Ints]:
    event, known = _int64(rows["event_time"]), _int64(rows["known_at"])
    shift = _shift(random, (2, rows.num_rows))
    early = random.random(rows.num_rows) < 0.5
    return {
        "event_time": np.where(early, np.minimum(event, limit) - 1 - shift[0], event + shift[0]),
        "known_at": np.maximum(known, limit) + shift[1],
    }


def _past_times(rows: pa.Table, limit: int, random: np.random.Generator) -> Mapping[str, Ints]:
    shift = np.sort(_shift(random, (2, rows.num_rows)), axis=0)
    return {"event_time": limit - 1 - shift[1], "known_at": limit - 1 - shift[0]}


def _shift(random: np.random.Generator, shape: tuple[int, int]) -> Ints:
    # The fourth power puts a quarter of the rows within six days of the cutoff, where short windows look.
    return (random.random(shape) ** 4 * (SHIFT_DAYS * MICROSECONDS_PER_DAY)).astype(np.int64)


def _int64(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)
