"""Charts of a backtest: every model over time, and how models age."""

from collections.abc import Mapping, Sequence
from typing import Any

from hva_ml.reports import figures
from hva_ml.reports.charts import WIDE, Chart
from hva_ml.reports.language import Tongue
from hva_ml.reports.palette import BLUE, INK, MUTED, RULE, VERMILLION

Rows = Sequence[Mapping[str, Any]]

_NUMBER = "format(datum.value, ',.3~f')"


def over_time(rows: Rows, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return a small panel for each metric: every model at every cutoff, ours with its interval.

    Parameters
    ----------
    rows : sequence of mapping
        ``metric`` (its label), ``model``, ``cutoff`` (datetime.date), ``value``, ``low``, ``high`` and
        ``target`` (the right value, or None); value and interval may be None.
    tongue : Tongue
        Language and country.
    width : int
        Outer width in pixels.
    """
    models = list(dict.fromkeys(str(r["model"]) for r in rows))
    names = {m: tongue.model(m) for m in models}
    colours, dashes, widths = figures.line_styles(models)
    shown: list[dict[str, Any]] = [
        {**r, "cutoff": r["cutoff"].isoformat(), "name": names[str(r["model"])],
         "ours": r["model"] == figures.MODEL}
        for r in rows if r["value"] is not None
    ]  # fmt: skip
    last = max((r["cutoff"] for r in shown), default="")
    told = "; ".join(
        f"{r['metric']}, {r['name']}: {tongue.number(r['value'], 3)}" for r in shown if r["cutoff"] == last
    )
    named = {"field": "name", "type": "nominal"}
    order = [names[m] for m in models]
    narrow = figures.is_narrow(width)
    y = {"type": "quantitative", "axis": {"title": None, "tickCount": 4, "labelExpr": _NUMBER},
         "scale": {"zero": False}}  # fmt: skip
    layers: list[dict[str, Any]] = [
        {"transform": [{"filter": "isValid(datum.target) && datum.ours"}],
         "mark": {"type": "line", "color": RULE.light, "strokeDash": [4, 4], "strokeWidth": 1},
         "encoding": {"y": {**y, "field": "target"}}},
        {"transform": [{"filter": "isValid(datum.low) && datum.ours"}],
         "mark": {"type": "errorband", "color": BLUE.light, "opacity": 0.18},
         "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}}},
        {"mark": {"type": "line"},
         "encoding": {
             "y": {**y, "field": "value"},
             "color": {**named, "scale": {"domain": order, "range": colours},
                       "legend": {"columns": 1 if narrow else 3, "symbolType": "stroke"}},
             "strokeDash": {**named, "scale": {"domain": order, "range": dashes}},
             "strokeWidth": {**named, "scale": {"domain": order, "range": widths}, "legend": None}}},
        {"transform": [{"filter": "datum.ours"}],
         "mark": {"type": "point", "filled": True, "size": 28, "opacity": 1, "color": BLUE.light},
         "encoding": {"y": {**y, "field": "value"}}},
    ]  # fmt: skip
    return Chart(
        "over_time", tongue.word("over_time_title"), tongue.word("over_time_text", told=told),
        _panels(shown, layers, {"x": _time(tongue, narrow)}, width), tongue.d3,
    )  # fmt: skip


def decay(rows: Rows, tolerance: float, fewest: int, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return a small panel for each metric: how much worse a model is than a fresh one, by its age.

    Parameters
    ----------
    rows : sequence of mapping
        ``metric`` (its label), ``decides`` (whether the recommendation looks at it), ``age_days``, ``loss``,
        ``low``, ``high`` (may be None), ``pairs``.
    tolerance : float
        Drawn as a dashed line where the metric decides.
    fewest : int
        Ages with fewer pairs are drawn pale: they do not count.
    tongue : Tongue
        Language and country.
    width : int
        Outer width in pixels.
    """
    shown: list[dict[str, Any]] = [
        {**r, "few": r["age_days"] > 0 and r["pairs"] < fewest,
         "tolerance": tolerance if r["decides"] else None}
        for r in rows
    ]  # fmt: skip
    told = "; ".join(
        f"{r['metric']}, {tongue.number(r['age_days'])}: {tongue.number(r['loss'], 3)}"
        for r in shown if r["decides"] and not r["few"]
    )  # fmt: skip
    colour = {"condition": {"test": "datum.few", "value": MUTED.light}, "value": BLUE.light}
    faint = {"condition": {"test": "datum.few", "value": 0.45}, "value": 1}
    y = {"type": "quantitative", "axis": {"title": None, "tickCount": 4, "labelExpr": _NUMBER}}
    x = {"field": "age_days", "type": "quantitative",
         "axis": {"title": tongue.word("age_days"), "tickCount": 5, "grid": False}}  # fmt: skip
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "rule", "color": RULE.light}, "encoding": {"y": {"datum": 0}, "x": None}},
        {"transform": [{"filter": "isValid(datum.tolerance)"}],
         "mark": {"type": "line", "color": VERMILLION.light, "strokeDash": [4, 4], "strokeWidth": 1.5},
         "encoding": {"y": {**y, "field": "tolerance"}}},
        {"transform": [{"filter": "isValid(datum.low)"}],
         "mark": {"type": "rule", "strokeWidth": 2},
         "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour,
                      "opacity": faint}},
        {"mark": {"type": "point", "filled": True, "size": 55},
         "encoding": {"y": {**y, "field": "loss"}, "color": colour, "opacity": faint}},
    ]  # fmt: skip
    return Chart(
        "decay", tongue.word("decay_title"), tongue.word("decay_text", told=told),
        _panels(shown, layers, {"x": x}, width), tongue.d3,
    )  # fmt: skip


def _time(tongue: Tongue, narrow: bool) -> dict[str, Any]:
    months = "'%m/%y'" if tongue.language == "de" else "'%b %y'"
    axis = {"title": None, "tickCount": 3 if narrow else 4, "grid": False, "labelColor": INK.light,
            "labelExpr": f"utcFormat(datum.value, {months})"}  # fmt: skip
    return {"field": "cutoff", "type": "temporal", "scale": {"type": "utc"}, "axis": axis}


def _panels(
    rows: list[dict[str, Any]], layers: list[dict[str, Any]], shared: dict[str, Any], width: int
) -> dict[str, Any]:
    narrow = figures.is_narrow(width)
    return {
        "data": {"values": rows},
        "facet": {
            "field": "metric",
            "type": "nominal",
            "sort": list(dict.fromkeys(r["metric"] for r in rows)),
        },
        "columns": 1 if narrow else 2,
        "spacing": {"row": 26, "column": 26},
        "resolve": {"scale": {"y": "independent"}},
        "spec": {
            "width": width - 70 if narrow else (width - 130) / 2,
            "height": 150,
            "encoding": shared,
            "layer": layers,
        },
    }
