"""What customers probably bring beyond the horizon of the scores, in a sentence; quiet if unknown."""

from collections.abc import Sequence
from dataclasses import dataclass

from hva_ml.config import NO_CURRENCY
from hva_ml.explanation.formats import number, percent
from hva_ml.explanation.paragraph import amount, likelihood
from hva_ml.explanation.reader import Reader


@dataclass(frozen=True)
class Reach:
    """What is brought until one horizon.

    Attributes
    ----------
    from_days, horizon_days : int
        The last window of the horizon, in days from where the horizon of the scores begins.
    value : float
        Of all windows up to the horizon, currency units.
    survival : float
        Likelihood of buying anything from `from_days` to the longest horizon, in [0, 1].
    """

    from_days: int
    horizon_days: int
    value: float
    survival: float = 0.0


def customer_sentence(curve: Sequence[Reach], discount_per_year: float, reader: Reader) -> str:
    r"""Return what one customer probably brings, and how likely it still buys later; empty without a curve.

    Parameters
    ----------
    curve : sequence of Reach
        Horizons rising.
    discount_per_year : float
        What later money was discounted by; 0 where it counts in full.
    reader : Reader

    Examples
    --------
    >>> curve = (Reach(0, 90, 1234.0, 0.8), Reach(90, 180, 2100.0, 0.45))
    >>> customer_sentence(curve, 0.0, Reader("en", "DE", "EUR"))
    'This existing customer probably brings €1,234 within 90 days and €2,100 within 180 days; the chance that it still buys after day 90, by day 180, is 45%.'
    """  # noqa: E501
    if not curve or reader.currency == NO_CURRENCY:
        return ""
    last, told = curve[-1], _listed(curve, reader)
    chance = likelihood(last.survival, reader)
    german = (
        f"Dieser Bestandskunde bringt voraussichtlich {told}; dass er nach Tag {last.from_days}, bis Tag "
        f"{last.horizon_days}, noch kauft, ist zu {chance} wahrscheinlich."
    )
    english = (
        f"This existing customer probably brings {told}; the chance that it still buys after day "
        f"{last.from_days}, by day {last.horizon_days}, is {chance}."
    )
    return reader.pick((german, english)) + _discounted(discount_per_year, reader)


def customers_sentence(
    customers: int, totals: Sequence[Reach], discount_per_year: float, reader: Reader
) -> str:
    """Return what all customers together probably bring; empty where there are none.

    Parameters
    ----------
    customers : int
        How many they are.
    totals : sequence of Reach
        Horizons rising, values of all customers.
    discount_per_year, reader
        See `customer_sentence`.
    """
    if not customers or not totals or reader.currency == NO_CURRENCY:
        return ""
    told, count = _listed(totals, reader), number(customers, **reader.spoken)
    german = f"Alle Bestandskunden ({count}) bringen zusammen voraussichtlich {told}."
    english = f"All existing customers ({count}) together probably bring {told}."
    return reader.pick((german, english)) + _discounted(discount_per_year, reader)


def _listed(curve: Sequence[Reach], reader: Reader) -> str:
    parts = [
        reader.pick(("{money} in {days} Tagen", "{money} within {days} days")).format(
            money=amount(c.value, reader), days=c.horizon_days
        )
        for c in curve
    ]
    joined = reader.pick((" und ", " and "))
    return joined.join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _discounted(per_year: float, reader: Reader) -> str:
    if not per_year:
        return ""
    # As many digits as were declared: 2.5 % a year must not be told as 3 %.
    decimals = 0 if round(per_year * 100, 6).is_integer() else 1
    rate = percent(per_year, decimals=decimals, **reader.spoken)
    words = ("Späteres Geld ist mit {rate} im Jahr abgezinst.", "Later money is discounted by {rate} a year.")
    return " " + reader.pick(words).format(rate=rate)
