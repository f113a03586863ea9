"""All that later cohorts teach about the likelihood, in one step, with what was found on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from hva_ml.calibration.base_rate import BaseRate, Rule, base_rate
from hva_ml.calibration.choice import Choice, choose
from hva_ml.calibration.later import Later
from hva_ml.calibration.logistic import Array
from hva_ml.calibration.maps import Calibrator, Kind, Platt, fit
from hva_ml.calibration.nowcast import Nowcast
from hva_ml.calibration.segments import Segments, segments
from hva_ml.calibration.shared import at_level
from hva_ml.calibration.spread import Spread
from hva_ml.errors import ContractError


@dataclass(frozen=True, eq=False)
class Calibrated:
    """The map that is used, and how it came about.

    Attributes
    ----------
    map : Calibrator
        Margin to probability, with how sure it is.
    pooled : Calibrator
        The map before the base rate was moved.
    form : Choice or None
        Why it has its form; None where the pipeline file says it.
    level : BaseRate
        The cohorts, and where the base rate stands.
    segments : Segments or None
        What was learned of segments; None where nobody asked. If it is kept, the map is that of margins to
        which `margin_shift` was added.
    nowcast : Nowcast or None
        By how much the map was moved for what cohorts have shown whose horizon still runs; None where nobody
        asked, or none does.
    """

    map: Calibrator
    pooled: Calibrator
    form: Choice | None
    level: BaseRate
    segments: Segments | None = None
    nowcast: Nowcast | None = None

    @property
    def moves(self) -> bool:
        """Whether the map lies elsewhere than that of all cohorts together."""
        return bool(self.level.offset) or (self.nowcast is not None and bool(self.nowcast.moved))

    @property
    def margin_shift(self) -> Array | None:
        """What each segment adds to the margin, shape (n_categories,); None where nothing is added."""
        if self.segments is None or not self.segments.kept:
            return None
        assert isinstance(self.pooled, Platt)
        return self.segments.shift / self.pooled.slope

    def record(self, days: Mapping[int, date]) -> dict[str, Any]:
        """Return what reports and the card tell, JSON-ready; `days` names cutoffs given in microseconds."""
        told: dict[str, Any] = {
            "kind": self.map.to_dict()["kind"],
            "offset": self.level.offset,
            "drift_per_quarter": self.level.drift,
            "drifted": self.level.drifted,
            "level_sd": self.level.sd,
            "cohorts": [
                {
                    "cutoff": days[c.cutoff].isoformat(),
                    "rows": c.rows,
                    "converted": c.converted,
                    "rate": c.rate,
                    "promised": c.promised,
                    "offset": c.offset,
                    "error": c.error,
                }
                for c in self.level.cohorts
            ],
        }
        if self.form is not None:
            told["form"] = {"gain": self.form.gain, "error": self.form.error}
        if self.segments is not None:
            told["segments"] = self.segments.record()
        return told


def calibrate(
    later: Later,
    kind: Kind | Literal["auto"],
    rule: Rule,
    *,
    interval: float,
    wait_days: float,
    seed: int,
    slope: float | None = None,
    cohort_days: float = 0.0,
) -> Calibrated:
    """Learn what probability a margin means, where the base rate stands, and how sure that is.

    Parameters
    ----------
    later : Later
        Rows of the calibration side.
    kind : {"platt", "beta", "auto"}
        Form of the map; ``auto`` as in `choose`.
    rule : {"pooled", "drift"}
        See `base_rate`.
    interval : float
        How often the bounds of a probability are to hold, 0 < interval < 1.
    wait_days : float
        Days from a cutoff until its outcomes are known.
    seed : int
        Decides which groups are held out by ``auto``.
    slope : float, optional
        Slope of a Platt map that is known already (`shared_slope`): then only its level is learned here.
    cohort_days : float
        Days from the first row of a cohort to its last, where they do not stand at one moment.

    Raises
    ------
    NotEnoughDataError, ContractError
        As in `fit`; also if there are segments and the map is not Platt's.
    """
    form = None
    if kind == "auto":
        form = choose(later.margin, later.converted, later.groups, seed, later.weight)
        kind = form.kind
    pooled, level = _shared(later, kind, rule, wait_days, slope)
    found = None
    if later.segment is not None:
        if not isinstance(pooled, Platt):
            raise ContractError(
                f"Segments are shifts of a Platt map, and this one is {kind}.",
                where="calibration side",
                why="Only where the map is a line is a shift of the log-odds one of the margin.",
                fix='Write calibration = "platt" in [models].',
            )
        found = segments(later, pooled.logit(later.margin), level, wait_days + cohort_days, seed)
        if found.kept:
            margin = later.margin + found.of(later.segment) / pooled.slope
            later = replace(later, margin=margin)
            pooled, level = _shared(later, kind, rule, wait_days, pooled.slope)
    columns, logit = pooled.columns(later.margin), pooled.logit(later.margin)
    sure = Spread.of(later, columns, logit, level, interval)
    moved = replace(pooled.shifted(level.offset), spread=sure)
    return Calibrated(moved, pooled, form, level, found)


def _shared(
    later: Later, kind: Kind, rule: Rule, wait_days: float, slope: float | None
) -> tuple[Calibrator, BaseRate]:
    """Return the map of all cohorts together, and where the base rate stands beside it."""
    pooled: Calibrator
    if slope is None:
        pooled = fit(kind, later.margin, later.converted, later.weight)
    else:
        pooled = at_level(slope, later.margin, later.converted, later.weight)
    return pooled, base_rate(later, pooled.logit(later.margin), rule, wait_days)
