"""A folder for what does not fit into memory: gone when closed, swept later if its process was killed."""

import os
import secrets
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

import filelock


class Scratch:
    """One folder of one's own.

    Beside it lies a lock, held as long as this process lives: a folder whose lock nobody holds was left by
    a process that was killed, and the next one removes it.

    Parameters
    ----------
    within : pathlib.Path, optional
        Where to make it; made if missing, and removed with the last folder in it. The system's temporary
        folder by default.

    Attributes
    ----------
    path : pathlib.Path
        The folder.
    """

    def __init__(self, within: Path | None = None) -> None:
        within = within or Path(tempfile.mkdtemp(prefix="hva-"))
        within.mkdir(parents=True, exist_ok=True)
        _sweep(within)
        self.path = within / f"{os.getpid()}-{secrets.token_hex(4)}"
        lock = filelock.FileLock(_beside(self.path))
        lock.acquire()
        self.path.mkdir(parents=True)
        self._end = weakref.finalize(self, _remove, self.path, lock)

    def close(self) -> None:
        """Remove the folder and all that is in it; the end of the process does it at the latest."""
        self._end()


def _beside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _remove(folder: Path, lock: filelock.BaseFileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()
    _beside(folder).unlink(missing_ok=True)
    with suppress(OSError):
        folder.parent.rmdir()


def _sweep(within: Path) -> None:
    for file in within.glob("*-*.lock"):
        lock = filelock.FileLock(file, timeout=0)
        try:
            lock.acquire()
        except (filelock.Timeout, OSError):
            continue
        _remove(file.with_suffix(""), lock)
