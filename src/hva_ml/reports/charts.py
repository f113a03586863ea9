"""The door to vl_convert: a chart definition becomes SVG or PNG, offline, in one visual language."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import vl_convert

from hva_ml.reports.palette import GRID, INK, MUTED, PAPER, RULE

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
VERSION = "6.4"
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
WIDE = 680
NARROW = 340

CONFIG: dict[str, Any] = {
    "aria": False,
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED.light, "labelFontSize": 12, "titleColor": MUTED.light, "titleFontSize": 12,
        "titleFontWeight": "normal", "titlePadding": 8, "gridColor": GRID.light, "domainColor": RULE.light,
        "tickColor": RULE.light, "labelLimit": 400, "titleLimit": 600, "labelPadding": 6, "tickSize": 4,
    },
    "axisY": {"domain": False, "ticks": False},
    "legend": {
        "labelColor": INK.light, "labelFontSize": 12, "labelLimit": 300, "title": None, "orient": "bottom",
        "symbolStrokeWidth": 2.5, "symbolOpacity": 1, "symbolSize": 160, "columnPadding": 18, "rowPadding": 4,
        "offset": 14,
    },
    "header": {
        "labelColor": INK.light, "labelFontSize": 12, "labelFontWeight": "bold", "labelLimit": 400,
        "labelAnchor": "start", "title": None, "labelPadding": 6,
    },
    "title": {
        "color": INK.light, "fontSize": 15, "fontWeight": "bold", "anchor": "start", "offset": 14,
        "frame": "bounds", "limit": 660,
    },
    "text": {"color": INK.light, "fontSize": 12},
}  # fmt: skip


@dataclass(frozen=True)
class Chart:
    """A picture not drawn yet.

    Attributes
    ----------
    name : str
        Short name, for files.
    title : str
        What is shown.
    description : str
        The same in words, for those who cannot see it.
    spec : mapping
        Vega-Lite definition with its rows inside.
    locale : dict
        d3 number format: decimal, thousands, grouping, currency.
    """

    name: str
    title: str
    description: str
    spec: Mapping[str, Any]
    locale: dict[str, Any]


def to_svg(chart: Chart, scale: float = 1.0) -> str:
    """Draw a chart as an ``<svg>`` element to stand inside a page: no namespace, transparent, described.

    `scale` enlarges the whole picture, its letters included.
    """
    spec = {**_whole(chart), "background": None}
    drawn: str = vl_convert.vegalite_to_svg(spec, VERSION, allowed_base_urls=[], format_locale=chart.locale)
    drawn = re.sub(
        r' xmlns(?::xlink)?="[^"]*"| role="graphics-[^"]*"| aria-roledescription="[^"]*"', "", drawn
    )
    width, height = (float(n) for n in re.findall(r' (?:width|height)="([\d.]+)"', drawn)[:2])
    size = f' width="{width * scale:.0f}" height="{height * scale:.0f}"'
    drawn = re.sub(r' width="[\d.]+" height="[\d.]+"', size, drawn, count=1)
    label = f' role="img" aria-label="{escape(chart.title)}"><desc>{escape(chart.description)}</desc>'
    return drawn.replace(">", label, 1)


def to_svg_file(chart: Chart) -> str:
    """Draw a chart with its title as a whole SVG file on white, for slides and documents."""
    spec = {**_whole(chart), "background": PAPER.light, "title": chart.title, "padding": 16}
    drawn: str = vl_convert.vegalite_to_svg(spec, VERSION, allowed_base_urls=[], format_locale=chart.locale)
    return drawn


def to_png(chart: Chart, scale: float = 2.0) -> bytes:
    """Draw a chart with its title as PNG on white; `scale` 2 suits screens and print."""
    spec = {**_whole(chart), "background": PAPER.light, "title": chart.title, "padding": 16}
    drawn: bytes = vl_convert.vegalite_to_png(
        spec, VERSION, scale=scale, allowed_base_urls=[], format_locale=chart.locale
    )
    return drawn


def _whole(chart: Chart) -> dict[str, Any]:
    return {"$schema": SCHEMA, "config": CONFIG, "padding": 2, **chart.spec}
