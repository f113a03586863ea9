"""The level of a day, heavy tails and the approach, from the pipeline file to the fitted pair."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hva_ml as hva
from hva_ml import splits
from hva_ml.config import PipelineConfig
from hva_ml.evaluation import scoring
from hva_ml.features.outlook import OUTLOOK, SEEN
from hva_ml.jobs import fitting, steady
from hva_ml.jobs.fitting import Pair, Searched, fit_pair, search_pair
from hva_ml.jobs.high_value import best_of, told_of_high_value
from hva_ml.jobs.prepare import prepare
from hva_ml.jobs.training_set import TrainingSet, training_set
from hva_ml.jobs.valuation import Side, moved, relearned
from hva_ml.splits import Split
from hva_ml.training.run_rate import AMOUNT, SHARE, STEP, Steady

PIPELINE = "dach_sample"


@dataclass(frozen=True)
class Ground:
    """A small vendor whose pipeline asks for an outlook, with settings searched once."""

    config: PipelineConfig
    data: TrainingSet
    split: Split
    searched: Searched

    def asked(self, **models: Any) -> PipelineConfig:
        return replace(self.config, models=replace(self.config.models, **models))

    def pair(self, searched: Searched | None = None, **models: Any) -> Pair:
        data = self.data
        return fit_pair(
            data.features, data.targets, self.split, searched or self.searched, self.asked(**models)
        )


@pytest.fixture(scope="module")
def ground(
    tmp_path_factory: pytest.TempPathFactory, small_workspace: Callable[[Path], hva.Workspace]
) -> Ground:
    ws = small_workspace(tmp_path_factory.mktemp("valuation"))
    path = ws.pipelines / f"{PIPELINE}.toml"
    text = path.read_text(encoding="utf-8").replace("season = true", "season = false\noutlook = true")
    path.write_text(text, encoding="utf-8")
    config = ws.config(PIPELINE)
    data = training_set(ws, config, prepare(ws, config))
    split = splits.split(data.features.index, data.calendar, config.split, config.models.seed)
    return Ground(
        config, data, split, search_pair(data.features, data.targets, split, config, None, "s", None)
    )


@pytest.fixture(scope="module")
def seasoned(ground: Ground) -> Pair:
    return ground.pair()


def test_trees_never_look_at_the_outlook(ground: Ground, seasoned: Pair) -> None:
    outlook = seasoned.outlook
    assert outlook is not None
    assert [seasoned.encoder.names[c] for c in outlook.columns] == [OUTLOOK, SEEN]
    for booster in (seasoned.conversion, seasoned.value):
        assert (booster.gain[outlook.columns] == 0.0).all()
        assert booster.gain.max() > 0
    known = np.isfinite(ground.data.targets.market)
    assert known.all()
    assert np.unique(ground.data.targets.market[ground.split.train]).size == len(ground.split.train_days)


def test_another_market_moves_all_accounts_alike(ground: Ground, seasoned: Pair) -> None:
    features = ground.data.features.take(ground.split.test)
    outlook = seasoned.outlook
    assert outlook is not None
    place = features.table.schema.get_field_index(OUTLOOK)
    probability, value = seasoned.predict(features)
    higher = np.asarray(features.table[OUTLOOK].to_numpy(zero_copy_only=False), dtype=np.float64) + 0.3
    better = replace(features, table=features.table.set_column(place, OUTLOOK, [higher]))
    more, worth = seasoned.predict(better)
    np.testing.assert_allclose(np.log(worth / value), 0.3 * outlook.weight, rtol=1e-9)
    assert (more > probability).all()


def test_what_is_learned_again_reads_the_columns_of_the_trees_that_stay(
    ground: Ground, seasoned: Pair
) -> None:
    """A release from before the share was told has no such column; a newer one may have it elsewhere."""
    data, rows = ground.data, ground.split.train
    outlook = seasoned.outlook
    assert outlook is not None
    for seen in (-1, outlook.seen, outlook.column + 5):
        old = replace(outlook, column=outlook.column + 4, seen=seen, usual=9.0)
        new = relearned(old, data.features, data.targets.market, rows, ground.config)
        assert new is not None
        assert (new.column, new.seen, new.odds) == (old.column, seen, old.odds)
        assert abs(new.usual) < 1


def test_the_raw_scores_average_to_the_odds_of_training(ground: Ground, seasoned: Pair) -> None:
    """The trees leave out where they began; what the outlook adds puts it back."""
    rows = ground.split.train
    X = seasoned.encoder.transform(ground.data.features.take(rows))
    outlook = seasoned.outlook
    assert outlook is not None
    margin = seasoned.conversion.margin(X) + ground.data.targets.market[rows] + outlook.odds
    rate = float((1 / (1 + np.exp(-margin))).mean())
    assert rate == pytest.approx(ground.data.targets.converted[rows].mean(), abs=0.01)


def test_the_run_rate_is_judged_on_the_calibration_side_and_told(ground: Ground, seasoned: Pair) -> None:
    told = seasoned.worth.record()["run_rate"]
    assert told["share"] == (SHARE if told["gain"] > told["error"] > 0 else 0.0)
    off = ground.pair(run_rate="off")
    assert off.worth.record()["run_rate"] is None
    assert off.conversion.text == seasoned.conversion.text


def test_trees_that_learn_again_keep_the_share_of_the_run_rate(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steady, "choose", lambda *_: Steady(0.5, 0.1, 0.01))
    monkeypatch.setattr(fitting, "refitted", lambda pair, *_: pair)
    old = ground.pair(refit="both")
    monkeypatch.undo()
    data = ground.data
    new = fitting.refitted(
        old, data.features, data.targets, ground.split, ground.searched, ground.asked(refit="both")
    )
    assert new.worth.steady == old.worth.steady == Steady(0.5, 0.1, 0.01)
    assert new.value.text != old.value.text
    later = ground.split.calibrate & (data.targets.converted == 1)
    rows = Side(
        old.encoder.transform(data.features.take(later)), np.ones(later.sum(), np.int8), np.ones(1),
        moved(data.targets.market[later], old.outlook),
    )  # fmt: skip
    assert new.worth.predicted(rows).sum() == pytest.approx(old.worth.predicted(rows).sum())
    # Who has bought a thousand times as much brings more: no tree has seen them.
    more = rows.X[:1].repeat(2, axis=0)
    amount = new.encoder.names.index(AMOUNT)
    more[:, amount] = rows.X[:, amount].max() * np.array([1.0, 8.0])
    assert np.diff(new.value.margin(more)) == pytest.approx(0.5 * np.log(8), abs=STEP)


def test_winsorising_is_told_and_changes_the_value_only(ground: Ground, seasoned: Pair) -> None:
    held = ground.pair(winsorise=0.9)
    assert held.conversion.text == seasoned.conversion.text
    assert held.value.text != seasoned.value.text
    told, plain = held.worth.record()["tail"], seasoned.worth.record()["tail"]
    assert (told["quantile"], told["winsorised"]) == (0.9, True)
    assert (plain["quantile"], plain["winsorised"]) == (0.99, False)
    assert told["above"] > plain["above"] > 0


def test_the_expected_value_may_be_learned_at_once(ground: Ground, seasoned: Pair) -> None:
    data, config = ground.data, ground.asked(approach="auto")
    searched = search_pair(data.features, data.targets, ground.split, config, None, "s", None)
    assert searched.compared is not None
    assert searched.direct == (searched.compared.gain > searched.compared.error)
    once = search_pair(
        data.features, data.targets, ground.split, ground.asked(approach="direct"), None, "s", None
    )
    assert once.direct
    assert once.compared is None
    pair = ground.pair(once)
    test = data.features.take(ground.split.test)
    probability, value = pair.predict(test)
    X = pair.encoder.transform(test)
    assert pair.outlook is not None
    market = pair.outlook.of(X)
    expected = np.exp(pair.value.margin(X) + pair.value_log_scale + market)
    np.testing.assert_allclose(probability * value, expected, rtol=1e-12)
    assert probability.tolist() == seasoned.predict(test)[0].tolist()
    # The level is that of all calibration rows, not of those that converted.
    later = ground.split.calibrate
    shifted = np.exp(pair.value.margin(pair.encoder.transform(data.features.take(later))))
    shifted *= np.exp(pair.value_log_scale + data.targets.market[later])
    before = np.log(data.targets.value[later].sum() / (shifted.sum() * np.exp(-pair.worth.level)))
    assert 0 <= pair.worth.level / before <= 1


def test_bounds_are_learned_on_the_calibration_side_only(ground: Ground, seasoned: Pair) -> None:
    data, spread = ground.data, seasoned.value_spread
    assert spread is not None
    won = data.targets.converted[ground.split.calibrate] == 1
    assert spread.rows == won.sum()
    assert spread.level == ground.config.models.interval
    later = data.features.take(ground.split.calibrate)
    told = seasoned.told(later)
    assert told.value_bounds is not None
    low, high = told.value_bounds
    value = data.targets.value[ground.split.calibrate]
    inside = ((low <= value) & (value <= high))[won].mean()
    # So few groups widen the bounds, but not without end.
    assert spread.level <= inside < 1
    narrow = ground.pair(interval=0.5).told(later)
    assert narrow.value_bounds is not None
    assert (narrow.value_bounds[0] > low).all()
    assert (narrow.value_bounds[1] < high).all()
    assert narrow.expected_value.tolist() == told.expected_value.tolist()


def test_who_is_best_is_learned_beside_and_changes_nothing_else(ground: Ground, seasoned: Pair) -> None:
    data, config = ground.data, ground.config
    test = data.features.take(ground.split.test)
    told, without = seasoned.told(test), ground.pair(high_value=0.0)
    assert told.high_value is not None
    assert ((told.high_value > 0) & (told.high_value < 1)).all()
    assert without.high_value is None
    assert without.told(test).expected_value.tolist() == told.expected_value.tolist()
    record = told_of_high_value(told, data.features, data.targets.value, ground.split, config)
    assert record is not None
    best = best_of(data.features, data.targets.value, 0.2)
    assert record["best"] == best[ground.split.test].sum()
    assert record["roc_auc"] > 0.55
    assert (
        told_of_high_value(without.told(test), data.features, data.targets.value, ground.split, config)
        is None
    )
    # The market of a day is the same for all: who is best does not depend on it.
    place = test.table.schema.get_field_index(OUTLOOK)
    higher = np.asarray(test.table[OUTLOOK].to_numpy(zero_copy_only=False), dtype=np.float64) + 0.3
    better = replace(test, table=test.table.set_column(place, OUTLOOK, [higher]))
    other = seasoned.told(better).high_value
    assert other is not None
    assert other.tolist() == told.high_value.tolist()


@pytest.mark.parametrize("refit", ["likelihood", "both"])
def test_trees_that_learn_again_keep_map_bounds_and_level(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, refit: str
) -> None:
    data, later = ground.data, ground.split.calibrate
    new, again = ground.pair(refit=refit), ground.pair(refit=refit)
    monkeypatch.setattr(fitting, "refitted", lambda pair, *_: pair)
    old = ground.pair(refit=refit)
    assert (old.refit, new.refit) == ("off", refit)
    assert (new.conversion.text, new.value.text) == (again.conversion.text, again.value.text)
    assert new.calibrator.to_dict() == old.calibrator.to_dict()
    assert new.value_spread == old.value_spread
    assert new.conversion.text != old.conversion.text
    assert (new.value.text == old.value.text) == (refit == "likelihood")
    rows = data.features.take(later)
    before, now = (p.conversion.margin(p.encoder.transform(rows)) for p in (old, new))
    assert now.mean() == pytest.approx(before.mean(), abs=1e-9)
    won = later & (data.targets.converted == 1)
    swing = moved(data.targets.market[won], old.outlook)
    side = Side(
        old.encoder.transform(data.features.take(won)), np.ones(won.sum(), np.int8), np.ones(1), swing
    )
    assert new.worth.predicted(side).sum() == pytest.approx(old.worth.predicted(side).sum())


def test_trees_that_learn_again_have_seen_the_calibration_cohorts(ground: Ground, seasoned: Pair) -> None:
    later = ground.split.calibrate
    rows, converted = ground.data.features.take(later), ground.data.targets.converted[later]
    pair = ground.pair(refit="likelihood")
    one = np.ones((1, len(converted)))
    before, now = (scoring.log_loss(p.predict(rows)[0], converted, one)[0] for p in (seasoned, pair))
    assert now < before
