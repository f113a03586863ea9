"""The stages of a night: what each did, with rows, seconds and memory, told in a line when it ends."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Literal

from hva_ml.jobs.progress import Progress

log = logging.getLogger("hva_ml.night")
Outcome = Literal["done", "skipped", "failed"]
NAMES = ("ingest", "features", "score", "explain", "audit", "publish", "page", "deliver", "monitor")


@dataclass(frozen=True)
class Stage:
    """What one stage of a night did.

    Attributes
    ----------
    name : str
        One of `NAMES`.
    outcome : {"done", "skipped", "failed"}
        Skipped where there was nothing to do; the note says why.
    rows : int
        Rows it handled.
    seconds : float
        On the clock.
    peak_bytes : int or None
        Most memory that the process has had until the end of the stage; None where the system does not tell.
    note : str
        What else to know.
    """

    name: str
    outcome: Outcome
    rows: int = 0
    seconds: float = 0.0
    peak_bytes: int | None = None
    note: str = ""

    def line(self) -> str:
        """Return the stage as one readable line.

        Examples
        --------
        >>> Stage("features", "done", 100_000, 12.34, 3 * 2**30).line()
        'features        100,000 rows    12.3 s   3.00 GiB'
        >>> Stage("deliver", "skipped", note="no sink is declared").line()
        'deliver    skipped: no sink is declared'
        """
        note = f": {self.note}" if self.note else ""
        if self.outcome == "skipped":
            return f"{self.name:10} skipped{note}"
        memory = f"{self.peak_bytes / 2**30:6.2f} GiB" if self.peak_bytes is not None else ""
        done = f"{self.name:10} {self.rows:>12,} rows {self.seconds:>7.1f} s {memory}".rstrip()
        return (
            f"{done} failed{note}" if self.outcome == "failed" else f"{done}{'  ' if note else ''}{note[2:]}"
        )

    def record(self) -> dict[str, object]:
        """Return the stage as a JSON-ready record."""
        return {**asdict(self), "seconds": round(self.seconds, 3)}


class Running:
    """A stage at work: what it does sets `rows` and `note`."""

    def __init__(self) -> None:
        self.rows = 0
        self.note = ""


class Stages:
    """Collects the stages of one night.

    Parameters
    ----------
    progress : Progress
        Is told where a stage begins, and its steps.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._done: list[Stage] = []

    @property
    def done(self) -> tuple[Stage, ...]:
        """The stages that have ended, in their order."""
        return tuple(self._done)

    @contextmanager
    def stage(self, name: str, text: str) -> Iterator[Running]:
        """Run one stage; one that raises has failed."""
        self.progress.stage(text)
        running, began = Running(), time.perf_counter()
        try:
            yield running
        except BaseException as error:
            what = getattr(error, "what", None) or type(error).__name__
            self._end(Stage(name, "failed", running.rows, time.perf_counter() - began, peak(), what))
            raise
        self._end(Stage(name, "done", running.rows, time.perf_counter() - began, peak(), running.note))

    def skip(self, why: str, *names: str) -> None:
        """Note stages that have nothing to do."""
        for name in names:
            self._end(Stage(name, "skipped", note=why))

    def _end(self, stage: Stage) -> None:
        self._done.append(stage)
        log.info("%s", stage.line(), extra={"hva": {"event": "stage", **_told(stage)}})


def _told(stage: Stage) -> dict[str, object]:
    record = stage.record()
    return {"stage": record.pop("name"), **record}


def peak() -> int | None:
    """Return the most memory that this process has had, in bytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    import sys

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
