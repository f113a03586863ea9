"""The page of a run as a whole: what moves the scores overall, by tier and segment, and how firmly."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from hva_ml.explanation.overview import Group
from hva_ml.explanation.stability import Stability
from hva_ml.reports import model_charts, overview_charts, pages
from hva_ml.reports.language import Language, Tongue
from hva_ml.reports.pages import Figure, figure

TOPICS = 12
SEGMENTS = 15
PER_SEGMENT = 3
CLEAR = 0.5
LONGEST = 120


@dataclass(frozen=True)
class OverviewView:
    """Everything the page shows.

    Attributes
    ----------
    title : str
        Of the pipeline.
    as_of : datetime.date
        Only what was known before this day counts.
    currency : str
        ISO 4217 code.
    run_id, version : str
        The run, and the release that scored it.
    n_accounts : int
        Accounts of the run.
    tiers : tuple of (Group, str)
        Each tier with its sentence.
    importance : pyarrow.Table
        Heaviest topic first: label, family, factor, mean_abs_log_factor, told_for, told_against,
        rank_correlation (null where the topic's heaviest feature is no number).
    by : str
        What the segments are called, empty without.
    segments : pyarrow.Table or None
        The columns of `importance` but the last; segment_label, n_accounts, expected_value; a segment's rows
        stand together.
    dependence : pyarrow.Table
        feature, label, range, kind, n_accounts, factor_low, factor, factor_high.
    swarm : pyarrow.Table
        topic, label, log_factor, level.
    stability : str
        Agreement with another release, or why it cannot be told.
    simulated : bool
        Whether the data are made up.
    lifetime : str
        What all customers probably bring over longer horizons, in a sentence; empty where nothing is told.
    """

    title: str
    as_of: date
    currency: str
    run_id: str
    version: str
    n_accounts: int
    tiers: tuple[tuple[Group, str], ...]
    importance: pa.Table
    by: str
    segments: pa.Table | None
    dependence: pa.Table
    swarm: pa.Table
    stability: str
    simulated: bool = False
    lifetime: str = ""


@dataclass(frozen=True)
class Segment:
    """One line of the table of segments; `topics` hold label and mean factor."""

    label: str
    n_accounts: int
    expected_value: float
    topics: tuple[tuple[str, float], ...]


def tier_sentence(group: Group, labels: Mapping[str, str], currency: str, tongue: Tongue) -> str:
    """Return one sentence on a tier, for someone who leads sales.

    Parameters
    ----------
    group : Group
        The tier.
    labels : mapping of str to str
        What topics are called.
    currency : str
        ISO 4217 code.
    tongue : Tongue
        Language and country.
    """
    if group.probability is None or group.value_if_converted is None:
        return tongue.word("tier_none", tier=group.name)
    alone = group.n_accounts == 1
    head = tongue.word(
        "tier_one" if alone else "tier_many",
        tier=group.name,
        n=tongue.number(group.n_accounts),
        share=tongue.percent(group.share, 0),
        money=tongue.money_short(group.expected_value, currency),
        probability=tongue.percent(group.probability, 0 if group.probability >= 0.095 else 1),
        value=tongue.money_short(group.value_if_converted, currency),
    )
    if not group.apart:
        return tongue.word("tier_alike", head=head)
    topics = [
        tongue.word(
            "instead_of",
            label=labels[a.topic],
            here=tongue.factor(math.exp(a.here)),
            others=tongue.factor(math.exp(a.others)),
        )
        for a in group.apart
    ]
    return tongue.word("tier_apart", head=head, topics=", ".join(topics))


def stability_sentence(
    found: Stability | None, why_not: str, version: str, borrowed: int, day: date | None, tongue: Tongue
) -> str:
    """Return how alike the reasons of two releases are, or why that cannot be told.

    Parameters
    ----------
    found : Stability or None
        What was measured.
    why_not : str
        Key of the word that says why nothing was.
    version : str
        The other release.
    borrowed, day : int, datetime.date or None
        Features taken from another day's run, and that day.
    tongue : Tongue
        Language and country.
    """
    if found is None:
        return tongue.word(why_not, version=version)
    ranked = found.importance
    text = tongue.word(
        "stability_measured",
        accounts=tongue.number(found.n_accounts),
        version=version,
        importance=tongue.word("not_ranked") if ranked is None else tongue.number(ranked, 2),
        overlap=tongue.percent(found.overlap, 0),
        cosine=tongue.number(found.cosine, 2),
    )
    if not borrowed or day is None:
        return text
    return tongue.word("stability_borrowed", text=text, n=tongue.number(borrowed), day=tongue.day(day))


def html(view: OverviewView, *, language: Language = "en", country: str = "DE") -> str:
    """Return the page in a language; `country` says how German numbers are written."""
    tongue = Tongue(language, country)
    rows, dots = _rows(view.importance.slice(0, TOPICS)), _rows(view.swarm)
    return pages.render(
        "overview.html",
        tongue,
        view=view,
        total=math.fsum(g.expected_value for g, _ in view.tiers),
        topics=rows,
        direction=lambda row: _direction(row["rank_correlation"], tongue),
        importance=figure(lambda width: model_charts.importance(rows, tongue, width)),
        swarm=figure(lambda width: overview_charts.swarm(dots, tongue, width)),
        swarmed=len(dots) // max(1, len({r["topic"] for r in dots})),
        dependence=_dependence(_rows(view.dependence), tongue),
        segments=_segments(view.segments),
        shown=SEGMENTS,
    )


def write(view: OverviewView, path: Path, *, language: Language = "en", country: str = "DE") -> Path:
    """Write the page in one step, and return its path."""
    return pages.write(path, html(view, language=language, country=country))


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    """Return rows whose words can stand in pictures."""
    return [
        {**row, **{k: pages.plain(row[k], LONGEST) for k in ("label", "range") if k in row}}
        for row in table.to_pylist()
    ]


def _direction(correlation: float | None, tongue: Tongue) -> str:
    if correlation is None:
        return "–"
    if abs(correlation) < CLEAR:
        return tongue.word("mixed")
    return tongue.word("raise") if correlation > 0 else tongue.word("lower")


def _dependence(rows: Sequence[Mapping[str, Any]], tongue: Tongue) -> list[Figure]:
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        parts.setdefault(row["feature"], []).append(row)
    return [
        figure(lambda width, part=part: overview_charts.dependence(part, tongue, width))  # type: ignore[misc]
        for part in parts.values()
    ]


def _segments(table: pa.Table | None) -> list[Segment]:
    found: dict[str | None, list[dict[str, Any]]] = {}
    for row in table.to_pylist() if table else ():
        found.setdefault(row["segment"], []).append(row)
    return [
        Segment(
            part[0]["segment_label"],
            part[0]["n_accounts"],
            part[0]["expected_value"],
            tuple((r["label"], r["factor"]) for r in part[:PER_SEGMENT]),
        )
        for part in found.values()
    ]
