"""Probabilities by a shared map and with shifts of segments, on rows that neither had seen."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hva_ml.calibration import Membership, Segments
from hva_ml.evaluation.bootstrap import group_codes, interval, weightings

Floats = npt.NDArray[np.float64]
RESAMPLES = 2000
SEED = 7


@dataclass(frozen=True, eq=False)
class Judged:
    """Rows that judge: log-odds by the shared map, outcome, and what is drawn together."""

    logit: Floats
    y: Floats
    groups: npt.ArrayLike

    def row(self, case: str, found: Segments, member: Membership) -> dict[str, Any]:
        """Return what one fit's shifts were worth on these rows, kept or not."""
        return self.rated(case, [found], found.of(member))

    def rated(self, case: str, found: list[Segments], shift: Floats) -> dict[str, Any]:
        """Return what shifts were worth that several fits have learned, each for rows of its own."""
        own = self.logit + shift
        before, after = (np.logaddexp(0, z) - self.y * z for z in (self.logit, own))
        drawn = np.concatenate(
            [
                (w @ (before - after)) / w.sum(axis=1)
                for w in weightings(group_codes(self.groups), RESAMPLES, SEED)
            ]
        )
        bounds = interval(drawn)
        kept = sum(s.kept for s in found)
        answer = f"{kept} of {len(found)} fits" if len(found) > 1 else "yes" if kept else "no"
        return {
            "case": case, "rows": len(self.y), "segments": int(np.median([len(s.shift) for s in found])),
            "sd": float(np.mean([s.sd for s in found])),
            "gain_before": float(np.mean([s.gain for s in found])),
            "error": float(np.mean([s.error for s in found])), "kept": answer,
            "log_loss": float(before.mean()), "log_loss_with_shifts": float(after.mean()),
            "lower_by": float((before - after).mean()),
            "lower_by_interval": "{:.4f} to {:.4f}".format(*bounds) if bounds else "",
        }  # fmt: skip
