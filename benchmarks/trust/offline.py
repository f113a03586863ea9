"""The commands where no network is: what they try to reach, counted by the kernel and by Python.

Each runs in a network namespace of its own without a route and with nothing about telemetry in its
environment. The kernel counts packets without a route, those of libraries in C and of child processes too;
an audit hook in every interpreter tells which addresses and names were asked for.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import hva_ml as hva
from benchmarks.smaller import PIPELINE
from benchmarks.trust.tally import Tally
from benchmarks.trust.world import LAST, TONIGHT, again
from hva_ml.publication import read

HOOK = """\
import os, sys
def seen(event, told):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        said = told[1]
        if isinstance(said, (str, bytes)) or said is None:
            return  # a socket of this machine's own files
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        said = told[0]
    else:
        return
    with open(os.environ["HVA_TRIED"], "a") as file:
        file.write(f"{event} {said}\\n")
sys.addaudithook(seen)
"""
COUNTED = {"Ip:": ("OutRequests", "OutNoRoutes"), "Tcp:": ("ActiveOpens",), "Udp:": ("OutDatagrams",)}
LOOPBACK = ("127.0.0.1", "::1", "localhost")
QUICK = (("explain",), ("nightly",))
COMMANDS = (
    ("check", "--leakage"), ("train",), ("compare",), ("backtest",), ("promote", "--force", "offline"),
    ("score", "--as-of", LAST), ("nightly", "--as-of", TONIGHT), ("explain", "--lang", "de"), ("overview",),
    ("changes",), ("advise",), ("monitor",), ("recalibrate",), ("shadow",), ("deliver",),
    ("rollback", "--reason", "offline"), ("prune", "--keep", "1"),
)  # fmt: skip
SINK = '\n[sinks.own]\nkind = "duckdb"\npath = "data/delivered/own.duckdb"\n'
ENDS = {0: "done", 1: "failed, with words", 2: "refused, with words", 3: "refused, with words", 5: "alarm"}
LOAD = """\
import sys, mlflow
mlflow.set_tracking_uri("sqlite:///" + sys.argv[1])
mlflow.pyfunc.load_model(sys.argv[2]).metadata.signature.inputs.to_dict()
"""


@cache
def may_leave() -> bool:
    """Whether this user may make a network namespace."""
    try:
        done = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0


def tried(command: Sequence[str], place: Path, **variables: str) -> tuple[int, list[str], str]:
    """Run Python where no network is; returns its exit code, what it tried to reach, and its words."""
    (place / "hook").mkdir(exist_ok=True)
    (place / "hook" / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
    asked, counted = place / "tried", place / "snmp"
    asked.write_text("", encoding="utf-8")
    quiet = ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", "MLFLOW_TRACKING_URI")
    environment = {k: v for k, v in os.environ.items() if k not in quiet}
    path = [str(place / "hook"), *sys.path[1:]]
    environment |= {"HVA_TRIED": str(asked), "HVA_COUNTED": str(counted)}
    environment |= {"PYTHONPATH": os.pathsep.join(path), **variables}
    shell = '"$@"; code=$?; cat /proc/net/snmp > "$HVA_COUNTED"; exit $code'
    done = subprocess.run(
        ["unshare", "-rn", "sh", "-c", shell, "sh", sys.executable, *command],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = asked.read_text(encoding="utf-8").splitlines()
    return done.returncode, [*found, *_kernel(counted.read_text(encoding="utf-8"))], done.stdout + done.stderr


def _kernel(text: str) -> list[str]:
    rows = [line.split() for line in text.splitlines()]
    found = []
    for names, values in zip(rows[::2], rows[1::2], strict=True):
        told = dict(zip(names, values, strict=True))
        found += [f"kernel {names[0]} {n} {told[n]}" for n in COUNTED.get(names[0], ()) if told[n] != "0"]
    return found


def offline(base: hva.Workspace, place: Path, *, every: bool) -> Iterator[Tally]:
    """Run the commands of a workspace one after the other; `every` of them, or two."""
    tally = Tally("commands where no network is")
    if not may_leave():
        tally.good("skipped: this user may not make a network namespace")
        yield tally
        return
    ws = again(base, place / "offline")
    if every:
        file = ws.pipelines / f"{PIPELINE}.toml"
        file.write_text(file.read_text(encoding="utf-8") + SINK, encoding="utf-8")
    account = read(ws.scores(PIPELINE)).column("account_id")[0].as_py()
    for name, *rest in COMMANDS if every else QUICK:
        words = [name, PIPELINE, *([account] if name in ("explain", "advise") else []), *rest]
        if name == "nightly" and not rest:
            words += ["--as-of", TONIGHT]
        code, found, said = tried(["-m", "hva_ml.cli", *words, "--root", str(ws.root)], place)
        _judged(tally, name, code, found, said)
    if every:
        # MLflow called by somebody else minds its own variable, as docs/serving.md says.
        load = ["-c", LOAD, str(ws.root / "mlruns" / "mlflow.db"), f"models:/{PIPELINE}@champion"]
        _judged(tally, "mlflow", *tried(load, place, MLFLOW_DISABLE_TELEMETRY="true"))
    yield tally


def _judged(tally: Tally, name: str, code: int, found: list[str], said: str) -> None:
    outside = [f for f in found if not any(word in f for word in LOOPBACK)]
    if outside:
        tally.wrong("tried to reach", f"{name}: {'; '.join(outside[:3])}")
    elif code not in ENDS or "Traceback" in said:
        tally.wrong("not told", f"{name}: exit {code}: {said[-300:]}")
    else:
        tally.good(ENDS[code])
