"""A base rate that drifts, on real leads in time order: what recalibration does to probabilities, trees kept.

`python -m benchmarks.calibration [--size small|full] [--json FILE]` needs HVA_DATASETS. Nothing is tuned: the
settings are the cautious starting point of the search. Bank Marketing without `duration`, trained on the
first part of the calls and measured on the last 20 %: every month is promised by a map that knows only the
months before it: the latest three, or the latest one. `small` leaves out the variants.
"""

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score

from benchmarks.results import tell
from hva_ml.calibration import Calibrated, Later, calibrate
from hva_ml.calibration.base_rate import Rule
from hva_ml.cutoffs import MICROSECONDS_PER_DAY
from hva_ml.errors import NotEnoughDataError
from hva_ml.evaluation.scoring import calibration_error, equal_mass_bins
from hva_ml.training.booster import Booster

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
SETTINGS = {"learning_rate": 0.05, "num_leaves": 8, "min_child_samples": 60, "feature_fraction": 0.6,
            "lambda_l2": 10.0}  # fmt: skip
ROUNDS, SEED = 150, 7
COHORTS = {"": 3, ", latest month": 1}
"""How many months teach a map, beside how the case says so."""
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
# As the first 80 % of the calls show: earlier contacts go with more deposits, more calls in one campaign with
# fewer; fewer jobs and lower interest with more.
WAYS = {"campaign": -1, "pdays": -1, "previous": 1, "euribor3m": -1, "emp.var.rate": -1, "nr.employed": -1}


@dataclass(frozen=True)
class Leads:
    """Rows in the order of time: features, outcome, month as microseconds, days until an outcome is known."""

    X: Floats
    names: list[str]
    y: Floats
    month: npt.NDArray[np.int64]
    wait_days: int


def bank(folder: Path) -> Leads:
    """Read Bank Marketing; years follow from the order of months."""
    table = pd.read_csv(folder / "bank_marketing" / "bank-additional-full.csv.gz", sep=";")
    y = np.asarray(table.pop("y") == "yes", dtype=np.float64)
    number = table.pop("month").map({m: k for k, m in enumerate(MONTHS)}).to_numpy()
    year = 2008 + np.cumsum(np.diff(number, prepend=number[0]) < 0)
    month = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + number
    table = table.drop(columns=["duration", "day_of_week"])
    table["pdays"] = table["pdays"].where(table["pdays"] != 999)
    X, names = _coded(table)
    return Leads(X, names, y, _micros(month), 31)


def _coded(table: pd.DataFrame) -> tuple[Floats, list[str]]:
    columns = []
    for _, column in table.items():
        if not pd.api.types.is_numeric_dtype(column):
            known = column.fillna("")
            column = known.map({v: k for k, v in enumerate(sorted(set(known)))})
        columns.append(column.to_numpy(dtype=np.float64))
    return np.column_stack(columns), list(table.columns)


def _micros(month: Any) -> npt.NDArray[np.int64]:
    return np.asarray(month.astype("datetime64[us]").astype(np.int64))


def margins(leads: Leads, train: npt.NDArray[np.bool_], ways: bool) -> Floats:
    """Return the margins of all rows by trees of the training rows."""
    known = {"monotone_constraints": [WAYS.get(n, 0) for n in leads.names],
             "monotone_constraints_method": "intermediate"} if ways else {}  # fmt: skip
    names = [f"f{k}" for k in range(len(leads.names))]
    booster = Booster.fit(leads.X[train], leads.y[train], objective="binary", names=names,
                          params={**SETTINGS, **known}, rounds=ROUNDS, seed=SEED)  # fmt: skip
    return booster.margin(leads.X)


def learned(leads: Leads, margin: Floats, rows: Bools, rule: Rule, cohorts: int) -> Calibrated | None:
    """Return the map of the latest cohorts of some rows; None if they cannot teach one."""
    months = np.unique(leads.month[rows])[-cohorts:]
    few = rows & np.isin(leads.month, months)
    names = [str(k) for k in np.flatnonzero(few)]
    try:
        later = Later.of(margin[few], leads.y[few], leads.month[few], names)
        return calibrate(later, "platt", rule, interval=0.8, wait_days=leads.wait_days, seed=SEED)
    except NotEnoughDataError:
        return None


def measured(
    case: str, leads: Leads, margin: Floats, train: Bools, test: Bools, rule: Rule, cohorts: int
) -> dict[str, Any]:
    """Return how the test rows are promised by one map for ever, and by one that is learned each month."""
    first = leads.month[test].min()
    wait = leads.wait_days * MICROSECONDS_PER_DAY
    free = ~train & ~test
    before = learned(leads, margin, free, "pooled", COHORTS[""])
    assert before is not None
    p, low, high = (np.empty(len(margin)) for _ in range(3))
    used = before
    for month in np.unique(leads.month[test]):
        here = test & (leads.month == month)
        known = ~train & (leads.month + wait <= month + MICROSECONDS_PER_DAY) if month > first else free
        used = learned(leads, margin, known, rule, cohorts) or used
        p[here] = used.map.probability(margin[here])
        low[here], high[here] = used.map.interval(margin[here])
    y, old = leads.y[test], before.map.probability(margin[test])
    inside = [
        low[m].mean() <= leads.y[m].mean() <= high[m].mean()
        for m in (test & (leads.month == k) for k in np.unique(leads.month[test]))
    ]
    briers = [float(np.mean((q - y) ** 2)) for q in (old, p[test])]
    return {
        "case": case, "rows": int(test.sum()), "rate": float(y.mean()),
        "roc_auc": float(roc_auc_score(y, old)), "roc_auc_recalibrated": float(roc_auc_score(y, p[test])),
        "brier": briers[0], "brier_recalibrated": briers[1],
        "better_percent": 100 * (1 - briers[1] / briers[0]),
        "error": _error(old, y), "error_recalibrated": _error(p[test], y),
        "months_within_bounds": f"{sum(inside)} of {len(inside)}",
    }  # fmt: skip


def _error(p: Floats, y: Floats) -> float:
    return float(calibration_error(p, y, equal_mass_bins(p), np.ones((1, len(y))))[0])


def cases(folder: Path, full: bool) -> Iterator[dict[str, Any]]:
    """Yield one row per way of training and recalibrating."""
    rules: tuple[Rule, ...] = ("drift", "pooled") if full else ("drift",)
    leads = bank(folder)
    place = np.arange(len(leads.y)) / len(leads.y)
    for share in (0.64, 0.7, 0.75) if full else (0.75,):
        for ways in (True, False) if full else (True,):
            margin = margins(leads, place < share, ways)
            for (told, cohorts), rule in product(COHORTS.items(), rules):
                if not told or rule == "drift":
                    case = f"bank, first {share:.0%}, {'directions' if ways else 'free'}, {rule}{told}"
                    yield measured(case, leads, margin, place < share, place >= 0.8, rule, cohorts)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Base rates that drift.")
    parser.add_argument("--size", choices=["small", "full"], default="small")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = list(cases(Path(os.environ["HVA_DATASETS"]), asked.size == "full"))
    tell("calibration", rows, asked.json, size=asked.size)


if __name__ == "__main__":
    main()
