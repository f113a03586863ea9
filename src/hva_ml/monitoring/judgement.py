"""From the kept nights of one release to findings: what is an alarm, since when, and what was one before.

The allowed false alarms are shared out in equal parts: drift, estimated performance, promises under way, and
realised performance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hva_ml.config import Monitoring
from hva_ml.monitoring import findings as codes
from hva_ml.monitoring.digest import PREFIX
from hva_ml.monitoring.drift import VOLUME, Drift, drift
from hva_ml.monitoring.episodes import Episode, Watched
from hva_ml.monitoring.findings import Finding
from hva_ml.monitoring.outlook import UnderWayJudged, estimated, under_way
from hva_ml.monitoring.promises import realised
from hva_ml.monitoring.release import Release

_DRIFT = (codes.VOLUME, codes.FEATURE, codes.SCORE)


@dataclass(frozen=True, eq=False)
class Judged:
    """What the nights of a release tell.

    Attributes
    ----------
    findings : tuple of Finding
        As of the last night.
    episodes : tuple of Episode
        Every alarm there was, by the day on which it was raised.
    drift : Drift or None
        All distances; None without a reference.
    under_way : UnderWayJudged
        Conversions day by day.
    """

    findings: tuple[Finding, ...]
    episodes: tuple[Episode, ...]
    drift: Drift | None
    under_way: UnderWayJudged


def judge(found: Release, config: Monitoring, total_ratio: tuple[float, float]) -> Judged:
    """Judge the nights of a release.

    Parameters
    ----------
    found : Release
        With at least one night.
    config : Monitoring
        ``[monitoring]`` of the pipeline.
    total_ratio : tuple of float
        ``[gates] total_ratio``: promised over seen value that was allowed at promotion.
    """
    moved = drift(found.nights, found.reference, config) if found.reference else None
    seen = _watched(moved, config) if moved else None
    estimate, estimates = estimated(found, config)
    coming = under_way(found, config)
    kept, promises = realised(found, config, total_ratio)
    watched = [w for w in (seen, estimates, coming.watched, promises) if w is not None]
    episodes = sorted(
        (e for w in watched for e in w.episodes()), key=lambda e: (e.raised, e.code, e.where, e.segment)
    )
    rows = (*_drifted(moved, seen), estimate, *coming.findings, *kept)
    return Judged(rows, tuple(episodes), moved, coming)


def _watched(moved: Drift, config: Monitoring) -> Watched:
    return Watched(
        tuple(_code(n) for n in moved.names), moved.names, moved.segments, moved.days, moved.days,
        moved.opened, config.confirm_nights - 1,
    )  # fmt: skip


def _drifted(moved: Drift | None, seen: Watched | None) -> list[Finding]:
    if moved is None or seen is None:
        return [Finding(c, "not applicable", reason="no_reference") for c in _DRIFT]
    rows: list[Finding] = []
    for code in _DRIFT:
        mine = [j for j, c in enumerate(seen.codes) if c == code]
        alarms = [_finding(moved, j, "alarm", seen.since(j)) for j in mine if moved.opened[-1, j]]
        if alarms:
            rows += sorted(alarms, key=lambda r: (r.segment != "", -r.nearness, r.where, r.segment))
        elif mine:
            rows.append(_nearest(code, moved, mine))
        else:
            rows.append(Finding(code, "not applicable", reason="no_habit"))
    return rows


def _finding(moved: Drift, test: int, outcome: codes.Outcome, since: str = "") -> Finding:
    return Finding(
        _code(moved.names[test]), outcome, moved.names[test], moved.segments[test], since, len(moved.days),
        float(moved.measured[-1, test]), bound=float(moved.tolerated[-1, test]),
    )  # fmt: skip


def _nearest(code: str, moved: Drift, mine: Sequence[int]) -> Finding:
    """Return that nothing has moved, with what lies nearest to its bound."""
    shown = [_finding(moved, j, "passed") for j in mine if np.isfinite(moved.measured[-1, j])]
    why = "not_counted" if code == codes.VOLUME else "too_few_accounts"
    return max(shown, key=lambda r: r.nearness, default=Finding(code, "not applicable", reason=why))


def _code(name: str) -> str:
    if name.startswith(VOLUME):
        return codes.VOLUME
    return codes.SCORE if name.startswith(PREFIX) else codes.FEATURE
