"""Whether to train again, and why: alarms, age, and what the backtest has shown of ageing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from hva_ml.evaluation.retraining import Recommendation
from hva_ml.monitoring import findings as codes
from hva_ml.monitoring.findings import Finding
from hva_ml.monitoring.reference import Reference

Outcome = Literal["retrain", "mend first", "keep", "not applicable"]
# What a new training can mend; a source that fails it cannot.
MENDED = (codes.FEATURE, codes.SCORE, codes.ESTIMATED, codes.UNDER_WAY, codes.RANKING, codes.TOTALS)
OUTCOMES = (codes.UNDER_WAY, codes.RANKING, codes.TOTALS)


@dataclass(frozen=True)
class Expected:
    """What the backtest says of a model of this age.

    Attributes
    ----------
    metric : str
        As in `hva_ml.evaluation.decay`.
    loss, low, high : float or None
        By how much it is worse than a fresh one, with its 95 % interval where there is one.
    """

    metric: str
    loss: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Advice:
    """Whether to train again.

    Attributes
    ----------
    outcome : str
        ``retrain``; ``mend first``: a source is wrong, and a model would learn that; ``keep``; or ``not
        applicable``: nothing could be judged.
    reasons : tuple of str
        Codes that speak for it, in order.
    age_days : int or None
        Days since the newest cohort that the release has learned from was complete.
    limit_days : int or None
        The age at which to train again: as declared, or as the backtest recommends.
    limit_from : str
        ``declared``, ``backtest``, or empty.
    expected : tuple of Expected
        What the backtest says of a model of this age.
    learnable_from : str
        ISO day from which on a cohort is complete that lies after the first alarm about outcomes: what has
        changed in them cannot be learned before. Empty where no such alarm is open.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    age_days: int | None
    limit_days: int | None
    limit_from: str
    expected: tuple[Expected, ...]
    learnable_from: str

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        return asdict(self)


def advise(
    found: Sequence[Finding],
    reference: Reference | None,
    day: date,
    *,
    embargo_days: int,
    max_age_days: int | None,
    recommendation: Recommendation | None,
    decay: pa.Table | None,
) -> tuple[Advice, Finding]:
    """Say whether to train again, and return the finding about age beside it.

    Parameters
    ----------
    found : sequence of Finding
        Of the release.
    reference : Reference or None
        Of the release.
    day : datetime.date
        The last night.
    embargo_days : int
        Days until late rows have come.
    max_age_days : int or None
        ``[monitoring] max_age_days``.
    recommendation : Recommendation or None
        Of the latest backtest.
    decay : pyarrow.Table or None
        Its ageing curve (`hva_ml.evaluation.decay.DECAY`).
    """
    age = limit = None
    source = ""
    if reference is not None:
        age = max(0, (day - reference.learned).days - embargo_days)
    if max_age_days is not None:
        limit, source = max_age_days, "declared"
    elif recommendation is not None and recommendation.outcome == "retrain":
        limit, source = recommendation.days, "backtest"
    old = age is not None and limit is not None and age > limit
    about_age = _about_age(age, limit, old)
    alarms = [f for f in found if f.outcome == "alarm"]
    reasons = sorted({f.code for f in alarms if f.code in MENDED} | ({codes.AGE} if old else set()))
    begun = [f.since for f in alarms if f.code in OUTCOMES and f.since]
    learnable = ""
    if begun and reference is not None:
        window = reference.gap + reference.horizon + embargo_days
        learnable = (date.fromisoformat(min(begun)) + timedelta(days=window)).isoformat()
    wrong = [f.code for f in alarms if f.code == codes.VOLUME]
    outcome: Outcome = "keep"
    if wrong:
        outcome, reasons = "mend first", [codes.VOLUME, *reasons]
    elif reasons:
        outcome = "retrain"
    elif all(f.outcome == "not applicable" for f in found) and limit is None:
        outcome = "not applicable"
    told = Advice(outcome, tuple(reasons), age, limit, source, _expected(decay, age), learnable)
    return told, about_age


def _about_age(age: int | None, limit: int | None, old: bool) -> Finding:
    if age is None:
        return Finding(codes.AGE, "not applicable", reason="no_reference")
    if limit is None:
        return Finding(codes.AGE, "not applicable", measured=float(age), reason="no_limit")
    return Finding(codes.AGE, "warning" if old else "passed", measured=float(age), bound=float(limit))


def _expected(decay: pa.Table | None, age: int | None) -> tuple[Expected, ...]:
    """Read the ageing curve at an age, along straight lines; beyond the oldest age seen nobody knows."""
    if decay is None or age is None:
        return ()
    found = []
    rows = decay.to_pylist()
    for metric in dict.fromkeys(r["metric"] for r in rows):
        mine = sorted((r for r in rows if r["metric"] == metric), key=lambda r: float(r["age_days"]))
        ages = [float(r["age_days"]) for r in mine]
        if not ages or age > ages[-1]:
            continue
        loss = float(np.interp(age, ages, [r["loss"] for r in mine]))
        bounded = [r for r in mine if r["low"] is not None]
        low = high = None
        if bounded and bounded[0]["age_days"] <= age <= bounded[-1]["age_days"]:
            places = [float(r["age_days"]) for r in bounded]
            low, high = (float(np.interp(age, places, [r[k] for r in bounded])) for k in ("low", "high"))
        found.append(Expected(metric, loss, low, high))
    return tuple(found)
