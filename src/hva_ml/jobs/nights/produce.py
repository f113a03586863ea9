"""One night's scores, stage by stage: from the sources to a run that is published whole.

What was explained before a kill is taken up again; readers see nothing of it until the run is whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from importlib.metadata import version
from itertools import chain
from math import fsum
from pathlib import Path
from typing import Literal

import pyarrow as pa

from hva_ml import publication, scoring
from hva_ml.config import PipelineConfig
from hva_ml.contracts.forms import zoneless
from hva_ml.contracts.records import ContractTables, Violation
from hva_ml.cutoffs import Calendar, instant
from hva_ml.errors import NotEnoughDataError
from hva_ml.features import leads
from hva_ml.features.definition import FeatureSet, table_fingerprint
from hva_ml.jobs.comparison import chosen
from hva_ml.jobs.features import build_features
from hva_ml.jobs.nights.as_known import as_known
from hva_ml.jobs.nights.journal import know
from hva_ml.jobs.nights.pieces import Pieces
from hva_ml.jobs.nights.stages import Stages
from hva_ml.jobs.prepare import Prepared, prepare, refuse_errors
from hva_ml.jobs.tonight import prepare_tonight
from hva_ml.ledger.reuse import Reuse, summary
from hva_ml.publication import AuditError, AuditRow, Night, Published, Shards, Tonight, Verdict
from hva_ml.publication.shards import clear_shards
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.releases import champion_release, continuity_of
from hva_ml.workspace import Workspace

Outcome = Literal["published", "unchanged", "beside", "rehearsed"]


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Attributes
    ----------
    force : str
        A reason to publish although an audit does not hold; empty for none.
    rehearse : bool
        Do everything but write.
    keep_later : bool
        Leave `CURRENT` where it is if it points to a later day.
    as_then : bool
        Hold a day before the current one against the run that counted when it came.
    full : bool
        Throw the ledger away and read all sources anew.
    """

    force: str = ""
    rehearse: bool = False
    keep_later: bool = False
    as_then: bool = False
    full: bool = False


@dataclass(frozen=True)
class Produced:
    """What came of a night.

    Attributes
    ----------
    outcome : {"published", "unchanged", "beside", "rehearsed"}
        The run is the current one now; it was already; it is written, but a later day stays current;
        everything was done but nothing written.
    run_id, release : str
        The run, and the version that scored it.
    run : Published or None
        As it lies there; None if rehearsed and not there.
    accounts : int
        Accounts scored.
    taken_up : int
        Of those, how many had been explained before the process was stopped.
    hindsight : bool
        Whether the model was trained on what came after the day.
    findings : tuple of Violation
        What to know about the data.
    audit : tuple of AuditRow
        What the run was held to.
    expected_value : float
        Sum over all accounts.
    tiers : mapping of str to int
        Accounts by tier.
    reuse : tuple of Reuse
        What was read of each table, and what was known from an earlier night.
    outcomes : ContractTables
        What was known before the day of what became of accounts.
    """

    outcome: Outcome
    run_id: str
    release: str
    run: Published | None
    accounts: int
    taken_up: int
    hindsight: bool
    findings: tuple[Violation, ...]
    audit: tuple[AuditRow, ...]
    expected_value: float
    tiers: Mapping[str, int]
    reuse: tuple[Reuse, ...]
    outcomes: ContractTables


@dataclass(frozen=True, eq=False)
class _Gathered:
    """Everything that decides the scores of a night, before they are computed."""

    config: PipelineConfig
    released: str
    bundle: Bundle
    kind: str
    prepared: Prepared
    visible: ContractTables
    features: FeatureSet
    identity: dict[str, str]
    outcomes: frozenset[str]

    @property
    def accounts(self) -> pa.Table:
        """The visible rows of what is scored: accounts, or leads."""
        return self.visible.tables[_master(self.config)]


