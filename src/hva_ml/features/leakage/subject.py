"""What is probed: a pipeline's features at some cutoffs, built once, and built again from other data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import ContractTables
from hva_ml.contracts.schema import ARROW_TYPES
from hva_ml.cutoffs import Calendar
from hva_ml.features.build import FeatureGroup, compose, static_attributes
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.features.leakage.scrambling import Moved, moved, scrambled, shown

POPULATION = "population"


@dataclass(frozen=True)
class Subject:
    """A pipeline's features at the probed cutoffs, from all data.

    Attributes
    ----------
    tables : ContractTables
        Clean tables with all their rows.
    config : PipelineConfig
        The pipeline.
    calendar : Calendar
        The cutoffs to probe.
    extra : sequence of FeatureGroup
        Further features to probe.
    static : pyarrow.Table or None
        Attributes that the user vouches for.
    whole : FeatureSet
        Features at all probed cutoffs, or more.
    """

    tables: ContractTables
    config: PipelineConfig
    calendar: Calendar
    extra: Sequence[FeatureGroup]
    static: pa.Table | None
    whole: FeatureSet

    @classmethod
    def of(
        cls,
        tables: ContractTables,
        config: PipelineConfig,
        calendar: Calendar,
        extra: Sequence[FeatureGroup] = (),
        whole: FeatureSet | None = None,
    ) -> "Subject":
        """Build the features of all cutoffs together, once, unless they are given as `whole`."""
        static = static_attributes(tables, config)
        whole = whole or compose(tables, config, calendar, static, extra)
        return cls(tables, config, calendar, extra, static, whole)

    def differences(
        self, tables: ContractTables, day: date, *, vouched_again: bool = False
    ) -> tuple[str, ...]:
        """Build one cutoff from other tables and name what differs from the features of all data.

        Parameters
        ----------
        tables : ContractTables
            What the cutoff is built from.
        day : datetime.date
            The cutoff.
        vouched_again : bool
            Whether static attributes are read from these tables too, rather than taken as given.
        """
        static = static_attributes(tables, self.config) if vouched_again else self.static
        once = compose(tables, self.config, self.calendar.only((day,)), static, self.extra)
        return compare(_at(self.whole, self.calendar.only((day,)).cutoffs[0]), once)


@dataclass(frozen=True)
class Travel:
    """What came of building every cutoff again from other data.

    Attributes
    ----------
    differing : dict of str to list of str
        Cutoff days by the name of each feature that differs, or of the population.
    moved : dict of str to Moved
        Rows that were taken away or made up, by table, added over the cutoffs.
    idle : list of str
        Cutoff days at which no table had anything to take away.
    """

    differing: dict[str, list[str]] = field(default_factory=dict)
    moved: dict[str, Moved] = field(default_factory=dict)
    idle: list[str] = field(default_factory=list)

    def note(self, day: date, names: Sequence[str], rows: Mapping[str, Moved]) -> None:
        """Enter the result of one cutoff."""
        for name in names:
            self.differing.setdefault(name, []).append(str(day))
        for table, count in rows.items():
            self.moved[table] = self.moved.get(table, Moved()) + count
        if not any(m.rows for m in rows.values()):
            self.idle.append(str(day))


@dataclass(frozen=True)
class Travels:
    """What came of taking the future away, and of making it up.

    Attributes
    ----------
    cut, mixed : Travel
        Of the truncated and of the scrambled data.
    deaf : tuple of str
        Features, or the population, that did not react at any cutoff, even when the later rows were shown to
        them: their silence proves nothing. Features of the calendar read no table, and static attributes are
        exempt: they are not among them.
    """

    cut: Travel
    mixed: Travel
    deaf: tuple[str, ...]


def travel(subject: Subject, seed: int, step: Callable[[int, int], None] | None = None) -> Travels:
    """Build every cutoff from data that end there, and from data that are made up from there on.

    Costs two builds of one cutoff for each cutoff, and a third one where something has never yet reacted to
    later rows that it was shown.

    Parameters
    ----------
    subject : Subject
        What is probed.
    seed : int
        Seed of everything that is made up.
    step : callable, optional
        Told how many of how many cutoffs are done.
    """
    cut, mixed = Travel(), Travel()
    deaf = dict.fromkeys(
        [POPULATION, *(d.name for d in subject.whole.definitions if _probed(d, subject.static))]
    )
    days = subject.calendar.days
    for k, (day, cutoff) in enumerate(zip(days, subject.calendar.cutoffs, strict=True)):
        rows = moved(subject.tables, cutoff)
        other = scrambled(subject.tables, cutoff, seed)
        idle = not any(m.rows for m in rows.values())
        cut.note(day, () if idle else subject.differences(subject.tables.upto(cutoff), day), rows)
        mixed.note(day, () if idle else subject.differences(other, day), moved(other, cutoff))
        if deaf and not idle:
            for name in subject.differences(shown(subject.tables, cutoff, seed), day):
                deaf.pop(name, None)
        if step:
            step(k + 1, len(days))
    return Travels(cut, mixed, tuple(deaf))


def compare(a: FeatureSet, b: FeatureSet) -> tuple[str, ...]:
    """Name what differs between two feature sets, bit for bit.

    Parameters
    ----------
    a, b : FeatureSet
        Sorted by (cutoff, account_id). ``group_id`` is not compared: it serves splits and is no feature.

    Returns
    -------
    tuple of str
        ``population`` if the rows differ, then the features that differ on rows of both, or that only one
        of them has; empty if all is equal.
    """
    rows = [_keys(s.table) for s in (a, b)]
    found = []
    if not rows[0].equals(rows[1]):
        found.append(POPULATION)
        first, second = (
            s.table.filter(pc.is_in(mine, value_set=other))
            for s, mine, other in ((a, rows[0], rows[1]), (b, rows[1], rows[0]))
        )
    else:
        first, second = a.table, b.table
    for name in dict.fromkeys((*a.names, *b.names)):
        if name not in a.names or name not in b.names or not _same(first[name], second[name]):
            found.append(name)
    return tuple(found)


def _probed(definition: FeatureDefinition, static: pa.Table | None) -> bool:
    return definition.table != "calendar" and (static is None or definition.measure != "attribute")


def _keys(table: pa.Table) -> pa.ChunkedArray:
    moment = table["cutoff"].cast(pa.int64()).cast(pa.string())
    return pc.binary_join_element_wise(moment, table["account_id"], "|")


def _same(a: pa.ChunkedArray, b: pa.ChunkedArray) -> bool:
    if a.type != b.type or not pc.is_null(a).equals(pc.is_null(b)):
        return False
    if not pa.types.is_floating(a.type):
        return bool(a.equals(b))
    first, second = (pc.fill_null(c, 0.0).to_numpy() for c in (a, b))
    return bool(np.array_equal(first.view(np.int64), second.view(np.int64)))


def _at(features: FeatureSet, cutoff: datetime) -> FeatureSet:
    moment = pa.scalar(cutoff, ARROW_TYPES["time"])
    return features.take(pc.equal(features.table["cutoff"], moment).combine_chunks())
