"""Charts about a model: does it order, is it calibrated, are its totals right, what does it look at."""

from collections.abc import Mapping, Sequence
from math import exp
from typing import Any

from hva_ml.reports import figures
from hva_ml.reports.charts import WIDE, Chart
from hva_ml.reports.language import Tongue
from hva_ml.reports.palette import BAND, BLUE, GREEN, INK, MUTED, OCHRE, PURPLE, RULE, VERMILLION

Rows = Sequence[Mapping[str, Any]]

FAMILY_COLOURS = {
    "engagement": BLUE.light,
    "deal_history": VERMILLION.light,
    "firmographic": GREEN.light,
    "fit": PURPLE.light,
    "season": OCHRE.light,
}


def captured_revenue(rows: Rows, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return the cumulative captured revenue of models and of perfect foresight.

    Parameters
    ----------
    rows : sequence of mapping
        ``model``, ``share`` (of accounts worked, best first) and ``captured`` (share of revenue), in [0, 1].
        The models ``hva_ml`` and ``perfect`` are drawn as what they are.
    tongue : Tongue
        Language and country.
    width : int
        Outer width in pixels.
    """
    models = list(dict.fromkeys(str(r["model"]) for r in rows))
    names = {m: tongue.model(m) for m in models}
    colours, dashes, widths = figures.line_styles(models)
    shown: list[dict[str, Any]] = [{**r, "name": names[str(r["model"])]} for r in rows]
    order = [names[m] for m in models]
    fifth = [r for r in rows if abs(float(r["share"]) - 0.2) < 0.005]
    told = "; ".join(f"{names[str(r['model'])]}: {tongue.percent(r['captured'], 0)}" for r in fifth)
    order = [names[m] for m in models]
    # Credit notes among the worst accounts can lift a curve above the final total.
    top = max([1.0, *(float(r["captured"]) for r in rows)])
    x_axis = figures.percent_axis(tongue, tongue.word("share_of_accounts"), width, grid=False)
    y_axis = figures.percent_axis(tongue, tongue.word("share_of_revenue"), width)
    named = {"field": "name", "type": "nominal"}
    encoding = {
        "x": figures.quantity("share", [0, 1], x_axis),
        "y": figures.quantity("captured", [0, top], y_axis),
        "color": {**named, "scale": {"domain": order, "range": colours},
                  "legend": {"columns": 1 if figures.is_narrow(width) else 3, "symbolType": "stroke"}},
        "strokeDash": {**named, "scale": {"domain": order, "range": dashes}},
        "strokeWidth": {**named, "scale": {"domain": order, "range": widths}, "legend": None},
    }  # fmt: skip
    return Chart(
        "captured_revenue", tongue.word("captured_title"), tongue.word("captured_text", told=told),
        {
            **figures.frame(width),
            "height": 300,
            "layer": [
                {"data": {"values": [{"share": 0, "captured": 0}, {"share": 1, "captured": 1}]},
                 "mark": {"type": "line", "color": BAND.light, "strokeWidth": 1},
                 "encoding": {"x": encoding["x"], "y": encoding["y"]}},
                {"data": {"values": shown}, "mark": {"type": "line"}, "encoding": encoding},
            ],
        },
        tongue.d3,
    )  # fmt: skip


def metrics(rows: Rows, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return a small panel for each metric: a dot and its interval for every model.

    Parameters
    ----------
    rows : sequence of mapping
        ``metric`` (its label), ``model``, ``value``, ``low``, ``high`` and ``target`` (the right value, or
        None); intervals may be None.
    tongue : Tongue
        Language and country.
    width : int
        Outer width in pixels.
    """
    models = list(dict.fromkeys(str(r["model"]) for r in rows))
    shown: list[dict[str, Any]] = [
        {**r, "name": tongue.model(str(r["model"])), "ours": r["model"] == figures.MODEL}
        for r in rows if r["value"] is not None
    ]  # fmt: skip
    order = [tongue.model(m) for m in models]
    panels = list(dict.fromkeys(str(r["metric"]) for r in shown))
    narrow = figures.is_narrow(width)
    labels = figures.CHARACTER * max((len(n) for n in order), default=1) + 20
    inner = width - labels - 10 if narrow else (width - labels - 34) / 2
    told = "; ".join(f"{r['metric']}, {r['name']}: {tongue.number(r['value'], 3)}" for r in shown)
    colour = {"condition": {"test": "datum.ours", "value": BLUE.light}, "value": MUTED.light}
    y = {"field": "name", "type": "nominal", "sort": order, "title": None,
         "axis": {"labelColor": INK.light, "grid": False}}  # fmt: skip
    axis = {"title": None, "tickCount": 4, "labelExpr": "format(datum.value, ',.3~f')"}
    x = {"type": "quantitative", "axis": axis, "scale": {"zero": False, "nice": True}}
    return Chart(
        "metrics", tongue.word("metrics_title"), told,
        {
            "data": {"values": shown},
            "facet": {"field": "metric", "type": "nominal", "sort": panels},
            "columns": 1 if narrow else 2,
            "spacing": {"row": 22, "column": 24},
            "resolve": {"scale": {"x": "independent"}},
            "spec": {
                "width": inner,
                "height": {"step": 22},
                "encoding": {"y": y},
                "layer": [
                    {"transform": [{"filter": "isValid(datum.target)"}],
                     "mark": {"type": "rule", "color": RULE.light, "strokeDash": [4, 4]},
                     "encoding": {"x": {**x, "field": "target"}, "y": None}},
                    {"transform": [{"filter": "isValid(datum.low)"}],
                     "mark": {"type": "rule", "strokeWidth": 2},
                     "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": colour}},
                    {"mark": {"type": "point", "filled": True, "size": 75, "opacity": 1},
                     "encoding": {"x": {**x, "field": "value"}, "color": colour}},
                ],
            },
        },
        tongue.d3,
    )  # fmt: skip


