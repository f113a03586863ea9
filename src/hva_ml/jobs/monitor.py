"""Monitor: every published night against where its model learned, and against what came of its promises."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import median

import pyarrow as pa
import pyarrow.parquet as pq

from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import ContractTables
from hva_ml.errors import IntegrityError, RefusedError
from hva_ml.evaluation.retraining import Recommendation
from hva_ml.features.definition import FeatureDefinition
from hva_ml.jobs.explain import spoken
from hva_ml.jobs.kept_nights import Nights
from hva_ml.jobs.kept_outcomes import Outcomes
from hva_ml.jobs.monitoring_page import labels_of, view_of
from hva_ml.jobs.nights.days import day_of
from hva_ml.jobs.prepare import refuse_leads
from hva_ml.jobs.progress import LoggedProgress, Progress
from hva_ml.monitoring import findings as codes
from hva_ml.monitoring.advice import Advice, advise
from hva_ml.monitoring.digest import Digest
from hva_ml.monitoring.episodes import Episode
from hva_ml.monitoring.feedback import Feedback, about, feedback
from hva_ml.monitoring.findings import Finding
from hva_ml.monitoring.judgement import judge
from hva_ml.monitoring.outcomes import Kept
from hva_ml.monitoring.promises import part
from hva_ml.monitoring.release import Release
from hva_ml.registry.releases import read_release
from hva_ml.reports import monitoring as page
from hva_ml.reports.language import Tongue
from hva_ml.reports.monitoring import advice_sentences, sentence
from hva_ml.workspace import Workspace

PATIENCE = 3


@dataclass(frozen=True)
class Monitored:
    """What the nights of a pipeline tell.

    Attributes
    ----------
    pipeline, as_of : str, datetime.date
        Which pipeline, up to which day.
    nights : int
        Nights that are kept, of all releases.
    release, version : str
        The release that scored the last night: it is the one that is judged.
    findings : tuple of Finding
        By code; `alarms` are those that need somebody.
    texts : tuple of str
        The findings in words, in their order.
    episodes : tuple of Episode
        Every alarm there was, of all releases, by the day on which it was raised.
    raised : tuple of Episode
        Those of the release that are open and were raised after the night before.
    advice : Advice
        Whether to train again.
    advice_text : str
        The same in words.
    feedback : Feedback or None
        What complete nights tell about the list.
    coming : float or None
        Conversions of the last four weeks over those that were due, while horizons run.
    kept : Kept or None
        What was promised of the accounts of the latest complete night, and what came.
    known : datetime.date or None
        The day as of which outcomes were known; None where none was looked at.
    files : tuple of pathlib.Path
        The page.
    """

    pipeline: str
    as_of: date
    nights: int
    release: str
    version: str
    findings: tuple[Finding, ...]
    texts: tuple[str, ...]
    episodes: tuple[Episode, ...]
    raised: tuple[Episode, ...]
    advice: Advice
    advice_text: str
    feedback: Feedback | None
    coming: float | None
    kept: Kept | None
    known: date | None
    files: tuple[Path, ...]

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """The findings that are alarms."""
        return tuple(f for f in self.findings if f.outcome == "alarm")

    def record(self) -> dict[str, object]:
        """Return it as a JSON-ready record."""
        return {
            "pipeline": self.pipeline,
            "as_of": self.as_of.isoformat(),
            "nights": self.nights,
            "release": self.release,
            "version": self.version,
            "known": self.known.isoformat() if self.known else None,
            "alarms": len(self.alarms),
            "findings": [{**f.record(), "text": t} for f, t in zip(self.findings, self.texts, strict=True)],
            "episodes": [e.record() for e in self.episodes],
            "raised": [e.record() for e in self.raised],
            "advice": {**self.advice.record(), "text": self.advice_text},
            "coming": self.coming,
            "kept": asdict(self.kept) if self.kept else None,
            "feedback": self.feedback.record() if self.feedback else None,
            "files": [str(p) for p in self.files],
        }


def monitor(
    ws: Workspace,
    pipeline: str,
    *,
    as_of: date | str | None = None,
    language: str = "en",
    country: str = "DE",
    tables: ContractTables | None = None,
    progress: Progress | None = None,
) -> Monitored:
    """Look at all published nights of a pipeline up to a day, and write the page about them.

    Each night is summed up once and kept beside the runs; nothing of that is lost when old runs are pruned.
    Only what was known before the day counts, so that the same day tells the same later.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.
    as_of : datetime.date or str, optional
        The last day, or its ISO form; by default that of the latest published night.
    language : {"en", "de"}
        Language of words.
    country : {"DE", "AT", "CH"}
        How German numbers are written.
    tables : ContractTables, optional
        Contract tables that are already at hand, as after scoring; else the outcomes are read.
    progress : Progress, optional
        Where stages are told.

    Returns
    -------
    Monitored

    Raises
    ------
    RefusedError
        If no night has been published by then.
    ContractError
        If the outcomes break the contract.
    """
    progress = progress or LoggedProgress()
    config, tongue = ws.config(pipeline), Tongue(spoken(language, country), country)
    refuse_leads(config, "hva monitor")
    nights = Nights(ws, config, day_of(as_of) if as_of is not None else date.max, progress)
    if not nights.kept:
        raise RefusedError(
            f"No night of '{config.name}' has been published{f' by {nights.day}' if as_of else ''}.",
            where=str(ws.scores(config.name)),
            fix=f"hva score {config.name} --as-of DAY",
        )
    if as_of is None:
        nights = Nights(ws, config, nights.kept[-1].day, progress)
    outcomes = Outcomes(nights, tables)
    releases = _releases(nights, outcomes)
    last = releases[-1]
    progress.stage("Judging")
    judged = [judge(r, config.monitoring, config.gates.total_ratio) for r in releases]
    window = config.horizon.gap_days + config.horizon.days
    worked = feedback([o for r in releases for o in r.foreseen], window)
    recommendation, decay = _backtest(ws, config)
    advice, about_age = advise(
        judged[-1].findings, last.reference, nights.day, embargo_days=config.split.embargo_days,
        max_age_days=config.monitoring.max_age_days, recommendation=recommendation, decay=decay,
    )  # fmt: skip
    found = (
        *judged[-1].findings, about(worked, config.monitoring.max_worked), about_age,
        _holes(nights, outcomes),
    )  # fmt: skip
    labels = labels_of(_definitions(nights), config.pipeline.currency, tongue)
    texts = tuple(sentence(f, labels, tongue) for f in found)
    told = advice_sentences(advice, tongue)
    view = view_of(
        config, nights.day, releases, judged, found, texts, told, worked, labels, tongue
    )  # fmt: skip
    where = ws.reports(config.name) / f"{nights.day:%Y-%m-%d}" / "monitoring.html"
    return Monitored(
        config.name, nights.day, len(nights.kept), last.release, last.nights[-1].version, found, texts,
        tuple(sorted((e for j in judged for e in j.episodes), key=lambda e: e.raised)),
        _raised(nights, judged[-1].episodes), advice, told, worked, judged[-1].under_way.ratio,
        part(last.foreseen[-1], "all") if last.foreseen else None, outcomes.looked_until,
        (page.write(view, where, language=tongue.language, country=tongue.country),),
    )  # fmt: skip


def _raised(nights: Nights, episodes: Sequence[Episode]) -> tuple[Episode, ...]:
    before = nights.kept[-2].as_of if len(nights.kept) > 1 else ""
    return tuple(e for e in episodes if not e.over and e.raised > before)


def _definitions(nights: Nights) -> tuple[FeatureDefinition, ...]:
    """Return the features of the release that scored the last night; none where it is gone."""
    try:
        return read_release(nights.ws, nights.config.name, nights.kept[-1].version).definitions
    except IntegrityError:
        return ()


def _releases(nights: Nights, outcomes: Outcomes) -> tuple[Release, ...]:
    """Part the nights by the release that scored them, in the order of their last nights."""
    parts: dict[str, list[Digest]] = {}
    for night in nights.kept:
        parts.setdefault(night.release, []).append(night)
    found = []
    for release, mine in sorted(parts.items(), key=lambda p: p[1][-1].as_of):
        reference = nights.reference(release, mine[-1].version)
        found.append(
            Release(
                release, tuple(mine), reference, outcomes.complete(mine, reference),
                outcomes.wait_days(reference), outcomes.under_way(mine, reference),
            )
        )  # fmt: skip
    return tuple(found)


def _backtest(ws: Workspace, config: PipelineConfig) -> tuple[Recommendation | None, pa.Table | None]:
    """Return what the latest backtest says of ageing, if there was one."""
    folders = (ws.training(config.name) / "backtest").glob("[0-9a-f]*/summary.json")
    latest = max(folders, key=lambda p: (p.stat().st_mtime_ns, p.parent.name), default=None)
    if latest is None:
        return None, None
    record = json.loads(latest.read_text(encoding="utf-8"))["recommendation"]
    return Recommendation(**record), pq.read_table(latest.with_name("decay.parquet"))


def _holes(nights: Nights, outcomes: Outcomes) -> Finding:
    """Return whether anything keeps monitoring from seeing: damaged files, no new nights, silent outcomes."""
    n, days = len(nights.kept), [d.day for d in nights.kept]
    damaged = nights.history.damaged()
    if damaged:
        return Finding(
            codes.HOLES, "warning", damaged[0].name, nights=n, measured=float(len(damaged)), reason="damaged"
        )
    if outcomes.looked_until is not None and outcomes.looked_until < nights.day:
        return Finding(
            codes.HOLES, "warning", nights=n, since=outcomes.looked_until.isoformat(), reason="silent"
        )
    usual = float(median((b - a).days for a, b in pairwise(days))) if n > 1 else 1.0
    waited = float((nights.day - days[-1]).days)
    if waited > max(2.0, PATIENCE * usual):
        return Finding(codes.HOLES, "warning", nights=n, measured=waited, beside=usual, reason="late")
    return Finding(codes.HOLES, "passed", nights=n)
