"""Overview: what moves the scores of one published run as a whole, by segment and tier, and how firmly."""

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from hva_ml.explanation.overview import Group
from hva_ml.explanation.reader import Reader
from hva_ml.features.definition import FeatureDefinition
from hva_ml.jobs.customers import lifetime_of_all
from hva_ml.jobs.explain import spoken
from hva_ml.jobs.published import contributions, current_run, find_run, open_run
from hva_ml.jobs.retrained import Retrained, retrained
from hva_ml.jobs.weights import Weights, segmented_by
from hva_ml.reports import overview as page
from hva_ml.reports.language import Tongue
from hva_ml.workspace import Workspace

PER_SEGMENT = 5


@dataclass(frozen=True)
class Tier:
    """One tier: its numbers, and the same as a sentence."""

    group: Group
    text: str

    def record(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {**asdict(self.group), "text": self.text}


@dataclass(frozen=True)
class Overview:
    """What moves the scores of a run.

    Attributes
    ----------
    pipeline, run_id : str
        Which run.
    as_of : datetime.date
        Of which day.
    by : str
        The feature that makes the segments, empty where there are none.
    importance : pyarrow.Table
        Topics overall, heaviest first, see `jobs.weights.Weights.overall`.
    segments : pyarrow.Table or None
        Topics in every segment, see `jobs.weights.Weights.segments`; None without `by`.
    dependence, swarm : pyarrow.Table
        How factors depend on values, in bins; a sample of accounts.
    features, factors : pyarrow.Table
        Every account's features as published, and one factor for each of them: the full points.
    tiers : tuple of Tier
        A, B and C.
    retrained : Retrained
        Whether another release gives the same reasons.
    stability : str
        The same as a sentence.
    lifetime : str
        What all customers probably bring over longer horizons, in a sentence; empty where nobody asked.
    files : tuple of pathlib.Path
        The page.
    """

    pipeline: str
    run_id: str
    as_of: date
    by: str
    importance: pa.Table
    segments: pa.Table | None
    dependence: pa.Table
    swarm: pa.Table
    features: pa.Table
    factors: pa.Table
    tiers: tuple[Tier, ...]
    retrained: Retrained
    stability: str
    lifetime: str
    files: tuple[Path, ...]

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record, without the rows of all accounts."""
        rows: dict[str | None, list[dict[str, Any]]] = {}
        for row in self.segments.to_pylist() if self.segments else ():
            rows.setdefault(row["segment"], []).append(row)
        told = self.retrained
        return {
            "pipeline": self.pipeline,
            "run_id": self.run_id,
            "as_of": self.as_of.isoformat(),
            "accounts": self.factors.num_rows,
            "tiers": [t.record() for t in self.tiers],
            "importance": self.importance.to_pylist(),
            "lifetime": self.lifetime,
            "by": self.by,
            "segments": [r for part in rows.values() for r in part[:PER_SEGMENT]],
            "dependence": self.dependence.to_pylist(),
            "stability": {
                "outcome": told.outcome,
                "reason": told.why_not,
                "version": told.version,
                **(asdict(told.stability) if told.stability else {}),
                "text": self.stability,
            },
            "files": [str(p) for p in self.files],
        }


def overview(
    ws: Workspace,
    pipeline: str,
    *,
    run: str | None = None,
    language: str = "en",
    country: str = "DE",
    by: str | None = None,
    against: str | None = None,
) -> Overview:
    """Say what moves the scores of a published run, and write its page.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.
    run : str, optional
        Run id, its beginning, or a day; by default the current run.
    language : {"en", "de"}
        Language of words.
    country : {"DE", "AT", "CH"}
        How German numbers are written.
    by : str, optional
        Category feature whose values are the segments; by default that of the reference accounts.
    against : str, optional
        A run of the release to compare reasons with; by default the release before this run's.

    Raises
    ------
    RefusedError
        If nothing is published yet.
    UsageError
        If a run or feature is unknown.
    IntegrityError
        If a table is not as it was published, or a release is damaged.
    """
    config, tongue = ws.config(pipeline), spoken(language, country)
    opened = open_run(
        ws, config.name, find_run(ws, config.name, run) if run else current_run(ws, config.name)
    )
    split = segmented_by(opened, by)
    currency, limit = opened.bundle.currency, config.scoring.reasons
    phi = contributions(ws, config.name, opened)
    reader = Reader(tongue, country, currency)
    weights = Weights(opened, phi, limit, reader)
    lasting = lifetime_of_all(ws, config.name, opened.run_id, opened.bundle, reader)
    again = retrained(ws, config.name, opened, phi, limit=limit, against=against)
    words = Tongue(tongue, country)
    tiers = tuple(Tier(g, page.tier_sentence(g, weights.labels, currency, words)) for g in weights.tiers())
    stability = page.stability_sentence(
        again.stability, again.why_not, again.version, again.borrowed, again.borrowed_from, words
    )
    view = _view(config.pipeline.title, weights, split, tiers, stability, lasting)
    place = ws.reports(config.name) / f"{opened.as_of:%Y-%m-%d}" / f"overview-{opened.run_id[:8]}.html"
    return Overview(
        config.name, opened.run_id, opened.as_of, split.name if split else "", view.importance,
        view.segments, view.dependence, view.swarm, opened.features, weights.factors(), tiers, again,
        stability, lasting, (page.write(view, place, language=tongue, country=country),),
    )  # fmt: skip


def _view(
    title: str,
    weights: Weights,
    split: FeatureDefinition | None,
    tiers: tuple[Tier, ...],
    stability: str,
    lifetime: str,
) -> page.OverviewView:
    run = weights.run
    return page.OverviewView(
        title=title,
        as_of=run.as_of,
        currency=run.bundle.currency,
        run_id=run.run_id,
        version=str(run.scores["model_version"][0].as_py()),
        n_accounts=len(run.ids),
        tiers=tuple((t.group, t.text) for t in tiers),
        importance=weights.overall,
        by=weights.called(split) if split else "",
        segments=weights.segments(split) if split else None,
        dependence=weights.dependence(),
        swarm=weights.swarm(),
        stability=stability,
        lifetime=lifetime,
        simulated=bool(run.bundle.metadata.get("simulated")),
    )
