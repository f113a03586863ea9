"""The commands that hold models against each other: on the same test rows, or on a published night."""

from datetime import datetime
from typing import Annotated

import typer

from hva_ml.cli.commands import Json, PipelineName, Root, app, example
from hva_ml.cli.terminal import command, console, print_json


@app.command(
    epilog=example(
        "hva compare online_retail",
        "hva compare dach_sample latest champion run_rate",
        "… latest run_rate --json",
    )
)
@command
def compare(
    pipeline: PipelineName,
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Runs (name, version or id), champion, latest, or baselines such as run_rate."),
    ] = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Show the runs of a pipeline, or hold models against each other on the same rows."""
    from hva_ml.cli import render
    from hva_ml.jobs.contest import compare as job
    from hva_ml.workspace import Workspace

    ws = Workspace.find(root)
    if models:
        found = job(ws, pipeline, *models)
        if as_json:
            print_json(found.record())
        else:
            render.contest(console(), found)
        return
    known = job(ws, pipeline)
    if as_json:
        print_json(known)
        return
    render.compare(console(), pipeline, known)


@app.command(
    epilog=example(
        "hva shadow dach_sample", "hva shadow dach_sample --challenger 3 --night 2025-11-30", "… --json"
    )
)
@command
def shadow(
    pipeline: PipelineName,
    challenger: Annotated[
        str | None, typer.Option("--challenger", help="Run by name, version or id; else the latest.")
    ] = None,
    night: Annotated[
        str | None, typer.Option("--night", help="Published run by id or day; else the current one.")
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            formats=["%Y-%m-%d"],
            show_default=False,
            help="Outcomes as known on this day; else on that of the latest published night.",
        ),
    ] = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Score a published night with a challenger beside the champion; publishes nothing, writes a page."""
    from hva_ml.cli import render
    from hva_ml.jobs.shadow import shadow as job
    from hva_ml.workspace import Workspace

    found = job(
        Workspace.find(root),
        pipeline,
        challenger=challenger,
        night=night,
        as_of=as_of.date() if as_of else None,
    )
    if as_json:
        print_json(found.record())
    else:
        render.shadow(console(), found)
