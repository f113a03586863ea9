"""The commands of `hva`: each reads its options, calls one job, and shows what came back."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from hva_ml.cli.terminal import command, console, print_json, progress

app = typer.Typer(
    name="hva",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Which accounts will be worth it, how likely they convert, how much they are then worth, and why.",
    epilog="Exit codes: 0 done · 1 failed · 2 usage · 3 refused by a gate or check · 4 another run works · "
    "5 monitoring raises an alarm.",
)

Root = Annotated[
    Path | None,
    typer.Option(
        "--root", help="The workspace; else HVA_HOME, else the nearest one above.", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, for machines.")]
EngineName = Annotated[
    str | None,
    typer.Option("--engine", help="duckdb or spark, instead of the pipeline's own.", show_default=False),
]
PipelineName = Annotated[str, typer.Argument(help="Name of a file in pipelines/, without .toml.")]


def example(*lines: str) -> str:
    """Return the examples that stand below a command's help."""
    return "Examples:  " + "  ·  ".join(lines)


@app.command(epilog=example("hva init", "hva init ~/accounts"))
@command
def init(
    directory: Annotated[Path, typer.Argument(help="Folder to make a workspace of.")] = Path(),
    as_json: Json = False,
) -> None:
    """Make a workspace: pipelines, their queries, and the folders for data, models and runs."""
    from hva_ml.jobs.start import init as run

    ws, written = run(directory)
    if as_json:
        print_json({"root": str(ws.root), "written": [str(p) for p in written]})
        return
    out = console()
    out.print(f"Workspace at {ws.root}: {len(written)} files written, existing ones kept.")
    out.print("Next: hva demo   or   hva datasets list   or   docs/bring-your-own-data.md")


@app.command(epilog=example("hva demo", "hva demo --root /tmp/try", "hva demo --lang en"))
@command
def demo(
    root: Root = None,
    lang: Annotated[str, typer.Option("--lang", help="de or en: language of the account's reasons.")] = "en",
    as_json: Json = False,
) -> None:
    """Train, promote, score and explain on the simulated DACH vendor, end to end."""
    from hva_ml.cli import render
    from hva_ml.jobs.demo import demo as run

    with progress() as shown:
        found = run(root, language=lang, progress=shown)
    if as_json:
        print_json(found.record())
        return
    render.demo(console(), found)


datasets = typer.Typer(no_args_is_help=True, help="Public data sets: list them, fetch one.")
app.add_typer(datasets, name="datasets")


@datasets.command("list", epilog=example("hva datasets list", "hva datasets list --json"))
@command
def datasets_list(root: Root = None, as_json: Json = False) -> None:
    """List the public data sets the shipped pipelines use, with licence and whether they are here."""
    from hva_ml.cli import render
    from hva_ml.jobs.start import datasets as run

    found = run(root)
    if as_json:
        print_json(found)
        return
    render.datasets(console(), found)


