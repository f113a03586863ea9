"""One writer of a pipeline at a time, on one machine. A lock dies with the process that holds it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from hva_ml.errors import BusyError
from hva_ml.publication.holder import Holder

_log = logging.getLogger("hva_ml")
_PATIENCE_SECONDS = 10


@contextmanager
def lock(path: Path) -> Iterator[Holder | None]:
    """Hold a lock file while the block runs; never wait for it to become free.

    The system frees the lock when its holder dies. Who holds it is noted beside it: a note that is left tells
    of a holder that died at work, which is logged; where a process that the dead one left behind still keeps
    the lock, it is taken over all the same.

    Yields
    ------
    Holder or None
        The dead process whose lock was taken over; None for most.

    Raises
    ------
    BusyError
        If another run holds it (exit code 4).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    note = path.with_suffix(".holder")
    held = filelock.FileLock(path, timeout=0)
    with _alone(path):
        before = _acquired(held, path, Holder.noted(note))
        Holder.me().note(note)
    try:
        if before is not None:
            _log.warning("The run before, process %d, died at work; its lock was taken over.", before.pid)
        yield before
    finally:
        with suppress(OSError):
            note.unlink()
        held.release()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Look at lock and note, and change both, one process at a time."""
    try:
        with filelock.FileLock(path.with_suffix(".guard"), timeout=_PATIENCE_SECONDS):
            yield
    except filelock.Timeout as error:
        raise _busy(path, None) from error


def _acquired(held: filelock.BaseFileLock, path: Path, noted: Holder | None) -> Holder | None:
    """Acquire the lock; return who died holding it."""
    try:
        held.acquire()
    except filelock.Timeout as error:
        if noted is None or not noted.dead:
            raise _busy(path, noted) from error
        return _instead_of(noted, held, path)
    me = Holder.me()
    if noted is not None and noted.dead is False and noted != me:
        # Somebody has removed the lock file, or the file system gives one lock to two.
        held.release()
        raise _busy(path, noted)
    return None if noted == me else noted


def _instead_of(dead: Holder, held: filelock.BaseFileLock, path: Path) -> Holder:
    """Put another lock file in the place of the one that nobody alive answers for, and acquire that."""
    try:
        path.unlink(missing_ok=True)
        held.acquire()
    except (OSError, filelock.Timeout) as error:
        raise _busy(path, dead) from error
    return dead


def _busy(path: Path, holder: Holder | None) -> BusyError:
    who = f" It is process {holder.pid} on {holder.host}." if holder and holder.host else ""
    return BusyError(
        f"Another run of this pipeline is at work.{who}",
        where=str(path),
        why="Two writers at once could mix their results.",
        fix="Wait for it to end and try again; a lock is freed with the process that holds it.",
    )
