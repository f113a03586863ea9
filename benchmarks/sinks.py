"""One published run delivered to every kind of sink, beside `DataFrame.to_sql` of the same rows.

`python -m benchmarks.sinks [--size small|full] [--repeats N] [--json FILE]`: scores and reasons of 20,000 or
200,000 accounts, to a PostgreSQL server of its own (Debian's package postgresql), SQLite, DuckDB, a folder.
Ours reads every row back before a reader sees it; `same rows` says that pandas, too, has written the rows
that were published.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from tests.postgres import programs, running

from benchmarks.results import tell
from hva_ml.config import Sink as Settings
from hva_ml.config import SinkTable
from hva_ml.connectors.addresses import address
from hva_ml.delivery import Parcel, Sink
from hva_ml.delivery.duckdb_file import DuckDBSink
from hva_ml.delivery.folder import FolderSink
from hva_ml.delivery.sql.database import DatabaseSink
from hva_ml.delivery.sql.postgres import PostgresSink
from hva_ml.errors import DeliveryError
from hva_ml.publication import publish

ACCOUNTS = {"small": 20_000, "full": 200_000}
PIECE = 25_000
TABLES: tuple[SinkTable, ...] = ("scores", "reasons")
_REASON = pa.list_(
    pa.struct(
        [
            ("feature", pa.string()), ("topic", pa.string()), ("factor", pa.float64()),
            ("value", pa.string()), ("reference", pa.string()),
        ]
    )
)  # fmt: skip


def pieces(n: int, seed: int) -> Iterator[dict[str, pa.Table]]:
    """Yield the scores of a made-up night, three reasons for each direction."""
    rng = np.random.default_rng(seed)
    for first in range(0, n, PIECE):
        count = min(PIECE, n - first)
        probability, value = rng.beta(1, 9, count) * 0.98 + 0.01, np.exp(rng.normal(8, 1, count))
        rank = np.arange(first + 1, first + count + 1)
        yield {
            "scores": pa.table(
                {
                    "account_id": [f"A{k:07d}" for k in rank],
                    "as_of": pa.array([date(2025, 1, 1 + seed)] * count, pa.date32()),
                    "conversion_probability": probability,
                    "value_if_converted": value,
                    "expected_value": probability * value,
                    "percentile": 100 * (1 - rank / n),
                    "rank": rank,
                    "tier": np.where(rank < n / 10, "A", np.where(rank < n / 3, "B", "C")).tolist(),
                    "tier_reason": ["value"] * count,
                    "in_capacity": rank < 500,
                    "strategic_weight": pa.nulls(count, pa.float64()),
                    "reasons_positive": _reasons(rng, count),
                    "reasons_negative": _reasons(rng, count),
                    "unseen_categories": np.zeros(count, dtype=np.int64),
                    "model_version": ["1"] * count,
                }
            )
        }


def _reasons(rng: np.random.Generator, count: int) -> pa.Array:
    def one(factor: float) -> dict[str, object]:
        return {
            "feature": "events.call.count_90d", "topic": "events.call", "factor": factor,
            "value": repr(factor * 7), "reference": "0.0",
        }  # fmt: skip

    return pa.array([[one(f) for f in row] for row in rng.uniform(0.2, 5, (count, 3)).tolist()], _REASON)


def parcel(folder: Path, n: int, seed: int) -> Parcel:
    """Publish a night and return it on its way out."""
    identity = {"as_of": f"2025-01-{1 + seed:02d}", "model_version": "1"}
    return Parcel(folder, publish(folder, pieces(n, seed), identity, expected_rows=n), "bench", "EUR")


def seconds(work: Callable[[], object]) -> float:
    """Return how long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def pandas_night(url: str, nights: Parcel) -> None:
    """Write the same rows as a notebook would, in place of those of the night before."""
    engine = sa.create_engine(url)
    for table in TABLES:
        frame = pa.concat_tables(nights.pieces(table)).to_pandas()
        frame.to_sql(f"pandas_{table}", engine, if_exists="replace", index=False, chunksize=50_000)
    engine.dispose()


