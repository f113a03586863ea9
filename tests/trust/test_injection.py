"""Texts of a pipeline file are texts; `python -m benchmarks.trust --only injection` tries all of them."""

import json
import subprocess
import tomllib
from pathlib import Path

import pytest
from benchmarks.trust.injection import injection, places, put, toml
from benchmarks.trust.watching import Watch

import hva_ml as hva


def test_whatever_is_written_or_started_is_seen(tmp_path: Path) -> None:
    watch, beside = Watch(), tmp_path / "beside"
    with watch.over(tmp_path / "root") as seen:
        beside.write_text("x")
        subprocess.run(["true"], check=True)
    assert seen == [f"writes {beside}", "subprocess.Popen"]


def test_every_text_and_name_can_be_exchanged() -> None:
    whole = {"a": {"b": "c", "d": ["e", {"f": "g"}]}, "h": 1}
    for place, name in places(whole):
        changed = put(whole, place, "x'\"\n", name)
        assert changed != whole
        text = "\n".join(f"{json.dumps(k)} = {toml(v)}" for k, v in changed.items())
        assert tomllib.loads(text) == changed


@pytest.mark.slow
def test_no_text_is_run_read_or_written(base: hva.Workspace, tmp_path: Path) -> None:
    (tally,) = injection(base, tmp_path / "injection", every=False)
    assert tally.bad == []
    assert tally.ends["refused with words"] > 5
