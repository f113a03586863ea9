"""Raw scores of one model beside LightGBM and compilers of its trees, on the same rows, interleaved.

`python -m benchmarks.scoring [--size small|full] [--repeats N] [--json FILE]`: 500 trees of 31 and 63 leaves,
150 features with missing values, numbers alone and with sets of categories; small scores 20,000 rows, full
100,000 and asks lleaves, too, which compiles for minutes. Each call is a fresh process on two threads that
times all rows once it is ready, and the seconds until then; `equal` compares bits. `per core` is the ratio of
processor seconds: on a busy machine, threads that wait for each other spoil the other one.
"""

import argparse
import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.explain import model
from benchmarks.peers import PeerError, fresh, interpreter
from benchmarks.results import tell

HERE = Path(__file__).resolve().parent
TREES = 500
ROWS = {"small": 20_000, "full": 100_000}
ONNX = ("onnxruntime", "onnxmltools", "skl2onnx", "lightgbm")
LLEAVES = ("lleaves", "llvmlite<0.44", "lightgbm")


@dataclass
class Tool:
    """One implementation: rows a second, rows a second of the processor, seconds until it may begin."""

    name: str
    script: str
    requirements: tuple[str, ...] = ()
    speeds: list[float] = field(default_factory=list)
    per_core: list[float] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    problem: str = ""
    equal: str = ""

    def run(self, folder: Path) -> np.ndarray[Any, Any]:
        """Score all rows in a fresh process; notes its figures and returns the scores."""
        script: list[str | Path] = [HERE / "scoring_peers" / f"{self.script}.py"]
        if self.script == "ours":
            script = ["-m", "benchmarks.scoring_peers.ours"]
        python = interpreter(self.requirements) if self.requirements else None
        out = folder / f"{self.script}.npy"
        took = fresh([*script, folder / "model.txt", folder / "scored.npy", out], python=python)
        seconds, used, ready = map(float, took.out.splitlines()[-1].split())
        found: np.ndarray[Any, Any] = np.load(out)
        self.speeds.append(len(found) / seconds)
        self.per_core.append(len(found) / used)
        self.ready.append(ready)
        return found


def tools(size: str) -> list[Tool]:
    """Return the others."""
    found = [Tool("LightGBM", "lightgbm_raw"), Tool("onnxruntime", "onnx_raw", ONNX)]
    return found + ([Tool("lleaves", "lleaves_raw", LLEAVES)] if size == "full" else [])


def fresh_rows(folder: Path, n: int) -> None:
    """Write rows that no tree has seen: each feature drawn by itself from those of the training."""
    X = np.load(folder / "rows.npy")
    drawn = np.random.default_rng(11).integers(0, len(X), (n, X.shape[1]))
    np.save(folder / "scored.npy", X[drawn, np.arange(X.shape[1])])


def compare(case: str, folder: Path, others: list[Tool], repeats: int) -> list[dict[str, Any]]:
    """Run ours and the others in turn; returns one row for each of the others."""
    ours = Tool("hva_ml", "ours")
    for _ in range(repeats):
        mine = ours.run(folder)
        for tool in others:
            if tool.problem:
                continue
            try:
                theirs = tool.run(folder)
            except PeerError as error:
                tool.problem = str(error)
                continue
            same = np.array_equal(mine.view(np.int64), theirs.view(np.int64))
            tool.equal = "yes" if same else f"apart by up to {np.abs(mine - theirs).max():.1g}"
    told = [{"equal": t.problem} if t.problem else _figures(ours, t) for t in others]
    return [{"case": f"{case}: {t.name}", **figures} for t, figures in zip(others, told, strict=True)]


def _figures(ours: Tool, peer: Tool) -> dict[str, Any]:
    speed, other = statistics.median(ours.speeds), statistics.median(peer.speeds)
    return {
        "ours": round(speed),
        "peer": round(other),
        "ratio": round(speed / other, 1),
        "per core": round(statistics.median(ours.per_core) / statistics.median(peer.per_core), 1),
        "equal": peer.equal,
        "ours ready s": round(statistics.median(ours.ready), 2),
        # What is compiled once and then kept is waited for in the first call.
        "peer ready s": round(peer.ready[0], 2),
    }


def compiling(folder: Path) -> dict[str, Any]:
    """Return the seconds that a machine waits once, before any machine code is kept."""
    files = [folder / "model.txt", folder / "scored.npy", folder / "cold.npy"]
    cold = {"NUMBA_CACHE_DIR": str(folder / "cold")}
    out = fresh(["-m", "benchmarks.scoring_peers.ours", *files], environment=cold).out
    return {
        "case": "hva_ml alone: ready the first time on a machine",
        "ours ready s": round(float(out.split()[-1]), 2),
    }


def main() -> None:
    """Measure, print, and write the same as JSON; figures are rows a second."""
    parser = argparse.ArgumentParser(description="Raw scores, ours and others.")
    parser.add_argument("--size", choices=list(ROWS), default="small")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for categories in (False, True):
        for leaves in (31, 63):
            with tempfile.TemporaryDirectory(prefix="hva-scoring-") as name:
                folder = Path(name)
                model(folder, TREES, leaves, categories)
                fresh_rows(folder, ROWS[asked.size])
                case = f"{TREES} × {leaves}{', categories' if categories else ''}"
                rows += compare(case, folder, tools(asked.size), asked.repeats)
                if categories and leaves == 63:
                    rows.append(compiling(folder))
    tell("scoring (rows a second)", rows, asked.json, size=asked.size)


if __name__ == "__main__":
    main()
