"""The night shift: one day, or the days that were missed, with everything that is told of them afterwards."""

import logging
import secrets
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime

from hva_ml import publication
from hva_ml.config import PipelineConfig
from hva_ml.errors import HvaError
from hva_ml.jobs.nights.after import after
from hva_ml.jobs.nights.days import day_of, days_of, finished, reason_of
from hva_ml.jobs.nights.journal import facts, telling
from hva_ml.jobs.nights.produce import Order, produce
from hva_ml.jobs.nights.stages import Stages
from hva_ml.jobs.nights.summary import Nightly, write
from hva_ml.jobs.progress import LoggedProgress, Progress
from hva_ml.jobs.state import restate
from hva_ml.workspace import Workspace

_log = logging.getLogger("hva_ml.night")


def nightly(
    ws: Workspace,
    pipeline: str,
    *,
    as_of: date | str,
    engine: str | None = None,
    force: str | None = None,
    dry_run: bool = False,
    move_back: bool = False,
    progress: Progress | None = None,
) -> Nightly:
    """Make one night: ingest, features, score, explain, audit, publish, deliver, monitor.

    Sales see the scores of the night before until all of the new ones are there and have been audited. The
    same inputs again change nothing. A night that was stopped takes up what it had explained.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.
    as_of : datetime.date or str
        The day, or its ISO form: what was known before its local midnight counts.
    engine : str, optional
        ``duckdb`` or ``spark``, instead of the pipeline's own.
    force : str, optional
        A reason to publish although an audit does not hold.
    dry_run : bool
        Do everything but write, deliver and alert.
    move_back : bool
        Let the scores of this day be the current ones even if those of a later day are.
    progress : Progress, optional
        Where stages are told.

    Returns
    -------
    Nightly
        Also written to ``data/scores/<pipeline>/nights/<as_of>.json``. `Nightly.undone` names stages after
        publishing that failed: the scores are out all the same.

    Raises
    ------
    HvaError
        If the night does not come out; the last published scores stay, marked stale.
    BusyError
        If another run of the pipeline is at work.
    """
    config, day = ws.config(pipeline).on(engine), day_of(as_of)
    order = Order(reason_of(force), rehearse=dry_run, keep_later=not move_back, as_then=True)
    with publication.lock(ws.lock(config.name)) as died:
        night = _night(ws, config, day, order, progress or LoggedProgress(), died.pid if died else None)
    if night.error is not None:
        raise night.error
    return night


def backfill(
    ws: Workspace,
    pipeline: str,
    *,
    first: date | str,
    last: date | str,
    engine: str | None = None,
    force: str | None = None,
    dry_run: bool = False,
    move_back: bool = False,
    progress: Progress | None = None,
) -> tuple[Nightly, ...]:
    """Make up for the nights of several days, each as it would have been, by the present champion.

    Each day sees only what was known before it, and is held against the day before it. Days that this release
    has scored already, with this pipeline file, are left out. An audit that refuses one day does not stop the
    next; anything else does. The current scores are never replaced by those of an earlier day.

    Parameters
    ----------
    ws, pipeline, engine, force, dry_run, progress
        As for `nightly`.
    first, last : datetime.date or str
        Both inclusive.
    move_back : bool
        Let the scores of the last day be the current ones even if those of a later day are.

    Returns
    -------
    tuple of Nightly
        One for each day that was not there, in their order; refused ones with their `error`.

    Raises
    ------
    HvaError
        The first that is no refusal by an audit.
    """
    config = ws.config(pipeline).on(engine)
    days = days_of(first, last)
    progress = progress or LoggedProgress()
    nights: list[Nightly] = []
    with publication.lock(ws.lock(config.name)) as died:
        pid = died.pid if died else None
        missing = [day for day in days if not finished(ws, config, day)]
        _log.info("%d of %d days are to be made.", len(missing), len(days))
        for day in missing:
            back = move_back and day == days[-1]
            order = Order(
                reason_of(force), rehearse=dry_run, keep_later=not back, as_then=True
            )  # fmt: skip
            nights.append(_night(ws, config, day, order, progress, pid))
            error = nights[-1].error
            if error is not None and not isinstance(error, publication.AuditError):
                raise error
    return tuple(nights)


def _night(
    ws: Workspace, config: PipelineConfig, day: date, order: Order, progress: Progress, died: int | None
) -> Nightly:
    """Make one night and tell of it, whatever becomes of it; only what nobody foresaw is raised."""
    attempt = secrets.token_hex(4)
    with telling(pipeline=config.name, as_of=day.isoformat(), attempt=attempt):
        _log.info("The night of %s as of %s begins.", config.name, day, extra={"hva": {"event": "begin"}})
        stages = Stages(progress)
        began = datetime.now(UTC)
        night = Nightly(config.name, day, attempt, "failed", began, began, died=died)
        try:
            night = _made(ws, config, day, order, stages, night)
        except (HvaError, OSError) as error:
            failure = _as_error(error)
            night = replace(night, error=failure, outcome="refused" if failure.exit_code == 3 else "failed")
        except BaseException:
            _tell(ws, config, order, replace(night, outcome="stopped"), stages)
            raise
        return _tell(ws, config, order, night, stages)


def _made(
    ws: Workspace, config: PipelineConfig, day: date, order: Order, stages: Stages, night: Nightly
) -> Nightly:
    folder = ws.scores(config.name)
    # A rehearsal, and a day before the current one, leave no mark on the current scores.
    silent = order.rehearse or publication.ahead(folder, day)
    kept = publication.kept(folder, day, lambda run: restate(ws, config, run))
    with nullcontext() if silent else kept:
        made = produce(ws, config, day, order, stages)
    if not order.rehearse:
        after(ws, config, made, stages)
    return replace(
        night, outcome=made.outcome, run_id=made.run_id, model_version=made.release, accounts=made.accounts,
        taken_up=made.taken_up, expected_value=made.expected_value, tiers=made.tiers, audit=made.audit,
        findings=made.findings, hindsight=made.hindsight,
    )  # fmt: skip


def _tell(ws: Workspace, config: PipelineConfig, order: Order, night: Nightly, stages: Stages) -> Nightly:
    rows = night.error.rows if isinstance(night.error, publication.AuditError) else night.audit
    run_id = night.run_id or str(facts().get("run_id", ""))
    night = replace(night, ended=datetime.now(UTC), stages=stages.done, audit=tuple(rows), run_id=run_id)
    if not order.rehearse:
        write(ws.scores(config.name), night)
    record = night.record()
    told = {k: record[k] for k in ("outcome", "exit_code", "accounts", "seconds", "peak_bytes", "error")}
    level = logging.INFO if night.exit_code == 0 else logging.ERROR
    _log.log(level, "%s", night.sentence(), extra={"hva": {"event": "end", **told}})
    return night


def _as_error(error: HvaError | OSError) -> HvaError:
    if isinstance(error, HvaError):
        return error
    return HvaError(
        f"The system refused: {error.strerror or error}.",
        where=str(error.filename or ""),
        fix="Check free space and permissions, then run the command again.",
    )
