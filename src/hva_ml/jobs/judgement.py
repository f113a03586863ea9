"""What is known at the end of a training: the hand-over from judging to storing and showing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import Violation
from hva_ml.cutoffs import Calendar
from hva_ml.evaluation.table import ModelPrediction
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.fitting import Searched, Targets
from hva_ml.jobs.prepare import Prepared
from hva_ml.splits import Split


@dataclass(frozen=True)
class Judgement:
    """Everything known at the end of a training, before it is stored."""

    config: PipelineConfig
    prepared: Prepared
    calendar: Calendar
    features: FeatureSet
    targets: Targets
    findings: tuple[Violation, ...]
    split: Split
    last: Split
    searched: Searched
    predictions: dict[str, ModelPrediction]
    metrics: pa.Table
    totals: pa.Table
    calibration: Mapping[str, Any]
    value: Mapping[str, Any]
    key: str
    lifetime: Mapping[str, Any] = field(default_factory=dict)
    """How windows after the horizon did; ``kept_from`` names the version that measured it, if another."""
