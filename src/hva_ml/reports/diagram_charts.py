"""Charts that hold one or several models against what came: gains, reach, reliability, residuals."""

from collections.abc import Mapping, Sequence
from typing import Any

from hva_ml.reports import figures
from hva_ml.reports.charts import WIDE, Chart
from hva_ml.reports.language import Tongue
from hva_ml.reports.palette import BAND, MUTED, RULE

Rows = Sequence[Mapping[str, Any]]


def gains(rows: Rows, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return the share of conversions in the likeliest share of the rows, over the diagonal of chance.

    Parameters
    ----------
    rows : sequence of mapping
        ``model``, ``share``, ``gained`` (in [0, 1]).
    tongue : Tongue
        Language and country.
    width : int
        Outer width in pixels.
    """
    fifth = [r for r in rows if abs(float(r["share"]) - 0.2) < 0.005]
    told = "; ".join(
        f"{tongue.model(str(r['model']))}: {tongue.percent(r['gained'], 0)} "
        f"({tongue.factor(float(r['gained']) / 0.2)})"
        for r in fifth
    )
    x_axis = figures.percent_axis(tongue, tongue.word("share_of_accounts"), width, grid=False)
    y_axis = figures.percent_axis(tongue, tongue.word("share_of_conversions"), width)
    chance = [{"share": 0, "gained": 0}, {"share": 1, "gained": 1}]
    return _lines(
        "gains", (tongue.word("gains_title"), tongue.word("gains_text", told=told)), rows,
        figures.quantity("share", [0, 1], x_axis), figures.quantity("gained", [0, 1], y_axis), tongue, width,
        chance,
    )  # fmt: skip


def precision(rows: Rows, capacity: int, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return the conversion rate among the best K accounts of each cutoff, for growing K.

    Parameters
    ----------
    rows : sequence of mapping
        ``model``, ``k``, ``precision``.
    capacity : int
        Accounts that can be worked; drawn as a line.
    tongue, width
        As for `gains`.
    """
    top = 1.1 * max((float(r["precision"]) for r in rows), default=1.0)
    axis = figures.percent_axis(tongue, tongue.word("observed_rate"), width)
    y = figures.quantity("precision", [0, min(1.0, top) or 1.0], axis)
    title = tongue.word("precision_title")
    return _reach("precision", title, rows, y, capacity, lambda v: tongue.percent(v, 0), tongue, width)


def reach(rows: Rows, capacity: int, currency: str, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return the actual value of the best K accounts of each cutoff, for growing K.

    Parameters
    ----------
    rows : sequence of mapping
        ``model``, ``k``, ``value`` (currency units).
    capacity : int
        Accounts that can be worked; drawn as a line.
    currency : str
        ISO 4217 code.
    tongue, width
        As for `gains`.
    """
    low, high = _span([float(r["value"]) for r in rows])
    axis = figures.money_axis(tongue, tongue.word("value_of_worked"), currency, high, width)
    y = figures.quantity("value", [low, high], axis)
    title = tongue.word("value_title")
    return _reach("value", title, rows, y, capacity, lambda v: tongue.money(v, currency), tongue, width)


def reliability(rows: Rows, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return seen conversion rates over promised probabilities with intervals and rows of each bin.

    Parameters
    ----------
    rows : sequence of mapping
        ``model``, ``predicted``, ``observed``, ``low``, ``high`` (in [0, 1]) and ``n`` rows of each bin.
    tongue, width
        As for `gains`.
    """
    end = min(1.0, 1.05 * max([max(float(r["high"]), float(r["predicted"])) for r in rows], default=1.0))
    told = "; ".join(
        f"{tongue.percent(r['predicted'])} → {tongue.percent(r['observed'])} (n = {tongue.number(r['n'])})"
        for r in rows
    )
    x = figures.quantity(
        "predicted", [0, end], figures.percent_axis(tongue, tongue.word("promised_probability"), width)
    )
    y = figures.quantity(
        "observed", [0, end], figures.percent_axis(tongue, tongue.word("observed_rate"), width)
    )
    kept: Rows = [{"predicted": 0, "observed": 0}, {"predicted": end, "observed": end}]
    text = (tongue.word("calibration_title"), tongue.word("calibration_text", told=told))
    return _points("calibration", text, rows, x, y, kept, tongue, width)


def residuals(rows: Rows, currency: str, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return mean actual value over mean promised value of ten groups, with intervals and their rows.

    Parameters
    ----------
    rows : sequence of mapping
        ``model``, ``promised``, ``actual``, ``low``, ``high`` (currency units) and ``n``.
    currency : str
        ISO 4217 code.
    tongue, width
        As for `gains`.
    """
    low, high = _span([float(r[key]) for r in rows for key in ("promised", "low", "high")])
    told = "; ".join(
        f"{tongue.money(r['promised'], currency)} → {tongue.money(r['actual'], currency)}"
        f" (n = {tongue.number(r['n'])})"
        for r in rows
    )
    promised, actual = tongue.word("promised_value"), tongue.word("actual_value")
    x_axis = figures.money_axis(tongue, promised, currency, high, width)
    y_axis = figures.money_axis(tongue, actual, currency, high, width)
    x = figures.quantity("promised", [0, high], x_axis)
    y = figures.quantity("actual", [low, high], y_axis)
    kept: Rows = [{"promised": 0, "actual": 0}, {"promised": high, "actual": high}]
    text = (tongue.word("residuals_title"), tongue.word("calibration_text", told=told))
    return _points("residuals", text, rows, x, y, kept, tongue, width)


def _reach(
    field: str,
    title: str,
    rows: Rows,
    y: dict[str, Any],
    capacity: int,
    written: Any,
    tongue: Tongue,
    width: int,
) -> Chart:
    ks = sorted({int(r["k"]) for r in rows})
    near = min(ks, key=lambda k: abs(k - capacity), default=capacity)
    told = "; ".join(
        f"{tongue.model(str(r['model']))}: {written(float(r[field]))}" for r in rows if r["k"] == near
    )
    axis = {"title": tongue.word("accounts_worked"), "grid": False, "tickCount": 5}
    x = figures.quantity("k", [0, max(ks, default=1)], axis)
    bottom, top = y["scale"]["domain"]
    line = (
        [{"k": capacity, field: bottom}, {"k": capacity, field: top}]
        if capacity <= max(ks, default=0)
        else []
    )
    text = (title, tongue.word("capacity_text", k=tongue.number(near), told=told))
    return _lines(field, text, rows, x, y, tongue, width, line)


def _styled(
    rows: Rows, tongue: Tongue, width: int, symbol: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    models = list(dict.fromkeys(str(r["model"]) for r in rows))
    names = dict(zip(models, figures.distinct([tongue.model(m) for m in models]), strict=True))
    colours, dashes, widths = figures.line_styles(models)
    order, named = list(names.values()), {"field": "name", "type": "nominal"}
    legend = {"columns": 1 if figures.is_narrow(width) else 3, "symbolType": symbol}
    encoding = {
        "color": {**named, "scale": {"domain": order, "range": colours},
                  "legend": legend if len(models) > 1 else None},
        "strokeDash": {**named, "scale": {"domain": order, "range": dashes}},
        "strokeWidth": {**named, "scale": {"domain": order, "range": widths}, "legend": None},
    }  # fmt: skip
    return [{**r, "name": names[str(r["model"])]} for r in rows], encoding


def _lines(
    name: str, text: tuple[str, str], rows: Rows, x: dict[str, Any], y: dict[str, Any], tongue: Tongue,
    width: int, beside: Rows,
) -> Chart:  # fmt: skip
    shown, encoding = _styled(rows, tongue, width, "stroke")
    return Chart(
        name, *text,
        {
            **figures.frame(width),
            "height": 300,
            "layer": [
                {"data": {"values": list(beside)}, "encoding": {"x": x, "y": y},
                 "mark": {"type": "line", "color": BAND.light, "strokeWidth": 1}},
                {"data": {"values": shown}, "encoding": {"x": x, "y": y, **encoding},
                 "mark": {"type": "line"}},
            ],
        },
        tongue.d3,
    )  # fmt: skip


def _points(
    name: str, text: tuple[str, str], rows: Rows, x: dict[str, Any], y: dict[str, Any], kept: Rows,
    tongue: Tongue, width: int,
) -> Chart:  # fmt: skip
    shown, encoding = _styled(rows, tongue, width, "circle")
    counted = [{**r, "count": f"n={tongue.number(r['n'])}"} for r in shown]
    colour = {"color": encoding["color"]}
    across = {**y, "field": "low"}
    alone = len({r["model"] for r in rows}) == 1
    counts = {
        "mark": {"type": "text", "dx": 8, "dy": 12, "align": "left", "fontSize": 10, "color": MUTED.light},
        "encoding": {"x": x, "y": y, "text": {"field": "count"}},
    }
    return Chart(
        name, *text,
        {
            **figures.frame(min(width, 460)),
            "height": 300 if figures.is_narrow(width) else 390,
            "data": {"values": counted},
            "layer": [
                {"data": {"values": list(kept)},
                 "mark": {"type": "line", "color": RULE.light, "strokeDash": [4, 4], "strokeWidth": 1.5},
                 "encoding": {"x": x, "y": y}},
                {"mark": {"type": "rule", "strokeWidth": 2},
                 "encoding": {"x": x, "y": across, "y2": {"field": "high"}, **colour}},
                {"mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                 "encoding": {"x": x, "y": y, **colour}},
                *([counts] if alone else []),
            ],
        },
        tongue.d3,
    )  # fmt: skip


def _span(values: Sequence[float]) -> tuple[float, float]:
    """Return an axis that holds all values and 0, and is never empty."""
    low, high = min([0.0, *values]), max([0.0, *values])
    return 1.05 * low, 1.05 * high if high > low else 1.0
