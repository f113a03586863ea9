"""Leakage probes: does any feature know something from after its cutoff? Asked by taking the future away.

They see what the contract tables hold; whether the source queries looked ahead is asked by cutting the raw
data (see `compare`). Attributes declared static are exempt: the user vouches for them.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import ContractTables, Severity, Violation
from hva_ml.contracts.schema import ARROW_TYPES
from hva_ml.cutoffs import MICROSECONDS_PER_DAY, Calendar
from hva_ml.features.build import FeatureGroup, compose, static_attributes
from hva_ml.features.definition import FeatureSet

POPULATION = "population"
SHIFT_DAYS = 60
_TIME = ARROW_TYPES["time"]
_FIX = (
    "Let the feature see only rows whose event_time and known_at lie before the cutoff; "
    "if it comes from a source query, give the row the time at which it was really known."
)


def truncation(
    tables: ContractTables,
    config: PipelineConfig,
    calendar: Calendar,
    *,
    extra: Sequence[FeatureGroup] = (),
) -> list[Violation]:
    """Build each cutoff again from data that end there; the features must be the same, bit for bit.

    Parameters
    ----------
    tables : ContractTables
        Clean tables with all their rows.
    config : PipelineConfig
        The pipeline.
    calendar : Calendar
        The cutoffs to probe; each costs one build.
    extra : sequence of FeatureGroup
        Further features to probe.

    Returns
    -------
    list of Violation
        ``HVL001`` error with the names of features that differ, ``HVL003`` error if the population does;
        ``HVL001`` info where there was nothing to probe, and for static attributes.
    """
    static = static_attributes(tables, config)
    whole = compose(tables, config, calendar, static, extra)
    differing: dict[str, list[str]] = {}
    vacuous: list[str] = []
    for day, cutoff in zip(calendar.days, calendar.cutoffs, strict=True):
        cut = tables.upto(cutoff)
        if _rows(cut) == _rows(tables):
            vacuous.append(str(day))
        once = compose(cut, config, calendar.only((day,)), static, extra)
        for name in compare(_at(whole, cutoff), once):
            differing.setdefault(name, []).append(str(day))
    what = "These features change when the data end at the cutoff: they see the future."
    return [
        *_findings("HVL001", what, differing),
        *_exempt("HVL001", config),
        *_vacuous("HVL001", vacuous),
    ]


def perturbation(
    tables: ContractTables,
    config: PipelineConfig,
    calendar: Calendar,
    seed: int,
    *,
    extra: Sequence[FeatureGroup] = (),
) -> list[Violation]:
    """Scramble everything that happened or became known from each cutoff on; no feature may change.

    Rows whose event time or known time does not lie before the cutoff change accounts, values, categories
    and times (never to before the cutoff), and a quarter of them vanish.

    Parameters
    ----------
    tables : ContractTables
        Clean tables with all their rows.
    config : PipelineConfig
        The pipeline.
    calendar : Calendar
        The cutoffs to probe; each costs two builds of one cutoff.
    seed : int
        Seed of the scrambling.
    extra : sequence of FeatureGroup
        Further features to probe.

    Returns
    -------
    list of Violation
        ``HVL002`` error with the names of features that differ, ``HVL003`` error if the population does;
        ``HVL002`` info where no row lies after the cutoff, and for static attributes.
    """
    static = static_attributes(tables, config)
    differing: dict[str, list[str]] = {}
    vacuous: list[str] = []
    for day, cutoff in zip(calendar.days, calendar.cutoffs, strict=True):
        if _rows(tables.upto(cutoff)) == _rows(tables):
            vacuous.append(str(day))
            continue
        once = calendar.only((day,))
        other = scrambled(tables, cutoff, seed)
        before = compose(tables, config, once, static, extra)
        for name in compare(before, compose(other, config, once, static, extra)):
            differing.setdefault(name, []).append(str(day))
    what = "These features change when everything from the cutoff on is scrambled: they see the future."
    return [
        *_findings("HVL002", what, differing),
        *_exempt("HVL002", config),
        *_vacuous("HVL002", vacuous),
    ]


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


def scrambled(tables: ContractTables, cutoff: datetime, seed: int) -> ContractTables:
    """Return tables whose rows before the cutoff are as they were, and all others made up."""
    random = np.random.default_rng(seed)
    limit = pa.scalar(cutoff, _TIME)
    made = {}
    for name in sorted(tables.tables):
        table = tables.tables[name]
        visible = pc.and_(pc.less(table["event_time"], limit), pc.less(table["known_at"], limit))
        later = table.filter(pc.invert(visible))
        later = later.filter(pa.array(random.random(later.num_rows) >= 0.25))
        columns = [_made_up(later[c], c, later.schema.field(c).type, random) for c in later.column_names]
        made[name] = pa.concat_tables(
            [table.filter(visible), pa.table(columns, schema=later.schema)]
        ).combine_chunks()
    return ContractTables(made)


def _made_up(
    column: pa.ChunkedArray, name: str, kind: pa.DataType, random: np.random.Generator
) -> pa.ChunkedArray:
    n = len(column)
    if name in ("event_time", "known_at"):
        shift = random.integers(0, SHIFT_DAYS * MICROSECONDS_PER_DAY, n)
        return pc.add(column.cast(pa.int64()), pa.array(shift)).cast(kind)
    mixed = column.take(pa.array(random.permutation(n)))
    if pa.types.is_boolean(kind):
        return pc.invert(mixed)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return pc.add(pc.multiply(mixed, pa.scalar(-3, kind)), pa.scalar(7, kind))
    return mixed


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
    return features.take(pc.equal(features.table["cutoff"], pa.scalar(cutoff, _TIME)).combine_chunks())


def _rows(tables: ContractTables) -> int:
    return sum(t.num_rows for t in tables.tables.values())


def _findings(code: str, what: str, differing: dict[str, list[str]]) -> list[Violation]:
    found: list[Violation] = []
    days = differing.get(POPULATION)
    if days:
        what_else = "Who is an account changes with what happened from the cutoff on."
        found.append(_violation("HVL003", "population", days, "error", what_else, _FIX, (POPULATION,)))
    names = [n for n in differing if n != POPULATION]
    if names:
        days = sorted({d for n in names for d in differing[n]})
        found.append(_violation(code, "features", days, "error", what, _FIX, tuple(names)))
    return found


def _exempt(code: str, config: PipelineConfig) -> list[Violation]:
    static = config.tables["accounts"].static
    if not static:
        return []
    return [
        Violation(
            code, "accounts", len(static), "info",
            "Columns declared static are exempt from this probe: today's value stands for the past one.",
            "Keep in [tables.accounts] static only what does not change, or give accounts a history.",
            static[:5],
        )
    ]  # fmt: skip


def _vacuous(code: str, days: list[str]) -> list[Violation]:
    if not days:
        return []
    what = "No row lies at or after these cutoffs: the probe had nothing to take away and proves nothing."
    return [_violation(code, "tables", days, "info", what, "Probe earlier cutoffs.", ())]


def _violation(
    code: str, where: str, days: list[str], severity: Severity, what: str, fix: str, ids: tuple[str, ...]
) -> Violation:
    shown = ", ".join(days[:3]) + (" …" if len(days) > 3 else "")
    return Violation(code, f"{where} at {shown}", max(len(ids), 1), severity, what, fix, ids[:5])
