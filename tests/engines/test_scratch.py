"""What does not fit into memory has a folder of its own, and nobody finds it later."""

import subprocess
import sys
from pathlib import Path

from hva_ml.engines.scratch import Scratch

KILLED = """
import os, signal, sys
from pathlib import Path
from hva_ml.engines.scratch import Scratch
kept = Scratch(Path(sys.argv[1]))
(kept.path / "spilled").write_text("much")
os.kill(os.getpid(), signal.SIGKILL)
"""
FORGOTTEN = """
import sys
from pathlib import Path
from hva_ml.engines.scratch import Scratch
kept = Scratch(Path(sys.argv[1]))
(kept.path / "spilled").write_text("much")
"""


def test_closing_removes_everything_twice_if_need_be(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "made" / "here")
    (scratch.path / "folder").mkdir()
    (scratch.path / "folder" / "file").write_text("x")
    scratch.close()
    scratch.close()
    assert not (tmp_path / "made" / "here").exists()


def test_others_at_work_are_left_alone(tmp_path: Path) -> None:
    first, second = Scratch(tmp_path / "s"), Scratch(tmp_path / "s")
    assert first.path != second.path
    second.close()
    assert first.path.is_dir()
    first.close()
    assert not (tmp_path / "s").exists()


def test_the_end_of_a_process_removes_what_nobody_closed(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", FORGOTTEN, str(tmp_path / "s")], check=True)
    assert not (tmp_path / "s").exists()


def test_what_a_killed_process_left_is_swept_by_the_next(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    left = {p.name for p in tmp_path.iterdir()}
    assert len(left) == 2
    scratch = Scratch(tmp_path)
    assert left.isdisjoint(p.name for p in tmp_path.iterdir())
    scratch.close()


def test_a_folder_of_ones_own_is_made_where_none_is_given() -> None:
    scratch = Scratch()
    assert scratch.path.is_dir()
    scratch.close()
    assert not scratch.path.parent.exists()
