"""Runs, champion and baselines held against each other on the test rows that all of them were judged on."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, overload
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import PipelineConfig
from hva_ml.errors import NotEnoughDataError, UsageError, nearest
from hva_ml.evaluation import table as results
from hva_ml.evaluation.diagrams import diagrams
from hva_ml.evaluation.metrics import ModelPrediction
from hva_ml.jobs import evidence
from hva_ml.registry import tracking
from hva_ml.registry.segment_words import apart
from hva_ml.reports import charts
from hva_ml.reports import contest as page
from hva_ml.reports.language import Tongue
from hva_ml.workspace import Workspace

CHAMPION, LATEST = "champion", "latest"
_KEY = ["account_id", "cutoff"]
_SAID = ("probability", "expected_value")
DIFFERENCES = pa.schema([("model", pa.string()), *results.COMPARISON])


@dataclass(frozen=True)
class Contest:
    """Models side by side, the first against each of the others.

    Attributes
    ----------
    pipeline : str
        Name of the pipeline.
    models : tuple of str
        Names of runs and baselines, as asked for; the first is held against the others.
    rows : int
        Test rows that all were judged on.
    own_rows : dict of str to int
        Test rows of each.
    metrics : pyarrow.Table
        model, metric, value, low, high, higher_is_better, reason: as of a training, on the common rows.
    differences : pyarrow.Table
        model (the other), metric, difference (first less other), low, high (95 % of paired resamples of
        whole groups), share_of_resamples_better, reason.
    report : pathlib.Path
        The page.
    segments : dict of str to dict or None
        What the release of each run tells of its segments, None where it has none; no baselines.
    """

    pipeline: str
    models: tuple[str, ...]
    rows: int
    own_rows: dict[str, int]
    metrics: pa.Table
    differences: pa.Table
    report: Path
    segments: dict[str, dict[str, Any] | None] = field(default_factory=dict)

    def record(self) -> dict[str, object]:
        """Return the comparison as a JSON-ready record."""
        return {
            "pipeline": self.pipeline,
            "models": list(self.models),
            "rows": self.rows,
            "own_rows": self.own_rows,
            "metrics": self.metrics.to_pylist(),
            "differences": self.differences.to_pylist(),
            "segments": self.segments,
            "report": str(self.report),
        }

    @property
    def sentences(self) -> tuple[str, ...]:
        """The headline differences in words, e.g. "better by 0.012 (0.002 to 0.022) in …".

        Then what each run says of its segments, if they are not alike.
        """
        return (*page.sentences(self.models, self.differences), *apart(self.segments))


@overload
def compare(ws: Workspace, pipeline: str) -> list[dict[str, object]]: ...


@overload
def compare(ws: Workspace, pipeline: str, *models: str) -> Contest: ...


def compare(ws: Workspace, pipeline: str, *models: str) -> list[dict[str, object]] | Contest:
    """Return the runs of a pipeline, or hold models against each other on the same rows.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.
    *models : str
        None for the finished runs, newest first, with metrics and aliases. Else two or more of: a run (its
        name, version, id or the beginning of it), ``champion``, ``latest``, or a baseline such as
        ``run_rate``, as fitted beside the first run named. The first is held against the others.

    Returns
    -------
    list of dict, or Contest

    Raises
    ------
    UsageError
        If a model is unknown or named twice, or runs were judged on different outcomes.
    NotEnoughDataError
        If they share too few test rows.
    """
    config = ws.config(pipeline)
    if not models:
        return [r.record() for r in tracking.runs(ws, config.name)]
    kept = _runs(ws, config, models)
    segments = {name: _segments(run) for name, run in kept.items()}
    return _contest(ws, config, _contestants(ws, config, models, kept), segments)


def _contest(
    ws: Workspace, config: PipelineConfig, found: dict[str, pa.Table],
    segments: dict[str, dict[str, Any] | None],
) -> Contest:  # fmt: skip
    shared = _shared(config, found)
    said = {name: _prediction(shared, k) for k, name in enumerate(found)}
    converted, value = (shared[c].to_numpy() for c in ("converted", "value"))
    groups = np.asarray(shared["group_id"].to_pylist(), dtype=object)
    days = _days(config, shared)
    drawn: dict[str, Any] = {
        "resamples": config.split.bootstrap, "seed": config.models.seed,
        "capacity": config.scoring.capacity * len(set(days)),
    }  # fmt: skip
    metrics = results.evaluate(said, converted, value, groups, **drawn)
    first, *others = said
    told = pa.Table.from_pylist(
        [
            {"model": other, **row}
            for other in others
            for row in results.compare(
                said[first], said[other], converted, value, groups, **drawn
            ).to_pylist()
        ],
        schema=DIFFERENCES,
    )
    view = page.ContestView(
        pipeline=config.name,
        title=config.pipeline.title,
        currency=config.pipeline.currency,
        horizon_days=config.horizon.days,
        models=tuple(said),
        rows=shared.num_rows,
        own_rows={name: rows.num_rows for name, rows in found.items()},
        metrics=metrics,
        differences=told,
        diagrams=diagrams(said, converted, value, days, config.scoring.capacity),
        capacity=config.scoring.capacity,
        simulated=any(s.kind == "simulated" for s in config.sources.values()),
        segments=apart(segments),
    )
    report = _write(ws, view)
    return Contest(config.name, tuple(said), shared.num_rows, view.own_rows, metrics, told, report, segments)


def _runs(ws: Workspace, config: PipelineConfig, names: tuple[str, ...]) -> dict[str, evidence.Kept]:
    """Return the evidence of those that are runs, by the name they are shown under."""
    if len(names) < 2:
        raise UsageError(
            "A comparison needs two models.",
            where=f"hva compare {config.name}",
            fix=f"hva compare {config.name} champion latest   (or a baseline, such as run_rate)",
        )
    kept: dict[str, evidence.Kept] = {}
    for name in names:
        run = tracking.champion(ws, config.name) if name == CHAMPION else None
        if name != CHAMPION:
            run = tracking.find(ws, config.name, None if name == LATEST else name)
        if run is not None:
            kept[name] = evidence.recall(ws, config.name, run.run_id)
    return kept


def _segments(run: evidence.Kept) -> dict[str, Any] | None:
    facts = json.loads((run.bundle / "metadata.json").read_text("utf-8"))["metadata"]
    told = facts.get("calibration", {}).get("segments")
    return {k: v for k, v in told.items() if k != "segments"} if told else None


def _contestants(
    ws: Workspace, config: PipelineConfig, names: tuple[str, ...], kept: dict[str, evidence.Kept]
) -> dict[str, pa.Table]:
    """Return the test rows of each model, by the name it is shown under."""
    origin = next(iter(kept.values()), None)
    if origin is None:
        latest = tracking.find(ws, config.name)
        origin = evidence.recall(ws, config.name, latest.run_id) if latest else None
    found: dict[str, pa.Table] = {}
    for name in names:
        if name in found:
            raise UsageError(f"'{name[:60]}' is named twice.", where="models", fix="Name each model once.")
        found[name] = kept[name].predictions if name in kept else _baseline(config, origin, name)
    return found


def _baseline(config: PipelineConfig, origin: evidence.Kept | None, name: str) -> pa.Table:
    kept = origin.baselines if origin and "model" in origin.baselines.schema.names else None
    known = sorted(set(kept["model"].to_pylist())) if kept else []
    if origin is None or kept is None or name not in known:
        hint = nearest(name, [*known, CHAMPION, LATEST])
        hint += f" Baselines: {', '.join(known)}." if known else ""
        raise UsageError(
            f"There is no run and no baseline '{name[:60]}'.{hint}",
            where=f"models of {config.name}",
            fix=f"hva compare {config.name}   lists the runs; baselines are kept since each run's training.",
        )
    mine = kept.filter(pc.field("model") == name).drop_columns(["model"])
    mine_alone = [*_SAID, *evidence.BOUNDS]
    rows = origin.predictions
    rows = rows.drop_columns([c for c in mine_alone if c in rows.schema.names])
    return rows.join(mine, _KEY, join_type="inner")


def _shared(config: PipelineConfig, found: dict[str, pa.Table]) -> pa.Table:
    """Return the rows that all were judged on, with the numbers of the k-th model under ``probability_k``."""
    shared: pa.Table | None = None
    for k, (name, rows) in enumerate(found.items()):
        told = [c for c in (*_SAID, *evidence.BOUNDS) if c in rows.schema.names]
        numbers = rows.select([*_KEY, *told]).rename_columns([*_KEY, *(f"{c}_{k}" for c in told)])
        outcome = rows.select([*_KEY, "converted", "value"])
        if shared is None:
            kept = rows.select([*_KEY, "group_id", "converted", "value"])
            shared = kept.join(numbers, _KEY, join_type="inner")
            continue
        shared = shared.join(outcome, _KEY, join_type="inner", right_suffix="_other")
        differ = pc.sum(pc.not_equal(shared["converted"], shared["converted_other"])).as_py() or 0
        if differ:
            raise UsageError(
                f"{differ:,} of {shared.num_rows:,} shared test rows have another outcome for '{name[:60]}'.",
                where=f"models of {config.name}",
                why="Models that were asked different questions cannot be compared: another horizon or "
                "target, or data that have changed.",
                fix=f"hva train {config.name} again, and compare with that run.",
            )
        shared = shared.drop_columns(["converted_other", "value_other"]).join(
            numbers, _KEY, join_type="inner"
        )
    assert shared is not None
    converted = pc.sum(shared["converted"]).as_py() or 0
    if not 10 <= converted <= shared.num_rows - 10:
        raise NotEnoughDataError(
            f"These models share {shared.num_rows:,} test rows with {converted:,} conversions.",
            where=f"models of {config.name}",
            why="Fewer than ten conversions, or ten rows without one, compare nothing.",
            fix=f"hva train {config.name} again, so that both are judged on the same cutoffs.",
        )
    return shared.sort_by([("cutoff", "ascending"), ("account_id", "ascending")])


def _prediction(shared: pa.Table, k: int) -> ModelPrediction:
    probability, expected = (shared[f"{c}_{k}"].to_numpy() for c in _SAID)
    value = np.divide(expected, probability, out=np.zeros(len(expected)), where=probability > 0)
    told = [shared[f"{c}_{k}"].to_numpy() for c in evidence.BOUNDS if f"{c}_{k}" in shared.schema.names]
    return ModelPrediction(probability, value, expected, (told[0], told[1]) if told else None)


def _days(config: PipelineConfig, shared: pa.Table) -> list[date]:
    zone = ZoneInfo(config.pipeline.timezone)
    return [c.astimezone(zone).date() for c in shared["cutoff"].to_pylist()]


def _write(ws: Workspace, view: page.ContestView) -> Path:
    """Write the page and its pictures below the training folder, by what was compared."""
    key = hashlib.sha256("\n".join([*view.models, str(view.rows)]).encode()).hexdigest()[:12]
    folder = ws.training(view.pipeline) / "compare" / key
    folder.mkdir(parents=True, exist_ok=True)
    for name, chart in page.plots(view, Tongue("en")).items():
        (folder / f"{name}.png").write_bytes(charts.to_png(chart))
    return page.write(view, folder / "report.html")
