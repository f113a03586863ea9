"""Nights that read only what is new beside nights that read all: seconds, memory, and whether bits differ.

`python -m benchmarks.incremental [--size small|full] [--folder FOLDER] [--json FILE]`: small is 5 k accounts
with 1 M events, full 100 k with 20 M. Engagement comes as one file of the past and one more each day; the
other exports are written anew each night. Each night is a fresh process, from sources to features.
"""

import argparse
import json
import re
import statistics
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

import hva_ml as hva
from benchmarks.peers import Took, fresh
from benchmarks.results import tell
from hva_ml.cutoffs import Calendar, instant
from hva_ml.jobs.features import build_features
from hva_ml.jobs.prepare import prepare
from hva_ml.jobs.tonight import prepare_tonight
from hva_ml.starter.stream import stream
from hva_ml.workspace import Workspace

PIPELINE, ZONE = "dach_sample", "Europe/Berlin"
ACCOUNTS = {"small": 5_000, "full": 100_000}
EVENTS_PER_ACCOUNT = 200
LAST, NIGHTS = date(2025, 12, 31), 3
RECORDED = {
    "companies": "recorded_at",
    "contacts": "created_at",
    "deals": "recorded_at",
    "invoices": "issued_at",
}


def workspace(root: Path) -> Workspace:
    """Make a workspace whose sources are exports on disk."""
    ws, _ = hva.init(root)
    file = ws.pipelines / f"{PIPELINE}.toml"
    text = file.read_text(encoding="utf-8")
    for name in (*RECORDED, "engagement"):
        path = ws.raw(PIPELINE) / (name if name == "engagement" else f"{name}.parquet")
        old = rf'(\[sources\.{name}\]\n)kind = "simulated"\ntable = "{name}"\n'
        text = re.sub(old, rf'\1kind = "parquet"\npath = "{path}"\n', text)
    file.write_text(text, encoding="utf-8")
    return ws


def export(made: Path, ws: Workspace, day: date, since: date | None) -> None:
    """Write what the systems export on a day: engagement recorded since the last export, all else anew."""
    to = ws.raw(PIPELINE)
    (to / "engagement").mkdir(parents=True, exist_ok=True)
    _copy(made / "engagement.parquet", to / "engagement" / f"{day}.parquet", "imported_at", since, day)
    for name, column in RECORDED.items():
        _copy(made / f"{name}.parquet", to / f"{name}.parquet", column, None, day)


def _copy(source: Path, to: Path, column: str, since: date | None, until: date) -> None:
    when = ds.field(column) < pa.scalar(instant(until, ZONE))
    if since is not None:
        when &= ds.field(column) >= pa.scalar(instant(since, ZONE))
    scanner = ds.dataset(source).scanner(filter=when, batch_size=500_000, batch_readahead=2)
    with pq.ParquetWriter(to, scanner.projected_schema, write_page_checksum=True) as writer:
        for batch in scanner.to_batches():
            if batch.num_rows:
                writer.write_batch(batch)


def correct(ws: Workspace, day: date) -> None:
    """Change one value in the export of a day."""
    file = ws.raw(PIPELINE) / "engagement" / f"{day}.parquet"
    table = pq.read_table(file)
    kinds = pa.array(["call", *table["event_type"].slice(1).to_pylist()])
    pq.write_table(table.set_column(table.schema.get_field_index("event_type"), "event_type", kinds), file)


def night(root: Path, day: date, mode: str) -> dict[str, Any]:
    """Make the features of one night, from the sources; return their fingerprint and what was read."""
    ws = Workspace.find(root)
    config, moment = ws.config(PIPELINE), instant(day, ZONE)
    if mode == "whole":
        prepared = prepare(ws, config, until=moment)
    else:
        prepared = prepare_tonight(ws, config, moment, full=mode == "full")
    calendar = Calendar((day,), config.horizon.days, config.horizon.gap_days, ZONE)
    features = build_features(ws, config, prepared.tables, calendar, prepared.own)
    return {
        "features": features.fingerprint(),
        "findings": [v.record() for v in prepared.tables.violations],
        "read": sum(r.read for r in prepared.reuse),
    }


