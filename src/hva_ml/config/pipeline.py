"""One pipeline file, whole."""

import hashlib
import json
from dataclasses import replace
from typing import get_args

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

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
from hva_ml.config.features import Features
from hva_ml.config.leads import Leads
from hva_ml.config.lifetime import Lifetime
from hva_ml.config.models import Checks, Gates, Models, Search, Split
from hva_ml.config.monitoring import Monitoring
from hva_ml.config.names import FROZEN, EngineKind, Name, TableName
from hva_ml.config.scoring import Explanation, Scoring
from hva_ml.config.sinks import Sink
from hva_ml.errors import UsageError, nearest


@dataclass(frozen=True, config=FROZEN)
class PipelineConfig:
    """One pipeline file, whole.

    `views` names queries that run first, in the order written; later queries see each under its name.
    """

    pipeline: Pipeline
    sources: dict[Name, Source]
    tables: dict[TableName, Table]
    cutoffs: Cutoffs
    horizon: Horizon
    population: Population
    target: Target
    leads: Leads | None = None
    views: dict[Name, str] = Field(default_factory=dict)
    features: Features = Field(default_factory=Features)
    engine: Engine = Field(default_factory=Engine)
    simulation: Simulation = Field(default_factory=Simulation)
    models: Models = Field(default_factory=Models)
    search: Search = Field(default_factory=Search)
    split: Split = Field(default_factory=Split)
    gates: Gates = Field(default_factory=Gates)
    checks: Checks = Field(default_factory=Checks)
    lifetime: Lifetime = Field(default_factory=Lifetime)
    scoring: Scoring = Field(default_factory=Scoring)
    explanation: Explanation = Field(default_factory=Explanation)
    audit: Audit = Field(default_factory=Audit)
    sinks: dict[Name, Sink] = Field(default_factory=dict)
    alerts: Alerts = Field(default_factory=Alerts)
    monitoring: Monitoring = Field(default_factory=Monitoring)

    @property
    def name(self) -> str:
        """Name of the pipeline."""
        return self.pipeline.name

    @property
    def horizon_days(self) -> int:
        """Days within which a conversion counts; 0 where it counts whenever a lead is decided."""
        until_decided = self.leads is not None and self.leads.won_within_days is None
        return 0 if until_decided else self.horizon.days

    @property
    def wait_days(self) -> int:
        """Days from a cutoff of accounts until its outcomes are known: gap, horizon and embargo."""
        return self.horizon.gap_days + self.horizon.days + self.split.embargo_days

    @property
    def tables_across(self) -> frozenset[str]:
        """Contract tables that population, target and the features held against all accounts read."""
        if self.leads is not None:
            return frozenset({"leads"})
        found = {"accounts", self.population.table, self.target.table, self.target.value_table}
        return frozenset(found | ({"deal_stages"} if self.features.deals else set()))

    @property
    def tables_read(self) -> frozenset[str]:
        """Contract tables that population, target and features read, those of own groups left out."""
        return self.tables_across | {windows.table for windows in self.features.windows}

    def columns_asked_for(self, table: str) -> frozenset[str]:
        """Return the optional columns of a contract table that the pipeline file says are there."""
        dates = {"expected_close_at"} if table == "deal_stages" and self.features.close_dates else set()
        return frozenset(self.tables[table].columns) | dates  # type: ignore[index]

    @property
    def tables_of_outcomes(self) -> frozenset[str]:
        """Contract tables that say what became of accounts."""
        master = "accounts" if self.leads is None else "leads"
        return frozenset({master, self.target.table, self.target.value_table})

    def on(self, engine: str | None) -> "PipelineConfig":
        """Return the same pipeline on another engine, or itself for None.

        Raises
        ------
        UsageError
            If there is no such engine.
        """
        if engine is None:
            return self
        for kind in get_args(EngineKind):
            if engine == kind:
                return replace(self, engine=replace(self.engine, kind=kind))
        raise UsageError(
            f"There is no engine '{engine[:60]}'.{nearest(engine, get_args(EngineKind))}",
            where="engine",
            fix=f"Use one of: {', '.join(get_args(EngineKind))}.",
        )

    def fingerprint(self) -> str:
        """Return the sha256 of what can change a number: not comments, order, engine, checks, audits."""
        beside = {"engine", "audit", "checks", "sinks", "alerts", "monitoring"}
        meaning = TypeAdapter(PipelineConfig).dump_python(self, mode="json", exclude=beside)
        text = json.dumps(meaning, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
