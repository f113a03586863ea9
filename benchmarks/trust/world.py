"""The small pipeline that everything is tried on: trained once, its nights take a second each."""

import os
import shutil
import time
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import MappingProxyType

import hva_ml as hva
from benchmarks.smaller import DATA, PIPELINE, TRAINING, edit
from hva_ml.publication import current, read

LAST, TONIGHT = "2025-12-30", "2025-12-31"
WARM = (
    "hva_ml.cli.nightly",
    "hva_ml.jobs.nights.nightly",
    "hva_ml.jobs.score",
    "lightgbm",
    "duckdb",
    "mlflow",
)
BUSY = 4


def trained(folder: Path) -> hva.Workspace:
    """Make one with a champion and the scores of the night before."""
    ws, _ = hva.init(folder)
    edit(ws, *DATA, *TRAINING)
    hva.promote(hva.train(ws, PIPELINE), force="a trial of the hostile world")
    hva.nightly(ws, PIPELINE, as_of=LAST)
    return ws


def again(ws: hva.Workspace, root: Path) -> hva.Workspace:
    """Copy a workspace to `root`, in place of what lies there; training sets are not needed."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(ws.root, root, ignore=shutil.ignore_patterns("raw", "training"))
    return hva.Workspace.find(root)


def files_of(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, by its path in it."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def whole(ws: hva.Workspace) -> str:
    """Return the day that readers see, after holding every table of it to its hash.

    Raises
    ------
    HvaError
        If a bit of it is not as it was published.
    """
    folder = ws.scores(PIPELINE)
    run = current(folder)
    assert run is not None
    for table in run.rows:
        assert read(folder, table, run.run_id).num_rows == run.rows[table], table
    return str(run.identity["as_of"])


def run_files(ws: hva.Workspace, day: str) -> list[dict[str, bytes]]:
    """Return the files of every run of a day."""
    found = []
    for path in sorted((ws.scores(PIPELINE) / "runs").glob("[0-9a-f]*")):
        files = files_of(path)
        if f'"as_of": "{day}"'.encode() in files.get("manifest.json", b""):
            found.append(files)
    return found


def start(
    root: Path, out: Path, *words: str, variables: Mapping[str, str] = MappingProxyType({})
) -> ForkServerProcess:
    """Start a command of `hva` as a process of its own, from one that has the libraries loaded."""
    context = get_context("forkserver")
    context.set_forkserver_preload(list(WARM))
    process = context.Process(target=_command, args=(str(root), str(out), words, dict(variables)))
    process.start()
    return process


def ended(process: ForkServerProcess) -> int:
    """Wait for a process, and return what it exited with."""
    process.join()
    code = process.exitcode
    assert code is not None
    return code


def seconds_of(root: Path, out: Path, *words: str) -> tuple[float, int]:
    """Run a command; return its seconds and exit code."""
    begin = time.monotonic()
    code = ended(start(root, out, *words))
    return time.monotonic() - begin, code


def _command(root: str, out: str, words: tuple[str, ...], variables: dict[str, str]) -> None:
    os.environ.update(variables)
    handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(handle, stream)
    from hva_ml.cli import app

    app([*words, "--root", root])
