"""What a won lead is worth: by a model where many values are known, else one openly constant amount."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from hva_ml.calibration import ValueSpread
from hva_ml.config import PipelineConfig
from hva_ml.contracts.decisions import Bools, Floats, Ints
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.fitting import Targets
from hva_ml.jobs.valuation import Worth
from hva_ml.splits import group_folds
from hva_ml.training.matrix import Encoder
from hva_ml.training.search import SearchResult, search
from hva_ml.training.sums import additive
from hva_ml.training.tail import tail
from hva_ml.training.value import FittedValue, fit_value

MIN_VALUED = 100
"""With fewer wins of a known value their mean says as much as a model would."""
BLOCKS, UNJUDGED = 5, 2
LEAST = 10
Predicted = Callable[[Bools, Bools], Floats]


def fit_worth(
    encoder: Encoder, known: FeatureSet, targets: Targets, config: PipelineConfig, order: Ints | None
) -> tuple[Worth, SearchResult, ValueSpread | None]:
    """Fit the value model of leads whose outcome is known, and learn how far wins lie from it.

    Without a column of values every win is worth the stated deal value, or counts as one: expected value is
    then the likelihood times the deal value, or the expected number of wins, and there are no bounds. These
    are learned from wins that a model of the same settings has not seen: later ones than it learned from
    where time is known, else those of other groups.

    Parameters
    ----------
    encoder : Encoder
        Of the likelihood.
    known : FeatureSet
        Leads that are decided.
    targets : Targets
        Of these leads.
    config : PipelineConfig
        With ``[leads]``.
    order : numpy.ndarray of int64, shape (n_leads,), or None
        When each lead was contacted; None where time is unknown.
    """
    assert config.leads is not None
    won = targets.converted == 1
    values = targets.value[won]
    if not config.leads.value:
        return *_constant(encoder, float(config.leads.deal_value or 1.0)), None
    table = known.take(won)
    groups, level, seed = table.table["group_id"].to_pylist(), config.models.interval, config.models.seed
    parts = list(_parts(groups, None if order is None else order[won], seed))
    if int((values > 0).sum()) < MIN_VALUED:
        amount = max(float(values.mean()) if len(values) else 0.0, 1e-9)

        def mean(fit: Bools, judge: Bools) -> Floats:
            return np.full(int(judge.sum()), np.log(max(float(values[fit].mean()), 1e-9)))

        return *_constant(encoder, amount), _spread(parts, values, groups, level, mean)
    X = encoder.transform(table)
    codes = np.unique(table.table["cutoff"].to_numpy(), return_inverse=True)[1]
    found = search(
        "value", X, values, groups, codes, config=config.search, models=config.models, names=encoder.names,
        storage=None, study_name="value",
    )  # fmt: skip

    def model(rows: Bools) -> FittedValue:
        return fit_value(
            X[rows], values[rows], distribution=found.distribution or "tweedie", names=list(encoder.names),
            params=found.params, rounds=found.rounds, seed=seed, winsorise=config.models.winsorise,
        )  # fmt: skip

    def predicted(fit: Bools, judge: Bools) -> Floats:
        part = model(fit)
        return np.asarray(part.booster.margin(X[judge]) + part.log_scale)

    fitted = model(np.ones(len(values), dtype=np.bool_))
    heavy = tail(values, config.models.winsorise)
    worth = Worth(fitted.booster, fitted.log_scale, 0.0, False, heavy)
    return worth, found, _spread(parts, values, groups, level, predicted)


def _parts(groups: Sequence[str], order: Ints | None, seed: int) -> Iterator[tuple[Bools, Bools]]:
    """Yield what learns and what judges: earlier and later wins, or those of other groups."""
    if order is None:
        fold = group_folds(groups, BLOCKS, seed, "worth")
        yield from ((fold != k, fold == k) for k in range(BLOCKS))
        return
    block = np.argsort(np.argsort(order, kind="stable"), kind="stable") * BLOCKS // max(len(order), 1)
    for judge in (block == k for k in range(UNJUDGED, BLOCKS)):
        yield order < order[judge].min(initial=np.iinfo(np.int64).max), judge


def _spread(
    parts: Sequence[tuple[Bools, Bools]], values: Floats, groups: Sequence[str], level: float, said: Predicted
) -> ValueSpread | None:
    logs = np.full(len(values), np.nan)
    for fit, judge in parts:
        if int((values[fit] > 0).sum()) >= LEAST and judge.any():
            logs[judge] = said(fit, judge)
    seen = ~np.isnan(logs)
    mine = [g for g, told in zip(groups, seen, strict=True) if told]
    return ValueSpread.learn(logs[seen], values[seen], mine, level) if mine else None


def _constant(encoder: Encoder, amount: float) -> tuple[Worth, SearchResult]:
    nothing = pa.table({"number": pa.array([], pa.int64())})
    found = SearchResult("value", {}, None, 0, 0.0, "constant", nothing, {}, 0)
    return Worth(additive(0.0, [], encoder.names), float(np.log(amount)), 0.0, False, None), found
