"""What can be told before horizons are over: estimated performance, and conversions under way."""

from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

import numpy as np
from scipy.special import ndtr

from hva_ml.config import Monitoring
from hva_ml.monitoring import findings as codes
from hva_ml.monitoring.detector import DAY, WEEK, Evidence, evidence
from hva_ml.monitoring.drift import level_of
from hva_ml.monitoring.episodes import Watched, opened, rejected
from hva_ml.monitoring.estimate import Estimate, named
from hva_ml.monitoring.findings import Finding
from hva_ml.monitoring.release import RANKINGS, Release
from hva_ml.monitoring.under_way import Flow, flow

DIRECTIONS = ("fewer", "more")
# All accounts, then those of low, middle and high probability.
COLUMNS = ("", "low", "middle", "high")
FOUR_WEEKS = 28


@dataclass(frozen=True, eq=False)
class UnderWayJudged:
    """Conversions under way, and what speaks against the promises."""

    findings: tuple[Finding, ...]
    watched: Watched | None = None
    flow: Flow | None = None
    evidence: Evidence | None = None

    @property
    def ratio(self) -> float | None:
        """Conversions of the last four weeks over those that were due; None where none were."""
        if self.flow is None or not self.flow.due[-FOUR_WEEKS:, 0].sum():
            return None
        return float(self.flow.seen[-FOUR_WEEKS:, 0].sum() / self.flow.due[-FOUR_WEEKS:, 0].sum())


def estimated(found: Release, config: Monitoring) -> tuple[Finding, Watched | None]:
    """Hold the estimated performance of every night to that of the calibration."""
    reference = found.reference
    if reference is None or not reference.estimates:
        return Finding(codes.ESTIMATED, "not applicable", reason="no_reference"), None
    before = {m: e for m in RANKINGS if (e := named(reference.estimates, m))}
    nights = [n for n in found.nights if all(named(n.estimates, m) for m in before)]
    if not before or not nights:
        return Finding(codes.ESTIMATED, "not applicable", reason="no_estimate"), None
    z = np.array([[worse(named(n.estimates, m), e, config.max_loss) for m, e in before.items()]
                  for n in nights])  # fmt: skip
    days, metrics = tuple(n.day for n in nights), tuple(before)
    state = opened(rejected(1 - ndtr(z), level_of(config)), config.confirm_nights)
    watched = Watched(
        (codes.ESTIMATED,) * len(metrics), metrics, ("",) * len(metrics), days, days, state,
        config.confirm_nights - 1,
    )  # fmt: skip
    worst = int(np.argmax(np.where(state[-1], z[-1] + 1e6, z[-1])))
    last = named(nights[-1].estimates, metrics[worst])
    assert last is not None
    low, high = last.interval or (None, None)
    is_open = bool(state[-1, worst])
    finding = Finding(
        codes.ESTIMATED, "alarm" if is_open else "passed", metrics[worst], "",
        watched.since(worst) if is_open else "", len(nights), last.value, low, high, config.max_loss,
        before[metrics[worst]].value,
    )  # fmt: skip
    return finding, watched


def worse(now: Estimate | None, before: Estimate, tolerated: float) -> float:
    """Return by how many standard errors a measure is worse than tolerated; below 0 if it is not.

    Examples
    --------
    >>> round(worse(Estimate("roc_auc", 0.6, 0.03), Estimate("roc_auc", 0.7, 0.04), 0.05), 6)
    1.0
    """
    if now is None or now.value is None or before.value is None:
        return -np.inf
    error = sqrt(now.error**2 + before.error**2)
    lost = before.value - now.value - tolerated
    return lost / error if error > 0 else (np.inf if lost > 0 else -np.inf)


def under_way(found: Release, config: Monitoring) -> UnderWayJudged:
    """Hold the conversions that came, night by night, to those that were due."""
    if found.reference is None or found.reference.pace is None:
        why = "no_reference" if found.reference is None else "no_pace"
        return UnderWayJudged((Finding(codes.UNDER_WAY, "not applicable", reason=why),))
    joined = flow(found.under_way, found.reference.pace.weekdays)
    if joined is None:
        why = "hindsight" if found.in_hindsight else "nothing_under_way"
        return UnderWayJudged((Finding(codes.UNDER_WAY, "not applicable", reason=why),))
    learned = found.reference.pace
    spread = {DAY: learned.by_day, WEEK: learned.by_week}
    speaks = evidence(
        joined.seen, joined.due, dispersion=spread, tolerance=config.tolerance,
        nights_between_alarms=1 / level_of(config),
    )  # fmt: skip
    # What became known on a day is seen in the night after it.
    nights = tuple(d + timedelta(days=1) for d in joined.days)
    watched = Watched(
        (codes.UNDER_WAY,) * 2, DIRECTIONS, ("",) * 2, joined.days, nights, speaks.alarm
    )  # fmt: skip
    alarms = [_off(joined, watched, k, config) for k in range(2) if speaks.alarm[-1, k]]
    return UnderWayJudged(tuple(alarms) or (_as_promised(joined, config),), watched, joined, speaks)


def _off(joined: Flow, watched: Watched, direction: int, config: Monitoring) -> Finding:
    """Tell the days of an alarm and the week before it, at most four weeks, where they are farthest off."""
    since = watched.since(direction)
    days = min(FOUR_WEEKS, (joined.days[-1] - date.fromisoformat(since)).days + WEEK, len(joined.days))
    seen, due = joined.seen[-days:].sum(axis=0), joined.due[-days:].sum(axis=0)
    off = (seen - due) / np.sqrt(np.maximum(due, 1.0))
    worst = int(np.argmax(off if DIRECTIONS[direction] == "more" else -off))
    return Finding(
        codes.UNDER_WAY, "alarm", DIRECTIONS[direction], COLUMNS[worst], since, days, float(seen[worst]),
        bound=config.tolerance, beside=float(due[worst]),
    )  # fmt: skip


def _as_promised(joined: Flow, config: Monitoring) -> Finding:
    days = min(FOUR_WEEKS, len(joined.days))
    return Finding(
        codes.UNDER_WAY, "passed", nights=days, measured=float(joined.seen[-days:, 0].sum()),
        bound=config.tolerance, beside=float(joined.due[-days:, 0].sum()),
    )  # fmt: skip