def produce(ws: Workspace, config: PipelineConfig, day: date, order: Order, stages: Stages) -> Produced:
    """Score, explain, audit and publish a day; the caller holds the pipeline's lock.

    Raises
    ------
    RefusedError
        If there is no champion, or an audit does not hold.
    HvaError
        If a source, the contract or the release stands in the way.
    """
    folder = ws.scores(config.name)
    night = _gathered(ws, config, day, order, stages)
    run_id = publication.run_id_of(night.identity)
    know(run_id=run_id)
    there = publication.whole_run(folder, night.identity)
    if there is not None:
        stages.skip("the run of these inputs is there already", "score", "explain", "audit")
        if not order.rehearse:
            # What a night leaves that was killed right after it had published.
            clear_shards(folder)
        outcome = _pointed(folder, there, day, order, stages)
        return _produced(night, outcome, publication.of_published(folder, there), there, there.audit)
    accounts = night.features.table.num_rows
    with stages.stage("score", f"Scoring {accounts:,} accounts") as running:
        running.rows = accounts
        scored = scoring.score(
            night.bundle, night.features, night.accounts, config.scoring,
            model_version=night.released, explanation=config.explanation, kind=night.kind,
            goes_on=continuity_of(ws, config.name, night.released),
        )  # fmt: skip
    tonight = _tonight(ws, config, night, scored, order)
    pieces = Pieces(scored, None if order.rehearse else Shards(folder, run_id))
    verdict, rows = _audited(folder, tonight, order, pieces, stages)
    if order.rehearse:
        stages.skip("nothing is written in a rehearsal", "publish")
        return _produced(night, "rehearsed", tonight.night, None, rows)
    ahead = order.keep_later and publication.ahead(folder, day)
    with stages.stage("publish", "Publishing") as running:
        running.rows = accounts
        run = publication.publish(
            folder, chain(pieces, [_whole(night)]), night.identity, expected_rows=accounts, tonight=tonight,
            verdict=verdict, pointing=not ahead,
        )  # fmt: skip
        running.note = _BESIDE if ahead else f"run {run_id}"
    outcome = "beside" if ahead else "published"
    return _produced(night, outcome, tonight.night, run, run.audit, pieces.taken_up)


def _produced(
    night: _Gathered,
    outcome: Outcome,
    scores: Night,
    run: Published | None,
    rows: tuple[AuditRow, ...],
    taken_up: int = 0,
) -> Produced:
    return Produced(
        outcome, publication.run_id_of(night.identity), night.released, run, len(scores.account_id), taken_up,
        _hindsight(night.bundle, scores.as_of),
        night.prepared.tables.violations, rows, fsum(scores.numbers["expected_value"]),
        {r["values"]: r["counts"] for r in scores.tier.value_counts().to_pylist()},
        night.prepared.reuse,
        night.visible.only(night.outcomes),
    )  # fmt: skip


def _hindsight(bundle: Bundle, day: date) -> bool:
    """Whether the model has learned from what came after a day."""
    cutoffs = [
        date.fromisoformat(d) for days in bundle.metadata.get("released_on", {}).values() for d in days
    ]
    return bool(cutoffs) and day < max(cutoffs) + timedelta(days=bundle.gap_days + bundle.horizon_days)


def _whole(night: _Gathered) -> dict[str, pa.Table]:
    """Return the tables that are not made block by block."""
    names = _names(night.accounts, night.features.table)
    return {
        "features": night.features.table, "accounts": names, "references": scoring.references(night.bundle)
    }  # fmt: skip


_BESIDE = "written beside; the current run is of a later day and stays"


def _gathered(ws: Workspace, config: PipelineConfig, day: date, order: Order, stages: Stages) -> _Gathered:
    """Read the sources, build the features, and say which run that makes."""
    moment = instant(day, config.pipeline.timezone)
    with stages.stage("ingest", "Reading sources and checking the contract") as running:
        released, bundle = champion_release(ws, config.name)
        where = f"pipelines/{config.name}.toml, [explanation] reference"
        kind = chosen(bundle, config.explanation.reference, config.name, where)
        if order.rehearse:
            # The ledger is written, too: a rehearsal reads everything.
            prepared = prepare(ws, config, until=moment)
        else:
            prepared = prepare_tonight(ws, config, moment, full=order.full)
            running.note = "; ".join(summary(prepared.reuse))
        running.rows = sum(clean for clean, _ in prepared.tables.counts().values())
        refuse_errors(config, prepared.tables.violations)
        visible = prepared.tables.upto(moment)
    with stages.stage("features", "Point-in-time features") as running:
        features = _features(ws, config, prepared, day)
        running.rows = features.table.num_rows
        identity = {
            "pipeline": config.name,
            "as_of": day.isoformat(),
            "model_version": released,
            "release": bundle.release,
            "features": features.fingerprint(),
            "accounts": table_fingerprint(visible.tables[_master(config)]),
            "scoring": config.fingerprint(),
            "hva_ml": version("hva-ml"),
        }
    outcomes = config.tables_of_outcomes
    return _Gathered(config, released, bundle, kind, prepared, visible, features, identity, outcomes)


