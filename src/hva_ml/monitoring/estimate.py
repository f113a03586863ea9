"""Performance before outcomes are known: what calibrated probabilities say about themselves.

If the probabilities are right, each account's outcome is known in distribution, and with it every measure of
the ranking (confidence-based performance estimation). What the model does not know, it cannot see: a changed
relation between data and outcome shows only in outcomes.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from hva_ml.evaluation import ranking, scoring
from hva_ml.evaluation.bootstrap import CELLS_AT_ONCE
from hva_ml.evaluation.ranking import Gains, Order

Floats = npt.NDArray[np.float64]
METRICS = ("roc_auc", "lift_top_10", "captured_revenue_top_20", "brier")
DRAWS = 100
_Z_95 = 1.959964


@dataclass(frozen=True)
class Estimate:
    """One measure, estimated.

    Attributes
    ----------
    metric : str
        As in `hva_ml.evaluation.metrics`.
    value : float or None
        None where it is undefined.
    error : float
        Standard error: outcomes that chance decides, and a calibration learned from limited data.
    """

    metric: str
    value: float | None
    error: float

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval."""
        if self.value is None:
            return None
        return self.value - _Z_95 * self.error, self.value + _Z_95 * self.error

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Estimate":
        """Rebuild from `record`."""
        value = record["value"]
        return cls(str(record["metric"]), None if value is None else float(value), float(record["error"]))


@dataclass(frozen=True)
class Certainty:
    """How sure the calibration is: Fisher's information about a shift and a factor of the log odds.

    Attributes
    ----------
    shift, both, factor : float
        ``Σ p(1 − p) · (1, z, z²)`` over the rows that the model was calibrated on, z the log odds.
    """

    shift: float
    both: float
    factor: float

    @classmethod
    def of(cls, probability: Floats) -> "Certainty":
        """Return the information of calibrated rows, shape (n_rows,)."""
        z, weight = _log_odds(probability), probability * (1 - probability)
        return cls(float(weight.sum()), float(weight @ z), float(weight @ z**2))

    def draws(self, number: int, seed: int) -> Floats:
        """Return shifts and factors that could as well be true, shape (number, 2)."""
        information = np.array([[self.shift, self.both], [self.both, self.factor]])
        # Too little to tell a factor: half a row keeps it finite.
        covariance = np.linalg.inv(information + 0.5 * np.eye(2))
        drawn = np.random.default_rng(seed).standard_normal((number, 2)) @ np.linalg.cholesky(covariance).T
        return np.asarray(drawn + np.array([0.0, 1.0]))


def estimates(
    probability: Floats, value: Floats, certainty: Certainty, seed: int, draws: int = DRAWS
) -> tuple[Estimate, ...]:
    """Estimate how well the scores rank, from the scores alone.

    The point is each measure with outcomes replaced by their probabilities. Its error is that over draws in
    which the calibration is another one that could as well be true, and each account converts or does not.

    Parameters
    ----------
    probability, value : numpy.ndarray of float64, shape (n_accounts,)
        Conversion probability; value if converted, > 0. In the order of account ids, for the same draws.
    certainty : Certainty
        How sure the calibration is.
    seed, draws : int
        Seed and number of the draws.

    Returns
    -------
    tuple of Estimate
        In the order of `METRICS`.
    """
    likely, valued = Order.of(probability), Order.of(probability * value)
    point = _measures(likely, valued, probability[None, :], probability, value)
    spread = np.empty((len(METRICS), draws))
    maps, rng, z = certainty.draws(draws, seed), np.random.default_rng(seed + 1), _log_odds(probability)
    at_once = max(1, CELLS_AT_ONCE // len(probability))
    for first in range(0, draws, at_once):
        shift, factor = maps[first : first + at_once].T[:, :, None]
        converted = (rng.random((shift.shape[0], len(z))) < expit(shift + factor * z)).astype(np.float64)
        spread[:, first : first + at_once] = _measures(likely, valued, converted, probability, value)
    found = []
    for name, here, drawn in zip(METRICS, point, spread, strict=True):
        known = drawn[np.isfinite(drawn)]
        defined = bool(np.isfinite(here[0])) and len(known) > 1
        error = float(known.std(ddof=1)) if defined else 0.0
        found.append(Estimate(name, float(here[0]) if defined else None, error))
    return tuple(found)


def named(found: Sequence[Estimate], metric: str) -> Estimate | None:
    """Return the estimate of a metric, None where there is none."""
    return next((e for e in found if e.metric == metric and e.value is not None), None)


def _measures(likely: Order, valued: Order, outcome: Floats, probability: Floats, value: Floats) -> Floats:
    """Return `METRICS` for outcomes of shape (n, n_accounts), certain or as probabilities: (4, n)."""
    weight = np.ones((1, outcome.shape[1]))
    converted = Gains(likely.masses(weight), likely.masses(outcome))
    revenue = Gains(valued.masses(weight), valued.masses(outcome * value))
    # E (p − y)² is linear in y, so that it may be a probability.
    squared = scoring.mean(probability**2, weight) + ((1 - 2 * probability) * outcome).mean(axis=1)
    return np.stack(
        [
            ranking.roc_auc(likely, outcome, weight),
            np.broadcast_to(ranking.lift(converted, 0.1), len(outcome)),
            np.broadcast_to(ranking.captured(revenue, 0.2), len(outcome)),
            squared,
        ]
    )


def _log_odds(probability: Floats) -> Floats:
    return np.asarray(logit(np.clip(probability, 1e-12, 1 - 1e-12)))
