"""The night shift: one day, or the days that were missed."""

import logging
from datetime import date
from pathlib import Path

from hva_ml import publication
from hva_ml.jobs.nights.days import day_of, days_of, finished, reason_of
from hva_ml.jobs.nights.metrics import checked
from hva_ml.jobs.nights.produce import Order
from hva_ml.jobs.nights.shift import Shift
from hva_ml.jobs.nights.summary import Nightly
from hva_ml.jobs.progress import LoggedProgress, Progress
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
    metrics: Path | str | None = None,
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
    metrics : pathlib.Path or str, optional
        A ``.prom`` file for the textfile collector of Prometheus' node exporter.
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
    file = checked(metrics) if metrics is not None else None
    with publication.lock(ws.lock(config.name)) as died:
        night = Shift(ws, config, progress or LoggedProgress(), file, died).night(day, order)
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
    metrics: Path | str | None = None,
    progress: Progress | None = None,
) -> tuple[Nightly, ...]:
    """Make up for the nights of several days, each as it would have been, by the present champion.

    Each day sees only what was known before it, and is held against the day before it. Days that this release
    has scored already, with this pipeline file, are left out. An audit that refuses one day does not stop the
    next; anything else does. The current scores are never replaced by those of an earlier day.

    Parameters
    ----------
    ws, pipeline, engine, force, dry_run, metrics, progress
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
    days, reason = days_of(first, last), reason_of(force)
    file = checked(metrics) if metrics is not None else None
    nights: list[Nightly] = []
    with publication.lock(ws.lock(config.name)) as died:
        shift = Shift(ws, config, progress or LoggedProgress(), file, died)
        missing = [day for day in days if not finished(ws, config, day)]
        _log.info("%d of %d days are to be made.", len(missing), len(days))
        for day in missing:
            back = move_back and day == days[-1]
            order = Order(reason, rehearse=dry_run, keep_later=not back, as_then=True)
            nights.append(shift.night(day, order))
            error = nights[-1].error
            if error is not None and not isinstance(error, publication.AuditError):
                raise error
    return tuple(nights)
