"""Charts of monitoring: performance over nights, what came of promises, and conversions under way."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from hva_ml.reports import figures
from hva_ml.reports.charts import WIDE, Chart
from hva_ml.reports.language import Tongue
from hva_ml.reports.palette import BAND, BLUE, INK, RULE, VERMILLION

Rows = Sequence[Mapping[str, Any]]
MONTHS_FROM = 120
_NUMBER = "format(datum.value, ',.3~f')"


def performance(rows: Rows, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return a panel for each metric: estimated and realised over the nights, with what was promised.

    Parameters
    ----------
    rows : sequence of mapping
        ``panel`` (the metric's label), ``name`` (estimated or realised, in words), ``realised`` (bool),
        ``day`` (ISO), ``value``, ``low``, ``high`` and ``promise`` (may be None).
    tongue : Tongue
        Language and country.
    width : int
        Outer width in pixels.
    """
    last: dict[tuple[str, str], float] = {(r["panel"], r["name"]): r["value"] for r in rows}
    told = "; ".join(f"{panel}, {name}: {tongue.number(v, 3)}" for (panel, name), v in last.items())
    layers: list[dict[str, Any]] = [
        {"transform": [{"filter": "isValid(datum.promise)"}],
         "mark": {"type": "line", "color": RULE.light, "strokeDash": [4, 4], "strokeWidth": 1.5},
         "encoding": {"y": {**_y(), "field": "promise"}}},
        *_lines("name", [tongue.word("estimated"), tongue.word("realised")]),
    ]  # fmt: skip
    return Chart(
        "performance", tongue.word("performance_title"), tongue.word("performance_text", told=told),
        _panels(rows, layers, tongue, width), tongue.d3,
    )  # fmt: skip


def kept(rows: Rows, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return what came over what was promised, by night: conversions and revenue.

    Parameters
    ----------
    rows : sequence of mapping
        ``panel``, ``name`` (both what is counted), ``day`` (ISO), ``value``, ``low``, ``high``.
    tongue : Tongue
        Language and country.
    width : int
        Outer width in pixels.
    """
    last: dict[str, float] = {r["panel"]: r["value"] for r in rows}
    told = "; ".join(f"{panel}: {tongue.number(v, 2)}" for panel, v in last.items())
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "rule", "color": RULE.light, "strokeDash": [4, 4]},
         "encoding": {"y": {"datum": 1, "type": "quantitative"}, "x": None}},
        *_lines("", []),
    ]  # fmt: skip
    return Chart(
        "kept", tongue.word("kept_title"), tongue.word("performance_text", told=told),
        _panels(rows, layers, tongue, width), tongue.d3,
    )  # fmt: skip


def under_way(rows: Rows, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return conversions of each week as bars, those that were due as a line.

    Parameters
    ----------
    rows : sequence of mapping
        ``day`` (ISO, the week's first), ``seen``, ``due``.
    tongue : Tongue
        Language and country.
    width : int
        Outer width in pixels.
    """
    told = ""
    if rows:
        seen, due = tongue.number(rows[-1]["seen"]), tongue.number(rows[-1]["due"], 1)
        told = f"{tongue.word('come')} {seen}, {tongue.word('due')} {due}"
    narrow = figures.is_narrow(width)
    names = [tongue.word("come"), tongue.word("due")]
    colour = {"scale": {"domain": names, "range": [BAND.light, BLUE.light]},
              "legend": {"symbolType": "square", "columns": 2}}  # fmt: skip
    y = {"type": "quantitative", "axis": {"title": None, "tickCount": 4}, "stack": None}
    spec = {
        **figures.frame(width),
        "height": 180,
        "data": {"values": list(rows)},
        "encoding": {"x": _x(rows, tongue, narrow)},
        "layer": [
            {"mark": {"type": "bar", "width": max(3, int((width - 60) / max(1, len(rows)) * 0.7))},
             "encoding": {"y": {**y, "field": "seen"}, "color": {"datum": names[0], **colour}}},
            {"mark": {"type": "line", "strokeWidth": 2.5, "interpolate": "linear"},
             "encoding": {"y": {**y, "field": "due"}, "color": {"datum": names[1], **colour}}},
        ],
    }  # fmt: skip
    return Chart(
        "under_way", tongue.word("under_way_title"), tongue.word("under_way_text", told=told), spec, tongue.d3
    )


def _lines(field: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return a band and a line, one of each for every name."""
    if not field:
        colour: dict[str, Any] = {"value": BLUE.light}
        dash: dict[str, Any] = {}
    else:
        named = {"field": field, "type": "nominal", "sort": None}
        scale = {"domain": list(names), "range": [BLUE.light, VERMILLION.light]}
        colour = {**named, "scale": scale, "legend": {"symbolType": "stroke", "columns": 2}}
        dashes = {"domain": list(names), "range": [[1, 0], [6, 3]]}
        dash = {"strokeDash": {**named, "scale": dashes, "legend": None}}
    value = {**_y(), "field": "value"}
    return [
        {"transform": [{"filter": "isValid(datum.low)"}],
         "mark": {"type": "area", "opacity": 0.16},
         "encoding": {"y": {**_y(), "field": "low"}, "y2": {"field": "high"}, "color": colour}},
        {"mark": {"type": "line", "strokeWidth": 2.5}, "encoding": {"y": value, "color": colour, **dash}},
        {"mark": {"type": "point", "filled": True, "size": 14, "opacity": 1},
         "encoding": {"y": value, "color": colour}},
    ]  # fmt: skip


def _y() -> dict[str, Any]:
    return {
        "type": "quantitative",
        "axis": {"title": None, "tickCount": 4, "labelExpr": _NUMBER},
        "scale": {"zero": False},
    }


def _x(rows: Rows, tongue: Tongue, narrow: bool) -> dict[str, Any]:
    """Return the axis of time: months, or days where there are few."""
    days = [date.fromisoformat(r["day"]) for r in rows]
    short = bool(days) and (max(days) - min(days)).days < MONTHS_FROM
    german, english = ("'%d.%m.'", "'%d %b'") if short else ("'%m/%y'", "'%b %y'")
    months = german if tongue.language == "de" else english
    axis = {"title": None, "tickCount": 3 if narrow else 6, "grid": False, "labelColor": INK.light,
            "labelExpr": f"utcFormat(datum.value, {months})"}  # fmt: skip
    return {"field": "day", "type": "temporal", "scale": {"type": "utc"}, "axis": axis}


def _panels(rows: Rows, layers: list[dict[str, Any]], tongue: Tongue, width: int) -> dict[str, Any]:
    narrow = figures.is_narrow(width)
    return {
        "data": {"values": list(rows)},
        "facet": {"field": "panel", "type": "nominal", "sort": list(dict.fromkeys(r["panel"] for r in rows))},
        "columns": 1 if narrow else 2,
        "spacing": {"row": 26, "column": 26},
        "resolve": {"scale": {"y": "independent"}},
        "spec": {
            "width": width - 70 if narrow else (width - 130) / 2,
            "height": 150,
            "encoding": {"x": _x(rows, tongue, narrow)},
            "layer": layers,
        },
    }
