"""The likelihood keeps what the pipeline file knows before the data speak, and averages to the base rate."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hva_ml as hva
from hva_ml import splits
from hva_ml.config import PipelineConfig
from hva_ml.features.direction import directions
from hva_ml.jobs.fitting import Pair, Searched, fit_pair, search_pair
from hva_ml.jobs.prepare import prepare
from hva_ml.jobs.training_set import TrainingSet, training_set
from hva_ml.splits import Split

PIPELINE = "dach_sample"


@dataclass(frozen=True)
class Ground:
    """A small vendor, with settings searched once."""

    config: PipelineConfig
    data: TrainingSet
    split: Split
    searched: Searched

    def pair(self, **models: Any) -> Pair:
        config = replace(self.config, models=replace(self.config.models, **models))
        return fit_pair(self.data.features, self.data.targets, self.split, self.searched, config)


@pytest.fixture(scope="module")
def ground(
    tmp_path_factory: pytest.TempPathFactory, small_workspace: Callable[[Path], hva.Workspace]
) -> Ground:
    ws = small_workspace(tmp_path_factory.mktemp("likelihood"))
    config = ws.config(PIPELINE)
    data = training_set(ws, config, prepare(ws, config))
    split = splits.split(data.features.index, data.calendar, config.split, config.models.seed)
    asked = replace(config, models=replace(config.models, monotone="hints", half_life_days=180.0))
    return Ground(
        config, data, split, search_pair(data.features, data.targets, split, asked, None, "s", None)
    )


@pytest.fixture(scope="module")
def monotone(ground: Ground) -> Pair:
    return ground.pair(monotone="hints")


@given(row=st.integers(0, 10_000), up=st.floats(1e-6, 1e6))
def test_a_constrained_feature_never_moves_the_margin_the_wrong_way(
    ground: Ground, monotone: Pair, row: int, up: float
) -> None:
    features = ground.data.features
    ways = np.array(directions(features.definitions, "hints"))
    assert (ways > 0).sum() > 30
    assert (ways < 0).sum() > 5
    X = monotone.encoder.transform(one(features, row))
    moved = np.repeat(X, len(ways), axis=0)
    moved[np.arange(len(ways)), np.arange(len(ways))] += up
    steps = (monotone.conversion.margin(moved) - monotone.conversion.margin(X)) * ways
    assert steps.min() >= -1e-12


def one(features: Any, row: int) -> Any:
    rows = np.zeros(features.table.num_rows, dtype=np.bool_)
    rows[row % len(rows)] = True
    return features.take(rows)


def test_without_constraints_some_feature_does(ground: Ground) -> None:
    free = ground.pair()
    ways = np.array(directions(ground.data.features.definitions, "hints"))
    X = free.encoder.transform(ground.data.features)
    wrong = 0
    for j in np.flatnonzero(ways):
        moved = X.copy()
        moved[:, j] += 1.0
        wrong += ((free.conversion.margin(moved) - free.conversion.margin(X)) * ways[j] < -1e-9).any()
    assert wrong > 3


def test_constraints_keep_every_bit_for_any_number_of_threads(ground: Ground) -> None:
    texts = set()
    for threads in (1, 2, 4):
        found = replace(
            ground.searched.conversion,
            params={**ground.searched.conversion.params, "num_threads": threads},
        )
        pair = replace(ground, searched=replace(ground.searched, conversion=found)).pair(monotone="hints")
        texts.add(pair.conversion.text)
    assert len(texts) == 1


def test_recent_cohorts_count_more_in_trees_and_in_the_map(ground: Ground) -> None:
    plain, recent = ground.pair(), ground.pair(half_life_days=60.0)
    assert plain.conversion.text != recent.conversion.text
    assert plain.calibrator != recent.calibrator
    assert plain.value.text == recent.value.text
    # A half-life of a century is none.
    assert ground.pair(half_life_days=36_500.0).conversion.n_trees == plain.conversion.n_trees


@pytest.mark.parametrize("kind", ["platt", "beta", "auto"])
def test_probabilities_average_to_the_base_rate_however_rare_conversions_are(
    ground: Ground, kind: str
) -> None:
    pair = ground.pair(calibration=kind)
    later = ground.split.calibrate
    probability, _ = pair.predict(ground.data.features.take(later))
    # Platt's targets draw it a little to the middle: by one row of each class.
    drawn = 2.0 / later.sum()
    assert probability.mean() == pytest.approx(ground.data.targets.converted[later].mean(), abs=drawn)
