"""Shifts of segments in pipelines as they are shipped: leads by day, leads without any time, accounts."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import hva_ml as hva
from benchmarks.segment_shifts import Judged
from hva_ml import splits
from hva_ml.calibration import Segments
from hva_ml.config import PipelineConfig
from hva_ml.contracts.decisions import Bools
from hva_ml.explanation.composition import margins
from hva_ml.features.leads import opened
from hva_ml.jobs.fitting import fit_pair, search_pair
from hva_ml.jobs.leads.decided import Decided, decided_leads, test_from
from hva_ml.jobs.leads.fitting import Likelihood, fit_likelihood
from hva_ml.jobs.prepare import prepare
from hva_ml.jobs.segments import membership
from hva_ml.jobs.training_set import training_set
from hva_ml.training.courses import dealt


def asking(config: PipelineConfig, segment: str) -> PipelineConfig:
    """Return a pipeline with these segments; trees that learn once more do not go with them."""
    return replace(config, models=replace(config.models, segment=segment, refit="off"))


def leads(ws: hva.Workspace, pipeline: str, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield a row for each category: on the latest leads where time is known, else in turn by folds."""
    config = ws.config(pipeline)
    found, _ = decided_leads(opened(prepare(ws, config).tables, config))
    assert config.leads is not None
    n = len(found.told.position)
    if config.leads.clock == "none":
        moment, groups = None, found.features.table["group_id"].to_pylist()
        fold = dealt(found.told, groups, config.leads.folds, 1, config.models.seed)[0]
        parts = [(fold != k, fold == k) for k in range(config.leads.folds)]
    else:
        moment = test_from(found.told, config)
        parts = [(found.told.position < moment, found.told.position >= moment)]
    logit, shift = np.zeros(n), {name: np.zeros(n) for name in names}
    learned: dict[str, list[Segments]] = {name: [] for name in names}
    for teach, judge in parts:
        bare = _fitted(found, teach, moment, asking(config, ""), None)
        X = bare.encoder.transform(found.features.take(judge))
        logit[judge] = bare.calibrated.map.logit(bare.booster.margin(X))
        for name in names:
            asked = asking(config, name)
            segments = _fitted(found, teach, moment, asked, bare).calibrated.segments
            member = membership(X, bare.encoder, asked)
            assert segments is not None
            assert member is not None
            shift[name][judge] = segments.of(member)
            learned[name].append(segments)
    judges = np.any([judge for _, judge in parts], axis=0)
    rows = found.take(judges)
    seen = Judged(
        logit[judges], rows.targets.converted.astype(np.float64), rows.features.table["group_id"].to_pylist()
    )
    for name in names:
        yield seen.rated(f"{pipeline}, {name}", learned[name], shift[name][judges])


def _fitted(
    found: Decided, teach: Bools, moment: int | None, config: PipelineConfig, like: Likelihood | None
) -> Likelihood:
    few = found.take(teach)
    return fit_likelihood(
        few.features, few.told, moment, config, storage=None, study="segments",
        trees=like.trees if like else None,
    )  # fmt: skip


def accounts(ws: hva.Workspace, pipeline: str, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield a row for each category, on the latest cutoffs; settings are searched once, without segments."""
    config = asking(ws.config(pipeline), "")
    data = training_set(ws, config, prepare(ws, config))
    split = splits.split(data.features.index, data.calendar, config.split, config.models.seed)
    searched = search_pair(data.features, data.targets, split, config, None, "segments", None)
    bare = fit_pair(data.features, data.targets, split, searched, config)
    test = data.features.take(split.test)
    X = bare.encoder.transform(test)
    seen = Judged(
        bare.calibrated.map.logit(margins(bare, X)[0]),
        data.targets.converted[split.test].astype(np.float64), test.table["group_id"].to_pylist(),
    )  # fmt: skip
    for name in names:
        asked = asking(config, name)
        found = fit_pair(data.features, data.targets, split, searched, asked).calibrated.segments
        member = membership(X, bare.encoder, asked)
        assert found is not None
        assert member is not None
        yield seen.row(f"{pipeline}, {name}", found, member)
