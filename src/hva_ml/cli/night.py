"""Commands about runs and accounts in them: what changed, what would help, what moves them all."""

from typing import Annotated

import typer

from hva_ml.cli.commands import Json, PipelineName, Root, app, example
from hva_ml.cli.terminal import command, console, print_json

Lang = Annotated[str, typer.Option("--lang", help="de or en.")]
Country = Annotated[str, typer.Option("--country", help="DE, AT or CH: how numbers are written.")]


@app.command(
    epilog=example(
        "hva changes dach_sample", "hva changes dach_sample --from 2025-11-30 --account A000123 --lang de"
    )
)
@command
def changes(
    pipeline: PipelineName,
    before: Annotated[
        str | None, typer.Option("--from", help="Run id or day; else the latest run of an earlier day.")
    ] = None,
    after: Annotated[str | None, typer.Option("--to", help="Run id or day; else the current run.")] = None,
    account: Annotated[str | None, typer.Option("--account", help="Tell of this account only.")] = None,
    lang: Lang = "en",
    country: Country = "DE",
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Say what changed between two published runs, split exactly into account and model; writes a page."""
    from hva_ml.cli import night_render as render
    from hva_ml.jobs.changes import changes as job
    from hva_ml.workspace import Workspace

    found = job(
        Workspace.find(root), pipeline, before=before, after=after, account=account, language=lang,
        country=country,
    )  # fmt: skip
    if as_json:
        print_json(found.record())
        return
    render.changes(console(), found, lang)


@app.command(
    epilog=example("hva advise dach_sample A000123", "hva advise dach_sample A000123 --lang de --limit 1")
)
@command
def advise(
    pipeline: PipelineName,
    account: Annotated[str, typer.Argument(help="Account id as in the scores.")],
    lang: Lang = "en",
    country: Country = "DE",
    limit: Annotated[int, typer.Option("--limit", help="Most proposals.")] = 3,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Say which changes your team can make go with a higher expected value: an association, no promise."""
    from hva_ml.cli import night_render as render
    from hva_ml.jobs.advise import advise as job
    from hva_ml.workspace import Workspace

    found = job(Workspace.find(root), pipeline, account, language=lang, country=country, limit=limit)
    if as_json:
        print_json(found.record())
        return
    render.advice(console(), found)


@app.command(
    epilog=example(
        "hva overview dach_sample",
        "hva overview dach_sample --by firmographic.country --lang de --country AT",
    )
)
@command
def overview(
    pipeline: PipelineName,
    run: Annotated[str | None, typer.Option("--run", help="Run id or day; else the current run.")] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="Category feature to split by; else that of the references.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", help="A run of another release, to compare reasons; else the one before."),
    ] = None,
    lang: Lang = "en",
    country: Country = "DE",
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Say what moves the scores of a run overall, by tier and segment, and how firmly; writes a page."""
    from hva_ml.cli import night_render as render
    from hva_ml.jobs.overview import overview as job
    from hva_ml.workspace import Workspace

    found = job(
        Workspace.find(root), pipeline, run=run, language=lang, country=country, by=by, against=against
    )  # fmt: skip
    if as_json:
        print_json(found.record())
        return
    render.overview(console(), found, lang, country)
