"""One account's page: whole, escaped, and its arithmetic true as written."""

import base64
import hashlib
import math
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hva_ml.errors import IntegrityError, UsageError, WorkspaceError
from hva_ml.reports import account
from hva_ml.reports.language import Tongue
from hva_ml.reports.pages import plain

DRAWN = {"g", "path", "line", "text", "tspan", "rect"}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "=cmd|'/C calc'!A0",
    "\u202eHbmG relluM",
    "{{ 7 * 7 }} {% raw %}",
    "Lang" * 2000,
    "]]> --> </style></main>",
    "\x00\x07Null",
)


def written_product(page: Any) -> Decimal:
    (base,) = page.all("data", "base")
    product = Decimal(base["value"])
    for found in page.all("data", "factor"):
        product *= Decimal(found["value"])
    return product


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("country", ["DE", "AT", "CH"])
def test_the_factors_as_written_multiply_to_the_score_as_written(
    language: Any, country: str, views: Any, read: Callable[[str], Any]
) -> None:
    view = views.account()
    page = read(account.html(view, language=language, country=country))
    shown = Tongue(language, country).money(view.expected_value, "EUR")
    assert Tongue(language, country).money(float(written_product(page)), "EUR") == shown
    assert shown in page.text


def test_how_sure_the_probability_is_stands_in_words(views: Any, read: Callable[[str], Any]) -> None:
    view = replace(
        views.account(),
        probability_bounds=(0.1234, 0.2567, 0.8),
        value_bounds=(1234.0, 56789.0, 0.8),
        high_value=(0.3456, 0.2),
    )
    german, english = (read(account.html(view, language=lang)).text for lang in ("de", "en"))
    assert german.count("zwischen 12,3\u00a0% und 25,7\u00a0%") == 2
    assert "Mit 80\u00a0% Sicherheit schließen von vielen so bewerteten Accounts" in german
    assert english.count("between 12.3% and 25.7%") == 2
    assert english.count("between €1,234 and €56,789") == 2
    assert "With a probability of 34.6% this account ends among the 20%" in english
    assert "with a confidence of 80%" in english
    assert "confidence" not in read(account.html(views.account())).text


@settings(max_examples=60, deadline=None)
@given(
    base=st.floats(0.5, 1e6),
    factors=st.lists(st.floats(0.05, 12.0), min_size=0, max_size=9),
)
def test_the_arithmetic_is_true_for_any_factors(base: float, factors: list[float]) -> None:
    total = base * math.prod(factors)
    assume(total < 1e8)
    steps = tuple((f"Ursache {k}", f, 0.0) for k, f in enumerate(factors))
    view = _bare_view(base, total, steps)
    told = account.arithmetic(view, Tongue("de"))
    product = Decimal(told.base_number)
    for line in told.lines:
        product *= Decimal(line.number)
    assert Tongue("de").money(float(product), "EUR") == told.total
    for line in told.lines:
        assert line.factor == "×" + line.number.replace(".", ",")


def _bare_view(base: float, total: float, steps: tuple[tuple[str, float, float], ...]) -> account.AccountView:
    return account.AccountView(
        account_id="A1", name="", as_of=date(2025, 1, 1), currency="EUR", probability=0.5,
        value_if_converted=total * 2, expected_value=total, percentile=50.0, rank=1, n_accounts=2, tier="A",
        in_capacity=True, strategic_weight=None, model_version="1", base_expected_value=base, steps=steps,
        positive_reasons=(), negative_reasons=(), horizon_days=90,
    )  # fmt: skip


def test_headline_and_reasons_are_on_the_page(views: Any, read: Callable[[str], Any]) -> None:
    text = read(account.html(views.account(strategic_weight=2.0), language="de")).text
    for expected in ("Müller & Söhne GmbH", "A000123", "18,2 %", "Rang 24 von 3.000", "31.12.2025",
                     "Modellversion 7", "12 Website-Besuche in 30 Tagen", "Letzte Rechnung vor 210 Tagen",
                     "Strategisches Gewicht 2,0", "jetzt bearbeiten",
                     "Womit verglichen wird: Typischer Account", "keine Zusage"):  # fmt: skip
        assert expected in text.replace("\u00a0", " ")
    # The sentence ended in its factor; the page writes it once.
    assert text.count("×2,4") == text.replace("30 Tagen: ×2,4", "").count("×2,4")


