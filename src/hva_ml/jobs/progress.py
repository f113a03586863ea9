"""How a job tells how far it is. The library only calls these; a face decides what is shown."""

import logging
import time
from typing import Protocol

log = logging.getLogger("hva_ml")


class Progress(Protocol):
    """Receives the stages of a job and steps within a stage."""

    def stage(self, text: str) -> None:
        """Begin a stage."""
        ...

    def step(self, done: int, total: int, note: str = "") -> None:
        """Tell how much of the stage is done."""
        ...


class LoggedProgress:
    """Plain log lines, for nobody watching: one line a stage, with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def stage(self, text: str) -> None:
        """Log the stage."""
        log.info("[%6.1f s] %s", time.monotonic() - self._start, text)

    def step(self, done: int, total: int, note: str = "") -> None:
        """Log every quarter of the stage."""
        if total and (done == total or done * 4 // total != (done - 1) * 4 // total):
            log.info("           %d of %d%s", done, total, f", {note}" if note else "")
