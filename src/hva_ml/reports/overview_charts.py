"""Charts about a run as a whole: the swarm of accounts behind each topic, and factors by value."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from hva_ml.reports import figures
from hva_ml.reports.charts import WIDE, Chart
from hva_ml.reports.language import Tongue
from hva_ml.reports.palette import BAND, BLUE, INK, MUTED, RULE, VERMILLION

Rows = Sequence[Mapping[str, Any]]

STEP = 46
LABEL = 18
DOT = 4.0
DEEPEST = 11
MOST_ROWS = 12
# Round factors, the roundest first: those that are too near to one before them are left out.
TICKS = (
    1.0, 2.0, 0.5, 10.0, 0.1, 5.0, 0.2, 100.0, 0.01, 3.0, 0.3, 1.5, 0.7, 1.2, 0.8, 1.1, 0.9, 1.05, 0.95,
    1.02, 0.98, 1.01, 0.99,
)  # fmt: skip
APART = 46.0
LEVELS = {"low": BLUE.light, "middle": BAND.light, "high": VERMILLION.light, "none": MUTED.light}


def swarm(rows: Rows, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return one row of dots per topic: an account's factor to the right, coloured by how high its fact is.

    Dots that would fall onto each other are stacked; where more lie than the row has space for, they cover
    each other and the evenly spread part of them is drawn.

    Parameters
    ----------
    rows : sequence of mapping
        ``topic``, ``label``, ``log_factor`` and ``level`` (in (0, 1) or None); a topic's rows stand together.
    tongue : Tongue
        Language and country.
    width : int
        Outer width in pixels.
    """
    topics: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for r in rows:
        topics[str(r["topic"])].append(r)
    narrow = figures.is_narrow(width)
    named = [figures.fitted(str(part[0]["label"]), narrow) for part in topics.values()]
    labels = figures.distinct(named)
    low, high = _domain([float(r["log_factor"]) for r in rows])
    left = 0.0 if narrow else max((figures.length(n) for n in labels), default=0.0)
    plot = width - left - 30
    words = {k: tongue.word(f"level_{k}") for k in LEVELS}
    # Labels of telephones stand above their dots.
    down = LABEL / 2 if narrow else 0.0
    dots: list[dict[str, Any]] = []
    for label, part in zip(labels, topics.values(), strict=True):
        dots += [
            {**d, "label": label, "level": words[d["level"]]} for d in _stacked(part, low, high, plot, down)
        ]
    told = "; ".join(
        f"{label}: {tongue.factor(math.exp(min(e)))} – {tongue.factor(math.exp(max(e)))}"
        for label, part in zip(labels, topics.values(), strict=True)
        if (e := [float(r["log_factor"]) for r in part])
    )
    layers = _swarm_layers(_factor_axis((low, high), plot, tongue), words, labels, narrow)
    return Chart(
        "swarm", tongue.word("swarm_title"),
        tongue.word("swarm_text", accounts=tongue.number(len(rows) // max(1, len(topics))), told=told),
        {
            **figures.frame(width),
            "height": {"step": STEP + (LABEL if narrow else 0)},
            "data": {"values": dots},
            "encoding": {"y": figures.bar_rows("label", narrow)},
            "layer": layers,
        },
        tongue.d3,
    )  # fmt: skip


def _swarm_layers(
    x: dict[str, Any], words: Mapping[str, str], labels: Sequence[str], narrow: bool
) -> list[dict[str, Any]]:
    step = STEP + (LABEL if narrow else 0)
    offset = {"field": "offset", "type": "quantitative", "scale": {"domain": [-step / 2, step / 2]}}
    colour = {
        "field": "level", "type": "nominal", "sort": None,
        "scale": {"domain": list(words.values()), "range": list(LEVELS.values())},
        "legend": {"columns": 1 if narrow else 4, "symbolType": "circle", "symbolStrokeWidth": 0},
    }  # fmt: skip
    mark = {"type": "point", "shape": "circle", "filled": True, "size": DOT * DOT, "opacity": 1}
    layers: list[dict[str, Any]] = [
        _one(),
        {"mark": mark, "encoding": {"x": x, "yOffset": offset, "color": colour}},
    ]
    if narrow:
        layers.append(_above(labels, LABEL / 2 - step / 2))
    return layers


def _stacked(part: Rows, low: float, high: float, plot: float, down: float) -> list[dict[str, Any]]:
    """Return at most a column of dots for every few pixels, evenly spread over how high the fact is."""
    columns: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    across = max(1, int(plot / DOT))
    for r in part:
        place = (float(r["log_factor"]) - low) / (high - low)
        columns[min(across - 1, max(0, int(place * across)))].append(r)
    dots = []
    for column, here in sorted(columns.items()):
        ordered = sorted(here, key=lambda r: (r["level"] is None, r["level"] or 0.0))
        if len(ordered) > DEEPEST:
            ordered = [ordered[((2 * k + 1) * len(ordered)) // (2 * DEEPEST)] for k in range(DEEPEST)]
        centre = math.exp(low + (column + 0.5) / across * (high - low))
        for k, r in enumerate(ordered):
            dots.append(
                {"factor": centre, "offset": down + (k - (len(ordered) - 1) / 2) * DOT, "level": _third(r)}
            )
    return dots


def _third(row: Mapping[str, Any]) -> str:
    level = row["level"]
    if level is None:
        return "none"
    return "low" if level < 1 / 3 else "high" if level > 2 / 3 else "middle"


def dependence(rows: Rows, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return a feature's factor by its value: dots for bins of a number, bars for categories, with a range.

    Parameters
    ----------
    rows : sequence of mapping
        Of one feature, in the order to be drawn: ``label`` (of the feature), ``range`` (in words), ``kind``,
        ``n_accounts``, ``factor_low``, ``factor`` and ``factor_high``. Of categories the twelve first.
    tongue : Tongue
        Language and country.
    width : int
        Outer width in pixels.
    """
    shown = list(rows[:MOST_ROWS])
    narrow = figures.is_narrow(width)
    labels = figures.distinct([figures.fitted(str(r["range"]), narrow) for r in shown])
    data: list[dict[str, Any]] = [
        {
            "label": label, "low": float(r["factor_low"]), "factor": float(r["factor"]),
            "high": float(r["factor_high"]), "kind": str(r["kind"]),
            "text": f"{tongue.factor(float(r['factor']))} · {tongue.number(int(r['n_accounts']))}",
        }
        for label, r in zip(labels, shown, strict=True)
    ]  # fmt: skip
    told = "; ".join(
        tongue.word("depends_told", range=r["range"], factor=tongue.factor(float(r["factor"]))) for r in shown
    )
    # The text stands in a column of its own, right of the longest range.
    low, high = _domain([math.log(d[k]) for d in data for k in ("low", "high")])
    text = figures.CHARACTER * max((len(d["text"]) for d in data), default=0) + 14
    left = 0.0 if narrow else max((figures.length(n) for n in labels), default=0.0)
    plot = max(80.0, width - left - 30)
    end = low + (high - low) / max(0.3, 1.0 - text / plot)
    x = _factor_axis((low, end), plot, tongue, until=high)
    bars = any(d["kind"] == "category" for d in data)
    title = str(shown[0]["label"]) if shown else ""
    return Chart(
        "dependence", title, told,
        {
            **figures.frame(width),
            "height": {"step": 40 if narrow else 26},
            "data": {"values": data},
            "encoding": {"y": figures.bar_rows("label", narrow)},
            "layer": _dependence_layers(x, math.exp(high), labels, narrow, bars=bars),
        },
        tongue.d3,
    )  # fmt: skip


def _dependence_layers(
    x: dict[str, Any], right: float, labels: Sequence[str], narrow: bool, *, bars: bool
) -> list[dict[str, Any]]:
    down = 9 if narrow else 0
    layers: list[dict[str, Any]] = [_one()]
    if bars:
        layers.append({"mark": {"type": "bar", "height": 12, "color": BAND.light, "yOffset": down},
                       "encoding": {"x": x, "x2": {"datum": 1}}})  # fmt: skip
    layers += [
        {"mark": {"type": "rule", "color": BLUE.light, "strokeWidth": 2, "yOffset": down},
         "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}}},
        {"mark": {"type": "point", "filled": True, "size": 60, "opacity": 1, "color": BLUE.light,
                  "yOffset": down}, "encoding": {"x": x}},
        {"mark": {"type": "text", "align": "left", "baseline": "middle", "dx": 8, "color": INK.light,
                  "yOffset": down},
         "encoding": {"x": {"datum": right, "type": "quantitative"}, "text": {"field": "text"}}},
    ]  # fmt: skip
    if narrow:
        layers.append(_above(labels, -9))
    return layers


def _one() -> dict[str, Any]:
    """Return the line at ×1, where nothing is moved."""
    mark = {"type": "rule", "color": RULE.light, "strokeWidth": 1}
    return {"mark": mark, "encoding": {"x": {"datum": 1, "type": "quantitative"}, "y": None}}


def _above(labels: Sequence[str], up: float) -> dict[str, Any]:
    """Return labels above their rows, for telephones."""
    mark = {"type": "text", "align": "left", "baseline": "middle", "dx": 2, "yOffset": up, "color": INK.light}
    return {
        "data": {"values": [{"label": label} for label in labels]},
        "mark": mark,
        "encoding": {"x": {"value": 0}, "text": {"field": "label"}},
    }


def _domain(logs: Sequence[float]) -> tuple[float, float]:
    """Return an axis in logarithms that holds all values and 1, never narrower than 1 %."""
    low, high = min([0.0, *logs]), max([0.0, *logs])
    pad = max(0.01, 0.04 * (high - low))
    return low - pad, high + pad


def _factor_axis(logs: tuple[float, float], plot: float, tongue: Tongue, until: float | None = None) -> Any:
    """Return the encoding of factors on a logarithmic axis of `plot` pixels, marked up to `until`."""
    low, high = logs
    marked: list[float] = []
    for tick in TICKS:
        at = math.log(tick)
        far = all(abs(at - math.log(m)) * plot >= APART * (high - low) for m in marked)
        if far and low <= at <= (high if until is None else until):
            marked.append(tick)
    return {
        "field": "factor",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [math.exp(low), math.exp(high)], "nice": False},
        "axis": {
            "title": tongue.word("factor_axis"),
            "values": sorted(marked),
            "labelExpr": "'×' + format(datum.value, ',.3~f')",
        },
    }
