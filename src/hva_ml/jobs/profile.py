"""The profile of a training: what `hva monitor` will hold every night of the release against."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml import labels
from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import ContractTables
from hva_ml.contracts.volumes import volumes
from hva_ml.cutoffs import Calendar, microseconds
from hva_ml.errors import ConfigError, nearest
from hva_ml.evaluation.metrics import MODEL
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.fitting import Pair
from hva_ml.jobs.judgement import Judgement
from hva_ml.jobs.prepare import last_instant
from hva_ml.monitoring.estimate import METRICS, Certainty, Estimate, estimates
from hva_ml.monitoring.pace import Pace, arrivals, pace
from hva_ml.monitoring.reference import SCORES, reference
from hva_ml.monitoring.volumes import Habit, habits

Floats = npt.NDArray[np.float64]
_Z_95 = 1.959964


def profile(j: Judgement, features: FeatureSet, final: Pair) -> dict[str, Any]:
    """Return what nights will be compared with, as a JSON-ready record that goes into the bundle.

    Parameters
    ----------
    j : Judgement
        What was trained on, which rows the release was fitted and calibrated on, and the results on the
        untouched cutoffs: they are what is promised.
    features : FeatureSet
        Those that the release reads, of all accounts at all matured cutoffs.
    final : Pair
        The released models.
    """
    config, calendar, last = j.config, j.calendar, j.last
    moments = np.asarray(features.table["cutoff"].cast(pa.int64()).to_numpy())
    said = [final.predict(features.take(moments == m)) for m in calendar.micros]
    places = [np.flatnonzero(moments == m) for m in calendar.micros]
    probability, value = np.empty(len(moments)), np.empty(len(moments))
    for rows, (p, v) in zip(places, said, strict=True):
        probability[rows], value[rows] = p, v
    calibrated = np.isin(moments, calendar.only(last.calibrate_days).micros)
    numbers = (probability, value, probability * value)
    found = reference(
        features, calendar, calibrated, {n: x[calibrated] for n, x in zip(SCORES, numbers, strict=True)},
        segment_of(config, features),
    )  # fmt: skip
    certainty = Certainty.of(probability[last.calibrate])
    latest = places[calendar.days.index(last.calibrate_days[-1])]
    latest = latest[np.argsort(features.table["account_id"].to_numpy(zero_copy_only=False)[latest])]
    return replace(
        found,
        habits=_habits(j.prepared.tables, calendar, moments),
        pace=_pace(j, features, probability),
        certainty=certainty,
        estimates=estimates(probability[latest], value[latest], certainty, config.models.seed),
        promises=_promises(j.metrics),
    ).record()


def segment_of(config: PipelineConfig, features: FeatureSet) -> str:
    """Return the category feature that makes the segments, empty for none.

    Raises
    ------
    ConfigError
        If the pipeline names one that is no category feature.
    """
    named = config.monitoring.segment or config.explanation.segment
    known = [d.name for d in features.definitions if d.kind == "category"]
    if named and named not in known:
        raise ConfigError(
            f"'{named[:60]}' is no category feature of this pipeline.{nearest(named, known)}",
            where=f"pipelines/{config.name}.toml, [monitoring] segment",
            fix=f"Use one of: {', '.join(known) or 'none, leave it out'}.",
        )
    return named


def _habits(tables: ContractTables, calendar: Calendar, moments: npt.NDArray[np.int64]) -> tuple[Habit, ...]:
    accounts = [int((moments == m).sum()) for m in calendar.micros]
    return habits(volumes(tables, calendar.micros), accounts)


def _pace(j: Judgement, features: FeatureSet, probability: Floats) -> Pace | None:
    config, tables, calendar = j.config, j.prepared.tables, j.calendar
    table = pa.concat_tables(labels.deciding(tables, config))
    if not table.num_rows:
        return None
    came = np.maximum(*(table[c].cast(pa.int64()).to_numpy() for c in ("event_time", "known_at")))
    account = table["account_id"].combine_chunks().dictionary_encode().indices.cast(pa.int64()).to_numpy()
    end = min(microseconds(last_instant(config, tables)), int(came.max()))
    return pace(
        probability, j.targets.converted == 1, labels.known_after(tables, features.index, config, calendar),
        arrivals(account, came, int(calendar.micros[0]), end, calendar.days[0].weekday()),
        calendar.gap_days, calendar.horizon_days,
    )  # fmt: skip


def _promises(metrics: pa.Table) -> tuple[Estimate, ...]:
    rows = {r["metric"]: r for r in metrics.to_pylist() if r["model"] == MODEL}
    found = []
    for name in METRICS:
        row = rows.get(name)
        if row is None or row["value"] is None or row["low"] is None:
            continue
        error = (row["high"] - row["low"]) / (2 * _Z_95)
        found.append(Estimate(name, float(row["value"]), float(error)))
    return tuple(found)
