"""One pair of models from one split: encode, fit, calibrate, level. It logs and stores nothing."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.calibration import Calibrated, Calibrator, HighValue, Outlook, ValueSpread
from hva_ml.config import PipelineConfig
from hva_ml.errors import NotEnoughDataError
from hva_ml.evaluation.metrics import MODEL, ModelPrediction
from hva_ml.explanation.composition import log_value, margins
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.high_value import high_value
from hva_ml.jobs.likelihood import calibrate, fit_conversion, known_before, row_weights
from hva_ml.jobs.progress import Progress
from hva_ml.jobs.segments import membership, shifted
from hva_ml.jobs.steady import mixed, steadied
from hva_ml.jobs.valuation import Side, Worth, fit_worth, learn_outlook, moved, starting_odds, unseasoned
from hva_ml.splits import Split, group_uniform
from hva_ml.training.approach import Compared, Sides, compare
from hva_ml.training.baselines import all_baselines
from hva_ml.training.booster import Booster
from hva_ml.training.matrix import Encoder
from hva_ml.training.search import Kind, SearchResult, search

Floats = npt.NDArray[np.float64]
MIN_CONVERTED = 10


@dataclass(frozen=True)
class Targets:
    """What became of each row.

    Attributes
    ----------
    converted : numpy.ndarray of int8, shape (n_rows,)
    value : numpy.ndarray of float64, shape (n_rows,)
        Net amount within the horizon, in currency units.
    market : numpy.ndarray of float64, shape (n_rows,)
        How the market of the horizon moved, see `labels.market`; NaN where unknown, or nobody asked.
    """

    converted: npt.NDArray[np.int8]
    value: Floats
    market: Floats

    @classmethod
    def of(cls, labels: pa.Table) -> "Targets":
        """Read a label table."""
        market = np.full(labels.num_rows, np.nan)
        if "market" in labels.column_names:
            market = np.asarray(labels["market"].to_numpy(zero_copy_only=False), dtype=np.float64)
        return cls(
            labels["converted"].to_numpy().astype(np.int8), labels["value_cents"].to_numpy() / 100.0, market
        )


@dataclass(frozen=True)
class Searched:
    """The best settings found for the two models, with all trials.

    Attributes
    ----------
    conversion, value : SearchResult
    direct : bool
        Whether those of the value are of a model of the expected value at once.
    compared : Compared or None
        How that was decided, where it was asked.
    """

    conversion: SearchResult
    value: SearchResult
    direct: bool = False
    compared: Compared | None = None


@dataclass(frozen=True)
class Pair:
    """A calibrated conversion model and a levelled value model over one encoding, with bounds of values.

    `refit` says which trees have learned from the calibration side, too.
    """

    encoder: Encoder
    conversion: Booster
    calibrated: Calibrated
    worth: Worth
    outlook: Outlook | None
    value_spread: ValueSpread | None = None
    high_value: HighValue | None = None
    refit: str = "off"

    @property
    def calibrator(self) -> Calibrator:
        """Margin to probability."""
        return self.calibrated.map

    @property
    def value(self) -> Booster:
        """The trees of the value."""
        return self.worth.booster

    @property
    def value_log_scale(self) -> float:
        """What is added to their margin."""
        return self.worth.log_scale

    @property
    def direct(self) -> bool:
        """Whether that is the log of the expected value itself."""
        return self.worth.direct

    def predict(self, features: FeatureSet) -> tuple[Floats, Floats]:
        """Return probability and value if converted, each of shape (n_rows,)."""
        margin, worth = margins(self, self.encoder.transform(features))
        return self.calibrator.probability(margin), np.exp(log_value(self, margin, worth))

    def told(self, features: FeatureSet) -> ModelPrediction:
        """Return all that is said of rows, with the bounds of their values where there are any."""
        X = self.encoder.transform(features)
        margin, worth = margins(self, X)
        logs = log_value(self, margin, worth)
        probability, value = self.calibrator.probability(margin), np.exp(logs)
        bounds = self.value_spread.bounds(logs) if self.value_spread else None
        best = self.high_value.likelihood(X) if self.high_value else None
        return ModelPrediction(probability, value, probability * value, bounds, best)


def search_pair(
    features: FeatureSet,
    targets: Targets,
    split: Split,
    config: PipelineConfig,
    storage: str | None,
    study: str,
    progress: Progress | None,
) -> Searched:
    """Search the settings of both models on the training side only; without `storage` in memory."""

    def told(done: int, total: int, best: float) -> None:
        if progress is not None:
            progress.step(done, total, f"best {best:.4f}")

    chosen = sampled(features, split.train, config)
    train = features.take(chosen)
    encoder = Encoder.fit(train)
    outlook = learn_outlook(features, targets.market, split.train, config)
    X = unseasoned(encoder.transform(train), outlook)
    groups = np.asarray(train.table["group_id"].to_pylist(), dtype=object)
    codes = np.unique(train.table["cutoff"].to_numpy(), return_inverse=True)[1]
    converted = targets.converted[chosen]
    value = targets.value[chosen] * np.exp(-moved(targets.market[chosen], outlook))
    enough(converted, "training")
    everyone, won, models = np.ones(len(X), dtype=bool), converted == 1, config.models

    def find(kind: Kind, name: str, rows: npt.NDArray[np.bool_], y: Floats, **more: Any) -> SearchResult:
        given = {"models": models, **more}
        return search(
            kind, X[rows], y, list(groups[rows]), codes[rows], config=config.search, names=encoder.names,
            storage=storage, study_name=f"{study}-{name}", progress=told, **given,
        )  # fmt: skip

    weight, fixed, y = row_weights(train, models), known_before(train, models), converted.astype(np.float64)
    conversion = find("conversion", "conversion", everyone, y, weight=weight, fixed=fixed)
    if models.approach == "hurdle":
        return Searched(conversion, find("value", "value", won, value[won]))
    # Of all rows most are zero, which only this family takes.
    alone = replace(models, value=("tweedie",))
    direct = find("value", "direct", everyone, value, models=alone)
    if models.approach == "direct":
        return Searched(conversion, direct, direct=True)
    worth = find("value", "value", won, value[won])
    sides = Sides(X, y, value, list(groups), codes, encoder.names, weight, fixed)
    compared = compare(sides, conversion, worth, direct, models.seed, models.winsorise)
    once = compared.chosen == "direct"
    return Searched(conversion, direct if once else worth, once, compared)


def fit_pair(
    features: FeatureSet,
    targets: Targets,
    split: Split,
    searched: Searched,
    config: PipelineConfig,
) -> Pair:
    """Fit both models on the training side, calibrate and level them on the later side.

    With ``refit`` the trees then learn from both sides, see `refitted`.

    Raises
    ------
    NotEnoughDataError
        With fewer than ten conversions, or non-conversions, on either side.
    """
    train, later = features.take(split.train), features.take(split.calibrate)
    both = split.train | split.calibrate
    encoder = Encoder.fit(features.take(both) if config.models.refit != "off" else train)
    X, X_later = encoder.transform(train), encoder.transform(later)
    converted, value = targets.converted[split.train], targets.value[split.train]
    converted_later, value_later = targets.converted[split.calibrate], targets.value[split.calibrate]
    enough(converted, "training")
    enough(converted_later, "calibration")
    outlook = learn_outlook(features, targets.market, both, config)
    swing, swing_later = (moved(targets.market[side], outlook) for side in (split.train, split.calibrate))
    start = None
    if outlook is not None:
        start, outlook = starting_odds(converted, swing, outlook)
    conversion = fit_conversion(
        train, unseasoned(X, outlook), converted, searched.conversion, config.models, start
    )
    margin = conversion.margin(X_later) + swing_later + (outlook.odds if outlook else 0.0)
    calibrated = calibrate(margin, later, converted_later, config, membership(X_later, encoder, config))
    conversion = shifted(conversion, calibrated, encoder)
    names, past = list(encoder.names), Side(X, converted, value, swing)
    coming = Side(X_later, converted_later, value_later, swing_later)
    worth = fit_worth(past, coming, names, searched.value, outlook, searched.direct, config.models)
    if config.models.run_rate == "auto":
        groups = later.table["group_id"].to_pylist()
        worth = steadied(worth, past, coming, groups, names, config.horizon.days)
    best = high_value(features, targets.value, split, encoder, searched.conversion, config)
    pair = Pair(encoder, conversion, calibrated, worth, outlook, high_value=best)
    pair = bounded(pair, later, converted_later, value_later, config.models.interval)
    if config.models.refit == "off":
        return pair
    return refitted(pair, features, targets, split, searched, config)


def refitted(
    pair: Pair,
    features: FeatureSet,
    targets: Targets,
    split: Split,
    searched: Searched,
    config: PipelineConfig,
) -> Pair:
    """Return a calibrated pair whose trees have learned from the calibration cohorts too.

    Map, level and bounds were learned from trees that had not seen these cohorts, and stay. What the new
    trees have learned of their level must not count a second time: over the calibration rows margins keep
    their mean, and values their total.
    """
    both, outlook, models = split.train | split.calibrate, pair.outlook, config.models
    known, later = features.take(both), features.take(split.calibrate)
    swing, swing_later = (moved(targets.market[side], outlook) for side in (both, split.calibrate))
    X, X_later = pair.encoder.transform(known), pair.encoder.transform(later)
    trees = fit_conversion(
        known, unseasoned(X, outlook), targets.converted[both], searched.conversion, models,
        None if outlook is None else swing + outlook.odds,
    )  # fmt: skip
    lower = float(np.mean(pair.conversion.margin(X_later) - trees.margin(X_later)))
    worth = pair.worth
    if models.refit == "both":
        past = Side(X, targets.converted[both], targets.value[both], swing)
        coming = Side(
            X_later, targets.converted[split.calibrate], targets.value[split.calibrate], swing_later
        )
        names, steady = list(pair.encoder.names), worth.steady
        worth = fit_worth(past, coming, names, searched.value, outlook, searched.direct, models, like=worth)
        worth = mixed(worth, steady, past, coming, names, config.horizon.days)
    return replace(pair, conversion=trees.raised(lower), worth=worth, refit=models.refit)


def bounded(
    pair: Pair, later: FeatureSet, converted: npt.NDArray[np.int8], value: Floats, level: float
) -> Pair:
    """Return the pair with what the later side teaches of how far values lie from what is predicted."""
    won = converted == 1
    rows = later.take(won)
    log_worth = log_value(pair, *margins(pair, pair.encoder.transform(rows)))
    groups = rows.table["group_id"].to_pylist()
    return replace(pair, value_spread=ValueSpread.learn(log_worth, value[won], groups, level))


def side_by_side(
    pair: Pair,
    features: FeatureSet,
    targets: Targets,
    known: npt.NDArray[np.bool_],
    test: FeatureSet,
    config: PipelineConfig,
) -> dict[str, ModelPrediction]:
    """Return what the model and every baseline, fitted on the known rows, say of the test rows."""
    found = {MODEL: pair.told(test)}
    for baseline in all_baselines(config.models.seed):
        baseline.fit(
            features.take(known), targets.converted[known], targets.value[known], config.horizon.days
        )
        guess = baseline.predict(test)
        found[baseline.name] = ModelPrediction(
            guess.probability, guess.value_if_converted, guess.expected_value
        )
    return found


def sampled(
    features: FeatureSet, rows: npt.NDArray[np.bool_], config: PipelineConfig
) -> npt.NDArray[np.bool_]:
    """Keep whole groups of accounts until about `max_rows` rows are left, the same ones for the same seed."""
    if rows.sum() <= config.search.max_rows:
        return rows
    share = config.search.max_rows / rows.sum()
    groups = features.table["group_id"].to_pylist()
    kept: npt.NDArray[np.bool_] = rows & (group_uniform(groups, config.models.seed, "search") < share)
    return kept


def enough(converted: npt.NDArray[np.int8], side: str) -> None:
    """Refuse a side with fewer than ten conversions, or rows without one."""
    positives, negatives = int(converted.sum()), int((1 - converted).sum())
    if min(positives, negatives) < MIN_CONVERTED:
        raise NotEnoughDataError(
            f"The {side} side holds {positives} conversions and {negatives} rows without one; "
            f"at least {MIN_CONVERTED} of each are needed.",
            where="[cutoffs], [horizon], [target]",
            why="A likelihood learned from a handful of cases is a guess.",
            fix="Use more or earlier cutoffs, a longer horizon, or a wider conversion event.",
        )
