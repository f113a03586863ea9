"""The level of one split and its value model: what the market did, the trees at the usual market, the level.

It logs and stores nothing.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml import calibration
from hva_ml.calibration import Nowcast, Outlook
from hva_ml.config import Models, PipelineConfig
from hva_ml.cutoffs import MICROSECONDS_PER_DAY
from hva_ml.features.definition import FeatureSet
from hva_ml.features.outlook import OUTLOOK, SEEN
from hva_ml.training.booster import Booster
from hva_ml.training.run_rate import Steady
from hva_ml.training.search import SearchResult
from hva_ml.training.tail import Tail, tail
from hva_ml.training.value import fit_value

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SEASONED_SD = 0.15
"""How far the total of one cohort swings around the lasting level once the market's change is taken out."""


def learn_outlook(
    features: FeatureSet, market: Floats, rows: Bools, config: PipelineConfig
) -> Outlook | None:
    """Learn from the cohorts of some rows how far the outlook is to be believed; None if there is no outlook.

    Parameters
    ----------
    features : FeatureSet
    market : numpy.ndarray of float64, shape (n_rows,)
        How the market of each row's horizon moved, NaN where unknown.
    rows : numpy.ndarray of bool, shape (n_rows,)
        Those that may be learned from.
    """
    if not config.features.outlook:
        return None
    table = features.table
    moments = np.asarray(table["cutoff"].cast(pa.int64()).to_numpy())[rows]
    days, first = np.unique(moments, return_index=True)
    foreseen, share = (
        np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=np.float64)[rows][first]
        for name in (OUTLOOK, SEEN)
    )
    return Outlook.learn(
        features.names.index(OUTLOOK), days / MICROSECONDS_PER_DAY, market[rows][first], foreseen,
        config.wait_days,
        share, features.names.index(SEEN),
    )  # fmt: skip


def relearned(
    outlook: Outlook | None, features: FeatureSet, market: Floats, rows: Bools, config: PipelineConfig
) -> Outlook | None:
    """Return the outlook of a model whose trees stay, as later cohorts teach it; see `learn_outlook`."""
    found = learn_outlook(features, market, rows, config)
    if outlook is None or found is None:
        return outlook
    return replace(found, column=outlook.column, odds=outlook.odds, seen=outlook.seen)


def unseasoned(X: Floats, outlook: Outlook | None) -> Floats:
    """Return encoded rows without the outlook: its effect is given, trees would learn cohorts by heart."""
    if outlook is None:
        return X
    found = X.copy()
    found[:, outlook.columns] = 0.0
    return found


def moved(market: Floats, outlook: Outlook | None) -> Floats:
    """Return by how much the market moved each row's log value and log-odds, 0 without an outlook."""
    if outlook is None:
        return np.zeros(len(market))
    return np.where(np.isnan(market), outlook.usual, market)


def starting_odds(converted: npt.NDArray[np.int8], swing: Floats, outlook: Outlook) -> tuple[Floats, Outlook]:
    """Return the log-odds from which the trees begin, and the outlook that adds them to a margin."""
    rate = float(converted.mean())
    odds = float(np.log(rate / (1 - rate)) - swing.mean())
    return swing + odds, replace(outlook, odds=odds)


@dataclass(frozen=True, eq=False)
class Side:
    """Rows of one side, as the value model sees them.

    Attributes
    ----------
    X : numpy.ndarray of float64, shape (n_rows, n_features)
        Encoded.
    converted : numpy.ndarray of int8, shape (n_rows,)
    value, swing : numpy.ndarray of float64, shape (n_rows,)
        What the rows were worth, and by how much the market moved that, log scale.
    """

    X: Floats
    converted: npt.NDArray[np.int8]
    value: Floats
    swing: Floats

    def learned(self, direct: bool) -> "Side":
        """Return the rows that a value model learns from: those that converted, or all of them."""
        if direct:
            return self
        won = self.converted == 1
        return Side(self.X[won], self.converted[won], self.value[won], self.swing[won])


@dataclass(frozen=True, eq=False)
class Worth:
    """A levelled value model.

    Attributes
    ----------
    booster : Booster
        Its margin, `log_scale` and what the market moves add up to the log of a value.
    log_scale, level : float
        Constant, and the part of it that the later side has taught.
    direct : bool
        Whether that value is the expected value itself.
    tail : Tail or None
        How heavy the tail of the values was that the trees have seen; None if they are those of before.
    steady : Steady or None
        How much of it is the run rate; None where that was not asked.
    nowcast : Nowcast or None
        The part of `log_scale` that cohorts have taught whose horizon still runs; None where none was asked.
    """

    booster: Booster
    log_scale: float
    level: float
    direct: bool
    tail: Tail | None
    steady: Steady | None = None
    nowcast: Nowcast | None = None

    def predicted(self, side: Side) -> Floats:
        """Return the value of each row, shape (n_rows,)."""
        return np.exp(self.booster.margin(side.X) + self.log_scale + side.swing)

    def record(self) -> dict[str, Any]:
        """Return what reports and the card tell, JSON-ready."""
        return {
            "level": self.level,
            "approach": "direct" if self.direct else "hurdle",
            "tail": self.tail.record() if self.tail else None,
            "run_rate": self.steady.record() if self.steady else None,
        }


def fit_worth(
    train: Side,
    later: Side,
    names: list[str],
    found: SearchResult,
    outlook: Outlook | None,
    direct: bool,
    models: Models,
    like: Worth | None = None,
) -> Worth:
    """Fit the value model on one side and level it on the later one.

    Parameters
    ----------
    train, later : Side
        All rows of both sides.
    names : list of str, length n_features
    found : SearchResult
        Settings.
    outlook : Outlook or None
    direct : bool
        Whether the expected value is learned, of all rows.
    models : Models
        Seed and quantile.
    like : Worth, optional
        A levelled model: on the later side the new one shall predict the same total, whatever came.
    """
    side = train.learned(direct)
    values = side.value * np.exp(-side.swing)
    fitted = fit_value(
        unseasoned(side.X, outlook), values, distribution=found.distribution or "tweedie",
        names=names, params=found.params, rounds=found.rounds, seed=models.seed, winsorise=models.winsorise,
    )  # fmt: skip
    worth = Worth(fitted.booster, fitted.log_scale, 0.0, direct, tail(values, models.winsorise))
    if like is None:
        return levelled(worth, later, outlook)
    rows = later.learned(direct)
    before, now = (float(w.predicted(rows).sum()) for w in (like, worth))
    log_scale = worth.log_scale + float(np.log(before / now))
    return replace(worth, log_scale=log_scale, level=like.level)


def levelled(worth: Worth, later: Side, outlook: Outlook | None) -> Worth:
    """Return the same trees with the level of the later side; see `calibration.level`."""
    side = later.learned(worth.direct)
    predicted = worth.predicted(side)
    sd = calibration.COHORT_SD if outlook is None else SEASONED_SD
    level = float(calibration.level(side.value, predicted, cohort_sd=sd))
    return replace(worth, log_scale=worth.log_scale + level, level=level)
