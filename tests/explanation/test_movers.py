"""Causes in words: one for each topic, in order, without a feature's code."""

import math

import pytest

from hva_ml.explanation.movers import causes, title
from hva_ml.explanation.phrases import Reader
from hva_ml.features.definition import FeatureDefinition

GERMAN, ENGLISH = Reader("de", "DE", "EUR"), Reader("en", "DE", "EUR")


def visits(days: int) -> FeatureDefinition:
    return FeatureDefinition(
        f"events.visit.count_{days}d", "engagement", "number", "events", "count", "count",
        "Website-Besuche", "web visits", days, "events.visit.count",
    )  # fmt: skip


LEGAL = FeatureDefinition(
    "firmographic.legal_form", "firmographic", "category", "accounts", "attribute", "category",
    "Rechtsform", "legal form",
)  # fmt: skip
DEFINITIONS = (visits(30), visits(90), LEGAL)


def told(reader: Reader, **changes: object) -> list[str]:
    given = {
        "before": {visits(30).name: 2.0, visits(90).name: 5.0, LEGAL.name: "KG"},
        "after": {visits(30).name: 7.0, visits(90).name: 10.0, LEGAL.name: "AG"},
        "effects": {visits(30).name: 0.3, visits(90).name: 0.1, LEGAL.name: -0.6},
        "model": 0.0,
    }
    return [c.text for c in causes(DEFINITIONS, **{**given, **changes}, reader=reader)]


def test_windows_of_one_topic_are_one_cause() -> None:
    assert told(GERMAN) == [
        "Rechtsform: AG (zuvor KG): ×0,5",
        "Website-Besuche in 30 Tagen: 7 (zuvor 2): ×1,5",
    ]
    assert told(ENGLISH)[1] == "Web visits in 30 days: 7 (2 before): ×1.5"


def test_the_model_is_a_cause_like_any_other() -> None:
    assert told(ENGLISH, model=math.log(3.0))[0] == "New model, same facts: ×3.0"
    assert told(GERMAN, model=math.log(1.01), effects={}) == []


@pytest.mark.parametrize("missing", [None, math.nan])
def test_unknown_is_said_as_unknown(missing: float | None) -> None:
    before = {visits(30).name: 2.0, visits(90).name: 5.0, LEGAL.name: missing}
    assert told(GERMAN, before=before)[0] == "Rechtsform: AG (zuvor nicht bekannt): ×0,5"


def test_one_day_is_no_days() -> None:
    assert title(visits(1), GERMAN) == "Website-Besuche in 1 Tag"
    assert title(visits(1), ENGLISH) == "Web visits in 1 day"
