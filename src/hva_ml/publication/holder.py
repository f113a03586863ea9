"""Who holds a lock: a process of this machine, known by more than its number, which is given out again."""

import json
import os
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_PROC = Path("/proc")
_STARTED = 19  # of the fields after the name: starttime, see proc_pid_stat(5)


@dataclass(frozen=True)
class Holder:
    """A process.

    Attributes
    ----------
    pid : int
        Its number.
    host, boot, space : str
        The machine, the start of it, and the namespace in which `pid` counts; empty where unknown.
    started : str
        When the process began, in ticks since the start of the machine; empty where unknown.
    """

    pid: int
    host: str = ""
    boot: str = ""
    space: str = ""
    started: str = ""

    @classmethod
    def me(cls) -> "Holder":
        """Return this process."""
        pid = os.getpid()
        return cls(pid, socket.gethostname(), _boot(), _space(), _started(pid))

    @property
    def dead(self) -> bool | None:
        """Whether the process is gone; None where nobody here can know."""
        here = Holder.me()
        if not here.boot or (self.host, self.boot, self.space) != (here.host, here.boot, here.space):
            return None
        return _started(self.pid) != self.started

    def note(self, path: Path) -> None:
        """Write it down; a lock without a note, or with half of one, is a lock all the same."""
        with suppress(OSError):
            path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def noted(cls, path: Path) -> "Holder | None":
        """Return who is noted, None for nobody or an unreadable note."""
        try:
            return cls(**json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None


def _boot() -> str:
    with suppress(OSError):
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


def _space() -> str:
    with suppress(OSError):
        return str((_PROC / "self/ns/pid").readlink())
    return ""


def _started(pid: int) -> str:
    with suppress(OSError, IndexError):
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        # The name stands in brackets and may itself hold spaces and brackets.
        fields = stat.rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[_STARTED]
    return ""
