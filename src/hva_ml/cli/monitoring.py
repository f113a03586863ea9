"""The command that watches the nights, and how its findings look in a terminal."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hva_ml.cli.commands import Json, PipelineName, Root, app, example
from hva_ml.cli.night import Country, Lang
from hva_ml.cli.terminal import command, console, escaped, print_json, progress

if TYPE_CHECKING:
    from hva_ml.jobs.monitor import Monitored

ALARM = 5
_MARKS = {"alarm": "[bold red]alarm[/]", "warning": "[yellow]warning[/]", "passed": "[green]passed[/]"}


@app.command(
    epilog=example(
        "hva monitor dach_sample", "hva monitor dach_sample --as-of 2025-12-31 --lang de", "… --json"
    )
)
@command
def monitor(
    pipeline: PipelineName,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of", formats=["%Y-%m-%d"], help="Up to this day; else up to the latest published night.",
            show_default=False,
        ),
    ] = None,
    lang: Lang = "en",
    country: Country = "DE",
    root: Root = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Hold all nights against the training and against what came of them; writes a page. Exit 5 on alarms."""
    from hva_ml.jobs.monitor import monitor as job
    from hva_ml.workspace import Workspace

    with progress() as shown:
        found = job(
            Workspace.find(root), pipeline, as_of=as_of.date() if as_of else None, language=lang,
            country=country, progress=shown,
        )  # fmt: skip
    if as_json:
        print_json(found.record())
    else:
        show(console(), found)
    if found.alarms:
        raise typer.Exit(ALARM)


def show(out: Console, found: "Monitored") -> None:
    """Show every finding, whether to train again, and the page's path."""
    out.print(
        f"{found.nights} nights up to {found.as_of}, judged by version {found.version}: "
        f"[bold]{len(found.alarms)} alarms[/]"
    )
    for row, text in zip(found.findings, found.texts, strict=True):
        since = f" (since {row.since})" if row.outcome == "alarm" and row.since else ""
        mark = _MARKS.get(row.outcome, "[dim]not applicable[/]")
        out.print(f"  {row.code} {mark}{since} {escaped(text)}", soft_wrap=True)
    out.print(f"[bold]Train again?[/] {escaped(found.advice_text)}", soft_wrap=True)
    for path in found.files:
        out.print(f"Page     {path}", soft_wrap=True)
