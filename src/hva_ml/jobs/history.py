"""What was known on an earlier day: matured cohorts, their outcomes and groups, as one had them then.

It fits and measures nothing.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml import labels, splits
from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import Calendar, instant, microseconds
from hva_ml.evaluation.backtest import Cohort
from hva_ml.features import build
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.fitting import Targets
from hva_ml.jobs.prepare import last_instant
from hva_ml.jobs.running import Running, running


@dataclass(frozen=True)
class Learnt:
    """What there was to learn from on a day.

    Attributes
    ----------
    calendar : Calendar
        The cutoffs whose horizon and embargo were over.
    features : FeatureSet
        Their rows, with the groups as known on the day.
    targets : Targets
        What had become of them, as known on the day.
    """

    calendar: Calendar
    features: FeatureSet
    targets: Targets


@dataclass(frozen=True)
class History:
    """The features of all matured cutoffs, and the tables from which any day's knowledge is cut.

    Attributes
    ----------
    config : PipelineConfig
        The pipeline.
    tables : ContractTables
        Clean tables with all their rows.
    calendar : Calendar
        The matured cutoffs.
    features : FeatureSet
        At all of them; a row never knows more than its cutoff did.
    """

    config: PipelineConfig
    tables: ContractTables
    calendar: Calendar
    features: FeatureSet

    @property
    def days(self) -> tuple[date, ...]:
        """Cutoffs that can be compared: their horizon and embargo are over when the data end."""
        end, zone = last_instant(self.config, self.tables), self.config.pipeline.timezone
        return tuple(d for d in self.calendar.days if instant(self.compared_on(d), zone) <= end)

    def compared_on(self, cutoff: date) -> date:
        """Return the day on which a cohort's promises can be held against what came."""
        return cutoff + timedelta(days=self.config.wait_days)

    def learnt(self, day: date) -> Learnt | None:
        """Return what one could have learned from on a day; None if no cohort had matured.

        A cutoff counts if its horizon and embargo were over by then. Outcomes that became known later,
        and parents that changed later, are not there.
        """
        known = self.calendar.only(splits.over_by(self.calendar, day, self.config.split))
        if not known.days:
            return None
        features, targets = self._as_of(day, known)
        return Learnt(known, features, targets)

    def running(self, day: date) -> Running | None:
        """Return what was known on a day of cohorts that were over and of those whose horizon still ran."""
        moment = instant(day, self.config.pipeline.timezone)
        then = self.tables.upto(moment)
        calendar = self.calendar.only(tuple(d for d in self.calendar.days if d < day))
        rows = self._grouped(then, calendar)
        return running(then, self.config, microseconds(moment), rows, calendar)

    def cohort(self, cutoff: date) -> Cohort:
        """Return what became of the accounts of a cutoff, as known on the day of the comparison."""
        features, targets = self._as_of(self.compared_on(cutoff), self.calendar.only((cutoff,)))
        groups = np.asarray(features.table["group_id"].to_pylist(), dtype=object)
        capacity = self.config.scoring.capacity
        return Cohort(cutoff, targets.converted, targets.value, groups, capacity)

    def place(self, cutoff: date) -> slice:
        """Return where the rows of a cutoff lie: rows are in the order of cutoffs."""
        first, last = np.searchsorted(self._moments, self.calendar.only((cutoff,)).micros[0] + np.arange(2))
        return slice(int(first), int(last))

    def at(self, cutoff: date) -> FeatureSet:
        """Return the features of the accounts of one cutoff."""
        place = self.place(cutoff)
        rows = self.features.table.slice(place.start, place.stop - place.start)
        return FeatureSet(rows, self.features.definitions)

    @cached_property
    def _moments(self) -> npt.NDArray[np.int64]:
        return np.asarray(self.features.table["cutoff"].cast(pa.int64()).to_numpy())

    def _as_of(self, day: date, cutoffs: Calendar) -> tuple[FeatureSet, Targets]:
        then = self.tables.upto(instant(day, self.config.pipeline.timezone))
        few = self._grouped(then, cutoffs)
        return few, Targets.of(labels.build(then, few.index, self.config, cutoffs))

    def _grouped(self, then: ContractTables, cutoffs: Calendar) -> FeatureSet:
        """Return the features at some cutoffs, with the groups that tables of a day know."""
        few = self.features.take(np.isin(self._moments, cutoffs.micros))
        groups = build.groups(then, self.config, few.table["account_id"])
        place = few.table.schema.get_field_index("group_id")
        return FeatureSet(few.table.set_column(place, "group_id", groups), few.definitions)
