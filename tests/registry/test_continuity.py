"""A new champion on the scale of the one before: as many accounts above each threshold, the same order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tests.registry.test_promotion import release, source

from hva_ml.errors import IntegrityError
from hva_ml.registry import continuity as module
from hva_ml.registry import promotion
from hva_ml.registry.continuity import Continuity, continuity

assert source  # the fixture of releases
WORTH = st.floats(0.01, 1e7)


@given(arrays.arrays(float, (2, 60), elements=WORTH))
def test_order_stays_and_thresholds_keep_their_accounts(both) -> None:
    ours, theirs = both
    found = continuity("1", "r", ours, theirs)
    if found is None:
        assert len(set(theirs)) == 1 or len(set(ours)) == 1
        return
    stable = found.stable(ours)
    order = np.argsort(ours, kind="stable")
    assert (np.diff(stable[order]) >= 0).all()
    assert (np.diff(found.ours) > 0).all()
    if len(set(ours)) == len(ours):
        # 60 accounts have fewer values than there are points: nothing is interpolated.
        assert sorted(stable) == pytest.approx(sorted(theirs), rel=1e-9)


@given(arrays.arrays(float, (60,), elements=WORTH), st.floats(0.01, 100))
def test_a_model_that_only_counts_otherwise_changes_nothing(theirs, factor: float) -> None:
    found = continuity("1", "r", theirs * factor, theirs)
    if found is not None:
        beyond = np.array([theirs.min() / 7, *theirs, theirs.max() * 7])
        assert found.stable(beyond * factor) == pytest.approx(beyond, rel=1e-9)


def test_many_accounts_keep_their_thresholds() -> None:
    rng = np.random.default_rng(3)
    theirs = np.exp(rng.normal(6, 2, 20_000))
    ours = theirs**0.6 * np.exp(rng.normal(2, 0.8, 20_000))
    found = continuity("1", "r", ours, theirs)
    assert found is not None
    for share in (0.5, 0.8, 0.9, 0.99, 0.998):
        threshold = np.quantile(theirs, share)
        assert (found.stable(ours) > threshold).mean() == pytest.approx(1 - share, abs=0.004)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_what_has_no_scale_is_not_matched(bad: float) -> None:
    good = np.array([1.0, 2.0, 3.0])
    assert continuity("1", "r", good, np.array([1.0, 2.0, bad])) is None
    assert continuity("1", "r", good[:0], good[:0]) is None
    assert continuity("1", "r", good, np.ones(3)) is None
    assert continuity("1", "r", np.ones(3), good) is None


def test_a_release_keeps_its_map_and_no_other(source, ws) -> None:
    goes_on = continuity("1", "r", np.array([1.0, 2.5, 1 / 3]), np.array([10.0, 20.0, 2 / 3]))
    assert goes_on is not None
    folder = release(source, ws, version="2", goes_on=goes_on)
    assert module.read(folder) == goes_on
    promotion.verified(folder)
    file = folder / module.FILE
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"accounts": 3', '"accounts": 4'), encoding="utf-8")
    with pytest.raises(IntegrityError, match="map to the scores before"):
        promotion.verified(folder)
    file.unlink()
    with pytest.raises(IntegrityError, match="map to the scores before"):
        promotion.verified(folder)
    plain = release(source, ws, version="3")
    assert module.read(plain) is None
    (plain / module.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(IntegrityError, match="map to the scores before"):
        promotion.verified(plain)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "hva-continuity-1"}', '{"format": "x"}'])
def test_a_damaged_map_is_said(tmp_path, text: str) -> None:
    (tmp_path / module.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(IntegrityError, match="is damaged"):
        module.read(tmp_path)


def test_what_is_written_is_read_to_the_bit(tmp_path) -> None:
    told = Continuity("7", "r", 3, (1 / 3, 2 / 3), (0.1, 1e7 / 3))
    (tmp_path / module.FILE).write_text(told.text(), encoding="utf-8")
    assert module.read(tmp_path) == told
