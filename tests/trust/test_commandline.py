"""Words are words; `python -m benchmarks.trust --only words names` tries all of them in all places."""

from pathlib import Path

import pytest
import typer
from benchmarks.trust.commandline import _said, commandline, names, texts, words
from benchmarks.trust.sizes import released
from benchmarks.trust.tally import Tally
from benchmarks.trust.watching import SECRET, Watch, judged

import hva_ml as hva
from hva_ml.cli import app

COMMANDS = typer.main.get_command(app).commands


def test_every_text_of_every_command_has_its_turn() -> None:
    assert {"pipeline", "account", "--lang", "--root"} <= set(texts("explain", COMMANDS["explain"]))
    assert "--json" not in list(texts("explain", COMMANDS["explain"]))
    call = words("explain", COMMANDS["explain"], "account", "-x; y", Path("/ws"), "A1")
    assert call == ["explain", "--root=/ws", "--", "dach_sample", "-x; y"]
    call = words("score", COMMANDS["score"], "--force", "--as-of=x", Path("/ws"), "A1")
    assert call == ["score", "--as-of=2025-12-31", "--force=--as-of=x", "--root=/ws", "--", "dach_sample"]


def test_what_was_read_written_or_not_told_is_counted(tmp_path: Path) -> None:
    outside, root, tally = tmp_path / "outside", tmp_path / "inside", Tally("x")
    outside.mkdir()
    secret = outside / "secret.txt"
    secret.write_text(SECRET)

    def wrong() -> bool:
        raise RuntimeError

    def write() -> bool:
        (outside / "marker").touch()
        return False

    def read() -> bool:
        typer.echo(secret.read_text())
        return False

    for ask in (wrong, write, read):
        judged(tally, Watch(), root, outside, "x", ask)
    assert dict(tally.ends) == {"not told": 1, "run, read or written": 2}
    # Modules that are loaded for the first time are compiled wherever they lie.
    anywhere = Path("/")
    call = ["check", "no such", f"--root={tmp_path}"]
    judged(tally, Watch(), anywhere, outside, "x", lambda: _said(call))
    assert tally.ends["refused with words"] == 1


@pytest.mark.slow
def test_no_word_is_run_read_or_written(base: hva.Workspace, tmp_path: Path) -> None:
    (tally,) = commandline(base, tmp_path / "words", every=False)
    assert tally.bad == []
    assert tally.ends["refused with words"] > 5


@pytest.mark.slow
def test_no_name_of_a_column_or_file_is_run_read_or_written(base: hva.Workspace, tmp_path: Path) -> None:
    (tally,) = names(released(base), tmp_path / "names", every=False)
    assert tally.bad == []
    assert tally.ends["taken as text"] >= 1
