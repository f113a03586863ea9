"""Exact SHAP values beside other implementations, on the same model and rows, interleaved.

`python -m benchmarks.explain [--size small|full] [--repeats N] [--json FILE]`: 150 features with missing
values; small has 100 trees, full 500; 31 and 63 leaves, numbers alone and with sets of categories. Each call
is a fresh process that times the values alone (ours held to the scores, which are there already); slow
peers get fewer rows, and ratios are of rows a second. `shap.TreeExplainer` hands path-dependent values of
LightGBM models to LightGBM itself, so those two rows are one implementation.
"""

import argparse
import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from benchmarks.peers import PeerError, fresh, interpreter
from benchmarks.results import tell

HERE = Path(__file__).resolve().parent
FEATURES = 150
TREES = {"small": 100, "full": 500}
ROWS = 20_000
TOLERANCE = 1e-9


@dataclass
class Tool:
    """One implementation; `rows` is what it gets."""

    name: str
    script: str
    rows: int
    requirements: tuple[str, ...] = ()
    speeds: list[float] = field(default_factory=list)
    problem: str = ""
    equal: str = ""

    @property
    def speed(self) -> float:
        """Median rows a second."""
        return statistics.median(self.speeds)


def covers() -> list[Tool]:
    """Return the implementations of path-dependent values."""
    wood = ("woodelf_explainer", "lightgbm", "pandas", "scikit-learn")
    fast = ("fasttreeshap", "numpy<2", "lightgbm<4")
    return [
        Tool("LightGBM pred_contrib", "lightgbm_contrib", 1_000),
        Tool("shap.TreeExplainer", "shap_covers", 1_000),
        Tool("WOODELF", "woodelf_covers", ROWS, wood),
        Tool("fasttreeshap v2", "fasttreeshap_covers", 1_000, fast),
    ]


def model(path: Path, trees: int, leaves: int, categories: bool) -> tuple[Path, Path]:
    """Train a model; write it, the rows and a reference account."""
    random = np.random.default_rng(7)
    X = random.normal(size=(ROWS, FEATURES))
    sets = list(range(100, 120)) if categories else []
    X[:, sets] = random.integers(0, 40, (ROWS, len(sets)))
    signal = X[:, :100] @ random.normal(size=100) + X[:, 0] * X[:, 1]
    for j in sets:
        signal += 3.0 * (X[:, j] % 7 < 3)
    X[random.random(X.shape) < 0.1] = np.nan
    y = (signal + random.normal(size=ROWS) > np.median(signal)).astype(float)
    params = {"objective": "binary", "num_leaves": leaves, "learning_rate": 0.05, "verbosity": -1, "seed": 7}
    data = lightgbm.Dataset(X, y, categorical_feature=sets or "auto")
    lightgbm.train(params, data, trees).save_model(path / "model.txt")
    np.save(path / "rows.npy", X)
    np.save(path / "reference.npy", X[77])
    return path / "model.txt", path / "rows.npy"


def run(tool: Tool, folder: Path, *more: str) -> np.ndarray[Any, Any]:
    """Run one implementation once; notes its rows a second and returns the values."""
    out = folder / f"{tool.script}.npy"
    script: list[str | Path] = [HERE / "explain_peers" / f"{tool.script}.py"]
    if tool.script == "ours":
        script = ["-m", "benchmarks.explain_peers.ours"]
    python = interpreter(tool.requirements) if tool.requirements else None
    files = [folder / name for name in ("model.txt", "rows.npy", "reference.npy")]
    took = fresh([*script, *files, out, str(tool.rows), *more], python=python)
    line = next(x for x in reversed(took.out.splitlines()) if x[:1].isdigit())
    tool.speeds.append(tool.rows / float(line.split()[0]))
    found: np.ndarray[Any, Any] = np.load(out)
    return found


def compare(
    case: str, folder: Path, background: str, tools: list[Tool], repeats: int
) -> list[dict[str, Any]]:
    """Run ours and the others in turn; returns one row for each of the others."""
    ours = Tool("hva_ml", "ours", ROWS)
    for _ in range(repeats):
        mine = run(ours, folder, background)
        for tool in tools:
            if tool.problem:
                continue
            try:
                theirs = run(tool, folder)
            except PeerError as error:
                tool.problem = str(error)
                continue
            apart = float(np.abs(mine[: len(theirs)] - theirs).max() / np.abs(theirs).max())
            tool.equal = "yes" if apart <= TOLERANCE else f"apart by {apart:.1g} of the largest"
    return [
        {"case": f"{case}: {t.name}", "equal": t.problem}
        if t.problem
        else {
            "case": f"{case}: {t.name}",
            "ours": round(ours.speed),
            "peer": round(t.speed),
            "ratio": round(ours.speed / t.speed, 1),
            "equal": t.equal,
        }
        for t in tools
    ]


def blocks(folder: Path, kind: str) -> list[dict[str, Any]]:
    """Return our speed at numbers of rows that fill no block, and the seconds a cold process waits first.

    A block whose loops are not vectorised would show as a fall between neighbouring numbers of rows.
    """
    rows: list[dict[str, Any]] = []
    for n in (64, 127, 128, 129, 1_000, 1_001, ROWS):
        tool = Tool("hva_ml", "ours", n)
        for _ in range(3):
            run(tool, folder, "covers")
        rows.append({"case": f"hva_ml alone, {kind}: {n:,} rows", "ours": round(tool.speed)})
    files = [folder / name for name in ("model.txt", "rows.npy", "reference.npy", "cold.npy")]
    cold = {"NUMBA_CACHE_DIR": str(folder / "cold")}
    out = fresh(["-m", "benchmarks.explain_peers.ours", *files, "64", "covers"], environment=cold).out
    rows.append({"case": f"hva_ml alone, {kind}: compiling once, seconds", "ours": float(out.split()[1])})
    return rows


def main() -> None:
    """Measure, print, and write the same as JSON; figures are rows a second."""
    parser = argparse.ArgumentParser(description="SHAP values, ours and others.")
    parser.add_argument("--size", choices=list(TREES), default="small")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for categories in (False, True):
        for leaves in (31, 63):
            with tempfile.TemporaryDirectory(prefix="hva-explain-") as name:
                folder = Path(name)
                model(folder, TREES[asked.size], leaves, categories)
                kind = f"{TREES[asked.size]} × {leaves}{', categories' if categories else ''}"
                tools = covers()[:1] if categories else covers()
                rows += compare(f"covers, {kind}", folder, "covers", tools, asked.repeats)
                if not categories:
                    shap = [Tool("shap.TreeExplainer", "shap_reference", 5_000)]
                    rows += compare(f"one reference, {kind}", folder, "reference", shap, asked.repeats)
                    if leaves == 31:
                        rows += blocks(folder, kind)
    tell("explain (rows a second)", rows, asked.json, size=asked.size)


if __name__ == "__main__":
    main()