@datasets.command("fetch", epilog=example("hva datasets fetch online_retail_ii"))
@command
def datasets_fetch(
    name: Annotated[str, typer.Argument(help="Name of the data set.")],
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Download a public data set from its origin into the workspace, checked, with its licence notice."""
    from hva_ml.jobs.start import fetch as run

    found = run(name, root)
    if as_json:
        print_json(found)
        return
    out = console()
    for key, value in found.items():
        out.print(f"{key}: {value}", markup=False)


@app.command(
    epilog=example(
        "hva check dach_sample --leakage",
        "hva check my --cutoffs 5",
        "hva check online_retail --no-leakage --json",
    )
)
@command
def check(
    pipeline: PipelineName,
    leakage: Annotated[bool, typer.Option(help="Run the leakage probes too.")] = True,
    cutoffs: Annotated[
        int, typer.Option("--cutoffs", min=1, help="At how many cutoffs to probe, spread evenly.")
    ] = 20,
    engine: EngineName = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Hold the data to the contract and look for anything that knows the future. Exit 3 on errors."""
    from hva_ml.cli import render
    from hva_ml.jobs.check import check as run
    from hva_ml.workspace import Workspace

    with progress() as shown:
        report = run(
            Workspace.find(root), pipeline, leakage=leakage, cutoffs=cutoffs, engine=engine, progress=shown
        )
    if as_json:
        print_json(report.record())
    else:
        render.check(console(), report)
    if not report.ok:
        raise typer.Exit(3)


@app.command(epilog=example("hva train dach_sample", "hva train dach_sample --engine spark"))
@command
def train(
    pipeline: PipelineName, engine: EngineName = None, root: Root = None, as_json: Json = False
) -> None:
    """Train both models and the baselines, judge them on the latest cutoffs, log and register the run."""
    from hva_ml.cli import render
    from hva_ml.jobs.train import train as job
    from hva_ml.workspace import Workspace

    with progress() as shown:
        run = job(Workspace.find(root), pipeline, engine=engine, progress=shown)
    if as_json:
        print_json(run.record())
        return
    render.run(console(), run)


@app.command(epilog=example("hva recalibrate dach_sample", "hva recalibrate dach_sample --json"))
@command
def recalibrate(
    pipeline: PipelineName, engine: EngineName = None, root: Root = None, as_json: Json = False
) -> None:
    """Keep the champion's trees, and learn from the latest matured cohorts what their scores mean now."""
    from hva_ml.cli import render
    from hva_ml.jobs.recalibrate import recalibrate as job
    from hva_ml.workspace import Workspace

    with progress() as shown:
        run = job(Workspace.find(root), pipeline, engine=engine, progress=shown)
    if as_json:
        print_json(run.record())
        return
    render.run(console(), run)


@app.command(
    epilog=example(
        "hva promote dach_sample",
        'hva promote dach_sample --run 3fa9 --force "agreed with sales"',
        "hva promote dach_sample --from /mnt/transfer/dach_sample/4 --expect 9f2c4e81a0b3d7c6",
    )
)
@command
def promote(
    pipeline: PipelineName,
    run: Annotated[
        str | None, typer.Option("--run", help="Run id, its beginning, or its name; else the latest.")
    ] = None,
    force: Annotated[
        str | None, typer.Option("--force", help="Promote although a gate fails; the reason is recorded.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Folder of a release of another workspace, instead of a run."),
    ] = None,
    expect: Annotated[
        str, typer.Option("--expect", help="With --from: the release's hash, or its first 12 or more digits.")
    ] = "",
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Release a run as the champion if its gates hold. Exit 3 if they do not."""
    from hva_ml.cli import render
    from hva_ml.jobs.promote import find_run
    from hva_ml.jobs.promote import promote as job
    from hva_ml.jobs.promote_from import promote_from
    from hva_ml.workspace import Workspace

    ws = Workspace.find(root)
    if source is None:
        release = job(find_run(ws, pipeline, run), force=force)
    else:
        release = promote_from(ws, pipeline, source, expect=expect, force=force)
    if as_json:
        print_json(release.record())
        return
    render.release(console(), release)


@app.command(
    epilog=example(
        "hva score dach_sample --as-of 2025-12-31",
        'hva score dach_sample --as-of 2025-12-31 --force "a trade fair doubled the leads"',
    )
)
@command
def score(
    pipeline: PipelineName,
    as_of: Annotated[
        datetime,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Only what was known before this day counts."),
    ],
    engine: EngineName = None,
    force: Annotated[
        str | None,
        typer.Option("--force", help="Publish although an audit does not hold; the reason is recorded."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Read all sources anew, not only what came since the last night.")
    ] = False,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Score every account as of a day with the champion, audit the run, and publish it atomically."""
    from hva_ml.cli import render
    from hva_ml.jobs.score import score as job
    from hva_ml.workspace import Workspace

    with progress() as shown:
        scores = job(
            Workspace.find(root), pipeline, as_of=as_of.date(), engine=engine, force=force, full=full,
            progress=shown,
        )  # fmt: skip
    if as_json:
        print_json(scores.record())
        return
    render.scores(console(), scores)
    if scores.workspace.config(scores.pipeline).sinks:
        console().print(f"Next     hva deliver {scores.pipeline}")


@app.command(
    epilog=example(
        "hva explain dach_sample A000123 --lang de",
        "hva explain dach_sample A000123 --lang de --country CH --information-sheet",
        "hva explain dach_sample A000123 --against won",
    )
)
@command
def explain(
    pipeline: PipelineName,
    account: Annotated[str, typer.Argument(help="Account id as in the scores.")],
    lang: Annotated[str, typer.Option("--lang", help="de or en.")] = "en",
    country: Annotated[str, typer.Option("--country", help="DE, AT or CH: how numbers are written.")] = "DE",
    against: Annotated[
        str,
        typer.Option("--against", help="Compare with: typical, won, threshold, medoid, earlier."),
    ] = "",
    png: Annotated[
        bool, typer.Option("--png", help="Write the waterfall as PNG beside the HTML page.")
    ] = False,
    svg: Annotated[bool, typer.Option("--svg", help="Write the waterfall as SVG too.")] = False,
    text: Annotated[bool, typer.Option("--text", help="Print paragraph and reasons as plain text.")] = False,
    information_sheet: Annotated[
        bool,
        typer.Option(
            "--information-sheet",
            help="Write the information sheet for the person concerned too (Art. 15 (1) (h) GDPR).",
        ),
    ] = False,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Explain one published score: factors that multiply exactly to it, in words; writes an HTML page."""
    from hva_ml.cli import render
    from hva_ml.jobs.explain import explain as job
    from hva_ml.workspace import Workspace

    found = job(
        Workspace.find(root), pipeline, account, language=lang, country=country, png=png, svg=svg,
        information_sheet=information_sheet, against=against,
    )  # fmt: skip
    if as_json:
        print_json(found.record())
        return
    if text:
        typer.echo(found.plain)
        return
    render.explanation(console(), found)
