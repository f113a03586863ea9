"""What may stand beside the trees of a likelihood of leads, or in their place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from hva_ml.contracts.decisions import Floats
from hva_ml.training import additive, logistic
from hva_ml.training.booster import Booster
from hva_ml.training.matrix import Encoder

Family = Literal["additive", "logistic"]
FAMILIES: Mapping[Family, Sequence[float]] = {
    "additive": additive.PENALTIES,
    "logistic": logistic.PENALTIES,
}
SHARES = (0.5, 1.0)
"""Parts of the margin that the other family may have beside the trees."""
_WORDS: Mapping[Family, str] = {"additive": "additive model", "logistic": "logistic regression"}


@dataclass(frozen=True)
class Other:
    """A family with its penalty."""

    family: Family
    penalty: float

    def fit(self, X: Floats, y: Floats, weight: Floats, encoder: Encoder, ordered: frozenset[str]) -> Booster:
        """Fit it to encoded rows; `ordered` names categories whose codes have an order."""
        if self.family == "logistic":
            return logistic.fit_logistic(X, y, encoder.columns, penalty=self.penalty, weight=weight)
        return additive.fit_additive(
            X, y, encoder.columns, penalty=self.penalty, weight=weight, ordered=ordered
        )


def others() -> Iterator[Other]:
    """Yield all that is tried, in the order in which equals are preferred."""
    for family, penalties in FAMILIES.items():
        yield from (Other(family, p) for p in penalties)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A mixture of trees and another family, with what became of leads held out.

    Attributes
    ----------
    other, share
        What stands beside the trees, and its part of the margin.
    margin, losses : numpy.ndarray, shape (n_leads,)
        Of the leads held out: margins, and parts of the mean log loss once calibrated.
    """

    other: Other | None
    share: float
    margin: Floats
    losses: Floats

    @property
    def loss(self) -> float:
        """Mean log loss of the leads held out."""
        return float(self.losses.sum())

    def words(self) -> str:
        """Say what it is, for the table of trials."""
        if self.other is None:
            return "best trees alone"
        beside = "alone" if self.share == 1 else "beside the best trees"
        return f"{_WORDS[self.other.family]} {beside}, penalty {self.other.penalty:g}"

    def told(self) -> dict[str, Any]:
        """Return what the settings of the model say of it."""
        found: dict[str, Any] = {"additive_share": 0.0, "additive_penalty": 0.0}
        if self.other is not None:
            found[f"{self.other.family}_share"] = self.share
            found[f"{self.other.family}_penalty"] = self.other.penalty
        return found


def best_of(candidates: Sequence[Candidate]) -> Candidate:
    """Return the candidate of least loss; of equals the first.

    Logistic regression goes on beyond what training has seen, for better or worse. So it must be better than
    the best of the others by more than one standard error of the difference (Breiman et al. 1984, 3.4.3).
    """
    best = min(candidates, key=lambda c: c.loss)
    if best.other is None or best.other.family != "logistic":
        return best
    careful = [c for c in candidates if c.other is None or c.other.family != "logistic"]
    second = min(careful, key=lambda c: c.loss)
    if not np.isfinite(second.loss):
        return best
    gains = second.losses - best.losses
    return best if gains.sum() > np.sqrt(len(gains)) * gains.std(ddof=1) else second


def with_trials(searched: pa.Table, candidates: Sequence[Candidate]) -> pa.Table:
    """Return the trials of the trees with a row for each candidate."""
    rows = [
        {
            "number": searched.num_rows + k, "state": "complete", "value": c.loss, "rounds": 0, "grown": 0,
            "distribution": c.words(), "seconds": 0.0,
        }
        for k, c in enumerate(candidates)
    ]  # fmt: skip
    return pa.concat_tables([searched, pa.Table.from_pylist(rows, schema=searched.schema)])
