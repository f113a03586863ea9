"""While a night is made, the scores before it stay; if it does not come out, they are marked stale."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

from hva_ml.errors import BusyError, HvaError, UsageError
from hva_ml.publication.reading import Published, current
from hva_ml.publication.rows import AuditError
from hva_ml.publication.stale import Stale, clear, mark


@contextmanager
def kept(folder: Path, day: date, marked: Callable[[Published], object]) -> Iterator[None]:
    """Mark the current run stale if the block fails, and no longer stale if it does not.

    A run of a later day than `day` stays unmarked: it is not what the block was to replace.

    Parameters
    ----------
    folder : Path
        ``data/scores/<pipeline>``.
    day : datetime.date
        The day that the block scores.
    marked : callable
        Called with the stale run, so that its page can say so too.
    """
    try:
        yield
    except (HvaError, OSError) as error:
        if not isinstance(error, UsageError | BusyError):
            # What made the night fail may keep the note from being written; it is the first that counts.
            with suppress(OSError, HvaError):
                _mark(folder, day, error, marked)
        raise
    clear(folder, day.isoformat())


def _mark(folder: Path, day: date, error: HvaError | OSError, marked: Callable[[Published], object]) -> None:
    run = current(folder)
    if run is None or str(run.identity.get("as_of", "")) > day.isoformat():
        return
    what = error.what if isinstance(error, HvaError) else f"The system refused: {error.strerror or error}."
    rows = error.rows if isinstance(error, AuditError) else ()
    mark(folder, run.run_id, Stale(day.isoformat(), what, rows))
    if (stale := current(folder)) is not None:
        marked(stale)
