"""Score: every account as of a day with the champion, explained, audited and published as one whole."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from hva_ml import publication
from hva_ml.contracts.records import Violation
from hva_ml.jobs.nights.days import day_of, reason_of
from hva_ml.jobs.nights.produce import Order, produce
from hva_ml.jobs.nights.stages import Stages
from hva_ml.jobs.pages import write_scores_page
from hva_ml.jobs.progress import LoggedProgress, Progress
from hva_ml.jobs.state import restate
from hva_ml.ledger.reuse import Reuse
from hva_ml.workspace import Workspace


@dataclass(frozen=True)
class Scores:
    """One published run of scores.

    Attributes
    ----------
    workspace, pipeline, as_of, run_id : Workspace, str, datetime.date, str
        What was scored when.
    published : bool
        False if the same run was already published: nothing was done again.
    path : pathlib.Path
        The immutable run folder.
    table : pyarrow.Table
        One row per account, best first; the columns are listed in docs/scores.md.
    page : pathlib.Path
        The page of the run for people.
    findings : tuple of Violation
        What to know about the data of this run.
    audit : tuple of AuditRow
        What was held against last night before it was published.
    forced : str
        The reason, if it was published although an audit did not hold.
    reuse : tuple of Reuse
        What was read of each table, and what was known from an earlier night.
    """

    workspace: Workspace
    pipeline: str
    as_of: date
    run_id: str
    published: bool
    path: Path
    table: pa.Table
    page: Path
    findings: tuple[Violation, ...]
    audit: tuple[publication.AuditRow, ...] = ()
    forced: str = ""
    reuse: tuple[Reuse, ...] = ()

    def record(self) -> dict[str, object]:
        """Return the run as a JSON-ready record, without the rows."""
        return {
            "pipeline": self.pipeline,
            "as_of": self.as_of.isoformat(),
            "run_id": self.run_id,
            "published": self.published,
            "path": str(self.path),
            "page": str(self.page),
            "accounts": self.table.num_rows,
            "expected_value": float(sum(self.table["expected_value"].to_pylist())),
            "tiers": {
                t: int(n) for t, n in sorted(
                    (r["values"], r["counts"]) for r in self.table["tier"].value_counts().to_pylist()
                )
            },
            "findings": [v.record() for v in self.findings],
            "audit": [r.record() for r in self.audit],
            "forced": self.forced,
            "read": [r.record() for r in self.reuse],
        }  # fmt: skip


def score(
    ws: Workspace,
    pipeline: str,
    *,
    as_of: date | str,
    engine: str | None = None,
    force: str | None = None,
    full: bool = False,
    progress: Progress | None = None,
) -> Scores:
    """Score all accounts of a pipeline as of a day, and publish the run.

    Only rows that happened and were known before `as_of` (local midnight) count. Scoring the same day with
    the same champion and data again does nothing. Rows that an earlier night has read are taken from the
    ledger; the scores are the same bits as without it.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.
    as_of : datetime.date or str
        The day, or its ISO form; there is no default, so that a late job scores the day it was meant for.
    engine : str, optional
        ``duckdb`` or ``spark``, instead of the pipeline's own; the scores are the same.
    force : str, optional
        A reason to publish although an audit against last night does not hold; it is kept in the manifest.
    full : bool
        Throw the ledger away and read all sources anew.
    progress : Progress, optional
        Where stages are told.

    Returns
    -------
    Scores

    Raises
    ------
    RefusedError
        If there is no champion, or an audit refuses the run; the last published run stays, marked stale.
    """
    progress = progress or LoggedProgress()
    config = ws.config(pipeline).on(engine)
    day = day_of(as_of)
    order = Order(reason_of(force), full=full)
    with publication.lock(ws.lock(config.name)):
        with publication.kept(ws.scores(config.name), day, lambda run: restate(ws, config, run)):
            made = produce(ws, config, day, order, Stages(progress))
        progress.stage("Writing the page of the run")
        run = made.run
        assert run is not None  # only a rehearsal makes none
        table, page = write_scores_page(ws, config, run)
    return Scores(
        ws, config.name, day, run.run_id, made.outcome == "published", run.path, table, page, made.findings,
        run.audit, run.forced, made.reuse,
    )  # fmt: skip
