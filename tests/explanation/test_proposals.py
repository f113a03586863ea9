"""Proposals in words: what, what there is now, what goes with it; never that it would bring it about."""

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.explanation.counterfactual import Advice, Moved
from hva_ml.explanation.proposals import note, nothing, sentence
from hva_ml.explanation.reader import Reader
from hva_ml.features.definition import FeatureDefinition

GERMAN, SWISS = Reader("de", "DE", "EUR", "now"), Reader("de", "CH", "CHF", "now")
ENGLISH = Reader("en", "DE", "EUR", "now")
PROMISES = re.compile(
    r"\b(will|would|increases?|raises?|causes?|leads? to|erhöht|steigert|bewirkt|führt zu|bringt|wird)\b"
)
REVENUE = FeatureDefinition(
    "invoices.amount.sum_30d", "deal_history", "number", "invoices", "sum", "money", "Umsatz", "revenue", 30,
    "invoices.amount.sum",
)  # fmt: skip


def advice(*changes: Moved, expected: float = 1540.0, factor: float = 1540 / 1200, near: int = 37) -> Advice:
    return Advice(changes, expected, factor, near, 1800.0)


def told(made: Any, reader: Reader, found: Advice, present: float = 1200.0) -> str:
    known = {d.name: d for d in (*made.definitions, REVENUE)}
    return sentence(found, known, present, reader).replace("\xa0", " ")


def test_one_change_names_only_what_moves_on_its_own(made: Any) -> None:
    found = advice(
        Moved("events.call.count_30d", 2.0, 5.0, True),
        Moved("events.call.count_90d", 4.0, 7.0, False),
        Moved("events.call.recency_days", 20.0, 5.0, False),
    )
    assert told(made, GERMAN, found) == (
        "5 Telefonate in 30 Tagen, derzeit 2: Damit geht ein erwarteter Wert von 1.540 € einher statt "
        "1.200 € (×1,3); 37 ähnliche Accounts haben etwa diese Werte."
    )
    assert told(made, ENGLISH, found) == (
        "5 calls in 30 days, now 2: this goes with an expected value of €1,540 instead of €1,200 (×1.3); "
        "37 similar accounts have about these figures."
    )


@pytest.mark.parametrize(
    ("now", "proposed", "german", "english"),
    [
        (0.0, 1.0, "1 Telefonat in 30 Tagen, derzeit keine:", "1 call in 30 days, now none:"),
        (1.0, 2.0, "2 Telefonate in 30 Tagen, derzeit 1:", "2 calls in 30 days, now 1:"),
        (4.0, 0.0, "Keine Telefonate in 30 Tagen, derzeit 4:", "No calls in 30 days, now 4:"),
        (
            1234.0,
            1500.0,
            "1.500 Telefonate in 30 Tagen, derzeit 1.234:",
            "1,500 calls in 30 days, now 1,234:",
        ),
    ],
)
def test_none_one_and_many(made: Any, now: float, proposed: float, german: str, english: str) -> None:
    found = advice(Moved("events.call.count_30d", now, proposed, True))
    assert told(made, GERMAN, found).startswith(german + " Damit")
    assert told(made, ENGLISH, found).startswith(english + " this")


def test_what_has_never_been_is_said_so(made: Any) -> None:
    found = advice(Moved("events.recency_days", math.nan, 15.0, True))
    assert told(made, GERMAN, found).startswith("15 Tage seit der letzten Aktivität, derzeit noch nie: ")
    assert told(made, ENGLISH, found).startswith("15 days since the last, now none yet: ")


def test_two_changes_are_told_together(made: Any) -> None:
    found = advice(
        Moved("events.call.count_30d", 2.0, 5.0, True), Moved("events.meeting.count_30d", 0.0, 2.0, True)
    )
    assert told(made, GERMAN, found).startswith(
        "Beides zusammen (5 Telefonate in 30 Tagen, derzeit 2; 2 Termine in 30 Tagen, derzeit keine): Damit"
    )
    assert told(made, ENGLISH, found).startswith(
        "Both together (5 calls in 30 days, now 2; 2 meetings in 30 days, now none): this goes with"
    )


def test_money_is_written_as_in_switzerland(made: Any) -> None:
    found = advice(Moved(REVENUE.name, 900.0, 12_000.0, True), expected=2_100_000.0, factor=1.05)
    assert told(made, SWISS, found, 2_000_000.0) == (
        "Umsatz in 30 Tagen: CHF 12’000, derzeit CHF 900: Damit geht ein erwarteter Wert von CHF 2.1 Mio. "
        "einher statt CHF 2.0 Mio. (×1.05); 37 ähnliche Accounts haben etwa diese Werte."
    )


@given(
    now=st.integers(0, 3000), by=st.integers(1, 50), present=st.floats(1e-3, 1e9), factor=st.floats(1.05, 50),
    near=st.integers(5, 1000), reader=st.sampled_from([GERMAN, SWISS, ENGLISH]),
)  # fmt: skip
def test_any_proposal_reads_well(
    made: Any, now: int, by: int, present: float, factor: float, near: int, reader: Reader
) -> None:
    found = advice(
        Moved("events.call.count_30d", float(now), float(now + by), True),
        expected=present * factor, factor=factor, near=near,
    )  # fmt: skip
    text = told(made, reader, found, present)
    assert not re.search(r"(?<![\d.,’])1 (Telefonate|calls)\b|\b(0|\d\d) (Telefonat|call)\b", text)
    assert not re.search(
        r"\w_\w|\bnan\b|None|[{}]|\s\s|ß", text if reader is SWISS else text.replace("ß", "")
    )
    assert not PROMISES.search(text)
    if present >= 10 and factor < 40:
        amounts = re.findall(r"(?:von|of) (.+?) (?:einher statt|instead of) (.+?) \(", text)
        assert amounts
        assert amounts[0][0] != amounts[0][1]


def test_the_note_and_the_empty_answer_promise_nothing() -> None:
    assert "kein Versprechen" in note(GERMAN)
    assert "not a promise" in note(ENGLISH)
    for reader in (GERMAN, ENGLISH):
        assert not PROMISES.search(nothing(reader))
    assert nothing(GERMAN).startswith("Keine der erlaubten Änderungen")