def _master(config: PipelineConfig) -> str:
    return "accounts" if config.leads is None else "leads"


def _audited(
    folder: Path, tonight: Tonight, order: Order, pieces: Pieces, stages: Stages
) -> tuple[Verdict, tuple[AuditRow, ...]]:
    """Explain all accounts and hold the night to its audit; what cannot come out is not explained first."""
    accounts = len(tonight.night.account_id)
    day = tonight.night.as_of
    past = order.as_then and publication.ahead(folder, day)
    asked = partial(publication.before, day=day) if past else publication.current
    refused: AuditError | None = None
    try:
        verdict = publication.judge(folder, tonight, asked)
    except AuditError as error:
        refused = error
    if refused is not None:
        stages.skip("the audit does not let the night out", "explain")
        with stages.stage("audit", "Auditing"):
            raise refused
    whole = publication.Audit(accounts)
    with stages.stage("explain", f"Explaining {accounts:,} accounts") as running:
        running.rows = accounts
        done = 0
        for piece in pieces:
            whole.piece(piece)
            done += piece["scores"].num_rows
            stages.progress.step(done, accounts, "accounts")
        if pieces.taken_up:
            running.note = f"{pieces.taken_up:,} accounts taken up from a run that was stopped"
    with stages.stage("audit", "Auditing") as running:
        running.rows = accounts
        rows = (*verdict.rows, *whole.whole())
        running.note = f"{sum(r.outcome == 'passed' for r in rows)} of {len(rows)} hold"
        if verdict.forced:
            running.note += f"; forced: {verdict.forced}"
    return verdict, rows


def _pointed(folder: Path, there: Published, day: date, order: Order, stages: Stages) -> Outcome:
    """Let `CURRENT` point to a run that is there already, unless that would be a step back."""
    if order.rehearse:
        stages.skip("nothing is written in a rehearsal", "publish")
        return "rehearsed"
    with stages.stage("publish", "Publishing") as running:
        running.rows = there.rows["scores"]
        if order.keep_later and publication.ahead(folder, day):
            running.note = _BESIDE
            return "beside"
        moved = publication.point(folder, there.path)
        running.note = f"run {there.run_id}" if moved else "it was published already"
        return "published" if moved else "unchanged"


def _tonight(
    ws: Workspace, config: PipelineConfig, night: _Gathered, scored: scoring.Scored, order: Order
) -> Tonight:
    counts, n = scored.unseen, scored.features.table.num_rows
    unseen = {d.name: counts.get(d.name, 0) / n for d in night.bundle.definitions if d.kind == "category"}
    moment = instant(scored.as_of, config.pipeline.timezone)
    undated = config.leads is not None and config.leads.clock != "days"
    arrived = () if undated else publication.arrivals(night.visible, moment, config.audit)
    return Tonight(
        publication.of_scored(scored, night.visible, config.fingerprint(), zoneless(night.prepared.tables)),
        unseen, arrived, config.audit, order.force,
        partial(as_known, ws, config, night.prepared) if config.leads is None else None,
    )  # fmt: skip


def _features(ws: Workspace, config: PipelineConfig, prepared: Prepared, day: date) -> FeatureSet:
    if config.leads is not None:
        return _open_leads(config, prepared, day)
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


def _open_leads(config: PipelineConfig, prepared: Prepared, day: date) -> FeatureSet:
    features = leads.open_(leads.opened(prepared.tables, config), day)
    if features.table.num_rows == 0:
        raise NotEnoughDataError(
            f"No lead is open as of {day}.",
            where=f"[leads] of {config.name}",
            why="An empty night would take all scores away from sales.",
            fix="Choose a day on which leads are open, leave the outcome of open ones empty, or name a "
            "source of leads without outcomes as open_source.",
        )
    return features


def _names(accounts: pa.Table, scored: pa.Table) -> pa.Table:
    """Return what each scored account is called, by its latest visible version, for the pages of sellers."""
    called = dict(zip(accounts["account_id"].to_pylist(), accounts["name"].to_pylist(), strict=True))
    ids = scored["account_id"]
    return pa.table(
        {"account_id": ids, "name": pa.array([called.get(i) for i in ids.to_pylist()], pa.string())}
    )
