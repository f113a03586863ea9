"""Power lost at any moment: whatever the disk kept, readers see the old complete night or the new one."""

from pathlib import Path

import pytest
from benchmarks.trust.crashes import SCENES, Scene, record, tried
from benchmarks.trust.disk import crashes, lay, recorded

from hva_ml import folders


@pytest.mark.parametrize("scene", SCENES, ids=lambda s: s.case)
def test_no_crash_tears_a_night(scene: Scene) -> None:
    # Some crash points of each; `python -m benchmarks.trust` tries them all.
    found = tried(scene, every=1 if "first" in scene.case else 4)
    assert found.bad == []
    assert found.ends["old night"] > 0


@pytest.mark.parametrize("forgotten", ["file", "folder"])
def test_a_sync_that_is_forgotten_would_be_noticed(forgotten: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = folders.sync
    monkeypatch.setattr(folders, "sync", lambda p: None if p.is_dir() == (forgotten == "folder") else real(p))
    assert tried(SCENES[1]).bad


def test_what_was_recorded_ends_as_what_lies_there(tmp_path: Path) -> None:
    root = tmp_path / "made"
    root.mkdir()
    *_, (done, last) = crashes(made := record(SCENES[1], root))
    assert done == len(made.steps)
    lay(last, tmp_path / "left")
    here = {p.relative_to(root): p.is_file() and p.read_bytes() for p in root.rglob("*")}
    left = tmp_path / "left"
    assert {p.relative_to(left): p.is_file() and p.read_bytes() for p in left.rglob("*")} == here


def test_a_file_without_a_sync_may_be_lost_half_or_zeros(tmp_path: Path) -> None:
    with recorded(tmp_path) as made:
        (tmp_path / "a").write_bytes(b"1234")
        (tmp_path / "a").rename(tmp_path / "b")
    left = [dict(state.items()) for _, state in crashes(made)]
    for content in (b"", b"12", b"1234", bytes(4)):
        assert {"b": content} in left
    assert {} in left
    assert {"a": b"1234", "b": b"1234"} not in left
