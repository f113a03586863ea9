"""From judged nights to the page about them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from hva_ml.config import PipelineConfig
from hva_ml.explanation.phrases import stated
from hva_ml.explanation.reader import Reader
from hva_ml.features.definition import FeatureDefinition
from hva_ml.monitoring import distance
from hva_ml.monitoring.drift import VOLUME
from hva_ml.monitoring.episodes import Episode
from hva_ml.monitoring.estimate import Estimate, named
from hva_ml.monitoring.feedback import Feedback
from hva_ml.monitoring.findings import Finding
from hva_ml.monitoring.judgement import Judged
from hva_ml.monitoring.levels import ALARM, Levels, levels
from hva_ml.monitoring.outcomes import Outcome
from hva_ml.monitoring.release import RANKINGS, Release
from hva_ml.reports import monitoring as page
from hva_ml.reports.heatmap import HeatMap
from hva_ml.reports.language import Tongue
from hva_ml.reports.monitoring import EpisodeView, FindingView, MonitoringView, Mover
from hva_ml.reports.pages import plain

MOST_POINTS = 120
MOST_ROWS = 30
MOST_MOVERS = 15
MOST_WEEKS = 53
MOST_EPISODES = 20


def labels_of(definitions: Sequence[FeatureDefinition], currency: str, tongue: Tongue) -> dict[str, str]:
    """Return what each feature is called, with its window."""
    reader = Reader(tongue.language, tongue.country, currency)
    return {d.name: stated(d, None, reader)[0] for d in definitions}


def view_of(
    config: PipelineConfig,
    day: date,
    releases: Sequence[Release],
    judged: Sequence[Judged],
    found: Sequence[Finding],
    texts: Sequence[str],
    advice: str,
    worked: Feedback | None,
    labels: Mapping[str, str],
    tongue: Tongue,
) -> MonitoringView:
    """Return everything the page shows, in one language."""
    last, told = releases[-1], judged[-1]
    speaks = told.under_way.evidence
    outcomes = [o for r in releases for o in r.outcomes]
    outcomes.sort(key=lambda o: o.as_of)
    complete = outcomes[-1] if outcomes else None
    grid = levels([j.drift for j in judged if j.drift is not None])
    heat, rest, segments = _heat_maps(grid, labels, tongue)
    night = named(last.nights[-1].estimates, "roc_auc")
    promise = named(last.reference.promises, "roc_auc") if last.reference else None
    nights = [n for r in releases for n in r.nights]
    return MonitoringView(
        title=config.pipeline.title or config.name,
        currency=config.pipeline.currency,
        version=last.nights[-1].version,
        as_of=day,
        first=min(n.day for n in nights),
        nights=len(nights),
        alarms=sum(f.outcome == "alarm" for f in found),
        findings=tuple(
            FindingView(f.code, f.outcome, t, date.fromisoformat(f.since) if f.since else None)
            for f, t in zip(found, texts, strict=True)
        ),
        episodes=_episodes(judged, labels, tongue),
        advice=advice,
        estimated=_triple(night),
        realised=_realised(complete),
        promised=promise.value if promise else None,
        complete=complete.day if complete else None,
        performance=tuple(_performance(releases, tongue)),
        kept=tuple(_kept(outcomes, tongue)),
        under_way=tuple(_weeks(told)),
        tiers=complete.kept if complete else (),
        evidence=float(min(speaks.total[-1].max(), 1e6)) if speaks else 0.0,
        threshold=speaks.threshold if speaks else 0.0,
        heat=heat, rest=rest, segments=segments,
        weekly=grid.weekly if grid else False,
        movers=_movers(last, told, labels, tongue),
        feedback=worked,
        rate=config.monitoring.false_alarms_per_year,
        simulated=any(s.kind == "simulated" for s in config.sources.values()),
    )  # fmt: skip


def _episodes(judged: Sequence[Judged], labels: Mapping[str, str], tongue: Tongue) -> tuple[EpisodeView, ...]:
    """Return the alarms there were, the latest first; what was raised at once under one code is one line."""
    together: dict[tuple[str, str], list[Episode]] = {}
    for episode in (e for j in judged for e in j.episodes):
        together.setdefault((episode.raised, episode.code), []).append(episode)
    found = []
    for (raised, code), mine in sorted(together.items(), reverse=True)[:MOST_EPISODES]:
        names = list(dict.fromkeys(page.about(e.code, e.where, labels, tongue) for e in mine))
        more = tongue.word("and_more", n=tongue.number(len(names) - 3)) if len(names) > 3 else ""
        over = "" if any(not e.over for e in mine) else max(e.over for e in mine)
        found.append(
            EpisodeView(
                code, ", ".join(names[:3]) + more, date.fromisoformat(raised),
                date.fromisoformat(min(e.since for e in mine)), date.fromisoformat(over) if over else None,
            )
        )  # fmt: skip
    return tuple(found)


def _triple(found: Estimate | None) -> page.Triple | None:
    if found is None or found.value is None or found.interval is None:
        return None
    return found.value, *found.interval


def _realised(outcome: Outcome | None) -> page.Triple | None:
    seen = outcome.metric("roc_auc") if outcome else None
    if seen is None or seen.value is None or seen.low is None or seen.high is None:
        return None
    return seen.value, seen.low, seen.high


def _thinned(rows: Sequence[Any]) -> list[Any]:
    """Keep at most so many, evenly spread, the last one among them."""
    step = -(-len(rows) // MOST_POINTS) or 1
    return list(rows[::-1][::step][::-1])


def _performance(releases: Sequence[Release], tongue: Tongue) -> list[dict[str, Any]]:
    rows = []
    for metric in RANKINGS:
        panel = tongue.word(f"metric_{metric}")
        for r in releases:
            promise = named(r.reference.promises, metric) if r.reference else None
            for night in _thinned(r.nights):
                e = named(night.estimates, metric)
                if e is not None and e.interval is not None:
                    rows.append(
                        _point(panel, tongue.word("estimated"), night.as_of, e.value, *e.interval, promise)
                    )
            for o in _thinned(r.outcomes):
                m = o.metric(metric)
                if m is not None:
                    rows.append(
                        _point(panel, tongue.word("realised"), o.as_of, m.value, m.low, m.high, promise)
                    )
    return rows


def _point(
    panel: str, name: str, day: str, value: float | None, low: float | None, high: float | None,
    promise: Estimate | None,
) -> dict[str, Any]:  # fmt: skip
    told = promise.value if promise else None
    return {
        "panel": panel,
        "name": name,
        "day": day,
        "value": value,
        "low": low,
        "high": high,
        "promise": told,
    }


def _kept(outcomes: Sequence[Outcome], tongue: Tongue) -> list[dict[str, Any]]:
    rows = []
    for o in _thinned(outcomes):
        whole = next((k for k in o.kept if k.name == "all"), None)
        if whole is None or whole.promised <= 0 or whole.promised_value <= 0:
            continue
        for panel, value, low, high in (
            ("conversions", whole.seen / whole.promised, whole.low, whole.high),
            ("revenue", whole.seen_value / whole.promised_value, whole.low_value, whole.high_value),
        ):
            name = tongue.word(panel)
            rows.append(
                {"panel": name, "name": name, "day": o.as_of, "value": value, "low": low, "high": high}
            )
    return rows


def _weeks(told: Judged) -> list[dict[str, Any]]:
    """Return seen and due of each whole week, counted back from the last day."""
    flow = told.under_way.flow
    if flow is None:
        return []
    weeks = min(len(flow.days) // 7, MOST_WEEKS)
    rows = []
    for k in range(weeks, 0, -1):
        here = slice(len(flow.days) - 7 * k, len(flow.days) - 7 * (k - 1))
        rows.append({"day": flow.days[here][0].isoformat(), "seen": float(flow.seen[here, 0].sum()),
                     "due": float(flow.due[here, 0].sum())})  # fmt: skip
    return rows


def _heat_maps(
    grid: Levels | None, labels: Mapping[str, str], tongue: Tongue
) -> tuple[HeatMap | None, HeatMap | None, HeatMap | None]:
    """Return the rows nearest to their bounds, the others, and the segments."""
    if grid is None:
        return None, None, None
    whole = [k for k, s in enumerate(grid.segments) if not s]
    # The worst of the whole time, then of the last night: what was once an alarm stays in sight.
    near = np.nan_to_num(grid.nearness, nan=-1.0)
    order = sorted(whole, key=lambda k: (-int(grid.level[k].max(initial=0)), -float(near[k]), k))
    names = [page.named(grid.names[k], labels, tongue) for k in order]
    first = _heat_map(grid, order[:MOST_ROWS], names[:MOST_ROWS], "heat_title", tongue)
    rest = None
    if order[MOST_ROWS:]:
        rest = _heat_map(grid, order[MOST_ROWS:], names[MOST_ROWS:], "heat_title", tongue)
    parts = [s for s in dict.fromkeys(grid.segments) if s]
    if not parts:
        return first, rest, None
    rows = [[k for k, s in enumerate(grid.segments) if s == part] for part in parts]
    worst = np.stack([grid.level[r].max(axis=0) for r in rows])
    return (
        first,
        rest,
        _of(grid, worst, tuple(plain(p) for p in parts), "segments_heat_title", tongue),
    )


def _heat_map(grid: Levels, rows: Sequence[int], names: Sequence[str], title: str, tongue: Tongue) -> HeatMap:
    return _of(grid, grid.level[list(rows)], tuple(names), title, tongue)


def _of(grid: Levels, level: Any, names: tuple[str, ...], title: str, tongue: Tongue) -> HeatMap:
    now = [n for n, line in zip(names, level, strict=True) if line[-1] == ALARM]
    told = tongue.word(
        "heat_text", n=len(names), nights=len(grid.columns), told=", ".join(now) or tongue.word("heat_none")
    )
    months: dict[str, int] = {}
    for k, day in enumerate(grid.columns):
        months.setdefault(f"{day:%m/%y}" if tongue.language == "de" else f"{day:%b %y}", k)
    ticks = tuple((k, name) for name, k in months.items())
    return HeatMap(tongue.word(title), told, names, level, ticks, grid.borders)


def _movers(last: Release, told: Judged, labels: Mapping[str, str], tongue: Tongue) -> tuple[Mover, ...]:
    """Return the subjects of the last night that are nearest to their bounds, with all three distances."""
    if told.drift is None or last.reference is None:
        return ()
    drift, night = told.drift, last.nights[-1]
    near = {
        name: drift.measured[-1, j] / drift.tolerated[-1, j]
        for j, name in enumerate(drift.names)
        if not drift.segments[j] and not name.startswith(VOLUME)
    }
    subjects = [s for s in last.reference.subjects if np.isfinite(near.get(s.name, np.nan))]
    subjects.sort(key=lambda s: (-near[s.name], s.name))
    found = []
    for s in subjects[:MOST_MOVERS]:
        before, after = s.counts[0], night.counts[s.name][0].astype(np.float64)
        psi, js = distance.stability(before, after), distance.jensen_shannon(before, after)
        moved = distance.wasserstein(before[:-1], after[:-1]) if s.bins.kind == "number" else None
        j = drift.names.index(s.name)
        found.append(
            Mover(
                page.named(s.name, labels, tongue), _told(psi), float(drift.tolerated[-1, j]), _told(js),
                _told(moved) if moved is not None else None,
            )
        )  # fmt: skip
    return tuple(found)


def _told(found: distance.Interval) -> page.Triple:
    return float(found.value), float(found.low), float(found.high)
