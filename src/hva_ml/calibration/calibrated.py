"""All that later cohorts teach about the likelihood, in one step, with what was found on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from hva_ml.calibration.base_rate import BaseRate, Rule, base_rate
from hva_ml.calibration.choice import Choice, choose
from hva_ml.calibration.later import Later
from hva_ml.calibration.maps import Calibrator, Kind, fit
from hva_ml.calibration.shared import at_level
from hva_ml.calibration.spread import Spread


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
    """

    map: Calibrator
    pooled: Calibrator
    form: Choice | None
    level: BaseRate

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

    Raises
    ------
    NotEnoughDataError, ContractError
        As in `fit`.
    """
    form = None
    if kind == "auto":
        form = choose(later.margin, later.converted, later.groups, seed, later.weight)
        kind = form.kind
    pooled: Calibrator
    if slope is None:
        pooled = fit(kind, later.margin, later.converted, later.weight)
    else:
        pooled = at_level(slope, later.margin, later.converted, later.weight)
    logit = pooled.logit(later.margin)
    level = base_rate(later, logit, rule, wait_days)
    sure = Spread.of(later, pooled.columns(later.margin), logit, level, interval)
    moved = replace(pooled.shifted(level.offset), spread=sure)
    return Calibrated(moved, pooled, form, level)
