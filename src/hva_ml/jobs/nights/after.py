"""What follows a published night. It is out already: what fails here is told, and undoes nothing."""

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hva_ml import publication
from hva_ml.config import PipelineConfig
from hva_ml.errors import DeliveryError, HvaError, IntegrityError
from hva_ml.jobs.deliver import deliver
from hva_ml.jobs.monitor import monitor
from hva_ml.jobs.nights.produce import Produced
from hva_ml.jobs.nights.stages import Running, Stages
from hva_ml.jobs.nights.watch import Watch, watched
from hva_ml.jobs.pages import write_scores_page
from hva_ml.jobs.state import restate
from hva_ml.publication import Published
from hva_ml.workspace import Workspace

_log = logging.getLogger("hva_ml.night")
Step = Callable[[Running], None]


def after(ws: Workspace, config: PipelineConfig, made: Produced, stages: Stages) -> Watch | None:
    """Write the page of a run, bring it to the sinks, then look at all nights; returns what is seen there.

    Parameters
    ----------
    made : Produced
        The run of the night; only the current one goes to the sinks.
    stages : Stages
        Each step is one; one that fails is noted there and does not keep the next from being tried.
    """
    run = made.run
    if run is None:
        return None
    if made.outcome == "unchanged":
        _step(
            stages,
            "page",
            "Looking at the page of the run",
            lambda running: _restated(ws, config, run, running),
        )
    else:
        _step(stages, "page", "Writing the page of the run", lambda running: _page(ws, config, run, running))
    if not config.sinks:
        stages.skip("no sink is declared", "deliver")
    elif made.outcome == "beside":
        stages.skip("a later day is current", "deliver")
    else:
        _step(stages, "deliver", "Delivering", lambda running: _delivered(ws, config, run, stages, running))
    if config.leads is not None:
        stages.skip("leads are looked at once", "monitor")
        return None
    seen: list[Watch] = []
    _step(
        stages,
        "monitor",
        "Looking at all nights",
        lambda running: seen.append(_monitored(ws, config, made, stages, running)),
    )
    return seen[0] if seen else None


def tell_stale(ws: Workspace, config: PipelineConfig, stages: Stages) -> None:
    """Let the sinks say that their scores are stale, after a night that did not come out.

    A sink that fails is noted in the stage.
    """
    run = None
    with suppress(IntegrityError):
        run = publication.current(ws.scores(config.name))
    if run is not None and config.sinks:
        stale = run
        _step(
            stages,
            "deliver",
            "Telling the sinks that their scores are stale",
            lambda running: _delivered(ws, config, stale, stages, running),
        )


def _step(stages: Stages, name: str, text: str, step: Step) -> None:
    try:
        with stages.stage(name, text) as running:
            step(running)
    except (HvaError, OSError) as error:
        what = error.what if isinstance(error, HvaError) else str(error.strerror or error)
        _log.error("What is published stays, but '%s' failed: %s", name, what)


def _page(ws: Workspace, config: PipelineConfig, run: Published, running: Running) -> None:
    table, page = write_scores_page(ws, config, run)
    running.rows = table.num_rows
    running.note = str(Path(page).relative_to(ws.root))


def _restated(ws: Workspace, config: PipelineConfig, run: Published, running: Running) -> None:
    restate(ws, config, run)
    running.rows = run.rows["scores"]


def _delivered(
    ws: Workspace, config: PipelineConfig, run: Published, stages: Stages, running: Running
) -> None:
    done = deliver(ws, config.name, run=run.run_id, progress=stages.progress)
    running.rows = run.rows["scores"]
    running.note = ", ".join(f"{s.sink} {s.outcome}" for s in done.sinks)
    if done.failed:
        raise DeliveryError(
            f"{len(done.failed)} of {len(done.sinks)} sinks failed: {running.note}.",
            where=config.name, fix=f"hva deliver {config.name}",
        )  # fmt: skip


def _monitored(
    ws: Workspace, config: PipelineConfig, made: Produced, stages: Stages, running: Running
) -> Watch:
    assert made.run is not None
    found = monitor(
        ws, config.name, as_of=made.run.identity["as_of"], tables=made.outcomes, progress=stages.progress
    )
    running.rows = found.nights
    codes = ", ".join(dict.fromkeys(f.code for f in found.alarms))
    running.note = f"{len(found.alarms)} alarms{f': {codes}' if codes else ''}"
    return watched(found)
