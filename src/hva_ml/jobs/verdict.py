"""What is told of judged models: results on the untouched rows, and how their numbers came about."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml import splits
from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import Violation
from hva_ml.cutoffs import Calendar
from hva_ml.evaluation.coverage import coverage
from hva_ml.evaluation.suspicion import hint, suspicious
from hva_ml.evaluation.table import MODEL, ModelPrediction, evaluate, per_cutoff
from hva_ml.explanation.composition import margins
from hva_ml.jobs.fitting import Pair, Searched
from hva_ml.jobs.high_value import told_of_high_value
from hva_ml.jobs.leads.cohorts import months
from hva_ml.jobs.likelihood import before_and_after
from hva_ml.jobs.prepare import Prepared
from hva_ml.jobs.running import told_of_nowcast
from hva_ml.jobs.training_set import TrainingSet


def measured(
    config: PipelineConfig, data: TrainingSet, split: splits.Split, predictions: dict[str, ModelPrediction]
) -> tuple[pa.Table, pa.Table]:
    """Return the results table on the test rows, and the totals of each test cutoff."""
    test = split.test
    groups = np.asarray(data.features.table["group_id"].to_pylist(), dtype=object)[test]
    converted, value = data.targets.converted[test], data.targets.value[test]
    metrics = evaluate(
        predictions, converted, value, groups,
        resamples=config.split.bootstrap, seed=config.models.seed,
        capacity=config.scoring.capacity * len(split.test_days),
    )  # fmt: skip
    cutoffs = data.features.table["cutoff"].filter(pa.array(test))
    return metrics, _by_day(per_cutoff(predictions, converted, value, cutoffs), data.calendar)


def told_of_calibration(final: Pair, judged: Pair, data: TrainingSet, split: splits.Split) -> dict[str, Any]:
    """Return how the released map came about, and what calibration did to the evaluated fit's test rows."""
    margin, _ = margins(judged, judged.encoder.transform(data.features.take(split.test)))
    days = dict(zip(data.calendar.micros.tolist(), data.calendar.days, strict=True))
    steps = before_and_after([(judged.calibrated, margin)], data.targets.converted[split.test])
    nowcasts = {"released": told_of_nowcast(final), "evaluated": told_of_nowcast(judged)}
    return {**final.calibrated.record(days), "refit": final.refit, "steps": steps, "nowcast": nowcasts}


def told_of_value(
    final: Pair,
    searched: Searched,
    data: TrainingSet,
    split: splits.Split,
    predictions: Mapping[str, ModelPrediction],
    config: PipelineConfig,
) -> dict[str, Any]:
    """Return how the released values came about (approach, tail, level, outlook), and if bounds held."""
    bounds, ours, test = final.value_spread, predictions[MODEL], split.test
    held: list[dict[str, Any]] = []
    if ours.value_bounds is not None and (config.leads is None or config.leads.clock == "days"):
        held = coverage(
            ours, data.targets.converted[test], data.targets.value[test], _days(data, test, config)
        )
    return {
        **({"of": "leads"} if config.leads else {}),
        **final.worth.record(),
        "compared": searched.compared.record() if searched.compared else None,
        "outlook": final.outlook.record() if final.outlook else None,
        "bounds": bounds.record() if bounds else None,
        "high_value": told_of_high_value(
            predictions[MODEL], data.features, data.targets.value, split, config
        ),
        "coverage": held,
    }


def suspected(prepared: Prepared, data: TrainingSet, metrics: pa.Table) -> tuple[Violation, ...]:
    """Return what the contract and the suspicion rules found, and the hint if the model knows too much."""
    asked = suspicious(data.features, data.targets.converted, data.calendar)
    power = next(r["value"] for r in metrics.to_pylist() if (r["model"], r["metric"]) == (MODEL, "roc_auc"))
    known = hint(power, data.features, data.targets.converted == 1) if power is not None else ()
    return (*prepared.tables.violations, *(v for p in asked for v in p.violations), *known)


def _days(data: TrainingSet, rows: npt.NDArray[np.bool_], config: PipelineConfig) -> list[date]:
    """Return the cutoff of each of some rows; of leads the month of contact."""
    if data.told is not None:
        return months(data.told.take(rows), config)
    days = dict(zip(data.calendar.cutoffs, data.calendar.days, strict=True))
    return [days[m] for m in data.features.table["cutoff"].filter(pa.array(rows)).to_pylist()]


def _by_day(totals: pa.Table, calendar: Calendar) -> pa.Table:
    """Name each cutoff by its local day: the instant of a midnight in Berlin is the evening before in UTC."""
    days = dict(zip(calendar.cutoffs, calendar.days, strict=True))
    column = pa.array([days[c] for c in totals["cutoff"].to_pylist()], pa.date32())
    return totals.set_column(totals.schema.get_field_index("cutoff"), "cutoff", column)
