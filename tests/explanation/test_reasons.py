"""Sentences in German and English: numbers, plurals, missing values, categories, grouping, order."""

import math
import re
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.errors import HvaError, UsageError
from hva_ml.explanation.formats import day, factor, money, number, percent
from hva_ml.explanation.paragraph import paragraph
from hva_ml.explanation.reasons import reasons, topic_labels
from hva_ml.features.definition import FeatureDefinition


def visits(window: int = 30) -> FeatureDefinition:
    return FeatureDefinition(
        f"events.web_visit.count_{window}d", "engagement", "number", "events", "count", "count",
        "Website-Besuche", "web visits", window, "events.web_visit.count",
    )  # fmt: skip


def defined(name: str, unit: str, de: str, en: str, **more: object) -> FeatureDefinition:
    kind = "category" if unit == "category" else "number"
    measure = str(more.pop("measure", "attribute"))
    family = str(more.pop("family", "firmographic"))
    return FeatureDefinition(name, family, kind, "accounts", measure, unit, de, en, **more)  # type: ignore[arg-type]


def text(d: FeatureDefinition, value: object, reference: object, times: float = 1.4, **more: object) -> str:
    arguments = {"language": "de", "country": "DE", "currency": "EUR", **more}
    (found,) = reasons([d], [value], [reference], np.array([math.log(times)]), **arguments)  # type: ignore[arg-type, list-item]
    return found.text.replace("\xa0", " ")


EMPLOYEES = defined("firmographic.employees", "heads", "Mitarbeiterzahl", "number of employees")
OPENED = defined("e.opened", "count", "geöffnete E-Mails", "opened e-mails", window_days=30, measure="count")
RECENCY = defined("cadence.recency_days", "days", "Tage seit dem letzten Kauf",
                  "days since the last purchase", measure="recency")  # fmt: skip
TENURE = defined("cadence.tenure_days", "days", "Dauer der Kundenbeziehung",
                 "length of the customer relationship", measure="tenure")  # fmt: skip
AMOUNT = defined("cadence.amount_365d", "money", "Umsatz", "revenue", window_days=365, measure="amount")
INDUSTRY = defined("firmographic.industry_section", "category", "Branche", "industry")
COUNTRY = defined("firmographic.country", "category", "Land", "country")
OWN = defined("accounts.segment", "category", "Segment", "segment")
PARENT = defined(
    "firmographic.has_parent", "flag", "Zugehörigkeit zu einem Konzern", "part of a corporate group"
)
SHARE = defined("cadence.return_share_365d", "share", "Anteil der Gutschriften", "share of credit notes",
                window_days=365, measure="return_share")  # fmt: skip
SURGE = defined("e.surge_30d", "ratio", "Telefonate gegenüber dem eigenen Durchschnitt",
                "calls against their own average", window_days=30, measure="surge")  # fmt: skip
QUARTER = defined("e.trend_qtd", "ratio", "Trend der Telefonate", "trend in calls", measure="trend",
                  to_date="quarter")  # fmt: skip
PAUSE = defined("e.gap_max_90d", "days", "längster Abstand zwischen aktiven Tagen",
                "longest gap between active days", window_days=90, measure="gap_max")  # fmt: skip
MONTH = defined("season.month_sin", "number", "Jahreszeit", "time of the year", family="season")
FIT = defined("fit.icp", "score", "Ähnlichkeit mit bisherigen Gewinnerkunden", "likeness to past winners")

