"""How a delivery, a rollback and what was pruned look in a terminal."""

from typing import TYPE_CHECKING

from rich.console import Console

from hva_ml.cli.render import plain
from hva_ml.cli.terminal import escaped

if TYPE_CHECKING:
    from hva_ml.jobs.deliver import Delivery
    from hva_ml.jobs.prune import Pruned
    from hva_ml.jobs.rollback import Rollback


_DELIVERED = {
    "delivered": "[green]delivered[/]",
    "unchanged": "had it already",
    "due": "[yellow]due[/]",
    "failed": "[bold red]failed[/]",
}


def delivery(out: Console, done: "Delivery") -> None:
    """Show what became of each sink, and why one failed."""
    out.print(f"Run {done.run_id} as of {done.as_of}, manifest {done.manifest[:16]}", soft_wrap=True)
    if not done.sinks:
        out.print(f"No [sinks.NAME] in pipelines/{done.pipeline}.toml: see docs/sinks.md.", markup=False)
        return
    table = plain("Sink", "Kind", "", "Holds", "As of", "Rows")
    for told in done.sinks:
        rows = ", ".join(f"{n:,} {name}" for name, n in (told.rows or {}).items())
        table.add_row(
            told.sink, told.kind, _DELIVERED[told.outcome], told.run_id or "–", told.as_of or "–", rows
        )
    out.print(table)
    for told in done.failed:
        if told.error is not None:
            first, *rest = told.error.text().split("\n")
            out.print(f"[bold red]{told.sink}[/] {escaped(first)}", soft_wrap=True)
            for line in rest:
                out.print(escaped(line), soft_wrap=True)


def rollback(out: Console, done: "Rollback") -> None:
    """Show what counts now, and what to know."""
    instead = f" instead of {done.before}" if done.before != done.version else ""
    out.print(f"Champion of {done.pipeline} is version {done.version}{instead}.", soft_wrap=True)
    if done.run_id:
        out.print(f"Scores   as of {done.as_of}, run {done.run_id}", soft_wrap=True)
    if done.reason:
        out.print(f"Reason   {escaped(done.reason)}", soft_wrap=True)
    for note in done.notes:
        out.print(f"[yellow]Note[/]     {escaped(note)}", soft_wrap=True)


def prune(out: Console, done: "Pruned") -> None:
    """Show what goes, and why the rest stays."""
    if done.goes:
        table = plain("Run", "As of", "Version", "Bytes")
        for old in done.goes:
            table.add_row(
                old.run_id, old.as_of or "set aside as damaged", escaped(old.version), f"{old.size:,}"
            )
        out.print(table)
    would = "would go" if done.dry_run else "gone"
    out.print(f"{len(done.goes)} runs {would}, {done.size:,} bytes; {len(done.stays)} stay.")
    for run_id, why in done.stays.items():
        if why != "young enough":
            out.print(f"[dim]{escaped(run_id)} stays: {escaped(why)}[/]", soft_wrap=True)
