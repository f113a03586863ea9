"""Full disks and folders that take nothing leave one whole night; `python -m benchmarks.trust` tries more."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from benchmarks.results import with_others
from benchmarks.trust import space
from benchmarks.trust.kills import NIGHT, Trial

from hva_ml.publication import runs

mounting = pytest.mark.skipif(not space.may_mount(), reason="this user may not mount a disk of its own")


@mounting
def test_a_disk_full_at_any_page_leaves_one_whole_night(tmp_path: Path) -> None:
    found = list(space.publishes(4, tmp_path))
    assert [t.bad for t in found] == [[]] * len(space.SCENES)
    assert all(t.ends["old night"] and t.ends["room enough"] == 2 for t in found)


@mounting
def test_a_writer_that_looks_away_from_a_full_disk_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = runs.replace_file

    def silent(path: Path, content: str) -> None:
        with suppress(OSError):
            real(path, content)

    monkeypatch.setattr(runs, "replace_file", silent)
    back = next(s for s in space.SCENES if "back" in s.case)
    (found,) = space.publishes(1, tmp_path, [back])
    assert found.bad


@mounting
@pytest.mark.slow
def test_the_real_job_on_a_full_disk_and_in_read_only_folders(trial: Trial) -> None:
    found = [space.nights(trial, 2), *space.refusals(trial, (NIGHT,), ("data/scores", "mlruns"))]
    assert [t.bad for t in found] == [[]] * 3
    assert [t.tried for t in found] == [2, 2, 1]


def test_rows_of_parts_that_are_not_run_stay(tmp_path: Path) -> None:
    file = tmp_path / "trust.json"
    old = [{"case": "a", "tried": 1}, {"case": "b", "tried": 2}]
    file.write_text(json.dumps({"day": "2025-01-01", "size": "full", "rows": old}))
    new = [{"case": "c", "tried": 3, "day": "2025-02-02"}, {"case": "a", "tried": 4, "day": "2025-02-02"}]
    kept = with_others(new, file, "full")
    assert [(r["case"], r["tried"], r["day"]) for r in kept] == [
        ("a", 4, "2025-02-02"), ("b", 2, "2025-01-01"), ("c", 3, "2025-02-02"),
    ]  # fmt: skip
    assert with_others(new, file, "small") == new
