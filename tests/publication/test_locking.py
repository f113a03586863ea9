"""One writer at a time; a holder that died is taken over and named, a living one never."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from hva_ml.errors import BusyError
from hva_ml.publication import lock
from hva_ml.publication.holder import Holder

HOLDER = """
import os, sys
from pathlib import Path
from hva_ml.publication import lock
with lock(Path(sys.argv[1])):
    # What it leaves behind keeps the lock file open, and with it the lock.
    child = os.fork() if sys.argv[2] == "with a child" else -1
    if child != 0:
        print(child, flush=True)
    sys.stdin.read()
    os._exit(0)
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / ".locks" / "toy.lock"


@contextmanager
def holding(path: Path, how: str = "alone") -> Iterator[subprocess.Popen[bytes]]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout.readline()
        yield holder
    finally:
        holder.kill()
        # A child that was left behind ends with its standard input.
        holder.communicate()


def test_a_second_writer_is_told_of_the_lock_file_and_its_holder(path: Path) -> None:
    with holding(path) as holder:
        with pytest.raises(BusyError) as caught, lock(path):
            pass
        assert (caught.value.exit_code, caught.value.where) == (4, str(path))
        if sys.platform == "linux":
            assert f"process {holder.pid}" in caught.value.what
    with lock(path), pytest.raises(BusyError), lock(path):
        pass


def test_whoever_ends_leaves_no_note(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with lock(path) as before:
        assert before is None
    with pytest.raises(ValueError, match="mine"), lock(path):
        raise ValueError("mine")
    with lock(path) as before:
        assert before is None
    assert not caplog.records


@linux
@pytest.mark.parametrize("how", ["alone", "with a child"])
def test_a_holder_that_died_is_taken_over_and_named(
    path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "hva_ml")
    with holding(path, how) as holder:
        holder.kill()
        holder.wait()
        with lock(path) as before:
            assert before is not None
            assert before.pid == holder.pid
            # The child of the dead one is still there, and the lock is ours alone.
            with pytest.raises(BusyError), lock(path):
                pass
        assert f"process {holder.pid}, died at work" in caplog.text
    with lock(path) as before:
        assert before is None


def elsewhere(me: Holder) -> dict[str, tuple[Holder, bool | None]]:
    return {
        "this process": (me, False),
        "its number, given out again": (replace(me, started="1"), True),
        "a number that nobody has": (replace(me, pid=2**22 + 1), True),
        "another machine": (replace(me, host="elsewhere"), None),
        "the machine before it was started again": (replace(me, boot="other"), None),
        "another container": (replace(me, space="pid:[1]"), None),
        "a note of a system that tells nothing": (Holder(me.pid), None),
    }


@linux
@pytest.mark.parametrize("who", elsewhere(Holder.me()))
def test_who_is_dead_is_only_said_of_the_same_machine(who: str) -> None:
    holder, dead = elsewhere(Holder.me())[who]
    assert holder.dead is dead


@linux
@pytest.mark.parametrize("who", elsewhere(Holder.me()))
def test_a_lock_that_is_held_is_never_taken_from_somebody_who_may_be_alive(path: Path, who: str) -> None:
    note = path.with_suffix(".holder")
    with holding(path, "alone"):
        holder, dead = elsewhere(Holder.me())[who]
        note.write_text(json.dumps(asdict(holder)), encoding="utf-8")
        with ExitStack() as stack:
            if not dead:
                stack.enter_context(pytest.raises(BusyError))
            with lock(path) as before:
                assert before == holder


@linux
def test_a_free_lock_whose_holder_lives_is_not_given_twice(path: Path) -> None:
    with holding(path):
        # Somebody has removed the lock file by hand.
        path.unlink()
        with pytest.raises(BusyError), lock(path):
            pass


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1, "more": 2}', "null"])
def test_a_note_that_cannot_be_read_is_nobodys(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.with_suffix(".holder").write_text(text, encoding="utf-8")
    with lock(path) as before:
        assert before is None


def test_a_folder_that_cannot_be_written_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("filelock.FileLock.acquire", refused)
    with pytest.raises(PermissionError), lock(tmp_path / "toy.lock"):
        pass
