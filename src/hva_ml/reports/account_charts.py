"""Charts about accounts: the way from the typical account to this one, and how value gathers at the top."""

from collections.abc import Mapping, Sequence
from typing import Any

from hva_ml.explanation.reader import Reader, spoken_of
from hva_ml.reports import figures
from hva_ml.reports.charts import WIDE, Chart
from hva_ml.reports.language import Tongue
from hva_ml.reports.palette import BAND, BLUE, INK, MUTED, PALE_BLUE, RULE, VERMILLION

TIER_COLOURS = {"A": BLUE.light, "B": PALE_BLUE.light, "C": BAND.light}


def waterfall(
    base: float,
    steps: Sequence[tuple[str, float, float]],
    total: float,
    currency: str,
    tongue: Tongue,
    width: int = WIDE,
    *,
    home: str = "",
    kind: str = "typical",
) -> Chart:
    """Return the waterfall of one account's expected value.

    Parameters
    ----------
    base : float
        Expected value of the account it is compared with, in currency units.
    steps : sequence of (label, factor, money)
        In the order to be drawn; ``base + sum of money == total``.
    total : float
        Expected value of this account.
    currency : str
        ISO 4217 code.
    tongue : Tongue
        Language and country.
    width : int
        Outer width in pixels.
    home, kind : str
        What that account is called, and of which kind it is, see ``explanation.reader.NAMES``.
    """
    home = home or Reader(tongue.language, tongue.country, currency).named(kind)
    rows = _waterfall_rows(home, base, steps, total, currency, tongue)
    narrow = figures.is_narrow(width)
    shown = figures.distinct([figures.fitted(r["row"], narrow) for r in rows])
    for row, label in zip(rows, shown, strict=True):
        row["row"] = label
    for row, following in zip(rows, [*rows[1:], rows[-1]], strict=True):
        row["next"] = following["row"]
    longest = max(r["right"] for r in rows)
    text = figures.CHARACTER * max(len(r["text"]) for r in rows) + 16
    labels = 0 if narrow else max(figures.length(r["row"]) for r in rows)
    end = figures.room_for(text, longest, width - labels - 30)
    named = "; ".join(f"{label}: {tongue.factor(factor)}" for label, factor, _ in steps)
    return Chart(
        "waterfall",
        tongue.word(f"waterfall_title_{spoken_of(kind)}"),
        tongue.word(
            "waterfall_text",
            base=tongue.money(base, currency),
            home=home,
            steps=named,
            total=tongue.money(total, currency),
        ),
        {
            **figures.frame(width),
            "height": {"step": 50 if narrow else 40},
            "data": {"values": rows},
            "encoding": {"y": figures.bar_rows("row", narrow)},
            "layer": _waterfall_layers(tongue, currency, longest, end, width),
        },
        tongue.d3,
    )


def _waterfall_rows(
    home: str,
    base: float,
    steps: Sequence[tuple[str, float, float]],
    total: float,
    currency: str,
    tongue: Tongue,
) -> list[dict[str, Any]]:
    # Cents in one bar and none in the next would look like two kinds of money.
    decimals = 0 if max(base, total) >= 100 else 2

    def row(label: str, start: float, end: float, kind: str, text: str) -> dict[str, Any]:
        return {
            "row": label,
            "start": start,
            "end": end,
            "right": max(start, end),
            "kind": kind,
            "text": text,
        }

    rows = [row(home, 0.0, base, "total", tongue.money(base, currency, decimals))]
    at = base
    for label, factor, money in steps:
        kind, sign = ("up", "+") if money >= 0 else ("down", "−")
        text = f"{sign}{tongue.money(abs(money), currency, decimals)} · {tongue.factor(factor)}"
        rows.append(row(label, at, at + money, kind, text))
        at += money
    rows.append(row(tongue.word("this_account"), 0.0, total, "total", tongue.money(total, currency)))
    return rows


def _waterfall_layers(
    tongue: Tongue, currency: str, longest: float, end: float, width: int
) -> list[dict[str, Any]]:
    axis = figures.money_axis(tongue, tongue.word("expected_value"), currency, longest, width, grid=True)
    x = {"type": "quantitative", "scale": {"domain": [0, end], "nice": False}, "axis": axis}
    colour = {
        "field": "kind", "type": "nominal", "legend": None,
        "scale": {"domain": ["total", "up", "down"], "range": [MUTED.light, BLUE.light, VERMILLION.light]},
    }  # fmt: skip
    narrow = figures.is_narrow(width)
    bars = figures.labelled_bars({**x, "field": "start"}, colour, "row", narrow, end="end", right="right")
    if narrow:
        return bars
    connector = {
        "mark": {"type": "rule", "color": RULE.light, "strokeWidth": 1},
        "encoding": {"x": {**x, "field": "end"}, "y2": {"field": "next", "bandPosition": 0.5}},
    }
    return [connector, *bars]


def pareto(
    rows: Sequence[Mapping[str, Any]],
    tiers: Sequence[Mapping[str, Any]],
    tongue: Tongue,
    width: int = WIDE,
) -> Chart:
    """Return the Pareto curve of a score run: how few accounts hold how much of the expected value.

    Parameters
    ----------
    rows : sequence of mapping
        ``share_accounts``, ``share_value`` (in [0, 1], cumulative, best first) and ``tier``, beginning at 0.
    tiers : sequence of mapping
        In order: ``tier`` with ``accounts``, ``share_accounts`` and ``share_value`` reached at its end.
    tongue : Tongue
        Language and country.
    width : int
        Outer width in pixels.
    """
    named = [t["tier"] for t in tiers]
    told = [
        tongue.word(
            "tier_reaches",
            tiers=" + ".join(named[: k + 1]),
            accounts=tongue.number(t["accounts"]),
            value=tongue.percent(t["share_value"], 0),
        )
        for k, t in enumerate(tiers)
    ]
    marks = [
        {**t, "text": text.replace(", ", "\n") if figures.is_narrow(width) else text}
        for t, text in zip(tiers, told, strict=True)
    ][:-1]
    x_axis = figures.percent_axis(tongue, tongue.word("share_of_accounts"), width, grid=False)
    y_axis = figures.percent_axis(tongue, tongue.word("share_of_expected_value"), width)
    x = figures.quantity("share_accounts", [0, 1], x_axis)
    y = figures.quantity("share_value", [0, 1], y_axis)
    shades = [TIER_COLOURS.get(t, BAND.light) for t in named]
    colour = {"field": "tier", "type": "nominal", "legend": None, "scale": {"domain": named, "range": shades}}
    point = {"type": "point", "filled": True, "size": 60, "color": INK.light, "opacity": 1}
    layers = [{"data": {"values": list(rows)}, "mark": {"type": "area", "opacity": 1},
               "encoding": {"x": x, "y": {**y, "stack": None}, "color": colour}},
              {"data": {"values": marks}, "mark": point, "encoding": {"x": x, "y": y}}]  # fmt: skip
    for late, align, dx in ((False, "left", 9), (True, "right", -9)):
        here = [m for m in marks if (m["share_accounts"] > 0.5) is late]
        mark = {"type": "text", "align": align, "baseline": "top", "dx": dx, "dy": 8, "lineBreak": "\n",
                "color": INK.light}  # fmt: skip
        layers.append(
            {"data": {"values": here}, "mark": mark, "encoding": {"x": x, "y": y, "text": {"field": "text"}}}
        )
    return Chart(
        "pareto", tongue.word("pareto_title"), "; ".join(told),
        {**figures.frame(width), "height": 260, "layer": layers}, tongue.d3,
    )  # fmt: skip