CASES = [
    (visits(), 12.0, 3.0, "12 Website-Besuche in 30 Tagen, typisch sind 3: ×1,4",
     "12 web visits in 30 days, 3 are typical: ×1.4"),
    (visits(), 0.0, 1.0, "Keine Website-Besuche in 30 Tagen, typisch ist 1: ×1,4",
     "No web visits in 30 days, 1 is typical: ×1.4"),
    (visits(), 1.0, 0.0, "Website-Besuche in 30 Tagen: 1, typisch sind keine: ×1,4",
     "Web visits in 30 days: 1, none are typical: ×1.4"),
    (visits(1), 2.0, 0.0, "2 Website-Besuche in 1 Tag, typisch sind keine: ×1,4",
     "2 web visits in 1 day, none are typical: ×1.4"),
    (OPENED, 0.0, 2.0, "Keine geöffneten E-Mails in 30 Tagen, typisch sind 2: ×1,4",
     "No opened e-mails in 30 days, 2 are typical: ×1.4"),
    (EMPLOYEES, None, 45.0, "Mitarbeiterzahl nicht bekannt, typisch sind 45: ×1,4",
     "Number of employees not known, 45 are typical: ×1.4"),
    (EMPLOYEES, 1200.0, math.nan, "Mitarbeiterzahl: 1.200, typischerweise nicht bekannt: ×1,4",
     "Number of employees: 1,200, typically not known: ×1.4"),
    (RECENCY, 143.3, 40.0, "143 Tage seit dem letzten Kauf, typisch sind 40: ×1,4",
     "143 days since the last purchase, 40 are typical: ×1.4"),
    (RECENCY, 1.0, 40.0, "1 Tag seit dem letzten Kauf, typisch sind 40: ×1,4",
     "1 day since the last purchase, 40 are typical: ×1.4"),
    (RECENCY, None, 40.0, "Tage seit dem letzten Kauf: noch nie, typisch sind 40: ×1,4",
     "Days since the last purchase: none yet, 40 are typical: ×1.4"),
    (TENURE, 1.0, 400.0, "Dauer der Kundenbeziehung: 1 Tag, typisch sind 400: ×1,4",
     "Length of the customer relationship: 1 day, 400 are typical: ×1.4"),
    (AMOUNT, 12300.4, 950.0, "Umsatz in 365 Tagen: 12.300 €, typisch sind 950 €: ×1,4",
     "Revenue in 365 days: €12,300, €950 is typical: ×1.4"),
    (INDUSTRY, "C", "F", "Branche: Verarbeitendes Gewerbe, typisch ist Baugewerbe: ×1,4",
     "Industry: Manufacturing, typically Construction: ×1.4"),
    (COUNTRY, "AT", None, "Land: Österreich, typischerweise nicht bekannt: ×1,4",
     "Country: Austria, typically not known: ×1.4"),
    (OWN, "Händler", "OEM", "Segment: Händler, typisch ist OEM: ×1,4",
     "Segment: Händler, typically OEM: ×1.4"),
    (PARENT, 1.0, 0.0, "Zugehörigkeit zu einem Konzern: ja, typisch ist nein: ×1,4",
     "Part of a corporate group: yes, typically no: ×1.4"),
    (SHARE, 0.123, 0.03, "Anteil der Gutschriften in 365 Tagen: 12 %, typisch sind 3 %: ×1,4",
     "Share of credit notes in 365 days: 12%, 3% is typical: ×1.4"),
    (SHARE, 0.123, 0.124, "Anteil der Gutschriften in 365 Tagen: 12,3 %, typisch sind 12,4 %: ×1,4",
     "Share of credit notes in 365 days: 12.3%, 12.4% is typical: ×1.4"),
    (SURGE, math.log(2.4), 0.0,
     "Telefonate in 30 Tagen: etwa 2,4-mal so viele wie üblich, typisch sind etwa gleich viele: ×1,4",
     "Calls in 30 days: about 2.4 times as many as usual, about the same is typical: ×1.4"),
    (QUARTER, math.log(2), 0.0,
     "Telefonate im laufenden Quartal: etwa doppelt so viele wie bis zum selben Tag des Vorquartals, "
     "typisch sind etwa gleich viele: ×1,4",
     "Calls in the quarter to date: about twice as many as by the same day of the quarter before, "
     "about the same is typical: ×1.4"),
    (PAUSE, None, 12.0,
     "Längster Abstand zwischen aktiven Tagen in 90 Tagen: weniger als zwei aktive Tage, typisch sind 12: "
     "×1,4",
     "Longest gap between active days in 90 days: fewer than two active days, 12 are typical: ×1.4"),
    (MONTH, 0.5, -0.5, "Jahreszeit: ×1,4", "Time of year: ×1.4"),
    (FIT, 0.8, 0.1, "Ähnlichkeit mit bisherigen Gewinnerkunden: höher als typisch: ×1,4",
     "Likeness to past winners: higher than typical: ×1.4"),
]  # fmt: skip