def same_rows(url: str, nights: Parcel) -> str:
    """Return whether pandas has written the published scores, read back as numbers."""
    engine = sa.create_engine(url)
    found = pd.read_sql("SELECT account_id, expected_value FROM pandas_scores ORDER BY account_id", engine)
    engine.dispose()
    wanted = pa.concat_tables(nights.pieces("scores"))
    same = found["expected_value"].to_numpy().tobytes() == wanted["expected_value"].to_numpy().tobytes()
    return "yes" if same and len(found) == wanted.num_rows else "no"


def measure(case: str, sink: Sink, nights: tuple[Parcel, ...], url: str, repeats: int) -> dict[str, Any]:
    """Deliver nights in turn, ours and pandas interleaved; return one row."""
    ours, theirs, back, again = [], [], [], []
    for k in range(repeats):
        one, other = nights[k % 3], nights[(k + 1) % 3]
        sink.deliver(one)
        # The third night before is gone by now: all rows are written.
        ours.append(seconds(lambda night=other: sink.deliver(night)))  # type: ignore[misc]
        shown = sink.current()
        assert shown is not None
        again.append(seconds(lambda night=other, now=shown: sink.holds(night, now)))  # type: ignore[misc]
        back.append(seconds(lambda night=one: sink.deliver(night)))  # type: ignore[misc]
        if url:
            theirs.append(seconds(lambda night=other: pandas_night(url, night)))  # type: ignore[misc]
    took = statistics.median(ours)
    rows = sum(int(t.num_rows) for table in TABLES for t in nights[0].pieces(table))
    row: dict[str, Any] = {"case": f"{case}: {rows:,} rows", "ours": round(took, 2)}
    if url:
        slow = statistics.median(theirs)
        equal = same_rows(url, nights[repeats % 3])
        row |= {"peer": round(slow, 2), "ratio": round(slow / took, 1), "same rows": equal}
    return row | {
        "ours rows/s": round(rows / took),
        "again": round(statistics.median(again), 2),
        "way back": round(statistics.median(back), 2),
    }


@contextmanager
def warehouse() -> Iterator[str]:
    """Yield the URL of a PostgreSQL server of its own; empty where there is none to start."""
    home = programs()
    if home is None:
        yield ""
        return
    with running(home) as server:
        yield server.database("bench").replace("postgresql", "postgresql+psycopg", 1)


def main() -> None:
    """Measure, print, and write the same as JSON; figures are seconds."""
    parser = argparse.ArgumentParser(description="Delivery to sinks, ours and pandas.")
    parser.add_argument("--size", choices=list(ACCOUNTS), default="small")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hva-sinks-") as name, warehouse() as url:
        root = Path(name)
        nights = tuple(parcel(root / "scores", ACCOUNTS[asked.size], k) for k in range(3))
        settings = Settings(kind="sql", url_env="X", tables=TABLES)
        lite = f"sqlite:///{root}/lite.db"
        sinks: list[tuple[str, Sink, str]] = [
            (
                "SQLite, by SQLAlchemy",
                DatabaseSink(address(lite, "", DeliveryError), settings, "bench"),
                lite,
            ),
            ("DuckDB file", DuckDBSink(root / "s.duckdb", settings, "bench"), ""),
            ("Parquet folder", FolderSink(root / "lake", "bench", "EUR"), ""),
        ]
        if url:
            postgres = PostgresSink(address(url, "", DeliveryError, only="postgresql"), settings, "bench")
            sinks.insert(0, ("PostgreSQL, by COPY", postgres, url))
        rows = [measure(case, sink, nights, peer, asked.repeats) for case, sink, peer in sinks]
    tell("sinks (seconds)", rows, asked.json, size=asked.size)


if __name__ == "__main__":
    main()
