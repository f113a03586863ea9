"""What every command shares: where text goes, how progress shows, and how errors end a command."""

import functools
import json
import logging
import os
import signal
import sys
import time
import unicodedata
from collections.abc import Callable
from typing import Any, ParamSpec

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from hva_ml.errors import HvaError, UsageError, one_line

P = ParamSpec("P")

WIDTH_OF_A_PIPE = 120


def console(*, stderr: bool = False) -> Console:
    """Return a console; where nobody watches, lines are 120 wide and carry no colours."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr, width=None if stream.isatty() else WIDTH_OF_A_PIPE, highlight=False, soft_wrap=False,
        emoji=False,
    )  # fmt: skip


def escaped(text: str) -> str:
    """Return a text as it may stand in what a console prints: no markup, no command to the terminal."""
    return escape(one_line(text))


def json_line(record: object) -> str:
    """Return a JSON document on one line, in letters that no terminal and no reader of lines takes otherwise.

    JSON itself lets line separators, C1 controls and marks of direction stand as they are.
    """
    written = json.dumps(record, ensure_ascii=False, default=str)
    if written.isprintable():
        return written
    return "".join(
        c if c.isprintable() or unicodedata.category(c) == "Zs" else json.dumps(c)[1:-1] for c in written
    )


def print_json(record: object) -> None:
    """Print one JSON document to standard output."""
    typer.echo(json_line(record))


def command(function: Callable[P, None]) -> Callable[P, None]:
    """Turn the errors of a command into one message on standard error and the documented exit code."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        if kwargs.get("log") != "json":
            logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
        signal.signal(signal.SIGTERM, _stop)
        try:
            _as_text(kwargs)
            function(*args, **kwargs)
        except HvaError as error:
            if kwargs.get("as_json"):
                typer.echo(json_line(error.record()), err=True)
            else:
                show_error(error)
            raise typer.Exit(error.exit_code) from None
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from None
        except OSError as error:
            show_error(
                HvaError(
                    f"The system refused: {error.strerror or error}.",
                    where=str(error.filename or ""),
                    fix="Check free space and permissions, then run the command again.",
                )
            )
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            console(stderr=True).print("Stopped. Nothing half-done was published.")
            raise typer.Exit(1) from None

    return wrapped


def _as_text(given: dict[str, Any]) -> None:
    """Refuse words that hold bytes which are no UTF-8: nothing of ours is named so."""
    for name, value in given.items():
        if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
            raise UsageError(
                "This word holds bytes that are no UTF-8.",
                where=name.replace("_", "-"),
                why="No account, file or number of ours is named so.",
                fix="Write the word again, in UTF-8.",
            )


def show_error(error: HvaError) -> None:
    """Print what, where, why and how to mend it."""
    out = console(stderr=True)
    first, *rest = error.text().split("\n")
    out.print(f"[bold red]Error[/] {escaped(first)}", soft_wrap=True)
    for line in rest:
        out.print(escaped(line), soft_wrap=True)


def _stop(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt


class BarProgress:
    """A progress bar in a terminal: finished stages stay as lines with their seconds."""

    def __init__(self) -> None:
        self._out = console(stderr=True)
        self._bar = RichProgress(
            TextColumn("[bold]{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=self._out, transient=True,
        )  # fmt: skip
        self._text = ""
        self._began = time.monotonic()
        self._task: Any = None

    def __enter__(self) -> "BarProgress":
        self._bar.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._finish(failed=kind is not None)
        self._bar.stop()

    def stage(self, text: str) -> None:
        """Begin a stage."""
        self._finish()
        self._text, self._began = text, time.monotonic()
        self._task = self._bar.add_task(text, total=None)

    def step(self, done: int, total: int, note: str = "") -> None:
        """Move the bar."""
        if self._task is not None:
            text = f"{self._text} {note}" if note else self._text
            self._bar.update(self._task, completed=done, total=total, description=escaped(text))

    def _finish(self, *, failed: bool = False) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
            mark = "[red]✗[/]" if failed else "[green]✓[/]"
            self._out.print(f"{mark} {escaped(self._text)} [dim]{time.monotonic() - self._began:.1f} s[/]")


class LineProgress:
    """Plain log lines, for a job that nobody watches."""

    def __enter__(self) -> "LineProgress":
        from hva_ml.jobs.progress import LoggedProgress

        self._log = LoggedProgress()
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def stage(self, text: str) -> None:
        """Log a stage."""
        self._log.stage(text)

    def step(self, done: int, total: int, note: str = "") -> None:
        """Log a quarter."""
        self._log.step(done, total, note)


def progress() -> BarProgress | LineProgress:
    """Return a bar in a terminal, lines elsewhere."""
    return BarProgress() if sys.stderr.isatty() else LineProgress()
