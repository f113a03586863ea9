"""Whether a source brings about as many rows for each account as it did when the model learned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

Floats = npt.NDArray[np.float64]
LEAST_CUTOFFS = 4
LEAST_ROWS = 20.0
# No habit is known better than this: weeks differ, and few cutoffs may look alike by chance.
_LEAST_SPREAD = 0.05


@dataclass(frozen=True)
class Habit:
    """How many rows a source brought for each account within four weeks, over the cutoffs of the training.

    Attributes
    ----------
    name : str
        ``table``, or ``table.kind`` for the events of one kind.
    level, spread : float
        Mean and standard deviation of the logarithm of rows per account.
    cutoffs : int
        Number of cutoffs.
    """

    name: str
    level: float
    spread: float
    cutoffs: int

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        return {"name": self.name, "level": self.level, "spread": self.spread, "cutoffs": self.cutoffs}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Habit":
        """Rebuild from `record`."""
        return cls(
            str(record["name"]), float(record["level"]), float(record["spread"]), int(record["cutoffs"])
        )

    def excess(self, rows: Floats, accounts: Floats, factor: float) -> tuple[Floats, Floats]:
        """Return how many times as many rows came as usual, and how likely that is if `factor` is tolerated.

        The logarithm of rows per account of one more day is that of the cutoffs: Student's t prediction
        interval for one more observation, moved out by what is tolerated.

        Parameters
        ----------
        rows, accounts : numpy.ndarray of float64, shape (n_nights,)
            NaN where nobody counted.
        factor : float
            > 1: so many times more or fewer rows are no finding.

        Examples
        --------
        >>> ratio, p = Habit("events", 0.0, 0.1, 12).excess(np.array([40.0]), np.array([100.0]), 1.25)
        >>> ratio.round(2).tolist(), bool(p[0] < 0.001)
        ([0.4], True)
        """
        ratio = _log_rate(rows, accounts) - self.level
        noise = max(self.spread, _LEAST_SPREAD) * sqrt(1 + 1 / self.cutoffs)
        t = (np.abs(ratio) - log(factor)) / noise
        p = np.where(t > 0, 2 * stdtr(self.cutoffs - 1.0, -np.maximum(t, 0.0)), 1.0)
        return np.exp(ratio), np.where(np.isnan(ratio), 1.0, p)


def habits(rows: Mapping[str, npt.NDArray[np.int64]], accounts: Sequence[int]) -> tuple[Habit, ...]:
    """Return the habit of each source that has one: enough cutoffs, and rows at each of them.

    Parameters
    ----------
    rows : mapping of str to numpy.ndarray of int64, shape (n_cutoffs,)
        Rows within four weeks before each cutoff, see `hva_ml.contracts.volumes`.
    accounts : sequence of int, length n_cutoffs
        Accounts at each cutoff.
    """
    found = []
    for name, counts in sorted(rows.items()):
        if len(counts) < LEAST_CUTOFFS or counts.min() < LEAST_ROWS:
            continue
        rates = _log_rate(counts.astype(np.float64), np.asarray(accounts, dtype=np.float64))
        found.append(Habit(name, float(rates.mean()), float(rates.std(ddof=1)), len(rates)))
    return tuple(found)


def _log_rate(rows: Floats, accounts: Floats) -> Floats:
    return np.asarray(np.log((rows + 0.5) / np.maximum(accounts, 1.0)))
