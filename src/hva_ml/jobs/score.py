"""Score: every account as of a day with the champion, explained, audited and published as one whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import pyarrow as pa

from hva_ml import publication, scoring
from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import Violation
from hva_ml.cutoffs import Calendar, instant
from hva_ml.errors import NotEnoughDataError, UsageError
from hva_ml.features.definition import FeatureSet, table_fingerprint
from hva_ml.jobs.comparison import chosen
from hva_ml.jobs.features import build_features
from hva_ml.jobs.pages import write_scores_page
from hva_ml.jobs.prepare import Prepared, prepare, refuse_errors
from hva_ml.jobs.progress import LoggedProgress, Progress
from hva_ml.jobs.state import restate
from hva_ml.registry.releases import champion_release
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
        }  # fmt: skip


def score(
    ws: Workspace,
    pipeline: str,
    *,
    as_of: date | str,
    engine: str | None = None,
    force: str | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Score all accounts of a pipeline as of a day, and publish the run.

    Only rows that happened and were known before `as_of` (local midnight) count. Scoring the same day with
    the same champion and data again does nothing.

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
    day = _day(as_of)
    if force is not None and not force.strip():
        raise UsageError("To publish all the same needs a reason.", where="--force", fix='--force "why"')
    with publication.lock(ws.lock(config.name)):
        with publication.kept(ws.scores(config.name), day, lambda run: restate(ws, config, run)):
            published, findings = _published(ws, config, day, (force or "").strip(), progress)
        progress.stage("Writing the page of the run")
        table, page = write_scores_page(ws, config, published)
    return Scores(
        ws, config.name, day, published.run_id, published.published, published.path, table, page,
        findings, published.audit, published.forced,
    )  # fmt: skip


def _published(
    ws: Workspace, config: PipelineConfig, day: date, force: str, progress: Progress
) -> tuple[publication.Published, tuple[Violation, ...]]:
    """Score, audit, explain and publish; return the run and what was found about the data."""
    released, bundle = champion_release(ws, config.name)
    where = f"pipelines/{config.name}.toml, [explanation] reference"
    kind = chosen(bundle, config.explanation.reference, config.name, where)
    progress.stage("Reading sources and checking the contract")
    moment = instant(day, config.pipeline.timezone)
    prepared = prepare(ws, config, until=moment)
    refuse_errors(config, prepared.tables.violations)
    visible = prepared.tables.upto(moment)
    progress.stage("Point-in-time features")
    features = _features(ws, config, prepared, day)
    progress.stage(f"Scoring {features.table.num_rows} accounts")
    accounts = visible.tables["accounts"]
    scored = scoring.score(
        bundle, features, accounts, config.scoring, model_version=released,
        explanation=config.explanation, kind=kind,
    )  # fmt: skip
    progress.stage("Auditing, explaining and publishing")
    names = _names(accounts, features.table)
    whole = {"features": features.table, "accounts": names, "references": scoring.references(bundle)}
    published = publication.publish(
        ws.scores(config.name),
        chain(_counted(scored, progress), [whole]),
        {
            "pipeline": config.name,
            "as_of": day.isoformat(),
            "model_version": released,
            "release": bundle.release,
            "features": features.fingerprint(),
            "accounts": table_fingerprint(accounts),
            "scoring": config.fingerprint(),
            "hva_ml": version("hva-ml"),
        },
        expected_rows=features.table.num_rows,
        tonight=publication.Tonight(
            publication.of_scored(scored, visible, config.fingerprint()),
            _unseen(scored),
            publication.arrivals(visible, moment, config.audit),
            config.audit,
            force,
        ),
    )
    return published, prepared.tables.violations


def _unseen(scored: scoring.Scored) -> dict[str, float]:
    """Return the share of accounts with an unseen category, for every category that the model reads."""
    counts, n = scored.unseen, scored.features.table.num_rows
    return {d.name: counts.get(d.name, 0) / n for d in scored.bundle.definitions if d.kind == "category"}


def _counted(scored: scoring.Scored, progress: Progress) -> Iterator[dict[str, pa.Table]]:
    """Pass the pieces on and tell how many accounts are done."""
    done, n = 0, scored.features.table.num_rows
    for piece in scored.parts():
        yield piece
        done += piece["scores"].num_rows
        progress.step(done, n, "accounts")


def _features(ws: Workspace, config: PipelineConfig, prepared: Prepared, day: date) -> FeatureSet:
    when = Calendar((day,), config.horizon.days, config.horizon.gap_days, config.pipeline.timezone)
    features = build_features(ws, config, prepared.tables, when, prepared.own)
    if features.table.num_rows == 0:
        raise NotEnoughDataError(
            f"There is no account to score as of {day}.",
            where=f"[population] of {config.name}",
            why="An empty night would take all scores away from sales.",
            fix="Choose a day within the data, or widen [population].",
        )
    return features


def _day(as_of: date | str) -> date:
    if isinstance(as_of, date):
        return as_of
    try:
        return date.fromisoformat(as_of)
    except ValueError as error:
        raise UsageError(
            f"'{as_of[:30]}' is not a day.", where="as_of", fix="Write it as 2025-12-31."
        ) from error


def _names(accounts: pa.Table, scored: pa.Table) -> pa.Table:
    """Return what each scored account is called, by its latest visible version, for the pages of sellers."""
    called = dict(zip(accounts["account_id"].to_pylist(), accounts["name"].to_pylist(), strict=True))
    ids = scored["account_id"]
    return pa.table(
        {"account_id": ids, "name": pa.array([called.get(i) for i in ids.to_pylist()], pa.string())}
    )
