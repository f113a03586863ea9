"""Nothing is sent anywhere; `python -m benchmarks.trust --only offline` tries every command."""

from pathlib import Path

import pytest
from benchmarks.trust import offline

import hva_ml as hva

pytestmark = pytest.mark.skipif(not offline.may_leave(), reason="this user may not make a network namespace")

CALLS = {
    "tcp": "socket.create_connection(('192.0.2.1', 80), 1)",
    "udp": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    "name": "socket.getaddrinfo('example.org', 80)",
    "version 6": "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_whatever_is_tried_is_seen(tmp_path: Path, call: str) -> None:
    code, found, said = offline.tried(["-c", f"import socket; {call}"], tmp_path)
    assert code == 1, said
    assert found


def test_the_kernel_sees_what_python_does_not(tmp_path: Path) -> None:
    _, found, _ = offline.tried(["-S", "-c", f"import socket; {CALLS['tcp']}"], tmp_path)
    assert found == ["kernel Ip: OutNoRoutes 1"]


@pytest.mark.slow
def test_commands_reach_for_nothing(base: hva.Workspace, tmp_path: Path) -> None:
    (tally,) = offline.offline(base, tmp_path, every=False)
    assert tally.bad == []
    assert tally.ends == {"done": 2}
