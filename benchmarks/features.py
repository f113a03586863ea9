"""Point-in-time features from Parquet to Parquet, beside what users of other tools would write.

`python -m benchmarks.features [--size small|full] [--only PART …] [--repeats N] [--json FILE]`: small is 1 M
events of 5 k accounts, full 20 M of 100 k; with HVA_DATASETS also `online_retail`, from its raw file.
Peers run on the same file, interleaved, each in a fresh process, and all numbers are compared. FILE is
written after each part; with --only the other parts in it stay.
"""

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.feature_data import Task, differing, make
from benchmarks.peers import PeerError, Took, fresh, interpreter
from benchmarks.results import machine, tell

HERE = Path(__file__).resolve().parent
N_CUTOFFS = 12
PARTS = {
    "small": ("peers", "featuretools", "growth", "real"),
    "full": ("peers", "featuretools", "growth", "real", "huge"),
}
SIZES = {"small": (1_000_000, 5_000), "full": (20_000_000, 100_000)}
HUGE = (200_000_000, 1_000_000)
FEATURETOOLS_SIZES = {"small": (10_000, 100), "full": (2_000_000, 10_000)}


@dataclass
class Tool:
    """One way to make the features."""

    name: str
    script: str
    requirements: tuple[str, ...] = ()
    only: str = ""
    took: list[Took] = field(default_factory=list)
    problem: str = ""
    equal: str = ""

    @property
    def seconds(self) -> float:
        """Median seconds."""
        return statistics.median(t.seconds for t in self.took)

    @property
    def cpu_seconds(self) -> float:
        """Median seconds of the processor, all threads."""
        return statistics.median(t.cpu_seconds for t in self.took)

    @property
    def gib(self) -> float:
        """Largest peak memory."""
        return max(t.gib for t in self.took)

    def alone(self) -> dict[str, Any]:
        """Return a row of the table without a peer."""
        return {
            "case": self.name,
            "ours": round(self.seconds, 2),
            "ours_cpu": round(self.cpu_seconds, 1),
            "ours_gib": round(self.gib, 2),
        }

    def beside(self, ours: "Tool") -> dict[str, Any]:
        """Return the row of a peer."""
        if not self.took:
            return {"case": self.name, "equal": self.problem}
        return {
            **ours.alone(),
            "case": self.name,
            "peer": round(self.seconds, 2),
            "ratio": round(self.seconds / ours.seconds, 2),
            "peer_cpu": round(self.cpu_seconds, 1),
            "cpu_ratio": round(self.cpu_seconds / ours.cpu_seconds, 2),
            "peer_gib": round(self.gib, 2),
            "equal": self.equal,
        }


PEERS = (
    Tool("read, group by account, type, day (the floor)", "floor"),
    Tool("DuckDB SQL, small groups first (its best)", "duckdb_grouped"),
    Tool("DuckDB SQL, a filter for each feature", "duckdb_filters", only="small"),
    Tool("Polars", "polars_loop", ("polars", "pyarrow")),
    Tool("pandas", "pandas_loop"),
)
FEATURETOOLS = Tool("featuretools", "featuretools_dfs", ("featuretools", "pandas<3", "pyarrow", "setuptools"))


def run(tool: Tool, task: Task, folder: Path) -> Path:
    """Run one tool once in a fresh process; returns its feature file."""
    out = folder / f"{tool.script}.parquet"
    out.unlink(missing_ok=True)
    told = folder / "task.json"
    told.write_text(json.dumps(task.record()), encoding="utf-8")
    python = interpreter(tool.requirements) if tool.requirements else None
    script: list[str | Path] = [HERE / "feature_peers" / f"{tool.script}.py"]
    if tool.script == "ours":
        script = ["-m", "benchmarks.feature_peers.ours"]
    tool.took.append(fresh([*script, task.events, out, told], python=python))
    return out


def compare(task: Task, folder: Path, peers: Sequence[Tool], repeats: int) -> list[dict[str, Any]]:
    """Run ours and all peers in turn, and hold their numbers against each other once."""
    ours = Tool("hva_ml", "ours")
    tools = [replace(t, took=[]) for t in peers]
    for round_ in range(repeats):
        mine = run(ours, task, folder)
        for tool in tools:
            if tool.problem:
                continue
            try:
                theirs = run(tool, task, folder)
            except PeerError as error:
                tool.problem = str(error)
                continue
            if round_ == 0 and tool.script != "floor":
                wrong = differing(mine, theirs)
                tool.equal = f"no: {wrong[0]} …" if wrong else "yes"
    return [t.beside(ours) for t in tools]


