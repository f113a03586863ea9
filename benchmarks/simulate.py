"""The simulated vendor, streamed to Parquet: seconds, rows and memory, as input for other measurements.

`python -m benchmarks.simulate [--size small|full|huge] [--to FOLDER] [--json FILE]`: small is 20 k accounts
with 4 M events, full 100 k with 20 M, huge 1 M with 200 M. Without `--to` the files are thrown away.
"""

import argparse
import json
import resource
import tempfile
import time
from datetime import date
from pathlib import Path

from hva_ml.starter.stream import stream

ACCOUNTS = {"small": 20_000, "full": 100_000, "huge": 1_000_000}
EVENTS_PER_ACCOUNT = 200


def main() -> None:
    """Stream, measure and print."""
    parser = argparse.ArgumentParser(description="Stream the simulated vendor to Parquet.")
    parser.add_argument("--size", choices=list(ACCOUNTS), default="small")
    parser.add_argument("--to", type=Path)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hva-simulate-") as folder:
        began = time.perf_counter()
        rows = stream(
            asked.to or Path(folder), accounts=ACCOUNTS[asked.size], seed=7, first=date(2022, 1, 1),
            last=date(2025, 12, 31), events_per_account=EVENTS_PER_ACCOUNT,
        )  # fmt: skip
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    for name, count in rows.items():
        print(f"{name:12} {count:>12,} rows")
    print(
        f"{seconds:.1f} s, {sum(rows.values()) / seconds / 1e6:.2f} M rows a second, {peak:.2f} GiB at most"
    )
    if asked.json:
        record = {"name": "simulate", "rows": [{"size": asked.size, "seconds": seconds, "gib": peak, **rows}]}
        asked.json.write_text(json.dumps(record, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
