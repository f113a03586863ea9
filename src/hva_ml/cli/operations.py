"""Commands about what has been published: on to other systems, the way back, and room."""

from typing import Annotated

import typer

from hva_ml.cli.commands import Json, PipelineName, Root, app, example
from hva_ml.cli.terminal import command, console, print_json, progress


@app.command(
    epilog=example(
        "hva rollback dach_sample", 'hva rollback dach_sample --to 3 --reason "doubled values in Austria"'
    )
)
@command
def rollback(
    pipeline: PipelineName,
    to: Annotated[
        str | None, typer.Option("--to", help="A released version; else the champion before the present one.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is noted in the registry.")] = "",
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Make an earlier release the champion again, and put its last scores back. Nothing is computed.

    Sinks are served too; exit 1 if one fails.
    """
    from hva_ml.cli import operations_render as render
    from hva_ml.jobs.rollback import rollback as job
    from hva_ml.workspace import Workspace

    done = job(Workspace.find(root), pipeline, to=to, reason=reason)
    if as_json:
        print_json(done.record())
    else:
        render.rollback(console(), done)
    if done.undelivered:
        raise typer.Exit(1)


@app.command(
    epilog=example("hva prune dach_sample --keep 30 --dry-run", "hva prune dach_sample --keep-days 400")
)
@command
def prune(
    pipeline: PipelineName,
    keep: Annotated[int | None, typer.Option("--keep", help="So many of the latest runs stay.")] = None,
    keep_days: Annotated[
        int | None, typer.Option("--keep-days", help="So many days stay, counted back from the latest run.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Remove old runs of scores; never the current one, nor one that a rollback needs."""
    from hva_ml.cli import operations_render as render
    from hva_ml.jobs.prune import prune as job
    from hva_ml.workspace import Workspace

    done = job(Workspace.find(root), pipeline, keep=keep, keep_days=keep_days, dry_run=dry_run)
    if as_json:
        print_json(done.record())
        return
    render.prune(console(), done)


@app.command(
    epilog=example(
        "hva deliver dach_sample",
        "hva deliver dach_sample --sink warehouse --dry-run",
        "hva deliver dach_sample --setup-sql",
    )
)
@command
def deliver(
    pipeline: PipelineName,
    run: Annotated[
        str | None, typer.Option("--run", help="Beginning of a run id, or a day; else the current run.")
    ] = None,
    sink: Annotated[str | None, typer.Option("--sink", help="Only this sink; else all.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what each sink holds.")] = False,
    setup_sql: Annotated[
        bool, typer.Option("--setup-sql", help="Print tables, views and GRANTs for who sets a database up.")
    ] = False,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Bring the published run to the sinks of a pipeline, whole and verified. Exit 1 if a sink fails."""
    from hva_ml.cli import operations_render as render
    from hva_ml.jobs.deliver import deliver as job
    from hva_ml.jobs.deliver import setup
    from hva_ml.workspace import Workspace

    ws = Workspace.find(root)
    if setup_sql:
        text = setup(ws, pipeline, sink)
        if as_json:
            print_json({"sql": text})
        else:
            typer.echo(text, nl=False)
        return
    with progress() as shown:
        done = job(ws, pipeline, run=run, sink=sink, dry_run=dry_run, progress=shown)
    if as_json:
        print_json(done.record())
    else:
        render.delivery(console(), done)
    if done.failed:
        raise typer.Exit(1)
