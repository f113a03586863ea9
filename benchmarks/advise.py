"""What would help, for one account: how long the search takes once models and accounts are loaded.

`python -m benchmarks.advise [--size small|full] [--json FILE]`: 150 features, of which 28 may move (six kinds
of activity in three windows with their recency, and all together); both models have 500 trees, at 31 and 63
leaves. Small compares with 5,000 accounts and asks for 100 of them, full with 20,000 and 500. `ready` is what
is done once for a run. Times are milliseconds for an account; no time is spent on words.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import tell
from hva_ml.calibration import Platt
from hva_ml.explanation.counterfactual import Population, advise
from hva_ml.explanation.levers import Lever, rules
from hva_ml.features.definition import FeatureDefinition, Unit
from hva_ml.training.booster import Booster

KINDS = ("call", "meeting", "demo", "offer", "visit", "sample")
WINDOWS = (30, 90, 365)
FEATURES, TREES = 150, 500
SIZES = {"small": (5_000, 100), "full": (20_000, 500)}


def accounts(n: int, random: np.random.Generator) -> dict[str, Any]:
    """Return features that agree with each other, by name, shape (n,) each."""
    columns: dict[str, Any] = {}
    activity = random.gamma(1.0, 1.5, n)
    for kind in KINDS:
        counts = np.cumsum(random.poisson(activity[:, None] * [0.4, 0.6, 2.0]), axis=1).T.astype(float)
        bounds = np.array([[0.0, 30.0], [30.0, 90.0], [90.0, 365.0]])[np.argmax(counts > 0, axis=0)]
        last = random.uniform(bounds[:, 0] + 0.001, bounds[:, 1])
        columns |= {f"events.{kind}.count_{w}d": c for w, c in zip(WINDOWS, counts, strict=True)}
        columns[f"events.{kind}.recency_days"] = np.where(counts[2] > 0, last, np.nan)
    for w in WINDOWS:
        columns[f"events.count_{w}d"] = np.sum([columns[f"events.{k}.count_{w}d"] for k in KINDS], axis=0)
    columns["events.recency_days"] = np.fmin.reduce([columns[f"events.{k}.recency_days"] for k in KINDS])
    for j in range(FEATURES - len(columns)):
        columns[f"other.x{j}"] = random.normal(size=n)
    return columns


def definition(name: str) -> FeatureDefinition:
    """Return what a column is."""
    about, _, what = name.rpartition(".")
    measure, _, span = what.partition("_")
    window = int(span[:-1]) if measure == "count" else None
    unit: Unit = "days" if measure == "recency" else "count"
    return FeatureDefinition(
        name, "engagement", "number", "events", measure, unit, name, name, window, f"{about}.{measure}"
    )


def models(
    X: Any, names: tuple[str, ...], leaves: int, random: np.random.Generator
) -> tuple[Booster, Booster]:
    """Train both models so that activity counts for much in them."""
    known = np.log1p(np.nan_to_num(np.abs(X), nan=400.0))
    signal = known @ random.normal(0.0, 0.3, X.shape[1]) + 0.8 * known[:, names.index("events.count_90d")]
    bought = (signal + random.logistic(size=len(X)) > np.quantile(signal, 0.7)).astype(float)
    worth = np.exp(8.0 + 0.2 * signal + random.normal(0, 0.5, len(X)))
    params = {"num_leaves": leaves, "learning_rate": 0.05}
    fit = {"names": names, "params": params, "rounds": TREES, "seed": 7}
    return (
        Booster.fit(X, bought, objective="binary", **fit),  # type: ignore[arg-type]
        Booster.fit(X, worth, objective="gamma", **fit),  # type: ignore[arg-type]
    )


def measure(leaves: int, n: int, asked: int) -> dict[str, Any]:
    """Ask for some accounts of a run, one after the other."""
    random = np.random.default_rng(7)
    columns = accounts(n, random)
    names = tuple(columns)
    X = np.column_stack([columns[c] for c in names])
    definitions = [definition(c) for c in names]
    conversion, value = models(X, names, leaves, random)
    calibrator = Platt(1.0, 0.0)

    def score(rows: Any) -> Any:
        return calibrator.probability(conversion.margin(rows)) * np.exp(value.margin(rows))

    worth = score(X)
    levers = [
        Lever(d, 0.0, {30: 10.0, 90: 25.0, 365: 80.0, None: 90.0}[d.window_days], 1.0)
        for d in definitions
        if d.name.startswith("events.")
    ]
    known = rules(definitions)
    rows = random.choice(n, asked + 1, replace=False)
    others = np.delete(np.arange(n), rows)
    population = Population(names, X[others], (False,) * len(names), worth[others])
    took, helped = [], 0
    for row in rows:
        own = dict(zip(names, X[row].tolist(), strict=True))
        begun = time.perf_counter()
        helped += bool(advise(population, X[row], levers, known, own, score))
        took.append(1000 * (time.perf_counter() - begun))
    return {
        "case": f"{TREES} × {leaves}, {len(levers)} of {FEATURES} may move, {len(others):,} accounts",
        "median ms": round(float(np.median(took[1:])), 1),
        "p99 ms": round(float(np.quantile(took[1:], 0.99)), 1),
        "ready ms": round(took[0] - float(np.median(took[1:]))),
        "helped": f"{helped} of {asked + 1}",
    }


def main() -> None:
    """Measure, print, and write the same as JSON."""
    parser = argparse.ArgumentParser(description="Advice for one account, milliseconds.")
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = [measure(leaves, *SIZES[asked.size]) for leaves in (31, 63)]
    tell("advise (milliseconds an account)", rows, asked.json, size=asked.size)


if __name__ == "__main__":
    main()
