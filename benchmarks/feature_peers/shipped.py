"""hva_ml: the features of a shipped pipeline as its training makes them, from its raw source to Parquet.

`python -m benchmarks.feature_peers.shipped PIPELINE FOLDER` prints accounts × cutoffs, cutoffs and features.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

import hva_ml as hva
from hva_ml.jobs.features import build_features
from hva_ml.jobs.prepare import calendar, prepare


def main(arguments: Sequence[str]) -> None:
    """Make the features in a new workspace."""
    name, folder = arguments
    ws, _ = hva.init(Path(folder) / "workspace")
    config = ws.config(name)
    prepared = prepare(ws, config)
    when = calendar(config, prepared.tables)
    features = build_features(ws, config, prepared.tables, when, prepared.own)
    pq.write_table(features.table, Path(folder) / "features.parquet")
    told = {
        "rows": features.table.num_rows,
        "cutoffs": len(when.days),
        "features": len(features.definitions),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
