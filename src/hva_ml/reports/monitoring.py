"""The page about all nights, and every finding of monitoring in words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from hva_ml.monitoring import findings as codes
from hva_ml.monitoring.advice import Advice
from hva_ml.monitoring.digest import PREFIX
from hva_ml.monitoring.drift import VOLUME
from hva_ml.monitoring.feedback import Feedback
from hva_ml.monitoring.findings import Finding
from hva_ml.monitoring.outcomes import Kept
from hva_ml.reports import heatmap, monitoring_charts, pages
from hva_ml.reports.heatmap import HeatMap
from hva_ml.reports.language import Language, Tongue
from hva_ml.reports.pages import Figure, figure

BADGES = {"alarm": "error", "warning": "warning", "passed": "yes", "not applicable": ""}
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class FindingView:
    """One line of the table of findings."""

    code: str
    outcome: str
    text: str
    since: date | None


@dataclass(frozen=True)
class EpisodeView:
    """One alarm there was: when it was raised, the first night of it, and when it was over."""

    code: str
    text: str
    raised: date
    since: date
    over: date | None


@dataclass(frozen=True)
class Mover:
    """How far one feature or score has moved: value, low and high of each distance, None for none."""

    label: str
    psi: Triple
    allowed: float
    jensen_shannon: Triple
    wasserstein: Triple | None


@dataclass(frozen=True, eq=False)
class MonitoringView:
    """Everything the page shows.

    Attributes
    ----------
    title, currency, version : str
        Title of the pipeline, ISO 4217 code, release that is judged.
    as_of, first : datetime.date
        The last day, and the first night.
    nights, alarms : int
        Number of nights, and of open alarms.
    findings : tuple of FindingView
    episodes : tuple of EpisodeView
        The latest first.
    advice : str
        Whether to train again, in words.
    estimated, realised, promised : Triple or None
        ROC AUC of the last night, and of the last complete one, each with its interval; what was promised.
    complete : datetime.date or None
        The last complete night.
    performance, kept, under_way : tuple of mapping
        Rows of the charts, see `hva_ml.reports.monitoring_charts`.
    tiers : tuple of Kept
        What came of the last complete night.
    evidence, threshold : float
        How much speaks against the promises under way.
    heat, rest, segments : HeatMap or None
        The rows that are nearest to their bounds, all others, and segments.
    weekly : bool
        Whether a column is a week.
    movers : tuple of Mover
    feedback : Feedback or None
    rate : float
        Allowed false alarms a year.
    simulated : bool
        Whether the data are made up.
    """

    title: str
    currency: str
    version: str
    as_of: date
    first: date
    nights: int
    alarms: int
    findings: tuple[FindingView, ...]
    episodes: tuple[EpisodeView, ...]
    advice: str
    estimated: Triple | None
    realised: Triple | None
    promised: float | None
    complete: date | None
    performance: tuple[Mapping[str, Any], ...]
    kept: tuple[Mapping[str, Any], ...]
    under_way: tuple[Mapping[str, Any], ...]
    tiers: tuple[Kept, ...]
    evidence: float
    threshold: float
    heat: HeatMap | None
    rest: HeatMap | None
    segments: HeatMap | None
    weekly: bool
    movers: tuple[Mover, ...]
    feedback: Feedback | None
    rate: float
    simulated: bool = False

    @property
    def tiers_of(self) -> date:
        """The night whose tiers are shown."""
        return self.complete or self.as_of


def html(view: MonitoringView, *, language: Language = "en", country: str = "DE") -> str:
    """Return the page in a language; `country` says how German numbers are written."""
    tongue = Tongue(language, country)

    def drawn(rows: Sequence[Mapping[str, Any]], chart: Callable[..., Any]) -> Figure | None:
        return figure(lambda width: chart(rows, tongue, width)) if rows else None

    return pages.render(
        "monitoring.html",
        tongue,
        view=view,
        badges=BADGES,
        tiles=_tiles(view, tongue),
        performance=drawn(view.performance, monitoring_charts.performance),
        kept=drawn(view.kept, monitoring_charts.kept),
        under_way=drawn(view.under_way, monitoring_charts.under_way),
        heat=heatmap.draw(view.heat) if view.heat else None,
        rest=heatmap.draw(view.rest) if view.rest else None,
        rest_rows=len(view.rest.rows) if view.rest else 0,
        segments=heatmap.draw(view.segments) if view.segments else None,
    )


def write(view: MonitoringView, path: Path, *, language: Language = "en", country: str = "DE") -> Path:
    """Write the page in one step, and return its path."""
    return pages.write(path, html(view, language=language, country=country))


def _tiles(view: MonitoringView, tongue: Tongue) -> list[tuple[str, str, str]]:
    word = tongue.word

    def told(triple: Triple | None, digits: int) -> tuple[str, str]:
        if triple is None:
            return word("not_told"), ""
        value, low, high = (tongue.number(x, digits) for x in triple)
        return value, word("interval_is", low=low, high=high)

    promise = "" if view.promised is None else word("promise_was", value=tongue.number(view.promised, 3))
    when = word("night_of", day=tongue.day(view.complete)) if view.complete else ""
    estimated, estimated_note = told(view.estimated, 3)
    realised, realised_note = told(view.realised, 3)
    whole = next((k for k in view.tiers if k.name == "all" and k.promised > 0), None)
    ratio = None
    if whole is not None and whole.low is not None and whole.high is not None:
        ratio = (whole.seen / whole.promised, whole.low, whole.high)
    came, came_note = told(ratio, 2)
    return [
        (word("alarms_open"), tongue.number(view.alarms), ""),
        (word("auc_estimated"), estimated, " · ".join(x for x in (estimated_note, promise) if x)),
        (word("auc_realised"), realised, " · ".join(x for x in (realised_note, when) if x)),
        (word("conversions_kept"), came, " · ".join(x for x in (came_note, when) if x)),
    ]


def named(name: str, labels: Mapping[str, str], tongue: Tongue) -> str:
    """Return what a feature, a score or a source is called.

    Parameters
    ----------
    name : str
        Feature, ``scores.<column>`` or ``volume.<source>``.
    labels : mapping of str to str
        Features by name; one without a label is called by its name.
    tongue : Tongue
        Language and country.
    """
    if name.startswith(VOLUME):
        return tongue.word("source_named", name=name.removeprefix(VOLUME))
    if name.startswith(PREFIX):
        return tongue.word(f"score_{name.removeprefix(PREFIX)}")
    return labels.get(name, name)


def about(code: str, where: str, labels: Mapping[str, str], tongue: Tongue) -> str:
    """Return what an alarm speaks of, in a few words."""
    if code in (codes.ESTIMATED, codes.RANKING):
        return tongue.word(f"metric_{where}")
    if code == codes.UNDER_WAY:
        return tongue.word(f"conversions_{where}")
    if code == codes.TOTALS:
        return tongue.word(f"sum_{where.replace('.', '_')}")
    return named(where, labels, tongue)


def sentence(found: Finding, labels: Mapping[str, str], tongue: Tongue) -> str:
    """Return a finding in one or a few sentences.

    Parameters
    ----------
    found : Finding
        What was found.
    labels : mapping of str to str
        What features are called.
    tongue : Tongue
        Language and country.
    """
    word = tongue.word
    if found.outcome == "not applicable":
        return word(f"why_{found.reason}", age=_written(found.measured, 0, tongue))
    parts = _parts(found, labels, tongue)
    kind = "alarm" if found.outcome == "alarm" else "passed"
    if found.code in (codes.FEEDBACK, codes.HOLES):
        kind = found.reason or "passed"
    elif found.code == codes.AGE:
        kind = found.outcome
    text = word(f"{found.code}_{kind}", **parts)
    return text[:1].upper() + text[1:]


def _parts(found: Finding, labels: Mapping[str, str], tongue: Tongue) -> dict[str, str]:
    """Return the numbers of a finding as its wording names them."""
    word, code = tongue.word, found.code
    now, low, high = (_written(x, 3, tongue) for x in (found.measured, found.low, found.high))
    if code in (codes.VOLUME, codes.FEATURE, codes.SCORE):
        segment = word("in_segment", segment=pages.plain(found.segment)) if found.segment else ""
        return {
            "what": named(found.where, labels, tongue), "segment": segment, "psi": now,
            "ratio": _written(found.measured, 2, tongue), "bound": _written(found.bound, 2, tongue),
        }  # fmt: skip
    if code in (codes.ESTIMATED, codes.RANKING):
        return {
            "what": word(f"metric_{found.where}"), "now": now, "low": low, "high": high,
            "before": _written(found.beside, 3, tongue),
        }  # fmt: skip
    if code == codes.UNDER_WAY:
        return {
            "seen": _written(found.measured, 0, tongue), "due": _written(found.beside, 0, tongue),
            "part": word(f"part_{found.segment}") if found.segment else "",
            "days": tongue.number(found.nights),
            "direction": word(f"conversions_{found.where}") if found.where else "",
        }  # fmt: skip
    if code == codes.TOTALS:
        now, low, high = (_written(x, 2, tongue) for x in (found.measured, found.low, found.high))
        return {"what": word(f"sum_{found.where.replace('.', '_')}"), "now": now, "low": low, "high": high}
    if code == codes.FEEDBACK:
        share = found.beside if found.where == "effect" else found.measured
        return {
            "effect": _written(found.measured, 1, tongue), "low": _written(found.low, 1, tongue),
            "high": _written(found.high, 1, tongue), "share": tongue.percent(share or 0.0, 0),
        }  # fmt: skip
    if code == codes.AGE:
        return {"age": _written(found.measured, 0, tongue), "bound": _written(found.bound, 0, tongue)}
    day = tongue.day(date.fromisoformat(found.since)) if found.since else ""
    return {
        "n": _written(found.measured, 0, tongue), "what": found.where,
        "usual": _written(found.beside, 0, tongue), "day": day,
    }  # fmt: skip


def advice_sentences(advice: Advice, tongue: Tongue) -> str:
    """Return whether to train again, why, and from when on that can help."""
    word = tongue.word
    why = "; ".join(word(f"reason_{c}") for c in advice.reasons)
    key = {"retrain": "retrain", "mend first": "mend", "keep": "keep", "not applicable": "unknown"}
    parts = [word(f"advice_{key[advice.outcome]}", why=why)]
    if advice.age_days is not None:
        parts.append(word("advice_age", age=tongue.number(advice.age_days)))
    if advice.limit_days is not None:
        source = word(f"limit_{advice.limit_from}")
        parts.append(word("advice_limit", limit=tongue.number(advice.limit_days), source=source))
    told = [
        word("worse_by" if e.loss >= 0 else "better_by", metric=word(f"metric_{e.metric}"),
             loss=tongue.number(abs(e.loss), 3))
        for e in advice.expected if e.metric in ("roc_auc", "captured_revenue_top_20", "brier")
    ]  # fmt: skip
    if told:
        parts.append(word("advice_expected", told="; ".join(told)))
    if advice.learnable_from:
        parts.append(word("advice_learnable", day=tongue.day(date.fromisoformat(advice.learnable_from))))
    return " ".join(parts)


def _written(value: float | None, digits: int, tongue: Tongue) -> str:
    return "–" if value is None else tongue.number(value, digits)
