"""What a pipeline declares: frozen dataclasses read from one TOML file. It opens no data."""

from hva_ml.config.alerts import Alerts
from hva_ml.config.audits import Audit
from hva_ml.config.data import (
    Cutoffs,
    Engine,
    Horizon,
    Pipeline,
    Population,
    Simulation,
    Source,
    Table,
    Target,
)
from hva_ml.config.features import Features, Label, OwnColumn, OwnFeatures, Windows
from hva_ml.config.leads import NO_CURRENCY, UNDATED, LeadFeature, Leads
from hva_ml.config.lifetime import Lifetime
from hva_ml.config.models import Checks, Gates, Models, Search, Split
from hva_ml.config.monitoring import Monitoring
from hva_ml.config.names import NAME, Attribute, EngineKind, Family, Level, Measure, TableName, Unit
from hva_ml.config.pipeline import PipelineConfig
from hva_ml.config.reading import load, parse
from hva_ml.config.scoring import Actionable, Explanation, Scoring
from hva_ml.config.sinks import Sink, SinkKind, SinkTable

__all__ = [
    "NAME",
    "NO_CURRENCY",
    "UNDATED",
    "Actionable",
    "Alerts",
    "Attribute",
    "Audit",
    "Checks",
    "Cutoffs",
    "Engine",
    "EngineKind",
    "Explanation",
    "Family",
    "Features",
    "Gates",
    "Horizon",
    "Label",
    "LeadFeature",
    "Leads",
    "Level",
    "Lifetime",
    "Measure",
    "Models",
    "Monitoring",
    "OwnColumn",
    "OwnFeatures",
    "Pipeline",
    "PipelineConfig",
    "Population",
    "Scoring",
    "Search",
    "Simulation",
    "Sink",
    "SinkKind",
    "SinkTable",
    "Source",
    "Split",
    "Table",
    "TableName",
    "Target",
    "Unit",
    "Windows",
    "load",
    "parse",
]
