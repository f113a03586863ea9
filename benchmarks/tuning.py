"""The search of settings beside a plain Optuna and LightGBM script, on the same rows, folds and ranges.

`python -m benchmarks.tuning [--size small|full] [--repeats N] [--json FILE]`: the conversion model of the
shipped pipelines, and made-up rows; small takes the sample alone. Each search is a fresh process with a store
on disk; the script binds LightGBM's own number of threads, bins its rows in every trial and stops early, but
gives no trial up. Ours runs as shipped, with trees that learn twice as fast while searching
(`learning_rate_factor`), and with trees that do not. `test loss` is the log loss of the model with the
settings found, on later cutoffs.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import fresh
from benchmarks.results import tell
from hva_ml import splits
from hva_ml.config import Search
from hva_ml.jobs.prepare import prepare
from hva_ml.jobs.start import init
from hva_ml.jobs.training_set import training_set
from hva_ml.training.folds import folds
from hva_ml.training.matrix import Encoder
from hva_ml.workspace import Workspace

HERE = Path(__file__).resolve().parent
SEED = 7
TRIALS = {"small": 12, "full": 40}
FACTORS = (Search().learning_rate_factor, 1.0)
PLAIN = 0.0


def shipped(pipeline: str, to: Path) -> str:
    """Write training and test rows of a shipped pipeline; returns their size in words."""
    with tempfile.TemporaryDirectory(prefix="hva-tuning-") as name:
        init(Path(name))
        ws = Workspace(Path(name))
        config = ws.config(pipeline)
        data = training_set(ws, config, prepare(ws, config))
        split = splits.split(data.features.index, data.calendar, config.split, config.models.seed)
        train, test = data.features.take(split.train), data.features.take(split.test)
    encoder = Encoder.fit(train)
    groups = train.table["group_id"].to_pylist()
    codes = np.unique(train.table["cutoff"].to_numpy(), return_inverse=True)[1]
    y = data.targets.converted.astype(np.float64)
    return keep(
        to, encoder.transform(train), y[split.train], groups, codes, encoder.transform(test), y[split.test]
    )


def made_up(n: int, n_features: int, to: Path) -> str:
    """Write rows with a weak signal in ten of the features."""
    rng = np.random.default_rng(SEED)
    X = rng.lognormal(size=(n, n_features)).round(2)
    X[rng.random(X.shape) < 0.2] = np.nan
    signal = np.log(np.nan_to_num(X[:, :10], nan=1.0) + 0.1) @ rng.normal(size=10)
    y = (signal + rng.logistic(size=n) * 3 > 4).astype(np.float64)
    codes = np.sort(rng.integers(0, 12, n))
    groups = [f"G{k}" for k in rng.integers(0, n // 8, n)]
    last = codes >= 10
    kept = [g for g, out in zip(groups, last, strict=True) if not out]
    return keep(to, X[~last], y[~last], kept, codes[~last], X[last], y[last])


def keep(to: Path, X: Any, y: Any, groups: list[str], codes: Any, X_test: Any, y_test: Any) -> str:
    """Write one file of rows with the folds that both searches judge on."""
    parts = folds(groups, codes, y > 0, SEED)
    sides: dict[str, Any] = {f"fit{k}": p.fit for k, p in enumerate(parts)} | {
        f"valid{k}": p.valid for k, p in enumerate(parts)
    }
    np.savez(to, X=X, y=y, groups=np.array(groups), cutoffs=codes, X_test=X_test, y_test=y_test, **sides)
    return f"{len(X):,} × {X.shape[1]}"


def compare(case: str, rows: Path, trials: int, repeats: int) -> Iterator[dict[str, Any]]:
    """Run all searches in turn; yields medians of trials a minute, and the losses they came to."""
    ours: list[str | Path] = ["-m", "benchmarks.tuning_peers.ours"]
    scripts: dict[float, list[str | Path]] = {
        **dict.fromkeys(FACTORS, ours),
        PLAIN: [HERE / "tuning_peers" / "plain.py"],
    }
    speed: dict[float, list[float]] = {name: [] for name in scripts}
    loss: dict[float, list[float]] = {}
    for k in range(repeats):
        for name, script in scripts.items():
            store = rows.with_name(f"{name}{k}.db")
            took = fresh([*script, rows, str(trials), store, str(name)], limit=7200)
            seconds, searched, tested = map(float, took.out.splitlines()[-1].split())
            speed[name].append(60 * trials / seconds)
            loss[name] = [searched, tested]
            store.unlink()
    plain = statistics.median(speed[PLAIN])
    for factor in FACTORS:
        median = statistics.median(speed[factor])
        yield {
            "case": f"{case}, learning_rate_factor {factor:g}", "ours": round(median, 1),
            "peer": round(plain, 1), "ratio": round(median / plain, 1),
            "test loss": f"{loss[factor][1]:.4f}", "peer test loss": f"{loss[PLAIN][1]:.4f}",
            "search loss": f"{loss[factor][0]:.4f}", "peer search loss": f"{loss[PLAIN][0]:.4f}",
        }  # fmt: skip


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=TRIALS, default="small")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    trials = TRIALS[asked.size]
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="hva-tuning-") as name:
        path = Path(name) / "rows.npz"
        rows.extend(compare(f"dach_sample, {shipped('dach_sample', path)}", path, trials, asked.repeats))
        if asked.size == "full":
            if os.environ.get("HVA_DATASETS"):
                size = shipped("online_retail", path)
                rows.extend(compare(f"online_retail, {size}", path, trials, asked.repeats))
            size = made_up(200_000, 150, path)
            rows.extend(compare(f"made up, {size}", path, 12, 1))
    tell("tuning (trials a minute)", rows, asked.json, size=asked.size)


if __name__ == "__main__":
    main()
