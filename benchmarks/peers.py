"""Peers in environments of their own, called as scripts, measured as fresh processes.

Environments live below the user's cache folder (or ``HVA_BENCH_ENVS``) and are made once; a peer that cannot
be installed is named in the table instead of being left out.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENTS = Path(os.environ.get("HVA_BENCH_ENVS", Path.home() / ".cache" / "hva-ml" / "benchmarks"))


class PeerError(Exception):
    """A peer that could not be installed or did not finish; its last words are the message."""


@dataclass(frozen=True)
class Took:
    """What a fresh process took, start of the interpreter included.

    Attributes
    ----------
    seconds, cpu_seconds : float
        On the clock, and of the processor (all threads).
    gib : float
        Peak resident memory.
    out : str
        What it printed.
    """

    seconds: float
    cpu_seconds: float
    gib: float
    out: str


def interpreter(requirements: Sequence[str]) -> Path:
    """Return the Python of an environment that holds exactly these packages, made at the first call.

    Raises
    ------
    PeerError
        If a package cannot be installed.
    """
    name = hashlib.sha256("\n".join(sorted(requirements)).encode()).hexdigest()[:16]
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    if (folder / "complete").exists():
        return python
    venv.create(folder, with_pip=True, clear=True)
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise PeerError(f"not installed: {' '.join(requirements)}: {_last(done.stderr)}")
    (folder / "complete").touch()
    return python


def fresh(
    command: Sequence[str | Path],
    *,
    python: Path | None = None,
    limit: float = 1800.0,
    environment: dict[str, str] | None = None,
) -> Took:
    """Run ``python command…`` in a process of its own and measure it.

    Parameters
    ----------
    command : sequence
        A script and its arguments, or ``-m module …``.
    python : Path, optional
        Interpreter of the peer; ours by default.
    limit : float
        Seconds after which it is stopped.
    environment : dict, optional
        Set beside what is there.

    Raises
    ------
    PeerError
        If it fails or takes longer than `limit`.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(python or sys.executable), *map(str, command)],
            stdout=out, stderr=err, text=True, env={**os.environ, **(environment or {})},
        )  # fmt: skip
        watch = threading.Timer(limit, process.kill)
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        watch.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if seconds >= limit:
            raise PeerError(f"stopped after {limit:.0f} s")
        if process.returncode:
            raise PeerError(_last(err.read()) or f"exit code {process.returncode}")
        return Took(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20, out.read())


def _last(text: str) -> str:
    return text.strip().splitlines()[-1][:200] if text.strip() else ""
