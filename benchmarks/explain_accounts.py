"""All reasons of a night, published: two models, composition, German words, verified Parquet.

`python -m benchmarks.explain_accounts [--size small|full] [--json FILE]`: 150 features, two models of 500
trees × 31 leaves (small: 100 trees); small has 10,000 accounts, full 100,000 and 1,000,000. Features are
there already, as a file; each size runs in a fresh process, whose peak memory is told.
"""

import argparse
import json
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import explained_night
from benchmarks.peers import fresh
from benchmarks.results import tell
from hva_ml import publication, scoring
from hva_ml.config import Explanation, Scoring
from hva_ml.features.definition import FeatureSet
from hva_ml.registry.bundle import Bundle

SIZES = {"small": ((10_000,), 100), "full": ((100_000, 1_000_000), 500)}
LEAVES = 31


def night(folder: Path, rows: Path, languages: tuple[str, ...]) -> dict[str, object]:
    """Score, explain, word, audit and publish; return seconds and sizes."""
    began = time.perf_counter()
    bundle = Bundle.read(folder / "bundle")
    features = FeatureSet(pq.read_table(rows), bundle.definitions)
    empty = pa.table(
        {
            "account_id": pa.array([], pa.string()),
            "event_time": pa.array([], pa.timestamp("us", "UTC")),
            "known_at": pa.array([], pa.timestamp("us", "UTC")),
            "strategic_weight": pa.array([], pa.float64()),
        }
    )
    settings = Explanation(languages=("de",) if languages else ())
    scored = scoring.score(bundle, features, empty, Scoring(), model_version="1", explanation=settings)
    done = publication.publish(
        folder / f"scores-{rows.stem}-{len(languages)}", scored.parts(),
        {"as_of": str(date(2025, 7, 1)), "languages": list(languages)}, expected_rows=features.table.num_rows,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    mib = {p.stem: p.stat().st_size / 2**20 for p in done.path.glob("*.parquet")}
    return {"seconds": seconds, "violations": violations(done.path), "mib": mib}


def violations(run: Path) -> int:
    """Return how many published rows miss what their published reasons sum to by over 1e-9 in log space."""
    explained, scores = (pq.ParquetFile(run / f"{name}.parquet") for name in ("explanations", "scores"))
    found = 0
    for k in range(explained.num_row_groups):
        table, told = explained.read_row_group(k), scores.read_row_group(k, columns=["expected_value"])
        columns = [c for c in table.column_names if c not in ("account_id", "reference")]
        total = sum((table[c].to_numpy() for c in columns), np.zeros(table.num_rows))
        found += int((np.abs(total - np.log(told["expected_value"].to_numpy())) > 1e-9).sum())
    return found


def main() -> None:
    """Measure, print, and write the same as JSON."""
    parser = argparse.ArgumentParser(description="All reasons of a night.")
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    sizes, trees = SIZES[asked.size]
    rows = []
    with tempfile.TemporaryDirectory(prefix="hva-night-") as name:
        folder = Path(name)
        explained_night.model(folder, trees, LEAVES)
        for n in sizes:
            path = folder / f"{n}.parquet"
            pq.write_table(explained_night.features(n).table, path)
            took = fresh(["-m", "benchmarks.explain_accounts", "night", folder, path, "de"])
            told = json.loads(took.out)
            rows.append(
                {
                    "case": f"{n:,} accounts, two models of {trees} × {LEAVES}, German words",
                    "seconds": round(took.seconds, 1),
                    "accounts a second": round(n / told["seconds"]),
                    "peak GiB": round(took.gib, 2),
                    "additivity violations": told["violations"],
                    **{f"{k} MiB": round(v) for k, v in sorted(told["mib"].items())},
                }
            )
    tell("explain_accounts", rows, asked.json, size=asked.size)


if __name__ == "__main__":
    if sys.argv[1:2] == ["night"]:
        print(json.dumps(night(Path(sys.argv[2]), Path(sys.argv[3]), tuple(sys.argv[4:]))))
    else:
        main()
