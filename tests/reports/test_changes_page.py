"""The page of changes: nothing from data becomes markup, long lists are cut and say so."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from hva_ml.reports.changes import SHOWN, Alert, ChangesView, Mover, html


def view(name: str, n: int = 3, version: str = "2") -> ChangesView:
    movers = tuple(
        Mover(f"{name}{k}", name, 100.0, 250.0, "B", "A", 9, 1, 2.0, 1.25, (f"{name}: ×2,0",), name)
        for k in range(n)
    )
    rows = tuple((f"{name}{k}", name, 10.0) for k in range(n))
    return ChangesView(
        name, date(2025, 11, 30), date(2025, 12, 31), "EUR", "a" * 16, "b" * 16, "1", version, n, rows, rows,
        1000.0, 2000.0, movers, movers, movers, (Alert(name, name, name, 9.0, 1.0, 0.001),) * n,
    )  # fmt: skip


@pytest.mark.parametrize("evil", ["<script>x</script>", '"><img onerror=x>', "\u202eabc", "{{ 7*7 }}"])
def test_hostile_names_stay_text(evil: str, read: Callable[[str], Any]) -> None:
    page = html(view(evil))
    assert [t for t, _ in read(page).elements] == [t for t, _ in read(html(view("Firma"))).elements]
    assert "\u202e" not in page
    assert "49" not in page.replace("{{ 7*7 }}", "")[page.index("</style>") :]


def test_long_lists_are_cut_and_say_so(read: Callable[[str], Any]) -> None:
    text = read(html(view("Firma", SHOWN + 2), language="de")).text
    assert f"Gezeigt sind {SHOWN} von {SHOWN + 2}." in text
    assert f"Firma{SHOWN - 1}" in text


def test_the_models_factor_stands_only_where_there_is_a_new_model(read: Callable[[str], Any]) -> None:
    two, one = (read(html(view("Firma", version=v), language="de")).text for v in ("2", "1"))
    assert "Modell ist neu" in two
    assert "×1,2" in two
    assert "Modell ist dasselbe" in one
    assert "×1,2" not in one


def test_an_empty_night_has_a_page(read: Callable[[str], Any]) -> None:
    assert "None." in read(html(view("Firma", 0))).text
