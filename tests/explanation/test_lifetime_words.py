"""Sentences on the lifetime value of customers, in both languages."""

from hva_ml.explanation.lifetime import Reach, customer_sentence, customers_sentence
from hva_ml.explanation.reader import Reader

CURVE = (Reach(0, 90, 1234.0, 0.81), Reach(90, 180, 2100.4, 0.6), Reach(180, 365, 1_250_000.0, 0.0456))


def test_every_horizon_and_the_last_survival_are_told_as_each_language_writes_them() -> None:
    german = customer_sentence(CURVE, 0.0, Reader("de", "DE", "EUR"))
    english = customer_sentence(CURVE, 0.0, Reader("en", "DE", "EUR"))
    swiss = customer_sentence(CURVE, 0.0, Reader("de", "CH", "CHF"))
    assert german == (
        "Dieser Bestandskunde bringt voraussichtlich 1.234\u00a0€ in 90 Tagen, 2.100\u00a0€ in 180 Tagen und "
        "1,2\u00a0Mio.\u00a0€ in 365 Tagen; dass er nach Tag 180, bis Tag 365, noch kauft, ist zu "
        "4,6\u00a0% wahrscheinlich."
    )
    assert "€1,234 within 90 days, €2,100 within 180 days and " in english
    assert english.endswith("the chance that it still buys after day 180, by day 365, is 4.6%.")
    assert "1’234" in swiss


def test_a_discount_is_told_with_the_digits_it_was_declared_with() -> None:
    told = [customer_sentence(CURVE, rate, Reader("de", "DE", "EUR")) for rate in (0.07, 0.025)]
    assert told[0].endswith("Späteres Geld ist mit 7\u00a0% im Jahr abgezinst.")
    assert told[1].endswith("Späteres Geld ist mit 2,5\u00a0% im Jahr abgezinst.")


def test_totals_are_told_of_all_customers() -> None:
    told = customers_sentence(1312, CURVE[:2], 0.1, Reader("en", "DE", "EUR"))
    assert told == (
        "All existing customers (1,312) together probably bring €1,234 within 90 days and €2,100 within 180 "
        "days. Later money is discounted by 10% a year."
    )
    assert customers_sentence(1312, CURVE[:2], 0.0, Reader("de", "AT", "EUR")).startswith(
        "Alle Bestandskunden ("
    )


def test_nothing_is_told_of_no_customer_or_without_money() -> None:
    euros, wins = Reader("de", "DE", "EUR"), Reader("de", "DE", "XXX")
    assert customer_sentence((), 0.0, euros) == ""
    assert customers_sentence(0, (), 0.0, euros) == ""
    assert customer_sentence(CURVE, 0.0, wins) == ""
    assert customers_sentence(3, CURVE, 0.0, wins) == ""
