"""Every chart can be drawn, shows its data, stands alone and keeps to the palette."""

import json
import re
from collections.abc import Callable
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from hva_ml.reports import account_charts, diagram_charts, model_charts
from hva_ml.reports.charts import NARROW, WIDE, Chart, to_png, to_svg
from hva_ml.reports.language import Tongue
from hva_ml.reports.palette import NAMED, css

STEPS = (("Website-Besuche", 2.0, 1000.0), ("Letzte Rechnung", 0.75, -500.0))
CURVE = [
    {"tier": t, "share_accounts": a, "share_value": v}
    for t, a, v in (
        ("A", 0.0, 0.0),
        ("A", 0.1, 0.5),
        ("B", 0.1, 0.5),
        ("B", 0.3, 0.8),
        ("C", 0.3, 0.8),
        ("C", 1, 1),
    )
]
TIERS = [
    {"tier": "A", "accounts": 10, "share_accounts": 0.1, "share_value": 0.5},
    {"tier": "B", "accounts": 30, "share_accounts": 0.3, "share_value": 0.8},
    {"tier": "C", "accounts": 100, "share_accounts": 1.0, "share_value": 1.0},
]
CAPTURED = [
    {"model": m, "share": s, "captured": s**p}
    for m, p in (("hva_ml", 0.4), ("run_rate", 0.6), ("my_own", 0.8), ("perfect", 0.2))
    for s in (0.0, 0.2, 1.0)
]
GAINS = [
    {"model": m, "share": s, "gained": s**p}
    for m, p in (("hva_ml", 0.4), ("run_rate", 0.6)) for s in (0.0, 0.2, 1.0)
]  # fmt: skip
REACH = [
    {"model": m, "k": k, "precision": p / k, "value": 900.0 * p}
    for m, p in (("hva_ml", 0.9), ("run_rate", 0.7)) for k in (1, 3, 9)
]  # fmt: skip
RESIDUALS = [
    {"model": "hva_ml", "promised": 9.0 * k, "actual": 10.0 * k, "low": 8.0 * k, "high": 12.0 * k, "n": 9}
    for k in (1, 2)
]
BINS = [
    {"model": "hva_ml", "predicted": 0.1 * k, "observed": 0.11 * k, "low": 0.09 * k, "high": 0.13 * k, "n": 9}
    for k in (1, 2, 3)
]
METRICS = [
    {"metric": q, "model": m, "value": v, "low": v - 0.02, "high": v + 0.02, "target": t}
    for q, t in (("ROC AUC", None), ("Ratio", 1.0))
    for m, v in (("hva_ml", 0.8123), ("run_rate", 0.7))
]
TOTALS = [{"cutoff": date(2025, 7, 1), "predicted": 900_000.0, "actual": 1_100_000.0}]
WEIGHED = [
    {"label": "Umsatz", "family": "deal_history", "mean_abs_log_factor": 0.6931},
    {"label": "Neue Familie", "family": "unheard_of", "mean_abs_log_factor": 0.0},
]

SETTINGS = [{"label": "num_leaves (conversion)", "share": 0.75}, {"label": "lambda_l2 (value)", "share": 0.0}]

DRAWN: dict[str, tuple[Callable[[Tongue, int], Chart], tuple[str, ...]]] = {
    "waterfall": (
        lambda t, w: account_charts.waterfall(1000.0, STEPS, 1500.0, "EUR", t, w),
        ("Website-Besuche", "Letzte Rechnung", "×2,0", "×0,8", "1.500\u00a0€", "−500\u00a0€"),
    ),
    "pareto": (lambda t, w: account_charts.pareto(CURVE, TIERS, t, w), ("A + B: 30 Accounts", "80\u00a0%")),
    "captured": (
        lambda t, w: model_charts.captured_revenue(CAPTURED, t, w),
        ("Modell (hva_ml)", "Bisheriger Umsatz", "my_own", "Hellsehen (Obergrenze)"),
    ),
    "calibration": (
        lambda t, w: diagram_charts.reliability(BINS, t, w),
        ("Eingetretene Quote", "20\u00a0%", "n=9"),
    ),
    "gains": (
        lambda t, w: diagram_charts.gains(GAINS, t, w),
        ("Anteil der Abschlüsse", "Bisheriger Umsatz"),
    ),
    "precision": (
        lambda t, w: diagram_charts.precision(REACH, 3, t, w),
        ("Bearbeitete Accounts", "Modell (hva_ml)"),
    ),
    "value": (lambda t, w: diagram_charts.reach(REACH, 3, "EUR", t, w), ("Tatsächlicher Umsatz",)),
    "residuals": (
        lambda t, w: diagram_charts.residuals(RESIDUALS, "EUR", t, w),
        ("Versprochener Wert je Account", "n=9"),
    ),
    "metrics": (lambda t, w: model_charts.metrics(METRICS, t, w), ("ROC AUC", "Ratio", "Bisheriger Umsatz")),
    "totals": (
        lambda t, w: model_charts.totals(TOTALS, "EUR", t, w),
        ("01.07.2025", "900.000", "1.100.000", "Versprochen"),
    ),
    "parameters": (lambda t, w: model_charts.parameters(SETTINGS, t, w), ("num_leaves", "75\u00a0%")),
    "importance": (lambda t, w: model_charts.importance(WEIGHED, t, w), ("Umsatz", "×2,0 · Kaufhistorie")),
}


