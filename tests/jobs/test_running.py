"""Cohorts whose horizon still runs: what they teach, what they may not know, and where it is told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import hva_ml as hva
from hva_ml import splits
from hva_ml.calibration import LEAST_DAYS
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import instant, microseconds
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.fitting import Pair, fit_pair
from hva_ml.jobs.history import History
from hva_ml.jobs.refits import settings, sides
from hva_ml.jobs.running import Running, followed, running
from hva_ml.jobs.train import Run
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.card import card

PIPELINE = "dach_sample"
DAY = date(2025, 3, 1)


@pytest.fixture(scope="module")
def pair(history: History) -> Pair:
    learnt, split = sides(history, DAY)
    searched = settings(history.config, learnt, split, "never")
    return fit_pair(learnt.features, learnt.targets, split, searched, history.config)


def other(history: History, change: Callable[[dict[str, Any]], dict[str, Any]]) -> History:
    """The same world with other invoices; the features stay those of before."""
    table = history.tables.tables["invoices"]
    rows = [change(row) for row in table.to_pylist()]
    tables = dict(history.tables.tables) | {"invoices": pa.Table.from_pylist(rows, schema=table.schema)}
    return replace(history, tables=ContractTables(tables))


def bundle(run: Run) -> Bundle:
    return Bundle.read(run.report.parent / "bundle")


def asked(history: History, day: date = DAY) -> Running:
    found = history.running(day)
    assert found is not None
    return found


def test_only_cohorts_between_a_month_of_age_and_the_end_of_their_wait_are_looked_at(
    history: History,
) -> None:
    found = asked(history)
    ages = [(DAY - d).days for d in history.calendar.days]
    gap, wait = history.config.horizon.gap_days, history.config.horizon.days + 10
    assert found.days() == sorted((a for a in ages if gap + LEAST_DAYS <= a < gap + wait), reverse=True)
    assert len(found.over.cutoffs) == sum(a >= gap + wait for a in ages)
    mine = splits.calibrating(found.features.index, history.config.split, history.config.models.seed)
    assert mine.all()


def test_the_trees_have_seen_no_parent_that_is_looked_at(history: History) -> None:
    learnt, split = sides(history, DAY)
    taught = set(learnt.features.take(split.train).table["group_id"].to_pylist())
    assert taught
    assert not taught & set(asked(history).features.table["group_id"].to_pylist())


def test_nothing_known_after_the_day_is_looked_at(history: History) -> None:
    day = instant(DAY, history.config.pipeline.timezone)

    def enriched(row: dict[str, Any]) -> dict[str, Any]:
        late = max(row["event_time"], row["known_at"]) >= day
        return {**row, "amount_cents": row["amount_cents"] * (1000 if late else 1)}

    def run(world: History) -> Running | None:
        features, calendar = world.features, world.calendar
        return running(world.tables, world.config, microseconds(day), features, calendar)

    plain, planted = run(history), run(other(history, enriched))
    assert plain is not None
    assert planted is not None
    assert plain.fingerprint() == planted.fingerprint()
    # The same without a day of delay would be found.
    earlier = other(history, lambda row: {**row, "amount_cents": row["amount_cents"] * 2})
    assert asked(earlier).fingerprint() != asked(history).fingerprint()


@pytest.mark.parametrize("times", [0.25, 3.0])
def test_fewer_and_smaller_purchases_lower_the_level_and_keep_order_and_reasons(
    history: History, pair: Pair, times: float
) -> None:
    first = instant(DAY - timedelta(days=asked(history).days()[0]), history.config.pipeline.timezone)

    def scaled(row: dict[str, Any]) -> dict[str, Any]:
        recent = row["event_time"] >= first
        return {**row, "amount_cents": int(row["amount_cents"] * (times if recent else 1.0))}

    rows = history.at(DAY)
    usual, moved = followed(pair, asked(history)), followed(pair, asked(other(history, scaled)))
    assert usual.worth.nowcast is not None
    assert moved.worth.nowcast is not None
    assert np.sign(moved.worth.nowcast.moved - usual.worth.nowcast.moved) == np.sign(np.log(times))
    before, after = pair.told(rows), moved.told(rows)
    assert np.array_equal(np.argsort(before.probability), np.argsort(after.probability))
    assert np.ptp(np.log(after.value_if_converted / before.value_if_converted)) < 1e-12
    assert moved.conversion is pair.conversion
    assert moved.value is pair.value


def test_conversions_move_log_odds_until_the_mean_likelihood_has_moved_as_told(
    history: History, pair: Pair
) -> None:
    seen = asked(history)
    moved = followed(pair, seen)
    assert moved.calibrated.nowcast is not None
    before, after = (p.told(seen.features).probability.mean() for p in (pair, moved))
    assert np.log(after / before) == pytest.approx(moved.calibrated.nowcast.moved)
    assert moved.calibrated.nowcast.moved != 0.0


def test_it_does_not_hang_on_the_order_of_rows(history: History, pair: Pair) -> None:
    seen = asked(history)
    order = pa.array(np.random.default_rng(3).permutation(seen.features.table.num_rows))
    mixed = replace(seen, features=FeatureSet(seen.features.table.take(order), seen.features.definitions))
    one, two = followed(pair, seen), followed(pair, mixed)
    assert one.worth.log_scale == two.worth.log_scale
    assert one.calibrator == two.calibrator


def test_off_or_with_nothing_to_tell_all_stays_as_it_was(history: History, pair: Pair) -> None:
    off = replace(history.config, models=replace(history.config.models, nowcast=False))
    assert replace(history, config=off).running(DAY) is None
    assert history.running(history.calendar.days[0]) is None
    assert followed(pair, None) is pair


@pytest.fixture(scope="module")
def two(
    tmp_path_factory: pytest.TempPathFactory, small_workspace: Callable[[Path], hva.Workspace]
) -> tuple[hva.Workspace, Run, Run]:
    """A pipeline whose cutoffs go on until the data end, trained with and without a nowcast."""
    ws = small_workspace(tmp_path_factory.mktemp("running"))
    path = ws.pipelines / f"{PIPELINE}.toml"
    text = path.read_text(encoding="utf-8")
    late = text.replace("last = 2025-09-01", "last = 2025-12-01")
    assert late != text
    path.write_text(late.replace("[models]", "[models]\nnowcast = false"), encoding="utf-8")
    without = hva.train(ws, PIPELINE)
    path.write_text(late, encoding="utf-8")
    return ws, without, hva.train(ws, PIPELINE)


def test_training_asks_cohorts_that_run_when_the_data_end(
    two: tuple[hva.Workspace, Run, Run],
) -> None:
    ws, without, run = two
    plain, found = (bundle(r) for r in (without, run))
    told = found.metadata["calibration"]["nowcast"]
    assert plain.metadata["calibration"]["nowcast"] == {"released": None, "evaluated": None}
    # 1 November and 1 December, when the data end on 31 December.
    assert [look["days"] for look in told["released"]["value"]["looks"]] == [60, 30]
    assert told["evaluated"]["value"]["looks"]
    assert found.value_log_scale != plain.value_log_scale
    assert found.calibrator != plain.calibrator
    sentence = "Released fit: 2 cohorts whose horizon still ran (30 to 60 days old) had brought"
    assert sentence in card(found, ())
    assert sentence in run.report.read_text(encoding="utf-8")
    assert "whose horizon still ran" not in without.report.read_text(encoding="utf-8")
    assert hva.train(ws, PIPELINE).release == run.release


def test_recalibrating_asks_them_too(two: tuple[hva.Workspace, Run, Run]) -> None:
    ws, _, run = two
    path = ws.pipelines / f"{PIPELINE}.toml"
    late = path.read_text(encoding="utf-8")
    early = late.replace("last = 2025-12-01", "last = 2024-12-01").replace("2025-12-31", "2025-03-31")
    path.write_text(early, encoding="utf-8")
    hva.promote(hva.train(ws, PIPELINE), force="a test")
    path.write_text(late, encoding="utf-8")
    told, before = (
        bundle(r).metadata["calibration"]["nowcast"]["released"]["value"]
        for r in (hva.recalibrate(ws, PIPELINE), run)
    )
    assert [look["came"] for look in told["looks"]] == [look["came"] for look in before["looks"]]
    assert told["moved"] != 0.0
