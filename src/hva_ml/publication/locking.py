"""One writer of a pipeline at a time, on one machine. A lock dies with the process that holds it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from hva_ml.errors import BusyError


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold a lock file while the block runs; never wait for it.

    Raises
    ------
    BusyError
        If another run holds it (exit code 4).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    held = filelock.FileLock(path, timeout=0)
    try:
        held.acquire()
    except filelock.Timeout as error:
        raise BusyError(
            "Another run of this pipeline is at work.",
            where=str(path),
            why="Two writers at once could mix their results.",
            fix="Wait for it to end and try again; a lock is freed with the process that holds it.",
        ) from error
    try:
        yield
    finally:
        held.release()
