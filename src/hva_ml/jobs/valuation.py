"""The level of one split and its value model: what the market did, the trees at the usual market, the level.

It logs and stores nothing.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml import calibration
from hva_ml.calibration import Outlook
from hva_ml.config import PipelineConfig
from hva_ml.cutoffs import MICROSECONDS_PER_DAY
from hva_ml.features.definition import FeatureSet
from hva_ml.features.season import OUTLOOK
from hva_ml.training.booster import Booster
from hva_ml.training.search import SearchResult
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
    foreseen = np.asarray(table[OUTLOOK].to_numpy(zero_copy_only=False), dtype=np.float64)[rows][first]
    wait = config.horizon.gap_days + config.horizon.days + config.split.embargo_days
    return Outlook.learn(
        features.names.index(OUTLOOK), days / MICROSECONDS_PER_DAY, market[rows][first], foreseen, wait
    )


def relearned(
    outlook: Outlook | None, features: FeatureSet, market: Floats, rows: Bools, config: PipelineConfig
) -> Outlook | None:
    """Return the outlook of a model whose trees stay, as later cohorts teach it; see `learn_outlook`."""
    found = learn_outlook(features, market, rows, config)
    if outlook is None or found is None:
        return outlook
    return replace(found, column=outlook.column, odds=outlook.odds)


def unseasoned(X: Floats, outlook: Outlook | None) -> Floats:
    """Return encoded rows without the outlook: its effect is given, trees would learn cohorts by heart."""
    if outlook is None:
        return X
    found = X.copy()
    found[:, outlook.column] = 0.0
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


def fit_worth(
    train: tuple[Floats, Floats, Floats],
    later: tuple[Floats, Floats, Floats],
    names: list[str],
    found: SearchResult,
    outlook: Outlook | None,
    seed: int,
) -> tuple[Booster, float]:
    """Fit the value model and level it; both sides hold rows that converted.

    Parameters
    ----------
    train, later : tuple of numpy.ndarray
        Encoded rows (n_converted, n_features), their values, and by how much the market moved them.
    names : list of str, length n_features
    found : SearchResult
        Settings.
    outlook : Outlook or None
    seed : int

    Returns
    -------
    tuple of Booster and float
        ``exp(margin + that number + what the market moves)`` is the value.
    """
    X, value, swing = train
    fitted = fit_value(
        unseasoned(X, outlook), value * np.exp(-swing), distribution=found.distribution or "tweedie",
        names=names, params=found.params, rounds=found.rounds, seed=seed,
    )  # fmt: skip
    X, value, swing = later
    return fitted.booster, fitted.log_scale + level(value, fitted.predict(X) * np.exp(swing), outlook)


def level(actual: Floats, predicted: Floats, outlook: Outlook | None) -> float:
    """Return what is added to the log of values, see `calibration.level`."""
    sd = calibration.COHORT_SD if outlook is None else SEASONED_SD
    return float(calibration.level(actual, predicted, cohort_sd=sd))
