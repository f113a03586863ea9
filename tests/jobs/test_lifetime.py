"""Lifetime value from the pipeline file to what is released; refused where history is short."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks import lifetime as benchmark

import hva_ml as hva
from hva_ml import splits
from hva_ml.config import Lifetime, PipelineConfig
from hva_ml.jobs import lifetime
from hva_ml.jobs.fitting import Searched, search_pair
from hva_ml.jobs.lifetime import Learned, LifetimeLearner
from hva_ml.jobs.prepare import Prepared, prepare
from hva_ml.jobs.training_set import TrainingSet, training_set
from hva_ml.publication import read

PIPELINE = "dach_sample"


@dataclass(frozen=True)
class Ground:
    config: PipelineConfig
    prepared: Prepared
    data: TrainingSet
    searched: Searched

    def learner(self) -> LifetimeLearner:
        return LifetimeLearner(
            self.prepared, self.data.calendar, self.data.features, self.data.targets, self.searched,
            self.config,
        )  # fmt: skip

    def learn(self) -> Learned:
        return self.learner().learn()


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


def test_a_difference_that_is_not_believed_leaves_as_much_a_day_as_in_the_horizon(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cents that came in window and horizon, summed from the invoices of the same customers."""
    learner = ground.learner()
    day = date(2025, 4, 1)
    model, pair, _ = learner._learned((0, 90, 180), (day,))
    split = learner._split(learner._window(90, 180).calendar, (day,), 99)
    customers = [v is not None for v in ground.data.features.table["cadence.recency_days"].to_pylist()]
    rows = ground.data.features.take(split.calibrate & np.array(customers)).table
    invoices = ground.prepared.tables.tables["invoices"]
    zone = ground.config.pipeline.timezone
    # Local days: windows go from midnight to midnight, whatever the clocks did between.
    bought, begins = (
        pa.compute.local_timestamp(t.cast(pa.timestamp("us", zone))).to_numpy()
        for t in (invoices["event_time"], rows["cutoff"])
    )
    who, cents = np.asarray(invoices["account_id"].to_pylist()), invoices["amount_cents"].to_numpy()
    came, quarter = [0, 0], np.timedelta64(90, "D")
    for account, cutoff in zip(rows["account_id"].to_pylist(), begins, strict=True):
        for k in (0, 1):
            begin = cutoff + k * quarter
            came[k] += int(cents[(who == account) & (bought >= begin) & (bought < begin + quarter)].sum())
    factors = {}
    for believed in (0.0, 1.0):
        monkeypatch.setattr(lifetime, "lasting", lambda *_, w=believed: w)
        factors[believed] = learner._follows(90, 180, pair, (day,)).log_factor
    assert factors[1.0] - factors[0.0] == pytest.approx(np.log(came[1] / came[0]))
    low, high = sorted(factors.values())
    assert low < model.windows[0].log_factor < high


def test_the_benchmark_holds_rules_to_what_came_and_names_what_is_missing(
    ground: Ground, tmp_path: Path
) -> None:
    told = benchmark.Ground(ground.config, ground.prepared.tables, ground.learner())
    days = told.learner.testable(180)[-2:]
    gone = replace(benchmark.PEERS[0], name="gone", script="there_is_no_such_file", requirements=())
    rows = {r["case"]: r for r in benchmark.compared(told, 180, days, tmp_path / "a", [gone])}
    assert list(rows) == ["hva_ml", "run_rate", "expected_value_prolonged", "gone", "ours"]
    assert "there_is_no_such_file" in rows["gone"]["cutoffs"]
    assert rows["hva_ml"]["cutoffs"] == 2
    score, bought = (
        pq.read_table(tmp_path / "a" / days[0].isoformat() / f"{n}.parquet") for n in ("score", "purchases")
    )
    (cutoff,) = set(score["cutoff"].to_pylist())
    assert pa.compute.max(bought["time"]).as_py() < cutoff
    said = [told.learner.foretold(180, (d,)) for d in days]
    mae = np.mean([np.abs(s.predicted["run_rate"] - s.actual).mean() for s in said])
    assert rows["run_rate"]["mae"].split(";")[0] == f"{mae:,.0f}"
    assert score["account_id"].to_pylist() == said[0].rows.table["account_id"].to_pylist()
    (refused,) = benchmark.compared(told, 1800, told.learner.testable(1800), tmp_path / "b", [gone])
    assert refused["cutoffs"].startswith("refused: no cohort was over after 1800 days")


@pytest.fixture(scope="module")
def published(
    tmp_path_factory: pytest.TempPathFactory, small_workspace: Callable[[Path], hva.Workspace]
) -> hva.Workspace:
    ws = small_workspace(tmp_path_factory.mktemp("published"))
    file = ws.pipelines / f"{PIPELINE}.toml"
    text = file.read_text(encoding="utf-8") + "\n[lifetime]\ndays = [90, 180, 1800]\n"
    text += '[sinks.laptop]\nkind = "duckdb"\npath = "out/s.duckdb"\ntables = ["scores", "lifetime"]\n'
    file.write_text(text, encoding="utf-8")
    hva.promote(hva.train(ws, PIPELINE), force="a test of lifetime values")
    hva.score(ws, PIPELINE, as_of="2025-12-31")
    return ws


def test_every_customer_has_a_curve_that_begins_with_the_expected_value(published: hva.Workspace) -> None:
    folder = published.scores(PIPELINE)
    table, scores = read(folder, "lifetime"), read(folder, "scores")
    features = read(folder, "features")
    customers = features.filter(features["cadence.recency_days"].is_valid())["account_id"].to_pylist()
    assert 0 < len(customers) < scores.num_rows
    expected = dict(zip(scores["account_id"].to_pylist(), scores["expected_value"].to_pylist(), strict=True))
    found: dict[str, list[dict[str, float]]] = {}
    for row in table.to_pylist():
        found.setdefault(row["account_id"], []).append(row)
    assert set(found) == set(customers)
    for account, (first, second) in found.items():
        assert (first["from_days"], first["horizon_days"], second["horizon_days"]) == (0, 90, 180)
        assert first["value"] == expected[account]
        assert second["value"] == first["value"] + second["value_in_window"]
        assert 0 < second["survival"] <= first["survival"] < 1


def test_a_sink_gets_the_table(published: hva.Workspace) -> None:
    sent = hva.deliver(published, PIPELINE)
    rows = read(published.scores(PIPELINE), "lifetime").num_rows
    with duckdb.connect(str(published.root / "out" / "s.duckdb"), read_only=True) as file:
        assert file.sql("SELECT count(*) FROM hva_lifetime").fetchall() == [(rows,)]
    assert not sent.failed


def test_card_and_release_tell_it(published: hva.Workspace) -> None:
    (card,) = published.models(PIPELINE).glob("*/*.md")
    text = card.read_text(encoding="utf-8")
    assert "Over 180 days, learned from cohorts that were over by" in text
    assert "A lifetime value over 1800 days is not published" in text
