"""Conversion and value beside other people's models: the same cutoffs, the same rows, the same knowledge.

`python -m benchmarks.models [--size small|full] [--case NAME] [--folder DIR] [--json FILE]` needs
HVA_DATASETS. As of every past cutoff all models learn from what was known that day (features, outcomes,
purchases as files, nothing later), score its accounts and are held to what came. Means over the cutoffs stand
beside how far ours is ahead, in the same draws of accounts and cutoffs. small takes the last three cutoffs at
one horizon, no search, fewer peers; full all cutoffs, both horizons, all peers, a search on the first day.
FLAML has as many seconds a day as ours took on the average. Rows of other cases stay in FILE as they are.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.peers import PeerError, fresh, interpreter
from benchmarks.results import tell, with_others
from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import instant
from hva_ml.errors import NotEnoughDataError
from hva_ml.evaluation.backtest import Cohort, Measured, averages, measured
from hva_ml.evaluation.metrics import MODEL, ModelPrediction
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.fitting import Searched, fit_pair, side_by_side
from hva_ml.jobs.history import History, Learnt
from hva_ml.jobs.prepare import prepare
from hva_ml.jobs.refits import settings, sides
from hva_ml.jobs.running import followed
from hva_ml.jobs.start import init
from hva_ml.jobs.training_set import training_set
from hva_ml.workspace import Workspace

HERE = Path(__file__).resolve().parent
METRICS = ("roc_auc", "captured_revenue_top_10", "captured_revenue_top_20", "normalized_gini", "spearman",
           "brier", "mae", "total_ratio", "value_coverage")  # fmt: skip
RESAMPLES = 500
CALIBRATE_AT_LONG = 1
"""Calibration cohorts at twice the pipeline's horizon: more would leave nothing before them to train on."""


@dataclass(frozen=True)
class Peer:
    """A script in `model_peers`, with what its environment holds; nothing stands for our own."""

    name: str
    script: str
    requirements: tuple[str, ...]
    small: bool = False


