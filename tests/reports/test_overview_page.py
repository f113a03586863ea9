"""The page of a run as a whole: nothing from data becomes markup, both languages, empty parts."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from hva_ml.explanation.overview import Apart, Group
from hva_ml.explanation.stability import Stability
from hva_ml.reports import overview_charts
from hva_ml.reports.charts import to_svg
from hva_ml.reports.language import Tongue
from hva_ml.reports.overview import (
    SEGMENTS,
    TOPICS,
    OverviewView,
    html,
    stability_sentence,
    tier_sentence,
)

GROUP = Group("A", 12, 4e6, 0.5, 0.42, 81_000.0, (Apart("t", math.log(2.3), math.log(0.9)),))


def topic(label: str, size: float = 0.3) -> dict[str, Any]:
    return {
        "topic": "events.secret", "label": label, "family": "engagement", "factor": math.exp(size),
        "mean_abs_log_factor": size, "told_for": 0.25, "told_against": 0.0, "rank_correlation": 0.9,
    }  # fmt: skip


def bin_(label: str, words: str, kind: str = "number") -> dict[str, Any]:
    return {
        "feature": "events.secret", "label": label, "range": words, "kind": kind, "n_accounts": 7,
        "factor_low": 0.8, "factor": 1.1, "factor_high": 1.4,
    }  # fmt: skip


def view(name: str = "Firma", segments: int = 2, n: int = 9) -> OverviewView:
    rows = [
        {**topic(name), "segment": f"s{k}", "segment_label": f"{name} {k}", "n_accounts": 4,
         "expected_value": 1e6}
        for k in range(segments)
    ]  # fmt: skip
    swarm = [
        {"topic": "events.secret", "label": name, "log_factor": k / n, "level": None if k == 0 else k / n}
        for k in range(n)
    ]
    return OverviewView(
        title=name, as_of=date(2025, 12, 31), currency="EUR", run_id="a" * 16, version="3", n_accounts=n,
        tiers=((GROUP, name),), importance=pa.Table.from_pylist([topic(f"{name} {k}") for k in range(14)]),
        by=name, segments=pa.Table.from_pylist(rows) if rows else None,
        dependence=pa.Table.from_pylist([bin_(name, name), bin_(name, f"{name} 2", "category")]),
        swarm=pa.Table.from_pylist(swarm), stability=name, simulated=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def harmless() -> str:
    return html(view())


@pytest.mark.parametrize("evil", ["<script>x</script>", '"><img onerror=x>', "\u202eabc", "{{ 7*7 }}"])
def test_hostile_words_stay_text(evil: str, read: Callable[[str], Any], harmless: str) -> None:
    page = html(view(evil))
    mine, plain = read(page), read(harmless)
    marks = {"script", "img"}
    assert not marks & {tag for tag, _ in mine.elements}
    assert {tag for tag, _ in mine.elements} == {tag for tag, _ in plain.elements}
    assert not [a for _, attributes in mine.elements for a in attributes if a.startswith("on")]
    assert "\u202e" not in page
    assert "49" not in mine.text.replace("{{ 7*7 }}", "")


@pytest.mark.parametrize(
    ("language", "words"), [("de", ("Stufe", "mal so", "hoher Wert")), ("en", ("Tier", "high value"))]
)
def test_both_languages_are_whole(language: Any, words: tuple[str, ...], read: Callable[[str], Any]) -> None:
    told = replace(view(), tiers=((GROUP, tier_sentence(GROUP, {"t": "X"}, "EUR", Tongue(language))),))
    rows = told.importance.to_pylist()
    rows[1]["rank_correlation"], rows[2]["rank_correlation"] = 0.1, None
    page = read(html(replace(told, importance=pa.Table.from_pylist(rows)), language=language))
    assert all(w in page.text for w in words)
    assert "events.secret" not in page.text
    assert "nan" not in page.text.lower().split()
    assert len(page.all("figure")) == 3


def test_long_lists_are_cut_and_say_so(read: Callable[[str], Any]) -> None:
    text = read(html(view(segments=SEGMENTS + 3), language="de")).text
    assert f"Gezeigt sind {SEGMENTS} von {SEGMENTS + 3}." in text
    assert f"Firma {TOPICS - 1}" in text
    assert "Segment" not in read(html(view(segments=0), language="de")).text


def test_a_page_without_dependence_has_none(read: Callable[[str], Any]) -> None:
    bare = view()
    page = read(html(replace(bare, dependence=bare.dependence.slice(0, 0))))
    assert len(page.all("figure")) == 2


@pytest.mark.parametrize(
    ("group", "german"),
    [
        (GROUP, "Stufe A: 12 Accounts halten 50 % des erwarteten Werts (4,0 Mio. €), bei im Mittel 42 % "
                "Wahrscheinlichkeit und 81.000 € Wert bei Abschluss; der größte Unterschied zu den übrigen: "
                "Umsatz (×2,3 statt ×0,9)."),
        (replace(GROUP, n_accounts=1, probability=0.05, apart=()),
         "Stufe A: 1 Account hält 50 % des erwarteten Werts (4,0 Mio. €), bei 5,0 % Wahrscheinlichkeit und "
         "81.000 € Wert bei Abschluss."),
        (Group("C", 0, 0.0, 0.0, None, None, ()), "Stufe C: kein Account."),
    ],
)  # fmt: skip
def test_a_tier_is_one_sentence(group: Group, german: str) -> None:
    said = tier_sentence(group, {"t": "Umsatz"}, "EUR", Tongue("de"))
    assert said.replace("\u00a0", " ") == german


def test_stability_in_words() -> None:
    tongue, found = Tongue("de"), Stability(1200, 0.938, 0.714, 0.951)
    text = stability_sentence(found, "", "2", 0, None, tongue).replace("\u00a0", " ")
    assert "1.200 Accounts" in text
    assert "Rangkorrelation der Themen ist 0,94" in text
    assert "71 % der genannten Gründe" in text
    more = stability_sentence(replace(found, importance=None), "", "2", 3, date(2025, 11, 30), tongue)
    assert "ist –" in more
    assert more.endswith("liest (3), sind die vom 30.11.2025.")
    for why in ("one_release", "same_release", "no_common_accounts", "reads_other_data"):
        assert stability_sentence(None, why, "7", 0, None, tongue).startswith("Nicht anwendbar, denn ")


def test_dots_of_a_swarm_are_bounded_and_none_leaves_the_axis() -> None:
    rows = [
        {"topic": "t", "label": "T", "log_factor": (k % 5) / 10, "level": (k + 0.5) / 5000}
        for k in range(5000)
    ]
    chart = overview_charts.swarm(rows, Tongue("en"))
    dots = chart.spec["data"]["values"]
    assert len(dots) == 5 * overview_charts.DEEPEST
    assert {d["level"] for d in dots} == {"low value", "middle value", "high value"}
    low, high = chart.spec["layer"][1]["encoding"]["x"]["scale"]["domain"]
    assert all(low <= d["factor"] <= high for d in dots)
    assert all(abs(d["offset"]) < overview_charts.STEP / 2 for d in dots)
    assert "T: ×1.00 – ×1.5" in chart.description


@pytest.mark.parametrize("spread", [0.0, 0.004, 0.3, 9.0])
@pytest.mark.parametrize("width", [340, 680])
def test_axes_have_round_marks_at_any_spread(spread: float, width: int) -> None:
    rows = [
        {**bin_("X", f"{k}"), "factor_low": math.exp(-spread), "factor": 1.0, "factor_high": math.exp(spread)}
        for k in range(3)
    ]
    chart = overview_charts.dependence(rows, Tongue("de"), width)
    marks = chart.spec["layer"][1]["encoding"]["x"]["axis"]["values"]
    assert 1.0 in marks
    assert 1 <= len(marks) <= 14
    assert marks == sorted(set(marks))
    assert "×1" in to_svg(chart)
    assert "NaN" not in to_svg(chart)
