"""Made-up event logs for the feature benchmark, and the comparison of two feature files."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hva_ml.cutoffs import MICROSECONDS_PER_DAY, microseconds, series

TYPES = tuple(f"type_{k}" for k in range(10))
WINDOWS = (30, 90, 180, 365)
FIRST, YEARS = datetime(2023, 1, 1, tzinfo=UTC), 2
ROWS_AT_ONCE = 1_000_000
SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("event_type", pa.string()),
        ("contact_id", pa.string()),
        ("event_time", pa.timestamp("us", "UTC")),
        ("known_at", pa.timestamp("us", "UTC")),
        ("amount_cents", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Task:
    """What every tool is asked for."""

    events: Path
    rows: int
    accounts: int
    cutoffs: tuple[int, ...]

    def record(self) -> dict[str, object]:
        """Return what a peer needs to know."""
        return {"cutoffs": list(self.cutoffs), "windows_days": list(WINDOWS), "types": list(TYPES)}


def cutoffs(count: int) -> tuple[int, ...]:
    """Return the last `count` month beginnings (UTC) of the log."""
    days = series(date(FIRST.year, 1, 1), date(FIRST.year + YEARS, 1, 1), "month")[-count:]
    return tuple(microseconds(datetime(d.year, d.month, d.day, tzinfo=UTC)) for d in days)


def make(path: Path, rows: int, accounts: int, n_cutoffs: int, *, late: float = 0.05) -> Task:
    """Write a log in the order of time, as logs are; a share of the rows became known days later."""
    random = np.random.default_rng(7)
    weight = random.lognormal(0.0, 1.0, accounts)
    bounds = np.cumsum(weight / weight.sum())
    ids = np.array([f"A{k:07d}" for k in range(accounts)])
    span = YEARS * 365 * MICROSECONDS_PER_DAY
    begin = microseconds(FIRST)
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for first in range(0, rows, ROWS_AT_ONCE):
            n = min(ROWS_AT_ONCE, rows - first)
            account = np.searchsorted(bounds, random.random(n)).clip(0, accounts - 1)
            time = begin + np.sort((first + random.random(n) * n) / rows * span).astype(np.int64)
            delay = np.where(random.random(n) < late, random.integers(1, 20, n) * MICROSECONDS_PER_DAY, 0)
            name = pc.binary_join_element_wise(
                pa.array(ids).take(pa.array(account)), pa.array(random.integers(0, 5, n)).cast("string"), "-"
            )
            columns = [
                pa.array(ids).take(pa.array(account)),
                pa.array(TYPES).take(pa.array(random.integers(0, len(TYPES), n))),
                name,
                pa.array(time).cast(SCHEMA.field("event_time").type),
                pa.array(time + delay).cast(SCHEMA.field("known_at").type),
                pa.array(random.integers(-5_000, 100_000, n)),
            ]
            writer.write_table(pa.table(columns, schema=SCHEMA))
    return Task(path, rows, accounts, cutoffs(n_cutoffs))


def columns() -> tuple[str, ...]:
    """Return the names of the features every tool must give."""
    return (
        *(f"{what}_{t}_{w}" for what in ("count", "sum") for t in TYPES for w in WINDOWS),
        *(f"distinct_{w}" for w in WINDOWS),
        *(f"recency_{t}" for t in TYPES),
    )


def differing(ours: Path, theirs: Path) -> list[str]:
    """Name the columns in which two feature files differ; rows that only one has must hold nothing."""
    mine, other = (pq.read_table(p, columns=["account_id", "cutoff"]) for p in (ours, theirs))
    ids = pa.concat_arrays(
        [t["account_id"].cast(pa.string()).combine_chunks().unique() for t in (mine, other)]
    ).unique()
    width = 1 + max(int(pc.max(t["cutoff"]).as_py()) for t in (mine, other))
    places = []
    for table in (mine, other):
        account = pc.index_in(table["account_id"].cast(pa.string()), value_set=ids).to_numpy()
        places.append(account.astype(np.int64) * width + table["cutoff"].to_numpy().astype(np.int64))
    found = []
    for name in columns():
        grids = []
        for path, place in zip((ours, theirs), places, strict=True):
            column = pq.read_table(path, columns=[name])[name]
            values = np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), -1.0).to_numpy())
            empty = -1.0 if name.startswith("recency_") else 0.0
            grid = np.full(len(ids) * width, empty)
            grid[place] = np.where(np.isnan(values), -1.0, values)
            grids.append(grid)
        if not np.array_equal(grids[0], grids[1]):
            found.append(name)
    return found