def test_only_simulated_data_are_called_simulated(views: Any) -> None:
    assert "Simulated data." in account.html(views.account(simulated=True))
    assert "Simulated data." not in account.html(views.account())


def test_without_a_name_the_account_id_is_the_headline(views: Any, read: Callable[[str], Any]) -> None:
    assert "A000123 · Account report" in read(account.html(views.account(name=""))).text


def test_without_any_reason_the_page_says_so(views: Any) -> None:
    page = account.html(views.account(positive_reasons=(), negative_reasons=()), language="de")
    assert "merklich über den, mit dem er verglichen wird" in page
    assert "merklich unter den, mit dem er verglichen wird" in page


def test_the_page_needs_nothing_from_outside(views: Any, read: Callable[[str], Any]) -> None:
    html = account.html(views.account())
    page = read(html)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {
        "script",
        "img",
        "link",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "a",
        "use",
        "image",
    }
    assert not re.search(r"https?:|//[a-z]|@import|url\(|javascript:", html)
    for _, attributes in page.elements:
        assert not [a for a in attributes if a.startswith("on") or a in ("src", "style", "href")]
    policy = next(a for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert str(policy["content"]).startswith("default-src 'none'; style-src 'sha256-")


def test_the_policy_names_the_very_stylesheet_of_the_page(views: Any, read: Callable[[str], Any]) -> None:
    html = account.html(views.account())
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"&#39;sha256-{digest}&#39;" in html or f"'sha256-{digest}'" in html


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_names_stay_text_everywhere(evil: str, views: Any, read: Callable[[str], Any]) -> None:
    clean = read(account.html(views.account()))
    view = views.account(
        name=evil,
        account_id=evil,
        tier=evil[:20],
        model_version=evil,
        labels=(evil, "b", "c", "d"),
        positive_reasons=((evil, 2.0),),
        negative_reasons=((evil, 0.5),),
    )
    html = account.html(view)
    page = read(html)
    assert [t for t, _ in page.elements if t not in DRAWN] == [t for t, _ in clean.elements if t not in DRAWN]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08]", html)
    assert len(html) < 60_000
    if len(evil) < 100 and evil.isprintable():
        assert plain(evil) in page.text


def test_steps_that_do_not_lead_to_the_score_are_refused(views: Any) -> None:
    with pytest.raises(IntegrityError, match="base × factors"):
        account.html(views.account(steps=(("Umsatz", 2.0, 1000.0),)))
    view = views.account()
    moved = tuple((label, factor, money + 1.0) for label, factor, money in view.steps)
    with pytest.raises(IntegrityError, match="base \\+ money"):
        account.html(views.account(steps=moved))
    with pytest.raises(IntegrityError, match="probability × value"):
        account.html(views.account(probability=0.5))


def test_files_are_written_whole_or_not_at_all(views: Any, tmp_path: Path) -> None:
    place = tmp_path / "new" / "account-1"
    files = account.write(views.account(), place, language="de", png=True)
    assert [p.name for p in files] == ["account-1.html", "account-1.png"]
    assert files[0].read_text("utf-8") == account.html(views.account(), language="de")
    before = files[0].read_bytes()
    with pytest.raises(IntegrityError):
        account.write(views.account(probability=0.9), place)
    assert files[0].read_bytes() == before
    assert sorted(p.name for p in place.parent.iterdir()) == ["account-1.html", "account-1.png"]


def test_a_folder_that_is_a_file_gives_a_named_error(views: Any, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        account.write(views.account(), tmp_path / "taken" / "account-1")


def test_another_language_is_refused(views: Any) -> None:
    with pytest.raises(UsageError, match="fr"):
        account.html(views.account(), language="fr")


def test_what_would_help_is_shown_with_its_note_and_only_where_it_is_known(
    views: Any, read: Callable[[str], Any]
) -> None:
    said, note = "5 <b>Telefonate</b> in 30 Tagen, derzeit 2: Damit geht …", "kein Versprechen"
    page = read(account.html(views.account(advice=(said,), advice_note=note), language="de"))
    assert "Was mit einem höheren Wert einhergeht" in page.text
    assert said in page.text
    assert note in page.text
    assert "einhergeht" not in read(account.html(views.account(), language="de")).text
