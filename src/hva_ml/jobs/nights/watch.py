"""What monitoring said in a night, as numbers: nothing in it names a feature, a segment or an account."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from hva_ml.jobs.monitor import Monitored
from hva_ml.monitoring import findings as codes

DRIFTS = (codes.VOLUME, codes.FEATURE, codes.SCORE)


@dataclass(frozen=True)
class Watch:
    """What monitoring said.

    Attributes
    ----------
    alarms, warnings : mapping of str to int
        How many are open, by every code that could be judged; 0 where all is well.
    raised : mapping of str to int
        Alarms that were not open in the night before, by code.
    drift : mapping of str to float
        By code, the largest drift over what is tolerated: 1 is at the bound.
    coming : float or None
        Conversions of the last four weeks over those that were due.
    conversions, value : float or None
        What came over what was promised, of all accounts of the latest complete night.
    age_days : float or None
        Age of the model.
    retrain : bool
        Whether the advice is to train again.
    """

    alarms: Mapping[str, int]
    warnings: Mapping[str, int]
    raised: Mapping[str, int]
    drift: Mapping[str, float]
    coming: float | None
    conversions: float | None
    value: float | None
    age_days: float | None
    retrain: bool

    def record(self) -> dict[str, object]:
        """Return it as a JSON-ready record."""
        return asdict(self)


def watched(found: Monitored) -> Watch:
    """Count what monitoring has found."""
    judged = [f for f in found.findings if f.outcome != "not applicable"]
    drift: dict[str, float] = {}
    for f in judged:
        if f.code in DRIFTS and f.measured is not None:
            drift[f.code] = max(drift.get(f.code, 0.0), f.nearness)
    kept = found.kept
    return Watch(
        {f.code: sum(g.code == f.code and g.outcome == "alarm" for g in judged) for f in judged},
        {f.code: sum(g.code == f.code and g.outcome == "warning" for g in judged) for f in judged},
        dict(Counter(e.code for e in found.raised)), drift, found.coming,
        kept.seen / kept.promised if kept and kept.promised else None,
        kept.seen_value / kept.promised_value if kept and kept.promised_value else None,
        None if found.advice.age_days is None else float(found.advice.age_days),
        found.advice.outcome == "retrain",
    )  # fmt: skip
