"""What is let through: models of data with a signal, and of the same data with outcomes dealt out anew.

`python -m benchmarks.negative_control [--size small|full] [--json FILE]`: the simulated vendor with another
seed each time, trained and put to the gates twice: as it is, and with the outcomes of each cutoff permuted
among its accounts, so that nothing can be learned. The second kind must never be promoted. small: 3 seeds;
full: 20.
"""

import argparse
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa

import hva_ml as hva
from benchmarks.results import tell
from hva_ml import labels
from hva_ml.errors import NotEnoughDataError, RefusedError

SEEDS = {"small": 3, "full": 20}
PIPELINE = "dach_sample"


def permuted(seed: int) -> Any:
    """Return a maker of labels that gives every account of a cutoff the outcome of another."""
    straight = labels.build

    def build(*args: Any, **kwargs: Any) -> pa.Table:
        table = straight(*args, **kwargs)
        rng = np.random.default_rng(seed)
        moments = table["cutoff"].cast(pa.int64()).to_numpy()
        order = np.arange(len(moments))
        for moment in np.unique(moments):
            here = np.flatnonzero(moments == moment)
            order[here] = rng.permutation(here)
        for name in ("converted", "value_cents"):
            place = table.schema.get_field_index(name)
            table = table.set_column(place, name, table[name].take(pa.array(order)))
        return table

    return build


def outcome(seed: int, *, signal: bool) -> str:
    """Train and put to the gates in a workspace of its own; returns how it ended."""
    with tempfile.TemporaryDirectory(prefix="hva-control-") as name:
        ws, _ = hva.init(name)
        path = ws.pipelines / f"{PIPELINE}.toml"
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"(?m)^seed = \d+", f"seed = {seed}", text)
        text = re.sub(r"(?m)^trials = \d+", "trials = 4", text)
        path.write_text(text, encoding="utf-8")
        build = labels.build if signal else permuted(seed)
        with patch.object(labels, "build", build):
            try:
                hva.promote(hva.train(ws, PIPELINE))
            except NotEnoughDataError:
                return "refused in training"
            except RefusedError:
                return "refused by the gates"
    return "promoted"


def main() -> None:
    """Count and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SEEDS, default="small")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = []
    for signal, case in ((False, "no signal"), (True, "signal")):
        ends = Counter(outcome(100 + k, signal=signal) for k in range(SEEDS[asked.size]))
        kinds = ("promoted", "refused by the gates", "refused in training")
        rows.append({"case": case, "trainings": SEEDS[asked.size], **{k: ends[k] for k in kinds}})
    tell("negative control", rows, asked.json, size=asked.size)


if __name__ == "__main__":
    main()
