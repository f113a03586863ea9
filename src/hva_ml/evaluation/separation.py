"""Whether label windows keep to themselves and are complete, and the sides of the split stand apart."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml import labels
from hva_ml.config import PipelineConfig
from hva_ml.contracts.outcomes import conversions
from hva_ml.contracts.probes import Probed
from hva_ml.contracts.records import ContractTables, Violation
from hva_ml.cutoffs import MICROSECONDS_PER_DAY, Calendar, instant, microseconds
from hva_ml.splits import Split

Ints = npt.NDArray[np.int64]
MakeLabels = Callable[[ContractTables, pa.Table, PipelineConfig, Calendar], pa.Table]

PATIENCE_DAYS = 7
LATE_SHARE = 0.05
MIN_CONVERSIONS = 20
_MARKET = "market"


def label_windows(
    tables: ContractTables,
    index: pa.Table,
    config: PipelineConfig,
    calendar: Calendar,
    make: MakeLabels = labels.build,
) -> Probed:
    """Say whether labels see all of their window ``[cutoff + gap, cutoff + gap + horizon)`` and nothing else.

    For each cutoff labels are made again from data without anything outside the window (they must be the
    same) and without anything inside it (they must be empty). What the market did, which an outlook learns
    from, holds the window against the time before: it must be the same from data that end with the window.
    Then it is asked whether the data really reach to the end of the last window.

    Parameters
    ----------
    tables : ContractTables
        Clean tables with all their rows.
    index : pyarrow.Table
        ``account_id`` and ``cutoff`` of the rows to be labelled.
    config : PipelineConfig
        Target and data end.
    calendar : Calendar
        The cutoffs to probe, matured; others in the index are left out.
    make : callable
        What makes the labels.

    Returns
    -------
    Probed
        ``HVL005`` error if labels see more or less than their window; warning if conversions fall silent, or
        are still being recorded, before the data end. Not applicable where no window holds a conversion.
    """
    leaky: list[str] = []
    inside = outside = 0
    for day, cutoff in zip(calendar.days, calendar.cutoffs, strict=True):
        once = calendar.only((day,))
        here = index.filter(pc.equal(index["cutoff"], pa.scalar(cutoff, pa.timestamp("us", "UTC"))))
        within, beyond = (_split(tables, once, day_inside) for day_inside in (True, False))
        inside += _rows(within, config)
        outside += _rows(beyond, config)
        whole, only, empty = (make(t, here, config, once) for t in (tables, within, beyond))
        same = _outcomes(whole).equals(_outcomes(only))
        if same and _MARKET in whole.column_names:
            end = once.label_window(day)[1]
            same = whole[_MARKET].equals(make(_before(tables, end), here, config, once)[_MARKET])
        if not same or pc.any(pc.not_equal(empty["converted"], 0)).as_py():
            leaky.append(str(day))
    found = [*_silence(tables, config, calendar), *_still_recorded(tables, config, calendar)]
    if leaky:
        found.insert(0, _leaky(leaky))
    what = (
        f"Labels made again at {len(calendar.days)} cutoffs from {inside:,} rows of their windows alone; "
        f"{outside:,} rows before and after were left out."
    )
    return Probed("HVL005", "labels", what, tuple(found), "" if inside else "no label window holds a row")


def sides(index: pa.Table, calendar: Calendar, config: PipelineConfig, split: Split) -> Probed:
    """Say whether the sides of the split stand apart in time and, if so configured, by company group.

    Parameters
    ----------
    index : pyarrow.Table
        Columns account_id, cutoff, group_id of the rows that were split.
    calendar : Calendar
        The cutoffs.
    config : PipelineConfig
        With ``[split]``.
    split : Split
        The sides.

    Returns
    -------
    Probed
        ``HVL006`` error if a label window and the embargo reach into a later side, or a company group stands
        on two sides of a disjoint split; info with the number of groups that come back where they may.
    """
    masks = {"train": split.train, "calibrate": split.calibrate, "test": split.test}
    days = {side: _days(index, mask, calendar) for side, mask in masks.items()}
    needed = timedelta(days=calendar.gap_days + calendar.horizon_days + config.split.embargo_days)
    found = []
    for earlier, later in (("train", "calibrate"), ("calibrate", "test"), ("train", "test")):
        if not days[earlier] or not days[later] or max(days[earlier]) + needed <= min(days[later]):
            continue
        what = f"Label windows of the {earlier} side and the embargo reach into the {later} side."
        fix = "Leave more time between the sides: earlier cutoffs, a shorter [horizon], fewer test_cutoffs."
        place = f"[split] {max(days[earlier])} and {min(days[later])}"
        found.append(Violation("HVL006", place, int(masks[earlier].sum()), "error", what, fix))
    groups = {side: set(index["group_id"].filter(pa.array(m)).to_pylist()) for side, m in masks.items()}
    back = sorted(
        (groups["train"] & (groups["calibrate"] | groups["test"])) | (groups["calibrate"] & groups["test"])
    )
    if back:
        found.append(_groups_back(back, config))
    what = ", ".join(f"{int(m.sum()):,} rows {side}" for side, m in masks.items())
    return Probed("HVL006", "sides of the split", f"{what}; {split.dropped:,} on none.", tuple(found))


def _split(tables: ContractTables, once: Calendar, inside: bool) -> ContractTables:
    """Return only the rows inside the label window of the one cutoff, or only those outside."""
    start, end = (pa.scalar(m, pa.timestamp("us", "UTC")) for m in once.label_window(once.days[0]))

    def kept(table: pa.Table) -> pa.Table:
        within = pc.and_(pc.greater_equal(table["event_time"], start), pc.less(table["event_time"], end))
        return table.filter(within if inside else pc.invert(within))

    return ContractTables({n: kept(t) for n, t in tables.tables.items()})


def _before(tables: ContractTables, end: datetime) -> ContractTables:
    """Return only rows that happened before an instant, whenever they became known."""
    limit = pa.scalar(end, pa.timestamp("us", "UTC"))
    return ContractTables({n: t.filter(pc.less(t["event_time"], limit)) for n, t in tables.tables.items()})


def _outcomes(found: pa.Table) -> pa.Table:
    """Return what became of each account, without what became of all of them together."""
    return found.drop_columns([_MARKET]) if _MARKET in found.column_names else found


def _rows(tables: ContractTables, config: PipelineConfig) -> int:
    return sum(tables.tables[t].num_rows for t in {config.target.table, config.target.value_table})


def _leaky(days: list[str]) -> Violation:
    return Violation(
        "HVL005", f"labels at {', '.join(days[:3])}{' …' if len(days) > 3 else ''}", len(days), "error",
        "Labels change with rows outside their window: the gap or the horizon is not kept.",
        "Let labels see only rows with event_time in [cutoff + gap, cutoff + gap + horizon).",
    )  # fmt: skip


def _silence(tables: ContractTables, config: PipelineConfig, calendar: Calendar) -> list[Violation]:
    """Warn if the last conversion lies longer before the data end than conversions ever paused before."""
    if config.cutoffs.data_end is None:
        return []
    target = tables.tables[config.target.table]
    time = np.sort(_int64(target.filter(pa.array(conversions(target, config.target)))["event_time"]))
    time = time[time >= microseconds(calendar.cutoffs[0])]
    if len(time) < MIN_CONVERSIONS:
        return []
    end = microseconds(instant(config.cutoffs.data_end, config.pipeline.timezone))
    silent, longest = (end - time[-1]) / MICROSECONDS_PER_DAY, np.diff(time).max() / MICROSECONDS_PER_DAY
    if silent <= longest + PATIENCE_DAYS:
        return []
    what = (
        f"No conversion in the last {silent:.0f} days before the data end; before, they never paused for"
        f" more than {longest:.0f}. If the data end earlier, the latest accounts count as failures too soon."
    )
    fix = "Set data_end in [cutoffs] to the first day of which the source knows nothing."
    return [Violation("HVL005", f"{config.target.table}.event_time", 1, "warning", what, fix)]


def _still_recorded(tables: ContractTables, config: PipelineConfig, calendar: Calendar) -> list[Violation]:
    """Warn if conversions become known so late that those of the last window are still coming in."""
    if config.cutoffs.data_end is None:
        return []
    target = tables.tables[config.target.table]
    rows = target.filter(pa.array(conversions(target, config.target)))
    if rows.num_rows < MIN_CONVERSIONS:
        return []
    delay = _int64(rows["known_at"]) - _int64(rows["event_time"])
    end = instant(config.cutoffs.data_end, config.pipeline.timezone)
    left = end - calendar.label_window(calendar.days[-1])[1]
    share = float((delay > left // timedelta(microseconds=1)).mean())
    if share <= LATE_SHARE:
        return []
    what = (
        f"{share:.0%} of the conversions became known more than {left.days} days after they happened, and "
        "the last label window ends that long before the data end: some of it is still to be recorded."
    )
    fix = "Let [cutoffs] last lie earlier, so that the last window has been recorded in full."
    return [Violation("HVL005", f"{config.target.table}.known_at", 1, "warning", what, fix)]


def _groups_back(back: list[str], config: PipelineConfig) -> Violation:
    if config.split.groups == "disjoint":
        return Violation(
            "HVL006", "[split] groups", len(back), "error", "Company groups stand on two sides of the split.",
            "Split by group_id, the ultimate parent.", tuple(back[:5]),
        )  # fmt: skip
    return Violation(
        "HVL006", "[split] groups", len(back), "info",
        'Company groups come back on a later side, as they do in production (groups = "time"). How well new '
        "ones are judged, this split does not tell.",
        'For that set groups = "disjoint" in [split].',
    )  # fmt: skip


def _days(index: pa.Table, mask: npt.NDArray[np.bool_], calendar: Calendar) -> list[date]:
    seen = set(_int64(index["cutoff"].filter(pa.array(mask))).tolist())
    return [day for day, moment in zip(calendar.days, calendar.micros, strict=True) if int(moment) in seen]


def _int64(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)