def growth(folder: Path, rows: int, accounts: int, repeats: int) -> list[dict[str, Any]]:
    """Return how the time grows with twice the events, and with twice the cutoffs."""
    found = []
    sizes = {"": (rows, N_CUTOFFS), "× 2 events": (2 * rows, N_CUTOFFS), "× 2 cutoffs": (rows, 2 * N_CUTOFFS)}
    base = Tool("", "ours")
    for name, (n, n_cutoffs) in sizes.items():
        tool = Tool(name, "ours")
        task = make(folder / "growth.parquet", n, accounts, n_cutoffs)
        for _ in range(repeats):
            run(tool, task, folder)
        if name:
            ratios = (tool.seconds / base.seconds, tool.cpu_seconds / base.cpu_seconds)
            found.append({**tool.alone(), "ratio": round(ratios[0], 2), "cpu_ratio": round(ratios[1], 2)})
        base = tool if not name else base
    return found


def real(folder: Path, repeats: int) -> list[dict[str, Any]]:
    """Return what all features of a shipped pipeline take, reading and the contract's checks included."""
    if not os.environ.get("HVA_DATASETS"):
        return []
    tool = Tool("online_retail", "shipped")
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(dir=folder) as own:
            tool.took.append(fresh(["-m", "benchmarks.feature_peers.shipped", "online_retail", own]))
    made = json.loads(tool.took[-1].out)
    case = f"online_retail: {made['rows']:,} rows at {made['cutoffs']} cutoffs, {made['features']} features"
    return [{**tool.alone(), "case": case}]


def huge(folder: Path) -> dict[str, Any]:
    """Return what a file takes that is larger than the memory allowed."""
    ours = Tool("200 M events, 1 M accounts", "ours")
    run(ours, make(folder / "huge.parquet", *HUGE, N_CUTOFFS), folder)
    return ours.alone()


def parts(size: str, repeats: int, folder: Path) -> dict[str, Callable[[], list[dict[str, Any]]]]:
    """Return what makes the rows of each part of the table, in its order."""
    rows, accounts = SIZES[size]
    events = folder / "events.parquet"
    peers = [peer for peer in PEERS if peer.only in ("", size)]
    return {
        "peers": lambda: compare(make(events, rows, accounts, N_CUTOFFS), folder, peers, repeats),
        "featuretools": lambda: compare(
            make(events, *FEATURETOOLS_SIZES[size], N_CUTOFFS, late=0.0), folder, [FEATURETOOLS], 1
        ),
        "growth": lambda: growth(folder, rows // 2, accounts // 2, repeats),
        "real": lambda: real(folder, repeats),
        "huge": lambda: [huge(folder)],
    }


def kept(file: Path | None, size: str) -> dict[str, list[dict[str, Any]]]:
    """Return the parts that were measured before on this machine, from the file that is to be written."""
    if file is None or not file.is_file():
        return {}
    record = json.loads(file.read_text(encoding="utf-8"))
    if (record["size"], record["machine"]) != (size, machine()):
        return {}
    rows = iter(record["rows"])
    return {part: list(islice(rows, count)) for part, count in record["parts"].items()}


def main() -> None:
    """Measure, print, and write the same as JSON."""
    parser = argparse.ArgumentParser(description="Features from Parquet to Parquet, ours and others.")
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--only", choices=PARTS["full"], nargs="+", help="Only these; others in FILE stay.")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="Where the made-up files go; else a temporary folder.")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = kept(asked.json, asked.size) if asked.only else {}
    with tempfile.TemporaryDirectory(prefix="hva-features-", dir=asked.folder) as folder:
        work = parts(asked.size, asked.repeats, Path(folder))
        # The kernels are compiled at their first use on a machine and kept.
        run(Tool("compiled", "ours"), make(Path(folder) / "few.parquet", 1_000, 10, N_CUTOFFS), Path(folder))
        for part in asked.only or PARTS[asked.size]:
            found[part] = work[part]()
            ordered = {p: found[p] for p in PARTS["full"] if p in found}
            rows = [row for part_rows in ordered.values() for row in part_rows]
            sizes = {p: len(part_rows) for p, part_rows in ordered.items()}
            tell("features", rows, asked.json, size=asked.size, parts=sizes)


if __name__ == "__main__":
    main()
