"""hva recalibrate: the trees stay, map and level follow the latest cohorts, and the gates ask as ever."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import hva_ml as hva
from hva_ml.errors import NotEnoughDataError, RefusedError
from hva_ml.jobs import fitting
from hva_ml.jobs.recalibrate import PARENT
from hva_ml.jobs.train import Run
from hva_ml.registry import tracking
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.releases import read_release

PIPELINE = "dach_sample"
EARLIER, LATER = "last = 2025-01-01", "last = 2025-09-01"
LIFETIME = "\n[lifetime]\ndays = [90, 180]\n"


@dataclass(frozen=True)
class Two:
    """A champion trained in early 2025, and the same trees recalibrated in autumn."""

    ws: hva.Workspace
    trained: Run
    recalibrated: Run
    too_early: str

    def bundle(self, run: Run) -> Bundle:
        return Bundle.read(run.report.parent / "bundle")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, small_workspace: Callable[[Path], hva.Workspace]) -> Two:
    ws = small_workspace(tmp_path_factory.mktemp("recalibrate"))
    path = ws.pipelines / f"{PIPELINE}.toml"
    text = path.read_text(encoding="utf-8") + LIFETIME
    assert text.count(LATER) == 1
    path.write_text(text.replace(LATER, EARLIER), encoding="utf-8")
    with pytest.raises(RefusedError, match="no champion yet"):
        hva.recalibrate(ws, PIPELINE)
    with pytest.MonkeyPatch.context() as patch:
        # The small sample of early 2025 holds too few customers for windows; what is kept is looked at here.
        patch.setattr(fitting, "MIN_CONVERTED", 5)
        trained = hva.train(ws, PIPELINE)
    hva.promote(trained, force="a test")
    with pytest.raises(NotEnoughDataError) as caught:
        hva.recalibrate(ws, PIPELINE)
    path.write_text(text, encoding="utf-8")
    return Two(ws, trained, hva.recalibrate(ws, PIPELINE), str(caught.value))


def test_without_a_cohort_that_the_trees_do_not_know_nothing_is_recalibrated(two: Two) -> None:
    assert "3 lie behind those that taught the trees" in two.too_early
    assert "Wait for the next cohort" in two.too_early


def test_the_trees_stay_and_the_map_follows_the_latest_cohorts(two: Two) -> None:
    before, after = two.bundle(two.trained), two.bundle(two.recalibrated)
    assert after.conversion.text == before.conversion.text
    assert after.value.text == before.value.text
    assert after.encoder.to_dict() == before.encoder.to_dict()
    assert after.calibrator != before.calibrator
    assert after.value_log_scale != before.value_log_scale
    told = after.metadata
    assert told[PARENT] == {"version": two.trained.version, "release": two.trained.release}
    assert told["released_on"]["train"] == before.metadata["released_on"]["train"]
    assert told["released_on"]["calibrate"] == ["2025-07-01", "2025-08-01", "2025-09-01"]
    # What judges has matured after what calibrated it, and both after what taught the trees.
    assert told["sides"]["calibrate"]["cutoffs"] == ["2025-02-01", "2025-03-01", "2025-04-01"]
    assert told["sides"]["test"]["cutoffs"] == ["2025-07-01", "2025-08-01", "2025-09-01"]


def test_the_parent_is_measured_on_the_same_rows(two: Two) -> None:
    rows = {(r["model"], r["metric"]): r["value"] for r in two.recalibrated.metrics.to_pylist()}
    # A map that only rises keeps the order within a cohort; what changes is how much is promised.
    assert rows["hva_ml", "roc_auc"] == pytest.approx(rows[PARENT, "roc_auc"])
    assert rows["hva_ml", "total_ratio"] != rows[PARENT, "total_ratio"]
    assert ("prevalence", "roc_auc") in rows
    assert "Before recalibration" in two.recalibrated.report.read_text(encoding="utf-8")


def test_the_same_data_give_the_same_release(two: Two) -> None:
    assert hva.recalibrate(two.ws, PIPELINE).release == two.recalibrated.release


def test_it_is_a_challenger_that_is_promoted_by_the_gates_and_scores(two: Two) -> None:
    run = tracking.find(two.ws, PIPELINE, two.recalibrated.run_id)
    assert run is not None
    assert run.tags["parent"] == two.trained.version
    release = hva.promote(two.recalibrated, force="a test")
    assert {g.name for g in release.gates} >= {"roc_auc", "calibration_error", "roc_auc against champion"}
    card = (release.path / "card.md").read_text(encoding="utf-8")
    assert f"The trees are those of version {two.trained.version}" in card
    # Scoring holds every row to its reasons.
    scores = hva.score(two.ws, PIPELINE, as_of="2025-12-31")
    assert scores.table["conversion_probability"].null_count == 0
    low, p, high = (
        scores.table[c].to_numpy() for c in ("probability_low", "conversion_probability", "probability_high")
    )
    assert ((low < p) & (p < high)).all()
    # Windows are kept, and so is what is told of them: once, as figures of the version that measured them.
    before, after = two.bundle(two.trained), two.bundle(two.recalibrated)
    assert after.lifetime is not None
    assert after.lifetime.record() == before.lifetime.record()
    (horizon,) = before.metadata["lifetime"]["horizons"]
    assert after.metadata["lifetime"] == {"kept_from": two.trained.version, **before.metadata["lifetime"]}
    own = two.trained.report.read_text(encoding="utf-8")
    said = f"over by {horizon['test_cutoffs'][0]} and held against {horizon['rows']:,} rows"
    kept = f"measured for version {two.trained.version}, whose windows after the horizon are kept"
    for text in (card, two.recalibrated.report.read_text(encoding="utf-8")):
        assert said in text
        assert kept in text
    assert said in own
    assert kept not in own
    logged = [name for name in run.metrics if "lifetime_180" in name]
    assert not logged
    # Its trees are those of its grandparent, so the next one goes on from there.
    again = read_release(two.ws, PIPELINE, release.version)
    assert again.metadata["released_on"]["train"] == two.bundle(two.trained).metadata["released_on"]["train"]
