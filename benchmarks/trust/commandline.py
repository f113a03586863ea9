"""Hostile words in every place of every command, and hostile names of columns and files in the sources.

Each command of `hva` is asked what it takes; each of its arguments and options that takes a text gets one
payload after the other, all else being right. Commands end with words and an exit code of theirs. Nothing
is run, nothing read that was not asked for, and nothing written outside of where they were let loose.
"""

import logging
from collections.abc import Iterator
from contextlib import chdir
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import typer
from typer.testing import CliRunner

import hva_ml as hva
from benchmarks.incremental import export
from benchmarks.smaller import PIPELINE
from benchmarks.trust import sizes
from benchmarks.trust.readers import raw
from benchmarks.trust.tally import Tally
from benchmarks.trust.watching import SECRET, Watch, judged, payloads
from benchmarks.trust.world import LAST, TONIGHT, again
from hva_ml.cli import app

ENDS = range(6)
MINUTES = ("demo", "--root")
"""Where a text is the folder of a new workspace in which a model is trained, as asked."""


def texts(name: str, command: Any) -> Iterator[str]:
    """Yield the arguments and options of a command that take a text or a number, by their first name."""
    for param in command.params:
        flag = getattr(param, "is_flag", False)
        if not flag and (name, param.opts[0]) != MINUTES:
            yield param.opts[0]


def words(name: str, command: Any, place: str, text: str, root: Path, account: str) -> list[str]:
    """Return a call of a command with a text in one place, and what is right in all others."""
    right = {
        "pipeline": PIPELINE,
        "account": account,
        "name": "dach",
        "--as-of": TONIGHT,
        "--root": str(root),
    }
    said, given = [name], []
    for param in command.params:
        first = param.opts[0]
        if first == place:
            value = [text] * max(1, param.nargs)
        elif first in right and (param.required or first == "--root"):
            value = [right[first]]
        else:
            continue
        if param.param_type_name == "argument":
            given += value
        else:
            # An option and its text as one word, so that the text may begin like an option.
            said += [f"{first}={value[0]}"] if len(value) == 1 else [first, *value]
    if name == "nightly" and place != "--as-of":
        said.append(f"--as-of={TONIGHT}")
    return [*said, "--", *given]


def commandline(base: hva.Workspace, place: Path, *, every: bool) -> Iterator[Tally]:
    """Say every payload in every place, or one of them in some places."""
    outside, root, here = _arena(place)
    ws, watch = again(base, root / "ws"), Watch()
    account = str(hva.publication.read(ws.scores(PIPELINE), columns=["account_id"])["account_id"][0].as_py())
    hostile = [*(t.replace("\x00", "") for t in payloads(outside)), "\udcff\udcfe", "-rf", "--force=x"]
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    found = [(name, c, spot) for name, c in sorted(commands.items()) for spot in texts(name, c)]
    tally = Tally("hostile words on the command line")
    for k, (name, command, spot) in enumerate(found if every else found[::9]):
        for text in [hostile[(5 * k + j) % len(hostile)] for j in range(len(hostile) if every else 1)]:
            call = words(name, command, spot, text, ws.root, account)
            with chdir(here):
                judged(tally, watch, root, outside, f"{name} {spot} {text[:40]!r}", partial(_said, call))
    yield tally


def _said(call: list[str]) -> bool:
    """Call a command; return whether it refused."""
    before = list(logging.root.handlers)
    result = CliRunner().invoke(app, call)
    # A command is a process of its own: what it logs to is gone with it.
    logging.root.handlers[:] = before
    print(result.output)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    if result.exit_code not in ENDS or "Traceback" in result.output:
        raise RuntimeError(f"exit {result.exit_code}: {result.output[-200:]}")
    if sequences := raw(result.output):
        raise RuntimeError(f"commands to a terminal: {sequences[:5]}")
    return result.exit_code != 0


def _arena(place: Path) -> tuple[Path, Path, Path]:
    """Make a folder that nothing may touch, one for all that is let loose, and one deep in it to stand in."""
    outside, root = place / "outside", place / "inside"
    here = root.joinpath(*"abcdef")
    for folder in (outside, here):
        folder.mkdir(parents=True)
    (outside / "secret.txt").write_text(SECRET, encoding="utf-8")
    return outside, root, here


def names(release: Path, place: Path, *, every: bool) -> Iterator[Tally]:
    """Give sources columns and files of hostile names, and queries that pass those columns on."""
    outside, root, _ = _arena(place)
    base, made = sizes.vendor(place / "vendor", release)
    tally, watch = Tally("hostile names of columns and files"), Watch()
    for text in payloads(outside)[:: 1 if every else 9]:
        ws = sizes.copied(base, root / "ws")
        export(made, ws, date.fromisoformat(TONIGHT), date.fromisoformat(LAST))
        _named(ws, text)
        judged(tally, watch, root, outside, f"{text[:40]!r}", partial(_night, ws.root))
    yield tally


def _night(root: Path) -> bool:
    # Both are asked, whatever comes of the first.
    check = _said(["check", PIPELINE, "--no-leakage", "--root", str(root)])
    return _said(["nightly", PIPELINE, "--as-of", TONIGHT, "--root", str(root)]) or check


def _named(ws: hva.Workspace, text: str) -> None:
    """Name a file and a column of each source so, as far as the system has files of such a name."""
    raw = ws.raw(PIPELINE)
    for path in sorted(raw.rglob("*.parquet")):
        table = pq.read_table(path)
        more = table.append_column(text, pa.array(["x"] * len(table)))
        pq.write_table(more, path, write_page_checksum=True)
    file = raw / "engagement" / f"{TONIGHT}.parquet"
    file.rename(file.with_name(f"{text.replace('/', '_').replace(chr(0), '_')[:200]}.parquet"))
    for sql in sorted(ws.queries(PIPELINE).glob("*.sql")):
        query = sql.read_text(encoding="utf-8")
        quoted = text.replace('"', '""')
        sql.write_text(query.replace("SELECT\n", f'SELECT\n    "{quoted}",\n', 1), encoding="utf-8")
