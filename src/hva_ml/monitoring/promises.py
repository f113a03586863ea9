"""Complete nights against what was promised of them: the order of the accounts, and the sums."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import log, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from hva_ml.config import Monitoring
from hva_ml.monitoring import findings as codes
from hva_ml.monitoring.drift import level_of
from hva_ml.monitoring.episodes import Watched, opened, rejected
from hva_ml.monitoring.estimate import Estimate, named
from hva_ml.monitoring.findings import Finding
from hva_ml.monitoring.outcomes import Kept, Outcome
from hva_ml.monitoring.outlook import worse
from hva_ml.monitoring.release import RANKINGS, Release

Floats = npt.NDArray[np.float64]
PARTS = ("all", "A", "B", "C")
_Z_95 = 1.959964


@dataclass(frozen=True, eq=False)
class _Test:
    """One thing that is asked of every complete night: by how many standard errors it is off."""

    code: str
    where: str
    z: Floats


def realised(
    found: Release, config: Monitoring, total_ratio: tuple[float, float]
) -> tuple[tuple[Finding, ...], Watched | None]:
    """Hold every complete night to the promise.

    Parameters
    ----------
    found : Release
        With its complete nights.
    config : Monitoring
        ``[monitoring]`` of the pipeline.
    total_ratio : tuple of float
        ``[gates] total_ratio``: promised over seen value that was allowed at promotion.
    """
    nights = found.foreseen
    if not nights:
        why = "hindsight" if found.outcomes or found.in_hindsight else "no_horizon"
        return tuple(Finding(c, "not applicable", reason=why) for c in (codes.RANKING, codes.TOTALS)), None
    promised = {m: e for m in RANKINGS if found.reference and (e := named(found.reference.promises, m))}
    tests = _tests(nights, promised, config, total_ratio)
    z = np.column_stack([t.z for t in tests])
    days = tuple(n.day for n in nights)
    watched = Watched(
        tuple(t.code for t in tests), tuple(t.where for t in tests), ("",) * len(tests), days,
        tuple(d + timedelta(days=found.wait_days) for d in days),
        opened(rejected(1 - ndtr(z), level_of(config)), config.confirm_nights), config.confirm_nights - 1,
    )  # fmt: skip
    rows: list[Finding] = []
    for code in (codes.RANKING, codes.TOTALS):
        mine = [j for j, t in enumerate(tests) if t.code == code]
        alarms = [j for j in mine if watched.opened[-1, j]]
        if not mine:
            rows.append(Finding(code, "not applicable", reason="no_promise", nights=len(nights)))
        for j in alarms or [max(mine, key=lambda j: z[-1, j])] if mine else ():
            told = _ranking(tests[j], nights, promised, config) if code == codes.RANKING else (
                _sum(tests[j], nights, config, total_ratio)
            )  # fmt: skip
            since = watched.since(j) if j in alarms else ""
            rows.append(_row(told, bool(alarms), since, len(nights)))
    return tuple(rows), watched


def _tests(
    nights: Sequence[Outcome],
    promised: Mapping[str, Estimate],
    config: Monitoring,
    total_ratio: tuple[float, float],
) -> list[_Test]:
    tests = [
        _Test(codes.RANKING, m, np.array([_lost(n, m, e, config.max_loss) for n in nights]))
        for m, e in promised.items()
    ]
    for name in PARTS:
        z = np.array([_off(part(n, name), config.tolerance) for n in nights])
        tests.append(_Test(codes.TOTALS, f"conversions.{name}", z))
    z = np.array([_off_value(part(n, "all"), total_ratio) for n in nights])
    tests.append(_Test(codes.TOTALS, "value.all", z))
    return tests


@dataclass(frozen=True)
class _Told:
    """What a finding tells of the last complete night."""

    code: str
    where: str
    measured: float | None
    low: float | None
    high: float | None
    bound: float
    beside: float | None


def _row(told: _Told, alarm: bool, since: str, nights: int) -> Finding:
    return Finding(
        told.code, "alarm" if alarm else "passed", told.where, "", since, nights, told.measured, told.low,
        told.high, told.bound, told.beside,
    )  # fmt: skip


def _ranking(
    test: _Test, nights: Sequence[Outcome], promised: Mapping[str, Estimate], config: Monitoring
) -> _Told:
    seen = nights[-1].metric(test.where)
    value, low, high = (seen.value, seen.low, seen.high) if seen else (None, None, None)
    return _Told(test.code, test.where, value, low, high, config.max_loss, promised[test.where].value)


def _sum(
    test: _Test, nights: Sequence[Outcome], config: Monitoring, total_ratio: tuple[float, float]
) -> _Told:
    kind, _, name = test.where.partition(".")
    found = part(nights[-1], name)
    if found is None:
        return _Told(test.code, test.where, None, None, None, config.tolerance, None)
    if kind == "value":
        ratio = found.seen_value / found.promised_value if found.promised_value else None
        return _Told(
            test.code, test.where, ratio, found.low_value, found.high_value, 1 / total_ratio[1],
            found.promised_value,
        )  # fmt: skip
    ratio = found.seen / found.promised if found.promised else None
    return _Told(test.code, test.where, ratio, found.low, found.high, config.tolerance, found.promised)


def part(night: Outcome, name: str) -> Kept | None:
    """Return what was promised of a tier, or of ``all``, and what came; None where there is nobody."""
    return next((k for k in night.kept if k.name == name), None)


def _lost(night: Outcome, metric: str, promise: Estimate, tolerated: float) -> float:
    seen = night.metric(metric)
    if seen is None or seen.error is None:
        return -np.inf
    return worse(Estimate(metric, seen.value, seen.error), promise, tolerated)


def _off(found: Kept | None, tolerance: float) -> float:
    """Return by how many standard errors conversions lie outside what is tolerated, in logarithms."""
    if found is None or found.promised <= 0:
        return -np.inf
    # Nobody knows a rate better than by its conversions; half a one more keeps none from being no number.
    error = max(_error(found.low, found.high) or 0.0, 1 / sqrt(found.seen + 0.5))
    ratio = log((found.seen + 0.5) / found.promised)
    return max(log(1 - tolerance) - ratio, ratio - log(1 + tolerance)) / error


def _off_value(found: Kept | None, total_ratio: tuple[float, float]) -> float:
    if found is None or found.promised_value <= 0 or found.seen_value <= 0:
        return -np.inf
    error = _error(found.low_value, found.high_value)
    ratio = log(found.seen_value / found.promised_value)
    least, most = -log(total_ratio[1]), -log(total_ratio[0])
    return max(least - ratio, ratio - most) / error if error else -np.inf


def _error(low: float | None, high: float | None) -> float | None:
    """Return the standard error behind a 95 % interval, in logarithms; None where it has none."""
    if low is None or high is None or not 0 < low < high:
        return None
    return (log(high) - log(low)) / (2 * _Z_95)
