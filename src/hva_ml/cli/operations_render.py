"""How a rollback looks in a terminal."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from hva_ml.jobs.rollback import Rollback


def rollback(out: Console, done: "Rollback") -> None:
    """Show what counts now, and what to know."""
    instead = f" instead of {done.before}" if done.before != done.version else ""
    out.print(f"Champion of {done.pipeline} is version {done.version}{instead}.", soft_wrap=True)
    if done.run_id:
        out.print(f"Scores   as of {done.as_of}, run {done.run_id}", soft_wrap=True)
    if done.reason:
        out.print(f"Reason   {escape(done.reason)}", soft_wrap=True)
    for note in done.notes:
        out.print(f"[yellow]Note[/]     {escape(note)}", soft_wrap=True)
