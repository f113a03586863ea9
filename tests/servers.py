"""Real servers for the length of a test: started, waited for, and ended with all they have started."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAMS = Path(sys.executable).parent


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def with_programs(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which the programs of this Python are found first."""
    return {**environment, "PATH": f"{PROGRAMS}{os.pathsep}{environment['PATH']}"}


@contextmanager
def running(words: Sequence[str], environment: Mapping[str, str], log: Path, ready: str) -> Iterator[None]:
    """Run a program of this Python until the block ends; the block begins once its log says `ready`."""
    with log.open("w") as out:
        # In a session of its own, so that whatever it starts ends with it.
        process = subprocess.Popen(
            [str(PROGRAMS / words[0]), *words[1:]], env=environment, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    try:
        while ready not in log.read_text():
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            pytest.fail(f"{words[0]} ended: {log.read_text()[-2000:]}")
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
