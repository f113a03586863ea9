"""The same simulation, written block by block to Parquet: any size in bounded memory."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from hva_ml.starter.period import Period
from hva_ml.starter.simulator import SCHEMAS, block, check_domain, sizes


def stream(
    folder: Path,
    *,
    accounts: int,
    seed: int,
    first: date,
    last: date,
    events_per_account: float,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Write one Parquet file per raw table, the same rows in the same order as `simulate`.

    Parameters
    ----------
    folder : pathlib.Path
        Made if missing; ``<table>.parquet`` in it is replaced, and only once all rows are written.
    accounts, seed, first, last, events_per_account
        As in `simulate`.
    progress : callable, optional
        Called with the accounts done and all accounts after each block.

    Returns
    -------
    dict of str to int
        Rows by table.

    Raises
    ------
    UsageError
        For a value out of its domain.
    OSError
        If the folder cannot be written.
    """
    check_domain(accounts, seed, events_per_account)
    period = Period.of(first, last)
    folder.mkdir(parents=True, exist_ok=True)
    rows = dict.fromkeys(SCHEMAS, 0)
    done = 0
    parts = {n: folder / f"{n}.parquet.part" for n in SCHEMAS}
    with ExitStack() as stack:
        writers = {
            n: stack.enter_context(pq.ParquetWriter(parts[n], SCHEMAS[n], write_page_checksum=True))
            for n in SCHEMAS
        }
        for number, size in sizes(accounts):
            made = block(number, size=size, seed=seed, period=period, events_per_account=events_per_account)
            for name, table in made.tables.items():
                writers[name].write_table(table)
                rows[name] += table.num_rows
            done += size
            if progress is not None:
                progress(done, accounts)
    for name, part in parts.items():
        part.replace(folder / f"{name}.parquet")
    return rows
