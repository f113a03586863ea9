"""Shifts of segments on real leads in time order: whether they pay, and what came of them on later calls.

`python -m benchmarks.segments [--size small|full] [--json FILE]` needs HVA_DATASETS. Bank Marketing without
`duration`: trees of the first 70 % of the calls, calibrated on the next 10 %, measured on the last 20 %; the
settings are those of `benchmarks.calibration`, never tuned. `blind` trees do not see the category themselves.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.calibration import SEED, bank, margins
from benchmarks.results import tell
from hva_ml.calibration import Later, Membership, calibrate

CATEGORIES = ("contact", "job", "education", "poutcome")


def cases(folder: Path, full: bool) -> Iterator[dict[str, Any]]:
    """Yield one row per category, with trees that see it and, with `full`, with trees that do not."""
    leads = bank(folder)
    place = np.arange(len(leads.y)) / len(leads.y)
    train, judge = place < 0.7, place >= 0.8
    later = ~train & ~judge
    table = pd.read_csv(folder / "bank_marketing" / "bank-additional-full.csv.gz", sep=";")
    for blind in (False, True) if full else (False,):
        for name in CATEGORIES:
            known = leads.X.copy()
            if blind:
                known[:, leads.names.index(name)] = 0.0
            seen = type(leads)(known, leads.names, leads.y, leads.month, leads.wait_days)
            margin = margins(seen, train, ways=False)
            names, code = np.unique(table[name].to_numpy(dtype=np.str_), return_inverse=True)
            member = Membership(name, tuple(names.tolist()), code.astype(np.int64))
            groups = [str(k) for k in np.flatnonzero(later)]
            rows = (margin[later], leads.y[later], leads.month[later], groups, None)
            settled: dict[str, Any] = {"interval": 0.8, "wait_days": leads.wait_days, "seed": SEED}
            shared = calibrate(Later.of(*rows), "platt", "drift", **settled)
            found = calibrate(Later.of(*rows, member.take(later)), "platt", "drift", **settled).segments
            assert found is not None
            logit = shared.map.logit(margin[judge])
            own = logit + found.of(member.take(judge))
            losses = [float(np.mean(np.logaddexp(0, z) - leads.y[judge] * z)) for z in (logit, own)]
            yield {
                "case": f"bank, {name}{', blind trees' if blind else ''}", "segments": len(names),
                "sd": found.sd, "gain_before": found.gain, "error": found.error,
                "kept": "yes" if found.kept else "no",
                "log_loss": losses[0], "log_loss_with_shifts": losses[1],
            }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Shifts of segments.")
    parser.add_argument("--size", choices=["small", "full"], default="small")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = list(cases(Path(os.environ["HVA_DATASETS"]), asked.size == "full"))
    tell("segments", rows, asked.json, size=asked.size)


if __name__ == "__main__":
    main()
