"""`hva nightly` on the simulated vendor, from its exports to published reasons: each stage, rows a second.

`python -m benchmarks.nightly [--size small|full] [--case CASE] [--folder FOLDER] [--json FILE]`: small is 5 k
accounts with 1 M events; full 100 k with 20 M, then 1 M accounts with 40 M. Models are learned from 3,000
simulated accounts and handed over by files. Full nights begin without a ledger. Each command is a process of
its own; of several nights the one whose total is the median is shown.
"""

import argparse
import json
import multiprocessing
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import hva_ml as hva
from benchmarks.incremental import LAST, PIPELINE, export, workspace
from benchmarks.peers import Took, fresh
from benchmarks.results import tell, with_others
from hva_ml.publication import read
from hva_ml.starter.stream import stream
from hva_ml.workspace import Workspace

NIGHTS = 3
CASES = {"small": {"5 k": (5_000, 200)}, "full": {"100 k": (100_000, 200), "1 M": (1_000_000, 40)}}
ONCE = ("1 M",)
FORCED = ("--force", "a benchmark")


def command(ws: Workspace, *words: str) -> Took:
    """Run a command of hva in a process of its own."""
    return fresh(["-m", "hva_ml.cli", *words, "--root", ws.root], limit=3600)


def releases(folder: Path) -> list[Path]:
    """Train two models that differ by their seed, and return the folders of their releases."""
    ws, _ = hva.init(folder)
    file = ws.pipelines / f"{PIPELINE}.toml"
    text = file.read_text(encoding="utf-8")
    found = []
    for seed in (7, 8):
        file.write_text(text.replace("[models]\nseed = 7", f"[models]\nseed = {seed}"), encoding="utf-8")
        command(ws, "train", PIPELINE)
        told = command(ws, "promote", PIPELINE, *FORCED, "--json")
        found.append(Path(json.loads(told.out)["path"]))
    return found


def vendor(folder: Path, accounts: int, events: int, first: date, release: Path) -> Workspace:
    """Return a workspace with the exports of a first day and a champion."""
    made = folder / "vendor"
    # Memory of a process counts for those that it starts.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as aside:
        aside.submit(
            stream, made, accounts=accounts, seed=7, first=date(2022, 1, 1), last=LAST,
            events_per_account=events,
        ).result()  # fmt: skip
        ws = workspace(folder / "ws")
        aside.submit(export, made, ws, first, None).result()
    command(ws, "promote", PIPELINE, "--from", str(release), *FORCED)
    return ws


def night(ws: Workspace, day: date, *, full: bool) -> tuple[Took, dict[str, Any]]:
    """Make one night; returns what the process took, and its summary."""
    if full:
        shutil.rmtree(ws.ledger(PIPELINE), ignore_errors=True)
    took = command(ws, "nightly", PIPELINE, "--as-of", str(day), "--json")
    told: dict[str, Any] = json.loads(took.out)
    if told["outcome"] != "published":
        raise RuntimeError(f"the night of {day} was {told['outcome']}: {told['error']}")
    return took, told


def stages(case: str, nights: Sequence[tuple[Took, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return a row for each stage of the night in the middle, and one for the whole process."""
    took, told = sorted(nights, key=lambda n: n[0].seconds)[len(nights) // 2]
    rows = []
    for stage in told["stages"]:
        if stage["outcome"] == "done":
            per_second = stage["rows"] / stage["seconds"] if stage["seconds"] else None
            rows.append(
                {
                    "case": f"{case}: {stage['name']}",
                    "seconds": round(stage["seconds"], 1),
                    "rows": stage["rows"],
                    "rows a second": round(per_second) if per_second else None,
                    "peak GiB": round(stage["peak_bytes"] / 2**30, 2),
                }
            )
    whole = {
        "case": f"{case}: the whole process",
        "seconds": round(took.seconds, 1),
        "rows": told["accounts"],
        "rows a second": round(told["accounts"] / took.seconds),
        "peak GiB": round(max(n[0].gib for n in nights), 2),
        "processor seconds": round(took.cpu_seconds, 1),
    }
    return [*rows, whole]


def measure(
    name: str, accounts: int, events: int, folder: Path, models: Sequence[Path]
) -> list[dict[str, Any]]:
    """Return the rows of one vendor: a full night, nights after a day, the way back to the release before."""
    first = LAST - timedelta(days=2 * NIGHTS + 1)
    ws = vendor(folder, accounts, events, first, models[0])
    once = name in ONCE
    days = iter(first + timedelta(days=k) for k in range(1, 2 * NIGHTS + 1))
    full, short = [night(ws, first, full=True)], []
    for _ in range(1 if once else NIGHTS):
        day = next(days)
        export(folder / "vendor", ws, day, day - timedelta(days=1))
        short.append(night(ws, day, full=False))
    for _ in range(0 if once else NIGHTS - 1):
        day = next(days)
        export(folder / "vendor", ws, day, day - timedelta(days=1))
        full.append(night(ws, day, full=True))
    title = f"{accounts:,} accounts, {accounts * events // 1_000_000} M events"
    rows = stages(f"{title}, full", full) + stages(f"{title}, after a day", short)
    return rows if once else [*rows, back(title, ws, day, models[1])]


def back(title: str, ws: Workspace, day: date, release: Path) -> dict[str, Any]:
    """Publish a night of another release, and go back to the one before and its scores."""
    before = read(ws.scores(PIPELINE))
    command(ws, "promote", PIPELINE, "--from", str(release), *FORCED)
    night(ws, day, full=False)
    took = command(ws, "rollback", PIPELINE, "--reason", "a benchmark")
    after = read(ws.scores(PIPELINE))
    return {
        "case": f"{title}: hva rollback, start of Python included",
        "seconds": round(took.seconds, 1),
        "peak GiB": round(took.gib, 2),
        "processor seconds": round(took.cpu_seconds, 1),
        "same scores again": "yes" if after.equals(before) else "no",
    }


def main() -> None:
    """Measure, print, and write the same as JSON."""
    parser = argparse.ArgumentParser(description="The stages of a night.")
    parser.add_argument("--size", choices=list(CASES), default="small")
    parser.add_argument("--folder", type=Path, help="Where the made-up files go; else a temporary folder.")
    parser.add_argument("--case", help="Only this case, such as '100 k'; rows of others stay in the JSON.")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="hva-nightly-", dir=asked.folder) as made:
        folder = Path(made)
        models = releases(folder / "models")
        for name, (accounts, events) in CASES[asked.size].items():
            if asked.case not in (None, name):
                continue
            rows += measure(name, accounts, events, folder / name, models)
            shutil.rmtree(folder / name)
            tell("nightly", with_others(rows, asked.json, asked.size), asked.json, size=asked.size)


if __name__ == "__main__":
    main()
