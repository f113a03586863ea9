"""Lifetime value beside plain rules and BG/NBD with gamma-gamma: the same customers, cutoffs and knowledge.

`python -m benchmarks.lifetime [--size small|full] [--folder DIR] [--json FILE]` needs HVA_DATASETS. At every
cutoff of `online_retail` for which a horizon is over, and had been over for an earlier one when it began, all
are learned from what was known that day, say what existing customers bring, and are held to what came. small
takes the last two cutoffs of the first two horizons and no search; full all, with a search as of the first.
A horizon for which there is no such cutoff stands in the table as refused.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.models import (
    BTYD,
    RESAMPLES,
    Case,
    Peer,
    answered,
    prediction,
    purchases,
    row_of,
    verdict,
)
from benchmarks.peers import PeerError
from benchmarks.results import tell
from hva_ml import splits
from hva_ml.config import Lifetime, PipelineConfig
from hva_ml.contracts.records import ContractTables
from hva_ml.errors import NotEnoughDataError
from hva_ml.evaluation.backtest import Cohort, Measured, averages, measured
from hva_ml.evaluation.metrics import ModelPrediction
from hva_ml.evaluation.ranking import Floats
from hva_ml.jobs.fitting import Searched, search_pair
from hva_ml.jobs.lifetime import Foretold, LifetimeLearner
from hva_ml.jobs.prepare import prepare
from hva_ml.jobs.start import init
from hva_ml.jobs.training_set import TrainingSet, training_set
from hva_ml.workspace import Workspace

PIPELINE = "online_retail"
HORIZONS = (90, 180, 270, 365)
SMALL_HORIZONS, SMALL_CUTOFFS = 2, 2
METRICS = ("total_ratio", "mae", "spearman", "captured_revenue_top_20")
PEERS = (Peer("bg_nbd", "buy_till_you_die", BTYD, small=True),)


@dataclass(frozen=True, eq=False)
class Ground:
    """A pipeline that was read, and what learns from any of its days."""

    config: PipelineConfig
    tables: ContractTables
    learner: LifetimeLearner


def ground(ws: Workspace, pipeline: str, horizons: tuple[int, ...], search: bool) -> Ground:
    """Read the sources, make the features, and settle the trees as of the first day that allows it."""
    shipped = ws.config(pipeline)
    config = replace(
        shipped, lifetime=Lifetime(days=horizons), split=replace(shipped.split, bootstrap=RESAMPLES)
    )
    prepared = prepare(ws, config)
    data = training_set(ws, config, prepared)
    learner = LifetimeLearner(
        prepared, data.calendar, data.features, data.targets, settled(config, data, search), config
    )
    return Ground(config, prepared.tables, learner)


def settled(config: PipelineConfig, data: TrainingSet, search: bool) -> Searched:
    """Return the settings that were found on the first day on which some could be; later days keep them."""
    if not search:
        config = replace(config, search=replace(config.search, trials=1, learning_rate_factor=1.0))
    for day in data.calendar.days:
        try:
            split = splits.by_accounts(
                data.features.index, data.calendar, config.split, config.models.seed, (day,)
            )
            return search_pair(data.features, data.targets, split, config, None, "lifetime", None)
        except NotEnoughDataError:
            continue
    raise NotEnoughDataError(
        "On no cutoff was there anything to learn from.", where=f"pipelines/{config.name}"
    )


def foretold(
    told: Ground, horizon: int, days: Sequence[date], folder: Path
) -> Iterator[tuple[date, Foretold]]:
    """Learn ours and the plain rules as of each day, and write what peers get; too early days are left."""
    folder.mkdir(parents=True)
    case = {"horizon_days": horizon, "seconds": 0.0, "quick": False}
    (folder / "case.json").write_text(json.dumps(case), encoding="utf-8")
    for day in days:
        try:
            found = told.learner.foretold(horizon, (day,))
        except NotEnoughDataError:
            continue
        here = folder / day.isoformat()
        here.mkdir()
        customers = found.rows.index.select(["account_id", "cutoff"])
        pq.write_table(customers.slice(0, 0), here / "learn.parquet")
        pq.write_table(customers, here / "score.parquet")
        pq.write_table(purchases(told.tables, told.config, day), here / "purchases.parquet")
        yield day, found


def compared(
    told: Ground, horizon: int, days: Sequence[date], folder: Path, peers: Sequence[Peer] = PEERS
) -> list[dict[str, Any]]:
    """Return one row for each rule: means over the cutoffs, and how far ours is ahead."""
    case, seed = Case(told.config.name, horizon), told.config.models.seed
    found: list[Measured] = []
    cohorts: dict[date, tuple[Cohort, list[str]]] = {}
    for day, said in foretold(told, horizon, days, folder):
        groups = np.asarray(said.rows.table["group_id"].to_pylist(), dtype=object)
        cohort = Cohort(day, (said.actual > 0).astype(np.int8), said.actual, groups, 1)
        cohorts[day] = cohort, said.rows.table["account_id"].to_pylist()
        found += [_measured(told, rule, value, cohort) for rule, value in said.predicted.items()]
    if not cohorts:
        return [_refused(case, horizon)]
    problems = {}
    for peer in peers:
        try:
            print(f"{case.name}: {peer.name} took {answered(peer, folder):.0f} s", flush=True)
            for day, (cohort, accounts) in cohorts.items():
                answer = prediction(folder / day.isoformat() / f"{peer.name}.parquet", accounts)
                found.append(_measured(told, peer.name, answer.expected_value, cohort))
        except PeerError as error:
            problems[peer.name] = str(error)
    table = averages(found, seed).to_pylist()
    rows = [row_of(case, rule, table, METRICS) for rule in dict.fromkeys(r["model"] for r in table)]
    rows[0]["days"] = ", ".join(f"{d:%Y-%m}" for d in cohorts)
    rows += [{"table": case.name, "case": name, "cutoffs": why} for name, why in problems.items()]
    return [*rows, verdict(case, table, METRICS)]


def _refused(case: Case, horizon: int) -> dict[str, Any]:
    why = f"refused: no cohort was over after {horizon} days when a later one began that is over by now"
    return {"table": case.name, "case": "hva_ml", "cutoffs": why}


def _measured(told: Ground, rule: str, value: Floats, cohort: Cohort) -> Measured:
    # Only values are held here; whether something is bought at all is not asked.
    said = ModelPrediction(np.ones(len(value)), value, value)
    return measured(
        cohort.day, rule, said, cohort, resamples=told.config.split.bootstrap, seed=told.config.models.seed,
        names=METRICS,
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Lifetime value beside plain rules and BG/NBD.")
    parser.add_argument("--size", choices=["small", "full"], default="small")
    parser.add_argument("--folder", type=Path, help="keep what the peers read and say here")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    small = asked.size == "small"
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="hva-lifetime-") as name:
        init(Path(name))
        told = ground(Workspace(Path(name)), PIPELINE, HORIZONS, not small)
        for horizon in HORIZONS[:SMALL_HORIZONS] if small else HORIZONS:
            days = told.learner.testable(horizon)[-SMALL_CUTOFFS if small else 0 :]
            folder = (asked.folder or Path(name) / "peers") / f"{PIPELINE}-{horizon}"
            rows += compared(told, horizon, days, folder)
    tell("lifetime", rows, asked.json, size=asked.size)


if __name__ == "__main__":
    main()
