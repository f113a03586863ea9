"""hva recalibrate: the trees stay, map and level follow the latest cohorts, and the gates ask as ever."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import hva_ml as hva
from hva_ml.calibration import Segments, segments
from hva_ml.errors import NotEnoughDataError, RefusedError
from hva_ml.explanation.composition import link_slope
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs import fitting
from hva_ml.jobs.neighbours import FEATURES
from hva_ml.jobs.recalibrate import PARENT
from hva_ml.jobs.segments import unshifted
from hva_ml.jobs.train import Run
from hva_ml.registry import tracking
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.releases import read_release

PIPELINE = "dach_sample"
EARLIER, LATER = "last = 2025-01-01", "last = 2025-09-01"
LIFETIME = "\n[lifetime]\ndays = [90, 180]\n"
SEGMENT = "firmographic.industry_section"


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
    assert text.count("[models]") == 1
    text = text.replace("[models]", f'[models]\nsegment = "{SEGMENT}"')
    path.write_text(text.replace(LATER, EARLIER), encoding="utf-8")
    with pytest.raises(RefusedError, match="no champion yet"):
        hva.recalibrate(ws, PIPELINE)
    with pytest.MonkeyPatch.context() as patch:
        # The small sample of early 2025 holds too few customers for windows; what is kept is looked at here.
        patch.setattr(fitting, "MIN_CONVERTED", 5)
        _shifts_are_kept(patch)
        trained = hva.train(ws, PIPELINE)
    hva.promote(trained, force="a test")
    with pytest.raises(NotEnoughDataError) as caught:
        hva.recalibrate(ws, PIPELINE)
    path.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        _shifts_are_kept(patch)
        recalibrated = hva.recalibrate(ws, PIPELINE)
    return Two(ws, trained, recalibrated, str(caught.value))


def _shifts_are_kept(patch: pytest.MonkeyPatch) -> None:
    # Whether they pay is asked elsewhere; what becomes of them is looked at here.
    patch.setattr(segments, "SDS", (0.3,))
    patch.setattr(segments, "LEAST_OF_A_CLASS", 3)
    patch.setattr(Segments, "kept", property(lambda _: True))


def test_without_a_cohort_that_the_trees_do_not_know_nothing_is_recalibrated(two: Two) -> None:
    assert "3 lie behind those that taught the trees" in two.too_early
    assert "Wait for the next cohort" in two.too_early


def test_the_trees_stay_and_the_map_follows_the_latest_cohorts(two: Two) -> None:
    before, after = two.bundle(two.trained), two.bundle(two.recalibrated)
    assert unshifted(after).text == unshifted(before).text
    assert after.value.text == before.value.text
    assert after.encoder.to_dict() == before.encoder.to_dict()
    assert after.calibrator != before.calibrator
    assert after.value_log_scale != before.value_log_scale
    told = after.metadata
    assert told[PARENT] == {"version": two.trained.version, "release": two.trained.release}
    assert told["released_on"]["train"] == before.metadata["released_on"]["train"]
    assert told["value"]["run_rate"] == before.metadata["value"]["run_rate"]
    assert told["released_on"]["calibrate"] == ["2025-07-01", "2025-08-01", "2025-09-01"]
    # What judges has matured after what calibrated it, and both after what taught the trees.
    assert told["sides"]["calibrate"]["cutoffs"] == ["2025-02-01", "2025-03-01", "2025-04-01"]
    assert told["sides"]["test"]["cutoffs"] == ["2025-07-01", "2025-08-01", "2025-09-01"]


def test_the_parent_is_measured_on_the_same_rows(two: Two) -> None:
    rows = {(r["model"], r["metric"]): r["value"] for r in two.recalibrated.metrics.to_pylist()}
    # A map that only rises keeps the order, and shifts of segments change little of it; what changes is how
    # much is promised.
    assert rows["hva_ml", "roc_auc"] == pytest.approx(rows[PARENT, "roc_auc"], abs=0.01)
    assert rows["hva_ml", "total_ratio"] != rows[PARENT, "total_ratio"]
    assert ("prevalence", "roc_auc") in rows
    assert "Before recalibration" in two.recalibrated.report.read_text(encoding="utf-8")


def test_the_same_data_give_the_same_release(two: Two) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _shifts_are_kept(patch)
        assert hva.recalibrate(two.ws, PIPELINE).release == two.recalibrated.release


def test_shifts_of_segments_are_learned_anew_and_are_reasons_of_their_feature(two: Two) -> None:
    before, after = two.bundle(two.trained), two.bundle(two.recalibrated)
    X = after.encoder.transform(FeatureSet(_features(two), after.definitions))
    place = after.encoder.names.index(SEGMENT)
    shift = [b.conversion.margin(X) - unshifted(b).margin(X) for b in (before, after)]
    assert np.abs(shift[1]).max() > 0.01
    assert np.abs(shift[0] - shift[1]).max() > 0.01
    # What the last tree adds is what is told, and hangs on the segment alone.
    names = after.encoder.columns[place].categories
    told = {r["segment"]: r["shift"] for r in after.metadata["calibration"]["segments"]["segments"]}
    for name, by in told.items():
        here = X[:, place] == names.index(name)
        assert shift[1][here] == pytest.approx(by / after.calibrator.slope)  # type: ignore[union-attr]
    assert len(told) >= 3
    # A value that training has not seen, and none at all, have no shift.
    X[:2, place] = len(names), np.nan
    assert (after.conversion.margin(X[:2]) - unshifted(after).margin(X[:2])) == pytest.approx(
        [0, 0], abs=1e-12
    )
    # Every row of an explanation adds up, or it is refused; only the segment's own part has changed.
    whole, bare = after.explain(X), replace(after, conversion=unshifted(after)).explain(X)
    whole.check()
    slope = link_slope(
        after.calibrator, after.conversion.margin(_references(after, X)), after.conversion.margin(X)
    )
    apart = whole.likelihood / slope[:, None]
    slope = link_slope(
        after.calibrator, unshifted(after).margin(_references(after, X)), unshifted(after).margin(X)
    )
    change = apart - bare.likelihood / slope[:, None]
    assert np.abs(np.delete(change, place, axis=1)).max() < 1e-6
    assert np.abs(change[:, place]).max() > 0.01


def _features(two: Two) -> pa.Table:
    return pq.read_table(two.recalibrated.report.parent / FEATURES)


def _references(bundle: Bundle, X: np.ndarray) -> np.ndarray:
    return bundle.references.matrix[bundle.references.which(X, "")]


def test_it_is_a_challenger_that_is_promoted_by_the_gates_and_scores(two: Two) -> None:
    run = tracking.find(two.ws, PIPELINE, two.recalibrated.run_id)
    assert run is not None
    assert run.tags["parent"] == two.trained.version
    release = hva.promote(two.recalibrated, force="a test")
    assert {g.name for g in release.gates} >= {"roc_auc", "calibration_error", "roc_auc against champion"}
    card = (release.path / "card.md").read_text(encoding="utf-8")
    assert f"The trees are those of version {two.trained.version}" in card
    assert f"Segments of {SEGMENT} have shifts of their own" in card
    assert "| Segment | Rows | Converted |" in card
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


def test_shifts_that_no_longer_pay_are_taken_out(two: Two) -> None:
    # Last here: the same data write to the same folder.
    bare_trees = unshifted(two.bundle(two.recalibrated)).text
    found = two.bundle(hva.recalibrate(two.ws, PIPELINE))
    told = found.metadata["calibration"]["segments"]
    assert not told["kept"]
    assert found.conversion.text == bare_trees
