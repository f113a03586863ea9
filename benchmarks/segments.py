"""Shifts of segments on real data: whether they pay, and what came of them on later rows.

`python -m benchmarks.segments [--size small|full] [--json FILE]` needs HVA_DATASETS. Bank Marketing without
`duration`: trees of the first 70 % of the calls, calibrated on the next 10 %, measured on the last 20 %; the
settings are those of `benchmarks.calibration`, never tuned. `blind` trees do not see the category themselves.
`full` adds the other public pipelines as `hva train` judges them, with settings searched without segments.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import hva_ml as hva
from benchmarks import segment_pipelines as pipelines
from benchmarks.calibration import SEED, bank, margins
from benchmarks.results import tell
from benchmarks.segment_shifts import Judged
from hva_ml.calibration import Later, Membership, calibrate

CATEGORIES = ("contact", "job", "education", "poutcome")
LEADS: dict[str, tuple[str, ...]] = {
    "olist": ("lead.origin", "lead.landing_page"),
    "salvirt": ("lead.seller", "lead.product"),
}
ACCOUNTS: dict[str, tuple[str, ...]] = {
    "online_retail": ("firmographic.country",),
    "adventureworks": ("firmographic.country", "accounts.business_type"),
}


def calls(folder: Path, full: bool) -> Iterator[dict[str, Any]]:
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
            judged = Judged(shared.map.logit(margin[judge]), leads.y[judge], np.flatnonzero(judge))
            yield judged.row(f"bank, {name}{', blind trees' if blind else ''}", found, member.take(judge))


def cases(folder: Path, full: bool) -> Iterator[dict[str, Any]]:
    """Yield the rows of Bank Marketing; with `full`, those of the other pipelines too."""
    yield from calls(folder, full)
    if not full:
        return
    with tempfile.TemporaryDirectory() as place:
        ws, _ = hva.init(Path(place))
        for pipeline, names in LEADS.items():
            yield from pipelines.leads(ws, pipeline, names)
        for pipeline, names in ACCOUNTS.items():
            yield from pipelines.accounts(ws, pipeline, names)


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
