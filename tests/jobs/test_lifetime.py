"""Lifetime value from the pipeline file to what is released; refused where history is short."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import hva_ml as hva
from hva_ml import splits
from hva_ml.config import Lifetime, PipelineConfig
from hva_ml.jobs.fitting import Searched, search_pair
from hva_ml.jobs.lifetime import Learned, LifetimeLearner
from hva_ml.jobs.prepare import Prepared, prepare
from hva_ml.jobs.train import TrainingSet, training_set

PIPELINE = "dach_sample"


@dataclass(frozen=True)
class Ground:
    config: PipelineConfig
    prepared: Prepared
    data: TrainingSet
    searched: Searched

    def learn(self) -> Learned:
        learner = LifetimeLearner(
            self.prepared, self.data.calendar, self.data.features, self.data.targets, self.searched,
            self.config,
        )  # fmt: skip
        return learner.learn()


@pytest.fixture(scope="module")
def ground(
    tmp_path_factory: pytest.TempPathFactory, small_workspace: Callable[[Path], hva.Workspace]
) -> Ground:
    ws = small_workspace(tmp_path_factory.mktemp("lifetime"))
    config = replace(ws.config(PIPELINE), lifetime=Lifetime(days=(90, 180, 1800), discount_per_year=0.1))
    prepared = prepare(ws, config)
    data = training_set(ws, config, prepared)
    split = splits.split(data.features.index, data.calendar, config.split, config.models.seed)
    found = search_pair(data.features, data.targets, split, config, None, "s", None)
    return Ground(config, prepared, data, found)


@pytest.fixture(scope="module")
def learned(ground: Ground) -> Learned:
    return ground.learn()


def test_horizons_are_judged_on_cohorts_that_came_after_what_was_learned(learned: Learned) -> None:
    assert learned.model is not None
    assert learned.model.edges == (0, 90, 180)
    assert learned.model.discount_per_year == 0.1
    assert [h["horizon_days"] for h in learned.told["horizons"]] == [180]
    for horizon in learned.told["horizons"]:
        last, first_test = (
            np.datetime64(d) for d in (horizon["learned_from"][1], horizon["test_cutoffs"][0])
        )
        assert last + np.timedelta64(horizon["horizon_days"], "D") <= first_test
        assert [r["rule"] for r in horizon["rules"]] == ["hva_ml", "run_rate", "expected_value_prolonged"]
        assert horizon["rows"] > 0
        rates = [s["rate"] for s in horizon["survival"]]
        assert rates == sorted(rates, reverse=True)


def test_a_horizon_without_history_is_refused_in_plain_words(learned: Learned) -> None:
    (finding,) = learned.findings
    assert (finding.code, finding.severity) == ("HVA018", "warning")
    assert "1800 days is not published" in finding.what


def test_what_is_judged_is_what_came(ground: Ground, learned: Learned) -> None:
    """The actual value of a horizon, summed from the invoices by another road."""
    horizon = learned.told["horizons"][0]
    invoices = ground.prepared.tables.tables["invoices"]
    features, config = ground.data.features, ground.config
    days = dict(zip(ground.data.calendar.days, ground.data.calendar.cutoffs, strict=True))
    split = splits.by_accounts(
        features.index, ground.data.calendar, config.split, config.models.seed,
        tuple(d for d in days if d.isoformat() in horizon["test_cutoffs"]),
    )  # fmt: skip
    rows = features.take(split.test).table
    known = rows.filter(pa.compute.is_valid(rows["cadence.recency_days"]))
    time = invoices["event_time"].cast(pa.int64()).to_numpy()
    who = np.asarray(invoices["account_id"].to_pylist())
    cents = invoices["amount_cents"].to_numpy()
    total = 0
    for account, cutoff in zip(
        known["account_id"].to_pylist(), known["cutoff"].cast(pa.int64()).to_pylist(), strict=True
    ):
        # Midnight to midnight across a change of the clocks is an hour more or less: invoices are of days.
        end = cutoff + 180 * 86_400_000_000
        total += int(cents[(who == account) & (time >= cutoff) & (time < end)].sum())
    assert horizon["rows"] == known.num_rows
    assert horizon["actual"] == pytest.approx(total / 100, rel=0.01)


def test_learning_again_changes_no_bit(ground: Ground, learned: Learned) -> None:
    again = ground.learn()
    assert again.model is not None
    assert learned.model is not None
    assert again.model.record() == learned.model.record()
    assert again.told == learned.told
