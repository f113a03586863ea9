"""A writer killed at any moment leaves the last complete run in place: tried with real kills."""

import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.trust import made

from hva_ml.publication import Stale, current, publish, read

WRITER = """
import importlib.util, itertools, sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from hva_ml.errors import RefusedError
from hva_ml.publication import kept, lock, publish
spec = importlib.util.spec_from_file_location("made", sys.argv[2])
made = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made)
folder = Path(sys.argv[1])
with lock(folder / "lock"):
    print("ready", flush=True)
    for number in itertools.count(int(sys.argv[3])):
        publish(folder, [made.tables_of(number, 400)], {"number": number}, expected_rows=400)
        # Every night but this one fails: the note of that is written again and again.
        with suppress(RefusedError), kept(folder, date(2025, 1, 1), lambda run: None):
            raise RefusedError(f"Nothing after {number}.")
"""
KILLS = 4
MOST_READS = 20_000


def complete(folder: Path) -> int:
    """Return the number of the current run after holding both of its tables to it."""
    run = current(folder)
    number = run.identity["number"]
    # Between two steps of the writer the note speaks of an earlier run, and then says nothing.
    assert run.stale in (None, Stale("2025-01-01", f"Nothing after {number}."))
    scores = read(folder, "scores", run.run_id)
    explanations = read(folder, "explanations", run.run_id)
    assert set(scores["value_if_converted"].to_pylist()) == {100.0 + number}
    assert scores["account_id"].equals(explanations["account_id"])
    assert scores.num_rows == 400
    return number


@pytest.mark.slow
def test_readers_always_see_a_complete_run(tmp_path, make):
    folder = tmp_path / "toy"
    publish(folder, [make(0, 400)], {"number": 0}, expected_rows=400)
    seen = {complete(folder)}
    for k in range(KILLS):
        writer = subprocess.Popen(
            [
                sys.executable,
                "-c",
                WRITER,
                str(folder),
                made.__file__,
                str(10_000 * k + 1),
            ],
            stdout=subprocess.PIPE,
        )
        try:
            assert writer.stdout.readline() == b"ready\n"
            # Killed after another number of runs each time, wherever in the next one the writer then is.
            new: set[int] = set()
            for _ in range(MOST_READS):
                new.add(complete(folder))
                if len(new) > 2 + k:
                    break
            seen |= new
        finally:
            writer.kill()
            writer.wait()
            writer.stdout.close()
        seen.add(complete(folder))
    assert len(seen) > 2 * KILLS
    last = publish(folder, [make(77_777, 400)], {"number": 77_777}, expected_rows=400)
    assert last.published
    assert complete(folder) == 77_777
    assert not list((folder / "runs").glob(".*.part"))