@pytest.mark.parametrize(("definition", "value", "reference", "german", "english"), CASES)
def test_sentences(
    definition: FeatureDefinition, value: object, reference: object, german: str, english: str
) -> None:
    assert text(definition, value, reference) == german
    assert text(definition, value, reference, language="en") == english


def test_numbers_are_written_as_in_the_readers_country() -> None:
    said = {c: text(AMOUNT, 1234567.0, 5000.0, country=c, currency="CHF" if c == "CH" else "EUR")
            for c in ("DE", "AT", "CH")}  # fmt: skip
    assert "1,2 Mio. €" in said["DE"]
    assert "€ 1,2 Mio." in said["AT"]
    assert "CHF 1.2 Mio." in said["CH"]
    assert said["CH"].endswith("×1.4")


def test_features_of_one_topic_are_one_reason_told_by_the_most_telling_window() -> None:
    definitions = [visits(30), EMPLOYEES, visits(90), visits(365)]
    effects = np.log([1.5, 1.2, 2.0, 0.9])
    first, second = reasons(
        definitions, [12.0, 80.0, 30.0, 31.0], [3.0, 45.0, 9.0, 40.0], effects, language="en"
    )
    assert first.factor == pytest.approx(1.5 * 2.0 * 0.9)
    assert first.text == "30 web visits in 90 days, 9 are typical: ×2.7"
    assert first.features[0] == "events.web_visit.count_90d"
    assert set(first.features) == {d.name for d in definitions if d is not EMPLOYEES}
    assert (first.value, first.reference, first.topic) == ("30", "9", "events.web_visit.count")
    assert second.topic == "firmographic.employees"


def test_reasons_for_come_before_reasons_against_each_by_strength() -> None:
    definitions = [defined(f"f{k}", "number", f"Merkmal {k}", f"feature {k}") for k in range(7)]
    effects = np.log([1.1, 0.5, 2.0, 0.9, 1.04, 0.7, 1.5])
    found = reasons(definitions, [1.0] * 7, [0.0] * 7, effects, language="de", limit=2)
    assert [r.features[0] for r in found] == ["f2", "f6", "f1", "f5"]
    assert [r.direction for r in found] == ["up", "up", "down", "down"]
    everything = reasons(definitions, [1.0] * 7, [0.0] * 7, effects, language="de", limit=9)
    assert "f4" not in {r.features[0] for r in everything}
    assert len(everything) == 6
    assert found[0].record()["features"] == ["f2"]


def test_ties_are_broken_by_name_and_not_by_place() -> None:
    definitions = [defined(n, "number", n.upper(), n) for n in ("b", "a", "c")]
    effects = np.log([1.5, 1.5, 1.5])
    one = reasons(definitions, [1.0, 2.0, 3.0], [0.0] * 3, effects, language="en")
    other = reasons(definitions[::-1], [3.0, 2.0, 1.0], [0.0] * 3, effects, language="en")
    assert one == other


