"""The model card: what a released model is, what it was measured at, what it is not for. In plain English."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hva_ml.config import NO_CURRENCY
from hva_ml.evaluation.metrics import BY_NAME
from hva_ml.evaluation.table import MODEL
from hva_ml.features.definition import of_leads
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.gates import GateResult
from hva_ml.registry.nowcast_words import nowcast_sentence
from hva_ml.registry.segment_words import segment_sentence
from hva_ml.registry.value_words import lifetime_sentences, value_sentences

SHOWN = (
    "roc_auc", "pr_auc", "log_loss", "brier", "calibration_error", "calibration_slope", "lift_top_10",
    "captured_revenue_top_5", "captured_revenue_top_20", "normalized_gini", "spearman", "mae", "total_ratio",
    "value_coverage",
)  # fmt: skip
_FAMILIES = {
    "firmographic": "Firmographic",
    "engagement": "Engagement",
    "deal_history": "Deal history",
    "fit": "Fit to past winners",
    "season": "Season",
}
_MOST_FEATURES = 12
_STEPS = {
    "model": "raw score of the model",
    "calibrated": "one map for all cohorts",
    "moved": "base rate moved to where it stands",
}

_SEGMENTS = (
    "Segment",
    "Rows",
    "Converted",
    "Promised by the shared map",
    "With shifts",
    "Shift of the log-odds",
)


def card(bundle: Bundle, gates: Sequence[GateResult], *, forced: str = "", origin: str = "") -> str:
    """Return the model card in Markdown.

    Parameters
    ----------
    bundle : Bundle
        Its metadata are told: title, sides, metrics, findings, data hashes, versions; what is missing there
        is left out.
    gates : sequence of GateResult
        What decided the promotion.
    forced : str
        The reason, if a gate did not hold.
    origin : str
        Where it was trained and released before, if not here.
    """
    told = bundle.metadata
    parts = [
        _head(bundle, forced, origin),
        _about(bundle),
        _data(told),
        _features(bundle),
        _measured(told),
        _calibrated(told),
        _valued(told, bundle.currency),
        _gates(gates, forced),
        _limits(told),
        _uses(bundle),
        _identity(bundle),
    ]
    return "\n\n".join(p for p in parts if p) + "\n"


def plain(text: object) -> str:
    r"""Return text that cannot break a table, a line or the page it is shown on.

    Examples
    --------
    >>> plain("a|b <script>\n# c")
    'a\\|b &lt;script&gt; # c'
    """
    line = re.sub(r"\s+", " ", str(text)).strip()
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", line)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *([plain(c) for c in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _head(bundle: Bundle, forced: str, origin: str) -> str:
    title = plain(bundle.metadata.get("title") or bundle.pipeline)
    lines = [f"# {title}"]
    if bundle.metadata.get("simulated"):
        lines.append("**Trained on simulated data.** The companies and everything they did are invented.")
    if origin:
        lines.append(f"Brought here as files from another workspace: {plain(origin)}")
    if parent := bundle.metadata.get("parent"):
        lines.append(
            f"**Recalibrated.** The trees are those of version {plain(parent['version'])} (release "
            f"{plain(parent['release'])[:16]}); map, base rate and level of values were learned anew "
            "from later cohorts."
        )
    if forced:
        lines.append(f"**Promoted although a gate does not hold.** Reason given: {plain(forced)}")
    return "\n\n".join(lines)


def _about(bundle: Bundle) -> str:
    if of_leads(bundle.definitions):
        return _about_leads(bundle)
    wait = f", beginning {bundle.gap_days} days after the cutoff" if bundle.gap_days else ""
    return (
        "## What it says\n\n"
        f"For each account, as of a day: the probability that it converts within {bundle.horizon_days} days"
        f"{wait}, the value in {plain(bundle.currency)} it then brings within the same days, and "
        "their product, the expected value. Two gradient boosted tree models (LightGBM): a binary one, "
        "calibrated on later cutoffs, and one for the value of accounts that converted "
        f"({plain(bundle.value_distribution)}, log link), levelled on later cutoffs."
    )


def _about_leads(bundle: Bundle) -> str:
    days = bundle.horizon_days
    when = f"within {days} days of its first contact" if days else "when decided"
    worth = (
        "Values are not known: every win counts as one, and expected value is the expected number of wins."
        if bundle.currency == NO_CURRENCY
        else f"The value of a win in {plain(bundle.currency)} ({plain(bundle.value_distribution)}) times "
        "that is the expected value."
    )
    return (
        "## What it says\n\n"
        f"For each open lead: the probability that it is won {when}, by what was known at the contact. It is "
        "a mean of gradient boosted trees (LightGBM) and an additive logistic model, as leads held out "
        f"preferred, calibrated on leads that its parts had not seen. {worth}"
    )


def _data(told: Mapping[str, Any]) -> str:
    sides, released = told.get("sides") or {}, told.get("released_on") or {}
    lines = ["## Data and period"]
    if sides:
        rows = [
            (
                side, _span(s["cutoffs"]), f"{s['rows']:,}", f"{s['accounts']:,}", f"{s['converted']:,}",
                f"{s['value']:,.0f}",
            )
            for side, s in sorted(sides.items(), key=lambda item: str(item[1].get("cutoffs")))
            if s["rows"]
        ]  # fmt: skip
        lines.append(
            _table(
                (
                    "Side",
                    "Contacts" if "judged" in told else "Cutoffs",
                    "Rows",
                    "Accounts",
                    "Conversions",
                    "Value",
                ),
                rows,
            )
        )
    if "judged" in told:
        lines.append(
            f"{told['judged']} What is released is the same procedure, fitted again on all decided leads; "
            "the numbers below are those of the fits that were judged."
        )
        return "\n\n".join(lines)
    lines.append(
        "Evaluated and released are two fits of one procedure. Settings were searched on the training side, "
        "the procedure was fitted on the training and calibration sides and measured on the test side, which "
        "nothing had touched before. What is released is the same procedure, with the same settings, fitted "
        "again on all matured cohorts; the numbers below are those of the evaluated fit."
    )
    if released:
        lines.append(
            f"Released fit: trained on cutoffs {_span(released.get('train', ()))}, calibrated on "
            f"{_span(released.get('calibrate', ()))}."
        )
    return "\n\n".join(lines)


def _features(bundle: Bundle) -> str:
    families: dict[str, list[str]] = {}
    for d in bundle.definitions:
        window = f"{d.to_date} to date" if d.to_date else f"{d.window_days} days" if d.window_days else ""
        label = d.label_en + (f" ({window})" if window else "")
        families.setdefault(d.family, []).append(label)
    rows = []
    for family, labels in families.items():
        distinct = sorted(set(labels))
        more = f" and {len(distinct) - _MOST_FEATURES} more" if len(distinct) > _MOST_FEATURES else ""
        rows.append((_FAMILIES[family], len(labels), ", ".join(distinct[:_MOST_FEATURES]) + more))
    return f"## Features\n\n{_table(('Family', 'Number', 'Among them'), rows)}"


def _measured(told: Mapping[str, Any]) -> str:
    rows = told.get("metrics") or []
    if not rows:
        return ""
    models = list(dict.fromkeys(r["model"] for r in rows))
    models.sort(key=lambda m: m != MODEL)
    cells = {(r["model"], r["metric"]): r for r in rows}
    table = [
        (
            metric,
            *(_cell(cells.get((m, metric)), interval=m == MODEL) for m in models),
            BY_NAME[metric].meaning,
        )
        for metric in SHOWN
        if any((cells.get((m, metric)) or {}).get("value") is not None for m in models)
    ]
    head = ("Metric", *("this model" if m == MODEL else plain(m) for m in models), "Meaning")
    where = "leads that the models had not seen" if "judged" in told else "untouched later cutoffs"
    return (
        f"## Measured on {where}\n\n"
        f"{_table(head, table)}\n\n"
        "In brackets: 95 % bootstrap intervals, drawn by company group. "
        "Every column is measured on the same rows."
    )


def _calibrated(told: Mapping[str, Any]) -> str:
    found = told.get("calibration") or {}
    if not found:
        return ""
    steps = [
        (
            _STEPS.get(s["step"], s["step"]),
            *(_number(s[k]) for k in ("promised", "rate", "calibration_error", "log_loss", "brier")),
        )
        for s in found["steps"]
    ]
    cohorts = [
        (c["cutoff"], f"{c['rows']:,}", f"{c['converted']:,}", f"{c['rate']:.1%}", f"{c['promised']:.1%}")
        for c in found["cohorts"]
    ]
    calibrated = (
        "\n\nCohorts that calibrated the released fit, beside what one map for all of them promised:\n\n"
        + _table(("Cutoff", "Rows", "Conversions", "Converted", "Promised"), cohorts)
        if cohorts
        else ""
    )
    drift = (
        f"A drift was found (about {found['drift_per_quarter']:g} in log-odds per quarter); "
        f"{found['offset']:+.3f} was added to the log-odds of all accounts"
        if found["offset"]
        else "No lasting drift was found, or it is not followed; nothing was added to the log-odds"
    )
    now = nowcast_sentence(found)
    segments = segment_sentence(found)
    rows = [
        (plain(r["segment"]), f"{r['rows']:,}", f"{r['rate']:.1%}", f"{r['shared']:.1%}", f"{r['own']:.1%}",
         f"{r['shift']:+.3f}")
        for r in (found.get("segments") or {}).get("segments") or []
    ]  # fmt: skip
    if rows:
        segments += "\n\n" + _table(_SEGMENTS, rows)
    return (
        "## Probabilities before and after calibration\n\n"
        f"Form of the map: {plain(found['kind'])}. On the {_where(told)}, evaluated fit:\n\n"
        + _table(("Step", "Promised", "Converted", "Calibration error", "Log loss", "Brier"), steps)
        + calibrated
        + f"\n\n{drift}. The next cohort's log-odds are taken to lie around there with a standard deviation "
        f"of {found['level_sd']:.2f}, which the published bounds of a probability contain."
        + (f"\n\n{now}" if now else "")
        + (f"\n\n{segments}" if segments else "")
    )


def _valued(told: Mapping[str, Any], currency: str) -> str:
    found = value_sentences(told.get("value") or {}, currency)
    if not found:
        return ""
    rows = [
        (c["cutoff"], f"{c['conversions']:,}", f"{c['inside']:.1%}", f"{c['below']:.1%}", f"{c['above']:.1%}")
        for c in (told.get("value") or {}).get("coverage") or []
    ]
    of = "Contacts since" if "judged" in told else "Cutoff"
    head = (of, "Conversions", "Between the bounds", "Below", "Above")
    held = f"\n\nOn the {_where(told)}, evaluated fit:\n\n" + _table(head, rows) if rows else ""
    further = " ".join(lifetime_sentences(told.get("lifetime") or {}, currency))
    lifetime = f"\n\n## Lifetime value of customers\n\n{further}" if further else ""
    return "## How the values came about\n\n" + " ".join(found) + held + lifetime


def _where(told: Mapping[str, Any]) -> str:
    return "leads judged" if "judged" in told else "untouched cutoffs"


def _cell(row: Mapping[str, Any] | None, *, interval: bool) -> str:
    if row is None or row["value"] is None:
        return "not defined"
    text = _number(row["value"])
    if interval and row.get("low") is not None:
        text += f" ({_number(row['low'])} to {_number(row['high'])})"
    return text


def _number(value: float) -> str:
    return f"{value:,.0f}" if math.fabs(value) >= 1000 else f"{value:.3f}"


def _gates(gates: Sequence[GateResult], forced: str) -> str:
    rows = [
        (g.what, "not defined" if g.measured is None else _number(g.measured), g.bound,
         "holds" if g.passed else "does not hold")
        for g in gates
    ]  # fmt: skip
    told = f"\n\nForced, because: {plain(forced)}" if forced else ""
    table = _table(("Measured", "Is", "Asked for", "Gate"), rows)
    return f"## Gates of the promotion\n\n{table}{told}" if rows else ""


def _limits(told: Mapping[str, Any]) -> str:
    lines = [
        "## Limits",
        "- It orders and estimates; it does not say what would happen if sales acted differently. Whether a "
        "visit *causes* revenue needs a hold-out, not this model.",
        "- It has learned from past accounts. New markets, new products, price changes or a changed sales "
        "process are outside what it knows.",
        "- Values are expectations: single accounts deviate widely, totals less so.",
    ]
    total = next(
        (
            r["value"]
            for r in told.get("metrics") or []
            if (r["model"], r["metric"]) == (MODEL, "total_ratio")
        ),
        None,
    )
    if total is not None:
        lines.append(
            f"- On the {_where(told)} it promised {_number(total)} times the value that came; "
            "1 would be right."
        )
    findings = [f for f in told.get("findings") or [] if f["severity"] != "info"]
    for f in findings[:_MOST_FEATURES]:
        lines.append(f"- Data check {plain(f['code'])} at {plain(f['where'])}: {plain(f['what'])}")
    return lines[0] + "\n\n" + "\n".join(lines[1:])


def _uses(bundle: Bundle) -> str:
    return (
        "## Intended and refused uses\n\n"
        "Intended: deciding which companies a B2B sales team works first, planning its capacity, and telling "
        f"it why, in the pipeline *{plain(bundle.pipeline)}* and on data made the same way.\n\n"
        "Refused: judging natural persons, employees or applicants; credit, insurance or pricing decisions; "
        "any automatic decision with legal or similarly significant effect on a person; accounts of another "
        "universe than the one it was trained on."
    )


def _identity(bundle: Bundle) -> str:
    told = bundle.metadata
    rows: list[tuple[str, object]] = [("Release (sha256 of all model files)", bundle.release)]
    rows += [(f"Data: {name}", digest) for name, digest in sorted((told.get("data") or {}).items())]
    if told.get("features"):
        rows.append(("Features", told["features"]))
    rows += [(f"Version: {name}", v) for name, v in sorted((told.get("versions") or {}).items())]
    return f"## Identity\n\n{_table(('What', 'Is'), rows)}"


def _span(days: Sequence[str]) -> str:
    if not days:
        return "none"
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days)})"