class Case:
    """One kind of night: runs of ours and of reading everything."""

    def __init__(self, name: str, ws: Workspace, mode: str = "tonight") -> None:
        self._name, self._ws, self._mode = name, ws, mode
        self._took: dict[str, list[Took]] = {"ours": [], "peer": []}
        self._read, self._equal = 0, True

    def run(self, day: date) -> None:
        """Run both once, in turn."""
        said = {}
        for who, mode in (("ours", self._mode), ("peer", "whole")):
            took = fresh(["-m", "benchmarks.incremental", "--night", mode, str(day), self._ws.root])
            self._took[who].append(took)
            said[who] = json.loads(took.out)
        self._read = said["ours"].pop("read")
        said["peer"].pop("read")
        self._equal &= said["ours"] == said["peer"]

    def row(self) -> dict[str, Any]:
        """Return the row of the table: medians, the largest memory."""
        ours, peer = self._took["ours"], self._took["peer"]
        seconds = [statistics.median(t.seconds for t in runs) for runs in (ours, peer)]
        cpu = [statistics.median(t.cpu_seconds for t in runs) for runs in (ours, peer)]
        return {
            "case": self._name,
            "ours": round(seconds[0], 2),
            "ours_cpu": round(cpu[0], 1),
            "ours_gib": round(max(t.gib for t in ours), 2),
            "peer": round(seconds[1], 2),
            "peer_cpu": round(cpu[1], 1),
            "peer_gib": round(max(t.gib for t in peer), 2),
            "ratio": round(seconds[1] / seconds[0], 2),
            "cpu_ratio": round(cpu[1] / cpu[0], 2),
            "rows_read": self._read,
            "equal": "yes" if self._equal else "no",
        }


def measure(size: str, folder: Path) -> list[dict[str, Any]]:
    """Return the rows of the table."""
    made = folder / "vendor"
    stream(
        made, accounts=ACCOUNTS[size], seed=7, first=date(2022, 1, 1), last=LAST,
        events_per_account=EVENTS_PER_ACCOUNT,
    )  # fmt: skip
    ws = workspace(folder / "ws")
    first = LAST - timedelta(days=NIGHTS + 1)
    export(made, ws, first, None)
    # The kernels are compiled at their first use on a machine and kept.
    fresh(["-m", "benchmarks.incremental", "--night", "full", str(first), ws.root])
    cases = [Case("the first night", ws, "full")]
    for _ in range(NIGHTS):
        cases[-1].run(first)
    cases.append(Case("a night after a day", ws))
    for k in range(1, NIGHTS + 1):
        export(made, ws, first + timedelta(days=k), first + timedelta(days=k - 1))
        cases[-1].run(first + timedelta(days=k))
    cases.append(Case("the same night again", ws))
    for _ in range(NIGHTS):
        cases[-1].run(first + timedelta(days=NIGHTS))
    cases.append(Case("after a correction in one day's file", ws))
    for k in range(1, NIGHTS + 1):
        correct(ws, first + timedelta(days=k))
        cases[-1].run(first + timedelta(days=NIGHTS))
    return [case.row() for case in cases]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the same as JSON."""
    parser = argparse.ArgumentParser(description="Nights that read what is new beside nights that read all.")
    parser.add_argument("--size", choices=list(ACCOUNTS), default="small")
    parser.add_argument("--folder", type=Path, help="Where the made-up files go; else a temporary folder.")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--night", nargs=3, metavar=("MODE", "DAY", "ROOT"), help="One night, for ourselves.")
    asked = parser.parse_args(arguments)
    if asked.night:
        mode, day, root = asked.night
        print(json.dumps(night(Path(root), date.fromisoformat(day), mode)))
        return
    with tempfile.TemporaryDirectory(prefix="hva-incremental-", dir=asked.folder) as folder:
        rows = measure(asked.size, Path(folder))
    tell("incremental", rows, asked.json, size=asked.size)


if __name__ == "__main__":
    main()
