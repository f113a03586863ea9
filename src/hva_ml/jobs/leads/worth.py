"""What a won lead is worth: by a model where many values are known, else one openly constant amount."""

import numpy as np
import pyarrow as pa

from hva_ml.config import PipelineConfig
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.fitting import Targets
from hva_ml.jobs.valuation import Worth
from hva_ml.training.matrix import Encoder
from hva_ml.training.search import SearchResult, search
from hva_ml.training.sums import additive
from hva_ml.training.tail import tail
from hva_ml.training.value import fit_value

MIN_VALUED = 100
"""With fewer wins of a known value their mean says as much as a model would."""


def fit_worth(
    encoder: Encoder, known: FeatureSet, targets: Targets, config: PipelineConfig
) -> tuple[Worth, SearchResult]:
    """Fit the value model of leads whose outcome is known.

    Without a column of values every win is worth the stated deal value, or counts as one: expected value is
    then the likelihood times the deal value, or the expected number of wins.

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
    """
    assert config.leads is not None
    won = targets.converted == 1
    values = targets.value[won]
    if not config.leads.value:
        return _constant(encoder, float(config.leads.deal_value or 1.0))
    if int((values > 0).sum()) < MIN_VALUED:
        return _constant(encoder, max(float(values.mean()) if len(values) else 0.0, 1e-9))
    table = known.take(won)
    X = encoder.transform(table)
    groups = table.table["group_id"].to_pylist()
    codes = np.unique(table.table["cutoff"].to_numpy(), return_inverse=True)[1]
    found = search(
        "value", X, values, groups, codes, config=config.search, models=config.models, names=encoder.names,
        storage=None, study_name="value",
    )  # fmt: skip
    fitted = fit_value(
        X, values, distribution=found.distribution or "tweedie", names=list(encoder.names),
        params=found.params, rounds=found.rounds, seed=config.models.seed,
        winsorise=config.models.winsorise,
    )  # fmt: skip
    heavy = tail(values, config.models.winsorise)
    return Worth(fitted.booster, fitted.log_scale, 0.0, False, heavy), found


def _constant(encoder: Encoder, amount: float) -> tuple[Worth, SearchResult]:
    nothing = pa.table({"number": pa.array([], pa.int64())})
    found = SearchResult("value", {}, None, 0, 0.0, "constant", nothing, {}, 0)
    return Worth(additive(0.0, [], encoder.names), float(np.log(amount)), 0.0, False, None), found
