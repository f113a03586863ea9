"""The command of the night shift, and how a night looks in a terminal."""

import logging
import sys
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hva_ml.cli.commands import EngineName, Json, PipelineName, Root, app, example
from hva_ml.cli.logs import json_lines
from hva_ml.cli.terminal import command, console, escaped, print_json, progress
from hva_ml.errors import UsageError

if TYPE_CHECKING:
    from hva_ml.jobs.nights.summary import Nightly


@app.command(
    epilog=example(
        "hva nightly dach_sample --as-of 2025-12-31",
        "hva nightly dach_sample --as-of 2025-12-31 --dry-run",
        "hva nightly dach_sample --backfill 2025-12-01 2025-12-31 --log json",
    )
)
@command
def nightly(
    pipeline: PipelineName,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Only what was known before this day counts."),
    ] = None,
    backfill: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--backfill", metavar="FROM TO", help="Every day that is missing, each as it would have been."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do everything but write, deliver and alert.")
    ] = False,
    force: Annotated[
        str | None,
        typer.Option("--force", help="Publish although an audit does not hold; the reason is recorded."),
    ] = None,
    move_back: Annotated[
        bool, typer.Option("--move-back", help="Replace current scores even if they are of a later day.")
    ] = False,
    log: Annotated[str, typer.Option("--log", help="text, or json: one line a stage for machines.")] = "text",
    metrics: Annotated[
        Path | None,
        typer.Option("--metrics", help="Write metrics for Prometheus there: FILE.prom.", show_default=False),
    ] = None,
    engine: EngineName = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Make a night: ingest, features, score, explain, audit, publish, deliver, monitor; whole or not at all.

    Exit 0: published, or nothing to do. Exit 1: failed, or published and not delivered. Exit 3: refused by an
    audit; the scores before it stay, marked stale. Exit 4: another run is at work.
    """
    if log not in ("text", "json"):
        raise UsageError(f"There is no log '{log[:20]}'.", where="--log", fix="Use text or json.")
    if (as_of is None) == (backfill is None):
        raise UsageError(
            "A night needs a day, or several nights their first and last day.",
            where="--as-of, --backfill", fix=f"hva nightly {pipeline} --as-of 2025-12-31",
        )  # fmt: skip
    with json_lines() if log == "json" else nullcontext():
        nights = _made(
            pipeline, as_of, backfill, dry_run=dry_run, force=force, move_back=move_back, log=log,
            metrics=metrics, engine=engine, root=root,
        )  # fmt: skip
    if as_json:
        records = [night.record() for night in nights]
        print_json(records if backfill else records[0])
    else:
        show(console(), nights)
    if worst := max((night.exit_code for night in nights), default=0):
        raise typer.Exit(worst)


def _made(
    pipeline: str,
    as_of: datetime | None,
    backfill: tuple[str, str] | None,
    *,
    dry_run: bool,
    force: str | None,
    move_back: bool,
    log: str,
    metrics: Path | None,
    engine: str | None,
    root: Path | None,
) -> "tuple[Nightly, ...]":
    from hva_ml.jobs.nights import nightly as job
    from hva_ml.jobs.progress import LoggedProgress
    from hva_ml.workspace import Workspace

    ws = Workspace.find(root)
    shown = nullcontext(LoggedProgress()) if log == "json" else progress()
    if log == "text" and sys.stderr.isatty():
        # The bar tells the stages already.
        logging.getLogger("hva_ml.night").setLevel(logging.WARNING)
    with shown as told:
        if backfill is not None:
            return job.backfill(
                ws, pipeline, first=backfill[0], last=backfill[1], engine=engine, force=force,
                dry_run=dry_run, move_back=move_back, metrics=metrics, progress=told,
            )  # fmt: skip
        assert as_of is not None
        night = job.nightly(
            ws, pipeline, as_of=as_of.date(), engine=engine, force=force, dry_run=dry_run,
            move_back=move_back, metrics=metrics, progress=told,
        )  # fmt: skip
        return (night,)


def show(out: Console, nights: "tuple[Nightly, ...]") -> None:
    """Show a line for each stage, and what became of each night."""
    from hva_ml.cli.render import audit

    for night in nights:
        if len(nights) == 1:
            for stage in night.stages:
                out.print(escaped(stage.line()), soft_wrap=True)
        colour = "green" if night.exit_code == 0 else "red"
        out.print(f"[{colour}]{escaped(night.sentence())}[/]", soft_wrap=True)
        if night.hindsight:
            out.print("The model was trained on what came after that day: these scores prove nothing.")
        if night.expected_value is not None:
            tiers = ", ".join(f"{tier} {n:,}" for tier, n in sorted(night.tiers.items()))
            out.print(f"Tiers    {tiers}; expected value in all {night.expected_value:,.0f}")
            audit(out, night.audit)
    if not nights:
        out.print("Every day is there already.")
