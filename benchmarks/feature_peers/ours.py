"""hva_ml: strings become numbers as the file is read, whole accounts go to partitions, these to the kernel.

Partitions stay in memory up to `IN_MEMORY` rows, else they wait in files beside the result.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hva_ml.coding import Coder
from hva_ml.compiled import cores
from hva_ml.cutoffs import MICROSECONDS_PER_DAY
from hva_ml.features.log import Ints, log
from hva_ml.features.variety import distinct
from hva_ml.features.windows import NONE, enters, first_and_last, totals

ROWS_OF_A_PARTITION = 1_000_000
IN_MEMORY = 50_000_000
COLUMNS = ("account", "event_time", "entered", "kind", "contact", "amount")


class Events:
    """The rows of the file as numbers, divided into partitions of whole accounts."""

    def __init__(self, n_rows: int, folder: Path) -> None:
        self.n_partitions = -(-n_rows // ROWS_OF_A_PARTITION)
        self.accounts, self.types, self.contacts = Coder(), Coder(), Coder()
        self._folder = folder if n_rows > IN_MEMORY else None
        self._parts: list[list[pa.RecordBatch]] = [[] for _ in range(self.n_partitions)]
        self._writers: dict[int, Any] = {}

    def add(self, rows: pa.Table, cutoffs: Ints) -> None:
        """Take in some rows."""
        account = self.accounts.codes(rows["account_id"])
        event_time, known_at = (rows[c].cast(pa.int64()).to_numpy() for c in ("event_time", "known_at"))
        columns = (
            account // self.n_partitions,
            event_time,
            enters(event_time, known_at, cutoffs).astype(np.int32),
            self.types.codes(rows["event_type"]),
            self.contacts.codes(rows["contact_id"]),
            rows["amount_cents"].to_numpy(),
        )
        part = (account % self.n_partitions).astype(np.uint16)
        order = np.argsort(part, kind="stable")
        divided = pa.record_batch([pa.array(column[order]) for column in columns], names=COLUMNS)
        sizes = np.bincount(part, minlength=self.n_partitions)
        for k, end in enumerate(np.cumsum(sizes)):
            self._keep(k, divided.slice(end - sizes[k], sizes[k]))

    def _keep(self, k: int, piece: pa.RecordBatch) -> None:
        if self._folder is None:
            self._parts[k].append(piece)
            return
        if k not in self._writers:
            self._writers[k] = pa.ipc.new_file(self._folder / f"{k}.arrow", piece.schema)
        self._writers[k].write_batch(piece)

    def partition(self, k: int) -> list[np.ndarray[Any, Any]]:
        """Give away the columns of one partition."""
        if self._folder is None:
            pieces, self._parts[k] = pa.Table.from_batches(self._parts[k]), []
        else:
            self._writers[k].close()
            file = self._folder / f"{k}.arrow"
            pieces = pa.ipc.open_file(file).read_all()
            file.unlink()
        return [column.to_numpy() for column in pieces.columns]


def read(path: str, cutoffs: Ints, folder: Path) -> Events:
    """Read the file, one part while the one before is coded."""
    file = pq.ParquetFile(path)
    events = Events(file.metadata.num_rows, folder)
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(file.read_row_group, 0)
        for group in range(file.num_row_groups):
            rows = coming.result()
            if group + 1 < file.num_row_groups:
                coming = reader.submit(file.read_row_group, group + 1)
            events.add(rows, cutoffs)
    return events


def features(events: Events, k: int, task: dict[str, Any], account_ids: pa.Array, place: Ints) -> pa.Table:
    """Return all features of the accounts of one partition, at each cutoff that sees an event of theirs."""
    cutoffs = np.array(task["cutoffs"])
    windows, types = task["windows_days"], task["types"]
    account, event_time, entered, kind, contact, amount = events.partition(k)
    n_accounts = len(range(k, len(account_ids), events.n_partitions))
    seen = log(account, event_time, entered, n_accounts, len(cutoffs))
    begins = cutoffs[None, :] - np.array(windows)[:, None] * MICROSECONDS_PER_DAY
    category = place[seen.take(kind)].astype(np.int32)
    counts, sums = totals(seen, begins, category, len(types), seen.take(amount)[None, :])
    latest = first_and_last(seen, category, len(types), len(cutoffs))[1]
    contacts = distinct(seen, begins, np.zeros_like(category), 1, seen.take(contact))[0]
    there = np.flatnonzero((latest != NONE).any(axis=0).ravel())
    row, cutoff = there // len(cutoffs), there % len(cutoffs)
    columns = {
        "account_id": account_ids.take(pa.array(k + row * events.n_partitions)),
        "cutoff": pa.array(cutoff.astype(np.int32)),
    }
    for what, grids in (("count", counts.astype(np.int32)), ("sum", sums[0])):
        for c, name in enumerate(types):
            for w, days in enumerate(windows):
                columns[f"{what}_{name}_{days}"] = pa.array(grids[c, w].ravel()[there])
    for w, days in enumerate(windows):
        columns[f"distinct_{days}"] = pa.array(contacts[w].astype(np.int32).ravel()[there])
    for c, name in enumerate(types):
        last = latest[c].ravel()[there]
        columns[f"recency_{name}"] = pa.array(cutoffs[cutoff] - last, mask=last == NONE)
    return pa.table(columns)


def made(events: Events, task: dict[str, Any]) -> Iterator[pa.Table]:
    """Yield the partitions in their order, as many at a time as there are cores."""
    ids = events.accounts.strings()
    place = np.array([task["types"].index(name) for name in events.types.strings().to_pylist()])
    with ThreadPoolExecutor(cores()) as pool:
        coming: list[Any] = []
        for k in range(events.n_partitions):
            coming.append(pool.submit(features, events, k, task, ids, place))
            if len(coming) > cores():
                yield coming.pop(0).result()
        for one in coming:
            yield one.result()


def main(arguments: Sequence[str]) -> None:
    """Make the features of one file."""
    path, out, told = arguments
    task = json.loads(Path(told).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(dir=Path(out).parent) as folder:
        tables = made(read(path, np.array(task["cutoffs"]), Path(folder)), task)
        first = next(tables)
        packed = {c: "DELTA_BINARY_PACKED" for c in first.column_names if c != "account_id"}
        with pq.ParquetWriter(
            out, first.schema, use_dictionary=["account_id"], column_encoding=packed, compression="none"
        ) as writer:
            writer.write_table(first)
            for table in tables:
                writer.write_table(table)


if __name__ == "__main__":
    main(sys.argv[1:])