BTYD = ("pymc-marketing==0.19.2", "pyarrow")
SKLEARN = ("scikit-learn==1.9.1", "pandas==3.1.1", "pyarrow")
PEERS = (
    Peer("logistic", "logistic_pair", SKLEARN, small=True),
    Peer("hist_gradient_boosting", "hist_gradient_boosting", SKLEARN, small=True),
    Peer("catboost", "catboost_pair", ("catboost==1.2.10", "pandas", "pyarrow"), small=True),
    Peer("flaml", "flaml_pair", ("flaml[automl]==2.7.0", "pandas", "pyarrow")),
    Peer("bg_nbd", "buy_till_you_die", BTYD, small=True),
    Peer("pareto_nbd", "buy_till_you_die", BTYD),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One pipeline at one horizon; `last` is the last cutoff looked at, the pipeline's own by default."""

    pipeline: str
    horizon_days: int
    small: bool = False
    last: date | None = None

    @property
    def name(self) -> str:
        """As the tables name it."""
        return f"{self.pipeline}, {self.horizon_days} days"

    def config(self, shipped: PipelineConfig) -> PipelineConfig:
        """Return the shipped pipeline at this horizon."""
        split = replace(shipped.split, bootstrap=RESAMPLES)
        if self.horizon_days > shipped.horizon.days:
            split = replace(split, calibrate_cutoffs=CALIBRATE_AT_LONG)
        cutoffs = replace(shipped.cutoffs, last=self.last or shipped.cutoffs.last)
        horizon = replace(shipped.horizon, days=self.horizon_days)
        return replace(shipped, cutoffs=cutoffs, horizon=horizon, split=split)


CASES = (
    Case("online_retail", 90, small=True),
    # What came from September 2011 on is kept unseen, at this horizon too.
    Case("online_retail", 180, last=date(2011, 3, 1)),
    Case("adventureworks", 91, small=True),
    Case("adventureworks", 182),
)


@dataclass(frozen=True)
class Judged:
    """One cutoff, once ours and the plain rules have said theirs."""

    cutoff: date
    cohort: Cohort
    accounts: tuple[str, ...]
    found: tuple[Measured, ...]


def history(case: Case, ws: Workspace) -> History:
    """Read the sources and make the features of all matured cutoffs."""
    config = case.config(ws.config(case.pipeline))
    prepared = prepare(ws, config)
    data = training_set(ws, config, prepared)
    return History(config, prepared.tables, data.calendar, data.features)


def export(told: History, day: date, learnt: Learnt, folder: Path) -> None:
    """Write what was known on a day: rows to learn from with their outcome, rows to score, purchases.

    Outcomes of the day's own cohort are in none of the files.
    """
    folder.mkdir(parents=True)
    known = _plain(learnt.features)
    known = known.append_column("converted", pa.array(learnt.targets.converted))
    known = known.append_column("value", pa.array(learnt.targets.value))
    pq.write_table(known, folder / "learn.parquet")
    pq.write_table(_plain(told.at(day)), folder / "score.parquet")
    pq.write_table(purchases(told.tables, told.config, day), folder / "purchases.parquet")


def purchases(tables: ContractTables, config: PipelineConfig, day: date) -> pa.Table:
    """Return account_id, time and amount of all that was bought and known before a day."""
    rows = tables.upto(instant(day, config.pipeline.timezone)).tables[config.target.value_table]
    amounts = rows[f"{config.target.value_column}_cents"].to_numpy() / 100.0
    moments = rows["event_time"].cast(pa.timestamp("us", "UTC"))
    return pa.table({"account_id": rows["account_id"], "time": moments, "amount": pa.array(amounts)})


def _plain(features: FeatureSet) -> pa.Table:
    return features.table.select(["account_id", "cutoff", *features.names])


def judged(told: History, days: Sequence[date], search: bool, folder: Path) -> Iterator[Judged]:
    """Train ours and the plain rules as of each day, measure them, and write what the peers get."""
    searched: Searched | None = None
    took: list[float] = []
    for day in days:
        began = time.perf_counter()
        try:
            learnt, split = sides(told, day)
            if searched is None:
                searched = settings(told.config, learnt, split, "first" if search else "never")
            pair = fit_pair(learnt.features, learnt.targets, split, searched, told.config)
            pair = followed(pair, told.running(day))
        except NotEnoughDataError:
            continue
        took.append(time.perf_counter() - began)
        cohort, score = told.cohort(day), told.at(day)
        said = side_by_side(
            pair, learnt.features, learnt.targets, split.train | split.calibrate, score, told.config
        )
        export(told, day, learnt, folder / day.isoformat())
        found = tuple(_measured(told, m, p, cohort) for m, p in said.items())
        yield Judged(day, cohort, tuple(score.table["account_id"].to_pylist()), found)
    case = {
        "horizon_days": told.config.horizon.days,
        "seconds": sum(took) / max(len(took), 1),
        "quick": not search,
    }
    (folder / "case.json").write_text(json.dumps(case), encoding="utf-8")


def answered(peer: Peer, folder: Path) -> float:
    """Let a peer answer for all days of a folder; returns the seconds it took."""
    script = HERE / "model_peers" / f"{peer.script}.py"
    python = interpreter(peer.requirements) if peer.requirements else None
    return fresh([script, folder, peer.name], python=python, limit=7200).seconds


def prediction(path: Path, accounts: Sequence[str]) -> ModelPrediction:
    """Read what a peer said, in the order of the accounts.

    Raises
    ------
    PeerError
        If the answer is not one finite row for each account, and no other.
    """
    table = pq.read_table(path)
    names = table["account_id"].to_pylist()
    if len(names) != len(accounts) or set(names) != set(accounts):
        raise PeerError(f"{path.stem} answered {len(set(names))} accounts of {len(accounts)}")
    at = {name: k for k, name in enumerate(names)}
    order = np.array([at[a] for a in accounts], dtype=np.int64)
    p, expected = (table[c].to_numpy()[order] for c in ("probability", "expected_value"))
    if not (np.isfinite(p).all() and np.isfinite(expected).all()):
        raise PeerError(f"{path.stem} answered with numbers that are none")
    return ModelPrediction(p, expected / p, expected)


def compared(
    case: Case, told: History, size: str, folder: Path, peers: Sequence[Peer] = PEERS
) -> list[dict[str, Any]]:
    """Return one row for each model: means over the cutoffs, and how far ours is ahead."""
    days = told.days[-3:] if size == "small" else told.days
    all_judged = list(judged(told, days, size == "full", folder))
    found = [m for j in all_judged for m in j.found]
    problems = {}
    for peer in peers:
        if size == "small" and not peer.small:
            continue
        try:
            print(f"{case.name}: {peer.name} took {answered(peer, folder):.0f} s", flush=True)
            for j in all_judged:
                said = prediction(folder / j.cutoff.isoformat() / f"{peer.name}.parquet", j.accounts)
                found.append(_measured(told, peer.name, said, j.cohort))
        except PeerError as error:
            problems[peer.name] = str(error)
    table = averages(found, told.config.models.seed).to_pylist()
    rows = [row_of(case, model, table) for model in dict.fromkeys(r["model"] for r in table)]
    rows += [{"table": case.name, "case": name, "cutoffs": why} for name, why in problems.items()]
    return [*rows, verdict(case, table)]


def verdict(case: Case, table: Sequence[dict[str, Any]], metrics: Sequence[str] = METRICS) -> dict[str, Any]:
    """Return in one row where ours is ahead of all, behind somebody, or cannot be told from the best.

    Ahead or behind: the 95 % interval of the difference does not hold 0.
    """
    row: dict[str, Any] = {"table": case.name, "case": "ours"}
    for metric in metrics:
        others = [r for r in table if r["metric"] == metric and r["ahead_low"] is not None]
        if not others:
            continue
        behind = [r["model"] for r in others if r["ahead_high"] < 0]
        first = all(r["ahead_low"] > 0 for r in others)
        row[metric] = f"behind {', '.join(behind)}" if behind else "ahead of all" if first else "tied"
    return row


def row_of(
    case: Case, model: str, table: Sequence[dict[str, Any]], metrics: Sequence[str] = METRICS
) -> dict[str, Any]:
    """Return one model's means over the cutoffs, and how far ours is ahead of it, as words."""
    mine = {r["metric"]: r for r in table if r["model"] == model}
    row: dict[str, Any] = {"table": case.name, "case": model, "cutoffs": mine["mae"]["cutoffs"]}
    for metric in metrics:
        r = mine.get(metric)
        if r is None or r["value"] is None:
            continue
        row[metric] = _number(metric, r["value"])
        low, high = (r["low"], r["high"]) if model == MODEL else (r["ahead_low"], r["ahead_high"])
        if low is None:
            continue
        if model == MODEL:
            row[metric] += f" ({_number(metric, low)} to {_number(metric, high)})"
        else:
            signed = [_number(metric, x, "+") for x in (r["ahead"], low, high)]
            row[metric] += f"; {signed[0]} ({signed[1]} to {signed[2]})"
    return row


def _number(metric: str, value: float, sign: str = "") -> str:
    return format(value, f"{sign},.0f" if metric == "mae" else f"{sign}.3f")


def _measured(told: History, model: str, said: ModelPrediction, cohort: Cohort) -> Measured:
    measure = partial(measured, cohort.day, resamples=told.config.split.bootstrap, names=METRICS)
    return measure(model, said, cohort, seed=told.config.models.seed)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Models beside other people's.")
    parser.add_argument("--size", choices=["small", "full"], default="small")
    parser.add_argument("--case", choices=[c.name for c in CASES])
    parser.add_argument("--folder", type=Path, help="keep what the peers read and say here")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="hva-models-") as name:
        init(Path(name))
        for case in CASES:
            if asked.case not in (None, case.name) or (asked.size == "small" and not case.small):
                continue
            folder = (asked.folder or Path(name) / "peers") / f"{case.pipeline}-{case.horizon_days}"
            rows += compared(case, history(case, Workspace(Path(name))), asked.size, folder)
    tell("models", with_others(rows, asked.json, asked.size), asked.json, size=asked.size)


if __name__ == "__main__":
    main()
