"""Nothing that is searched or fitted depends on the test side: neither on its labels nor on its features."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

import hva_ml as hva
from hva_ml import splits
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.fitting import Pair, Targets, fit_pair, search_pair
from hva_ml.jobs.prepare import prepare
from hva_ml.jobs.progress import LoggedProgress
from hva_ml.jobs.training_set import TrainingSet, training_set

PIPELINE = "dach_sample"


def other_test_side(data: TrainingSet, test: np.ndarray) -> tuple[FeatureSet, Targets]:
    """Turn every label of the test side, and give its rows the features of others and categories unseen."""
    table = data.features.table
    rows = np.arange(table.num_rows)
    rows[test] = rows[test][::-1]
    for d in data.features.definitions:
        made = table[d.name].take(pa.array(rows)).to_pylist()
        if d.kind == "category":
            made = [f"new {v}" if t else v for v, t in zip(made, test, strict=True)]
        table = table.set_column(
            table.schema.get_field_index(d.name), d.name, pa.array(made, table[d.name].type)
        )
    converted = np.where(test, 1 - data.targets.converted, data.targets.converted).astype(np.int8)
    value = np.where(test, data.targets.value + 1000.0, data.targets.value)
    return FeatureSet(table, data.features.definitions), Targets(
        converted, value, np.full(len(value), np.nan)
    )


def learned(pair: Pair) -> tuple[object, ...]:
    return (
        pair.encoder.to_dict(), pair.conversion.text, pair.calibrator, pair.value.text, pair.value_log_scale,
    )  # fmt: skip


def test_another_test_side_gives_the_same_models(
    tmp_path: Path, small_workspace: Callable[[Path], hva.Workspace]
) -> None:
    ws = small_workspace(tmp_path)
    config = ws.config(PIPELINE)
    data = training_set(ws, config, prepare(ws, config))
    split = splits.split(data.features.index, data.calendar, config.split, config.models.seed)
    assert split.test.any()
    found = []
    for k, (features, targets) in enumerate(
        [(data.features, data.targets), other_test_side(data, split.test)]
    ):
        storage = f"sqlite:///{tmp_path / f'{k}.db'}"
        searched = search_pair(features, targets, split, config, storage, "study", LoggedProgress())
        found.append(learned(fit_pair(features, targets, split, searched, config)))
    assert found[0] == found[1]
