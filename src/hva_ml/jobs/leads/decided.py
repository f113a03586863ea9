"""Leads whose outcome is known: what is learned from, and from when on models are tested."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from hva_ml.config import PipelineConfig
from hva_ml.contracts.decisions import Bools, Decisions
from hva_ml.cutoffs import Calendar
from hva_ml.features.definition import FeatureSet
from hva_ml.features.leads import Opened, decided
from hva_ml.jobs.fitting import Targets
from hva_ml.labels.leads import of_leads

_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, eq=False)
class Decided:
    """The decided leads of a pipeline.

    Attributes
    ----------
    features : FeatureSet
        By cutoff and id.
    targets : Targets
        Of the same rows.
    told : Decisions
        Of the same rows.
    """

    features: FeatureSet
    targets: Targets
    told: Decisions

    def take(self, rows: Bools) -> "Decided":
        """Return some of them."""
        some = Targets(self.targets.converted[rows], self.targets.value[rows], self.targets.market[rows])
        return Decided(self.features.take(rows), some, self.told.take(rows))


def decided_leads(world: Opened) -> tuple[Decided, pa.Table]:
    """Return the leads whose outcome is known, and their labels."""
    features = decided(world)
    table = of_leads(world.table["account_id"], world.told, features.index)
    told = Decisions(
        table["position"].to_numpy(), table["delay"].to_numpy(), world.told.span,
        np.ones(table.num_rows, dtype=np.bool_), table["value_cents"].to_numpy(), world.told.by_day,
    )  # fmt: skip
    return Decided(features, Targets.of(table), told), table


def calendar_of(leads: Decided, config: PipelineConfig) -> Calendar:
    """Return the days on which leads were contacted, as cutoffs."""
    zone = config.pipeline.timezone
    moments = sorted(set(leads.features.table["cutoff"].to_pylist()))
    days = tuple(m.astimezone(ZoneInfo(zone)).date() for m in moments)
    return Calendar(days, config.horizon.days, config.horizon.gap_days, zone)


def test_from(told: Decisions, config: PipelineConfig) -> int:
    """Return the day or place from which leads are tested."""
    assert config.leads is not None
    if config.leads.test_from is not None:
        return config.leads.test_from.toordinal() - _EPOCH
    ordered = np.sort(told.position)
    return int(ordered[int((1.0 - config.leads.test_share) * len(ordered))])
