"""What there is to learn from: features and labels of all matured cutoffs, or of all decided leads."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from hva_ml import labels
from hva_ml.config import PipelineConfig
from hva_ml.contracts.decisions import Decisions
from hva_ml.cutoffs import Calendar, instant, microseconds
from hva_ml.features.definition import FeatureSet, table_fingerprint
from hva_ml.features.leads import opened
from hva_ml.jobs import comparison, evidence
from hva_ml.jobs.features import build_features
from hva_ml.jobs.fitting import Targets
from hva_ml.jobs.leads.decided import calendar_of, decided_leads
from hva_ml.jobs.prepare import Prepared, calendar
from hva_ml.jobs.running import Running, latest, running
from hva_ml.jobs.segments import category
from hva_ml.workspace import Workspace


@dataclass(frozen=True)
class TrainingSet:
    """Point-in-time features and labels of one pipeline."""

    calendar: Calendar
    features: FeatureSet
    labels: pa.Table
    targets: Targets
    told: Decisions | None = None
    running: Running | None = None

    def fingerprint(self) -> str:
        """Return a hash of features and labels, and of what cohorts have brought that still run."""
        text = self.features.fingerprint() + table_fingerprint(self.labels)
        text += self.running.fingerprint() if self.running else ""
        return hashlib.sha256(text.encode()).hexdigest()


def training_set(ws: Workspace, config: PipelineConfig, prepared: Prepared) -> TrainingSet:
    """Build features and labels at all matured cutoffs, or of all decided leads."""
    if config.leads is not None:
        return _leads(config, prepared)
    when = calendar(config, prepared.tables)
    features = build_features(ws, config, prepared.tables, when, prepared.own)
    table = labels.build(prepared.tables, features.index, config, when)
    _segments_are_there(config, features)
    return TrainingSet(
        when, features, table, Targets.of(table), running=latest(ws, config, prepared, when, features)
    )


def _segments_are_there(config: PipelineConfig, features: FeatureSet) -> None:
    comparison.segment_column(config, features.definitions)
    category(config, features.definitions, config.models.segment, "models")


def _leads(config: PipelineConfig, prepared: Prepared) -> TrainingSet:
    found, table = decided_leads(opened(prepared.tables, config))
    _segments_are_there(config, found.features)
    return TrainingSet(calendar_of(found, config), found.features, table, found.targets, found.told)


def seen_by(day: date, config: PipelineConfig, prepared: Prepared, data: TrainingSet) -> Running | None:
    """Return what was known on a day of cohorts whose horizon still ran then."""
    moment = microseconds(instant(day, config.pipeline.timezone))
    return running(prepared.tables, config, moment, data.features, data.calendar)


def run_key(config: PipelineConfig, data: TrainingSet) -> str:
    """Return a short hash of everything that decides the outcome: file, data and library versions."""
    text = json.dumps([config.fingerprint(), data.fingerprint(), evidence.versions()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
