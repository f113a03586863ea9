"""The command that trains again at every past cutoff, and how its result looks in a terminal."""

from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console

from hva_ml.cli.commands import Json, PipelineName, Root, app, example
from hva_ml.cli.terminal import command, console, escaped, print_json, progress

if TYPE_CHECKING:
    from hva_ml.jobs.backtest import Backtest
    from hva_ml.jobs.refits import Search


@app.command(
    epilog=example("hva backtest dach_sample", "hva backtest online_retail --search each", "… --json")
)
@command
def backtest(
    pipeline: PipelineName,
    search: Annotated[
        str, typer.Option("--search", help="first, never or each: on which days settings are searched.")
    ] = "first",
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Train as one would have at every past cutoff, compare with what came, and say when to retrain."""
    from hva_ml.jobs.backtest import backtest as job
    from hva_ml.workspace import Workspace

    with progress() as shown:
        found = job(Workspace.find(root), pipeline, search=cast("Search", search), progress=shown)
    if as_json:
        print_json(found.record())
        return
    show(console(), found)


def show(out: Console, found: "Backtest") -> None:
    """Show the means over the cutoffs, how models age, and when to retrain."""
    from hva_ml.cli import render
    from hva_ml.reports.language import Tongue

    rows = {(r["model"], r["metric"]): r for r in found.averages.to_pylist()}
    models = list(dict.fromkeys(m for m, _ in rows))
    trained = sum(r is None for r in found.folds["reason"].to_pylist())
    table = render.plain(
        f"Mean over {trained} cutoffs",
        *(Tongue("en").model(m) for m in models),
        title=f"Backtest of {found.pipeline}, settings searched: {found.search}",
    )
    for metric, label in render.SHOWN:
        table.add_row(label, *(render.interval(rows.get((m, metric))) for m in models))
    out.print(table)
    out.print(escaped(found.recommendation.sentence()), soft_wrap=True)
    out.print(f"Report   {found.report}", soft_wrap=True)