def totals(rows: Rows, currency: str, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return promised and actual total value of every cutoff.

    Parameters
    ----------
    rows : sequence of mapping
        ``cutoff`` (datetime.date), ``predicted`` and ``actual`` (currency units) of one model.
    currency : str
        ISO 4217 code.
    tongue : Tongue
        Language and country.
    width : int
        Outer width in pixels.
    """
    actual, promised = tongue.word("actual"), tongue.word("promised")
    shown: list[dict[str, Any]] = [
        {"day": tongue.day(r["cutoff"]), "name": name, "value": float(r[key])}
        for r in rows for key, name in (("actual", actual), ("predicted", promised))
    ]  # fmt: skip
    largest = max((r["value"] for r in shown), default=1.0)
    axis = figures.money_axis(tongue, tongue.word("total_value"), currency, largest, width)
    told = "; ".join(
        f"{tongue.day(r['cutoff'])}: "
        + " / ".join(tongue.money(r[key], currency) for key in ("predicted", "actual"))
        for r in rows
    )
    colour = {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": [actual, promised], "range": [BAND.light, BLUE.light]},
    }
    text = {
        "mark": {"type": "text", "align": "left", "dx": 6, "color": INK.light},
        "encoding": {
            "text": {"field": "value", "type": "quantitative", "format": ",.0f"},
            "color": {"value": INK.light},
        },
    }
    return Chart(
        "totals", tongue.word("totals_title"), tongue.word("totals_text", told=told),
        {
            **figures.frame(width),
            "height": {"step": 18, "for": "offset"},
            "data": {"values": shown},
            "encoding": {
                "y": {"field": "day", "type": "nominal", "sort": None, "title": None,
                      "axis": {"labelColor": INK.light},
                      "scale": {"paddingInner": 0.35, "paddingOuter": 0.2}},
                "yOffset": {"field": "name", "type": "nominal", "sort": [actual, promised]},
                "x": figures.quantity("value", [0, figures.room_for(90, largest, width - 100)], axis),
                "color": colour,
            },
            "layer": [{"mark": {"type": "bar"}}, text],
        },
        tongue.d3,
    )  # fmt: skip


def importance(rows: Rows, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return what the model uses: the mean size of each topic's factor, up or down.

    Parameters
    ----------
    rows : sequence of mapping
        ``label``, ``family`` and ``mean_abs_log_factor`` (≥ 0), in the order to be drawn.
    tongue : Tongue
        Language and country.
    width : int
        Outer width in pixels.
    """
    narrow = figures.is_narrow(width)
    labels = figures.distinct([figures.fitted(str(r["label"]), narrow) for r in rows])
    shown: list[dict[str, Any]] = [
        {"label": label, "family": str(r["family"]), "size": float(r["mean_abs_log_factor"]),
         "text": f"{tongue.factor(exp(float(r['mean_abs_log_factor'])))} · {tongue.family(str(r['family']))}"}
        for label, r in zip(labels, rows, strict=True)
    ]  # fmt: skip
    largest = max((r["size"] for r in shown), default=1.0)
    beside = figures.CHARACTER * max((len(r["text"]) for r in shown), default=0) + 16
    left = 0 if narrow else max((figures.length(n) for n in labels), default=0)
    end = figures.room_for(beside, largest, width - left - 20)
    x = figures.quantity("size", [0, end], None)
    colour = {"field": "family", "type": "nominal", "legend": None,
              "scale": {"domain": list(FAMILY_COLOURS), "range": list(FAMILY_COLOURS.values())}}  # fmt: skip
    return Chart(
        "importance",
        tongue.word("importance_title"),
        "; ".join(f"{r['label']}: {r['text']}" for r in shown),
        {
            **figures.frame(width),
            "height": {"step": 44 if narrow else 34},
            "data": {"values": shown},
            "encoding": {"y": figures.bar_rows("label", narrow)},
            "layer": figures.labelled_bars(x, colour, "label", narrow),
        },
        tongue.d3,
    )


def parameters(rows: Rows, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return which settings decided how well a trial of the search did.

    Parameters
    ----------
    rows : sequence of mapping
        ``label`` and ``share`` (of the variance of the loss, in [0, 1]), in the order to be drawn.
    tongue : Tongue
        Language and country.
    width : int
        Outer width in pixels.
    """
    narrow = figures.is_narrow(width)
    labels = figures.distinct([figures.fitted(str(r["label"]), narrow) for r in rows])
    shown: list[dict[str, Any]] = [
        {"label": label, "size": float(r["share"]), "text": tongue.percent(float(r["share"]), 0)}
        for label, r in zip(labels, rows, strict=True)
    ]
    left = 0 if narrow else max((figures.length(n) for n in labels), default=0)
    x = figures.quantity("size", [0, figures.room_for(50, 1.0, width - left - 20)], None)
    return Chart(
        "parameters",
        tongue.word("parameters_title"),
        "; ".join(f"{r['label']}: {r['text']}" for r in shown),
        {
            **figures.frame(width),
            "height": {"step": 44 if narrow else 26},
            "data": {"values": shown},
            "encoding": {"y": figures.bar_rows("label", narrow)},
            "layer": figures.labelled_bars(x, {"value": BLUE.light}, "label", narrow),
        },
        tongue.d3,
    )