@given(
    st.sampled_from([c[0] for c in CASES if c[0].kind == "number"]),
    st.one_of(st.none(), st.floats(-1e6, 1e9)),
    st.one_of(st.none(), st.floats(-1e6, 1e9)),
    st.floats(0.001, 1000).filter(lambda f: abs(math.log(f)) > 0.06),
    st.sampled_from(["de", "en"]),
)
def test_no_code_no_nan_and_always_the_factor(
    definition: FeatureDefinition, value: float | None, reference: float | None, times: float, language: str
) -> None:
    if definition.unit == "ratio":
        value, reference = (None if v is None else v % 3 for v in (value, reference))
    said = text(definition, value, reference, times, language=language)
    assert definition.name not in said
    assert not re.search(r"\bnan\b|None|_", said)
    assert said.count(": ×") == 1
    assert said[0].isupper() or said[0].isdigit() or said[0] in "-−"


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(HvaError, match="lengths"):
        reasons([visits()], [1.0, 2.0], [1.0], np.zeros(1), language="de")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UsageError, match="language 'fr'"):
        reasons([visits()], [1.0], [2.0], np.array([1.0]), language="fr")  # type: ignore[arg-type]


def test_labels_of_topics_are_shared_within_and_different_between_topics() -> None:
    definitions = [visits(30), visits(90), EMPLOYEES, defined("x", "heads", "Mitarbeiterzahl", "staff")]
    labels = topic_labels(definitions, np.array([0.1, 0.2, 0.3, 0.4]), language="de")
    assert labels == ("Website-Besuche", "Website-Besuche", "Mitarbeiterzahl", "Mitarbeiterzahl (2)")


def test_the_paragraph_tells_likelihood_value_and_reasons() -> None:
    definitions, effects = [visits(), EMPLOYEES], np.log([2.0, 0.8])
    for language, expected in (
        ("de", "In den nächsten 90 Tagen kommt es mit 34 % Wahrscheinlichkeit zum Abschluss. "
               "Der Account bringt dann etwa 12.000 €, der erwartete Wert ist also 4.080 € "
               "(×1,6 gegenüber einem typischen Account). "
               "Dafür spricht: 12 Website-Besuche in 30 Tagen, typisch sind 3: ×2,0. "
               "Dagegen spricht: Mitarbeiterzahl nicht bekannt, typisch sind 45: ×0,8."),
        ("en", "The chance that this account converts within the next 90 days is 34%. "
               "It then brings about €12,000, so the expected value is €4,080 "
               "(×1.6 against a typical account). "
               "For it: 12 web visits in 30 days, 3 are typical: ×2.0. "
               "Against it: Number of employees not known, 45 are typical: ×0.8."),
    ):  # fmt: skip
        found = reasons(definitions, [12.0, None], [3.0, 45.0], effects, language=language)  # type: ignore[arg-type]
        said = paragraph(
            found, probability=0.34, value_if_converted=12000.0, expected_value=4080.0,
            typical_expected_value=2550.0, horizon_days=90, language=language,  # type: ignore[arg-type]
        )  # fmt: skip
        assert said.replace("\xa0", " ") == expected


def test_the_paragraph_says_between_what_the_value_mostly_lies() -> None:
    for language, expected in (
        ("de", "Der Account bringt dann etwa 12.000 € (meist zwischen 4.100 € und 2,3 Mio. €), der"),
        ("en", "It then brings about €12,000 (mostly between €4,100 and €2.3 million), so"),
    ):
        said = paragraph(
            [], probability=0.34, value_if_converted=12000.0, expected_value=4080.0,
            typical_expected_value=2550.0, horizon_days=90, language=language,  # type: ignore[arg-type]
            value_bounds=(4100.0, 2.3e6),
        )  # fmt: skip
        assert expected in said.replace("\xa0", " ")


def test_formats() -> None:
    assert money(-0.001, "EUR", language="en") == "€0.00"
    assert money(1234.5, "EUR", language="de", decimals=2) == "1.234,50\xa0€"
    assert money(99.5, "EUR", language="en") == "€99.50"
    assert number(-1234.0, language="de") == "−1.234"
    assert percent(0.056, language="de", decimals=1) == "5,6\xa0%"
    assert [factor(f, language="en") for f in (0.003, 0.96, 1.25, 9.94, 250.0)] == [
        "×0.0030", "×0.96", "×1.2", "×9.9", "×250",
    ]  # fmt: skip
    assert day(date(2025, 12, 31), language="de", country="AT") == "31.12.2025"
