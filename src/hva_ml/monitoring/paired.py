"""A challenger and the champion on the same accounts of past nights, once their horizons are over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.evaluation import table as results
from hva_ml.evaluation.metrics import ModelPrediction
from hva_ml.monitoring.outcomes import Came

CHAMPION, CHALLENGER = "the champion", "the challenger"
METRICS = ("captured_revenue_top_20", "roc_auc", "brier", "total_ratio")
LEAST = 10


@dataclass(frozen=True, eq=False)
class Paired:
    """One complete night by both models, one row an account.

    Attributes
    ----------
    day : datetime.date
        The night.
    champion, challenger : ModelPrediction
        What each said, arrays of shape (n_accounts,).
    groups : numpy.ndarray of str, shape (n_accounts,)
        What is drawn again as a whole.
    came : Came
        What became of the accounts.
    """

    day: date
    champion: ModelPrediction
    challenger: ModelPrediction
    groups: npt.NDArray[Any]
    came: Came


@dataclass(frozen=True, eq=False)
class Matured:
    """What became of all shadowed nights of one challenger.

    Attributes
    ----------
    nights : tuple of datetime.date
        Nights that are compared: their horizons are over, and neither model has learned from them.
    waiting : tuple of datetime.date
        Nights whose horizons are not over, or whose outcomes have not arrived.
    next : datetime.date or None
        The day from which on the first of these can be compared.
    learned : tuple of datetime.date
        Nights before the newest cohort of one of the models was complete: they prove nothing.
    rows, conversions : int
        Accounts of all nights together, and those that converted.
    metrics : pyarrow.Table
        `hva_ml.evaluation.table.RESULTS` of both, those of `METRICS`; empty where too few converted.
    differences : pyarrow.Table
        model (the champion) and `hva_ml.evaluation.table.COMPARISON`, challenger less champion: the same
        accounts, the same outcomes, the same draws of whole groups.
    """

    nights: tuple[date, ...]
    waiting: tuple[date, ...]
    next: date | None
    learned: tuple[date, ...]
    rows: int
    conversions: int
    metrics: pa.Table
    differences: pa.Table

    def record(self) -> dict[str, object]:
        """Return it as a JSON-ready record."""
        return {
            "nights": [d.isoformat() for d in self.nights],
            "waiting": [d.isoformat() for d in self.waiting],
            "next": self.next.isoformat() if self.next else None,
            "learned": [d.isoformat() for d in self.learned],
            "rows": self.rows,
            "conversions": self.conversions,
            "metrics": self.metrics.to_pylist(),
            "differences": self.differences.to_pylist(),
        }


def matured(
    nights: Sequence[Paired],
    *,
    waiting: Sequence[date] = (),
    following: date | None = None,
    learned: Sequence[date] = (),
    resamples: int,
    seed: int,
    capacity: int,
) -> Matured:
    """Hold both models against what came, all complete nights together.

    An account that comes in several nights is drawn with all of them, so that nights which overlap do not
    pass for new ones.

    Parameters
    ----------
    nights : sequence of Paired
        Complete nights, each of another day.
    waiting, learned : sequence of datetime.date
        Other nights, and why they are not compared, as in `Matured`.
    following : datetime.date or None
        As `Matured.next`.
    resamples, seed : int
        Number of bootstrap draws of whole groups, and their seed.
    capacity : int
        Accounts that can be worked in a night.
    """
    nights = sorted(nights, key=lambda n: n.day)
    converted = _joined([n.came.converted for n in nights])
    won = int(converted.sum())
    metrics = results.RESULTS.empty_table()
    differences = pa.schema([("model", pa.string()), *results.COMPARISON]).empty_table()
    if LEAST <= won <= len(converted) - LEAST:
        value = _joined([n.came.value for n in nights])
        groups = np.concatenate([n.groups for n in nights])
        said = {
            CHALLENGER: _all([n.challenger for n in nights]),
            CHAMPION: _all([n.champion for n in nights]),
        }
        drawn: dict[str, Any] = {"resamples": resamples, "seed": seed, "capacity": capacity * len(nights)}
        metrics = _few(results.evaluate(said, converted, value, groups, **drawn))
        told = _few(results.compare(said[CHALLENGER], said[CHAMPION], converted, value, groups, **drawn))
        differences = told.add_column(0, "model", pa.array([CHAMPION] * told.num_rows))
    return Matured(
        tuple(n.day for n in nights), tuple(sorted(waiting)), following, tuple(sorted(learned)),
        len(converted), won, metrics, differences,
    )  # fmt: skip


def _all(said: Sequence[ModelPrediction]) -> ModelPrediction:
    return ModelPrediction(
        _joined([s.probability for s in said]), _joined([s.value_if_converted for s in said]),
        _joined([s.expected_value for s in said]),
    )  # fmt: skip


def _joined(parts: Sequence[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    return np.concatenate(parts) if parts else np.zeros(0)


def _few(table: pa.Table) -> pa.Table:
    return table.filter(pa.array([m in METRICS for m in table["metric"].to_pylist()]))