class Texts(HTMLParser):
    def __init__(self, svg: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(svg)

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_chart_shows_its_data_and_stands_alone(name: str, width: int) -> None:
    draw, expected = DRAWN[name]
    svg = to_svg(draw(Tongue("de"), width))
    ElementTree.fromstring(svg)
    shown = Texts(svg).text
    for text in expected:
        assert text in shown
    assert float(re.findall(r' width="([\d.]+)"', svg)[0]) <= width + 12
    for foreign in ("http", "<script", "<image", "url(", "href", "style="):
        assert foreign not in svg


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_is_described_for_those_who_cannot_see_it(name: str) -> None:
    chart = DRAWN[name][0](Tongue("en"), WIDE)
    root = ElementTree.fromstring(to_svg(chart))
    assert root.get("role") == "img"
    assert root.get("aria-label") == chart.title
    assert root.findtext("desc") == chart.description
    assert len(chart.description) > 10


@pytest.mark.parametrize("name", DRAWN)
def test_every_colour_of_a_chart_has_a_form_for_dark_screens(name: str) -> None:
    known = {c.light for c in NAMED.values()} | {"none", "transparent"}
    svg = to_svg(DRAWN[name][0](Tongue("de"), WIDE))
    assert set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg)) <= known


def test_the_stylesheet_turns_chart_colours_on_dark_screens_but_not_on_paper() -> None:
    light, dark = css().split("@media screen and (prefers-color-scheme:dark)")
    assert "svg [" not in light
    for colour in NAMED.values():
        assert f'svg [fill="{colour.light}"]{{fill:{colour.dark}}}' in dark


def test_the_same_chart_is_the_same_bytes() -> None:
    draw = DRAWN["waterfall"][0]
    assert to_svg(draw(Tongue("de"), WIDE)) == to_svg(draw(Tongue("de"), WIDE))


def test_a_picture_is_a_png_on_white_with_its_title() -> None:
    chart = DRAWN["waterfall"][0](Tongue("en"), WIDE)
    assert to_png(chart, scale=1).startswith(b"\x89PNG\r\n\x1a\n")


def test_the_waterfall_is_whole_in_its_rows() -> None:
    rows: list[dict[str, Any]] = json.loads(json.dumps(DRAWN["waterfall"][0](Tongue("en"), WIDE).spec))[
        "data"
    ]["values"]
    for before, after in pairwise(rows[:-1]):
        assert after["start"] == pytest.approx(before["end"])
    assert rows[-2]["end"] == pytest.approx(rows[-1]["end"])


def test_labels_that_come_twice_keep_their_own_bar() -> None:
    steps = (("Branche", 2.0, 100.0), ("Branche", 0.5, -100.0))
    svg = to_svg(account_charts.waterfall(100.0, steps, 100.0, "EUR", Tongue("de")))
    shown = Texts(svg).text
    assert "Branche\n" in shown
    assert "Branche (2)" in shown


def test_long_labels_keep_what_tells_them_apart() -> None:
    steps = tuple(
        (f"Tage seit der letzten Aktivität ({k})", 1.5, 50.0) for k in ("geöffnete E-Mails", "Klicks")
    )
    shown = Texts(to_svg(account_charts.waterfall(100.0, steps, 200.0, "EUR", Tongue("de")))).text
    assert "(geöffnete E-Mails)\n" in shown
    assert "(Klicks)\n" in shown


def test_amounts_of_one_chart_are_all_with_cents_or_all_without() -> None:
    svg = to_svg(account_charts.waterfall(485.0, (("Umsatz", 1.1, 48.5),), 533.5, "EUR", Tongue("de")))
    assert "," not in re.sub("×[0-9,]+", "", Texts(svg).text)


def test_hostile_labels_stay_text() -> None:
    evil = '<script>alert(1)</script> "><img onerror=x> datum.x'
    svg = to_svg(account_charts.waterfall(100.0, ((evil, 2.0, 100.0),), 200.0, "EUR", Tongue("en")))
    ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert "<img" not in svg


@pytest.mark.parametrize(("country", "thousands", "decimal"), [("DE", ".", ","), ("CH", "’", ".")])
def test_axes_write_numbers_as_the_country_does(country: str, thousands: str, decimal: str) -> None:
    written = Tongue("de", country).d3
    assert (written["thousands"], written["decimal"]) == (thousands, decimal)


def test_large_amounts_are_counted_in_millions_and_the_axis_says_so() -> None:
    rows = [{"cutoff": date(2025, 7, 1), "predicted": 3.2e7, "actual": 3.0e7}]
    assert "Gesamtwert (Mio. CHF)" in Texts(to_svg(model_charts.totals(rows, "CHF", Tongue("de")))).text
