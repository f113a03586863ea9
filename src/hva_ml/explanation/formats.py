"""The door to Babel: numbers, money, shares and days as a reader's language and country write them.

Babel is asked once for each way of writing and taken at its word from then on, so that a night's million
numbers cost no more than their digits.
"""

import copy
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

from babel import Locale
from babel.dates import format_date

from hva_ml.config import NO_CURRENCY
from hva_ml.errors import UsageError

Language = Literal["de", "en"]
LANGUAGES = ("de", "en")
GERMAN = {"DE": "de_DE", "AT": "de_AT", "CH": "de_CH", "LI": "de_LI"}
MINUS = "\u2212"
NO_BREAK = "\u00a0"
MILLION, BILLION = 1e6, 1e9
_WINS = {"de": ("Abschluss", "Abschlüsse"), "en": ("win", "wins")}
_LARGE = {"de": ("Mio.", "Mrd."), "en": ("million", "billion")}


def locale_name(language: str, country: str = "DE") -> str:
    """Return the locale: German as written in the country (Germany's where it has none), else English.

    Raises
    ------
    UsageError
        For a language other than ``de`` and ``en``.

    Examples
    --------
    >>> locale_name("de", "AT"), locale_name("en", "AT")
    ('de_AT', 'en')
    """
    if language not in LANGUAGES:
        raise UsageError(
            f"There is no wording in the language '{language[:20]}'.",
            where="language",
            fix="Use de or en.",
        )
    return "en" if language == "en" else GERMAN.get(country.upper(), "de_DE")


def money(
    amount: float, currency: str, *, language: str, country: str = "DE", decimals: int | None = None
) -> str:
    r"""Return an amount of money; without `decimals`, cents only below 100. Without a currency, wins.

    Examples
    --------
    >>> money(12345.6, "EUR", language="de"), money(-3.5, "CHF", language="en")
    ('12.346\xa0€', '−CHF\xa03.50')
    >>> money(0.28, "XXX", language="de"), money(1.0, "XXX", language="en")
    ('0,28\xa0Abschlüsse', '1\xa0win')
    """
    if currency == NO_CURRENCY:
        whole = amount >= 100 or amount == round(amount)
        written = number(amount, language=language, country=country, decimals=0 if whole else decimals or 2)
        return f"{written}{NO_BREAK}{_WINS[language][written != '1']}"
    digits = decimals if decimals is not None else 0 if abs(amount) >= 100 or amount == 0 else 2
    return _pattern("currency", locale_name(language, country), currency).write(amount, digits)


def money_short(
    amount: float, currency: str, *, language: str, country: str = "DE", decimals: int | None = None
) -> str:
    r"""Return an amount as one says it: from a million on in millions, from a billion on in billions.

    Parameters
    ----------
    decimals : int, optional
        Digits below a million (as in `money`); one more than that from a million on.

    Examples
    --------
    >>> money_short(1_234_567.0, "EUR", language="de"), money_short(2.5e9, "EUR", language="en")
    ('1,2\xa0Mio.\xa0€', '€2.5\xa0billion')
    >>> money_short(1_234_567.0, "CHF", language="de", country="CH")
    'CHF\xa01.2\xa0Mio.'
    """
    if currency == NO_CURRENCY:
        return money(amount, currency, language=language, country=country, decimals=decimals)
    digits = 0 if decimals is None else decimals
    unit = 1 if round(abs(amount) / BILLION, digits + 1) >= 1.0 else 0
    scaled = amount / (BILLION if unit else MILLION)
    if round(abs(scaled), digits + 1) < 1.0:
        return money(amount, currency, language=language, country=country, decimals=decimals)
    pattern = _pattern("currency", locale_name(language, country), currency)
    return pattern.write(scaled, digits + 1, NO_BREAK + _LARGE[language][unit])


def number(value: float, *, language: str, country: str = "DE", decimals: int = 0) -> str:
    """Return a number with exactly `decimals` digits after the sign.

    Examples
    --------
    >>> number(1234.5, language="de", decimals=1), number(-1234.5, language="en", decimals=1)
    ('1.234,5', '−1,234.5')
    """
    return _pattern("decimal", locale_name(language, country)).write(value, decimals)


def percent(share: float, *, language: str, country: str = "DE", decimals: int = 0) -> str:
    r"""Return a share as a percentage.

    Examples
    --------
    >>> percent(0.123, language="de"), percent(0.123, language="en", decimals=1)
    ('12\xa0%', '12.3%')
    """
    rounded = round(float(share), decimals + 2) * 100.0
    return _pattern("percent", locale_name(language, country)).write(rounded, decimals)


def factor(value: float, *, language: str, country: str = "DE") -> str:
    """Return a factor: two digits where it matters, so that 1.04 is not told as 1.0 nor 0.03 as 0.0.

    Examples
    --------
    >>> [factor(f, language="de") for f in (1.4, 1.04, 0.72, 0.034, 12.3)]
    ['×1,4', '×1,04', '×0,7', '×0,03', '×12']
    """
    if value >= 9.95:
        digits = 0
    elif abs(value - 1.0) < 0.095 or value < 0.095:
        digits = 2 if value >= 0.0095 else 4
    else:
        digits = 1
    return f"×{number(value, language=language, country=country, decimals=digits)}"


def day(when: date, *, language: str, country: str = "DE") -> str:
    """Return a calendar day.

    Examples
    --------
    >>> day(date(2025, 7, 1), language="de"), day(date(2025, 7, 1), language="en")
    ('01.07.2025', 'Jul 1, 2025')
    """
    return str(format_date(when, format="medium", locale=locale_name(language, country)))


@cache
def territory(code: str, *, language: str) -> str:
    """Return the name of a country by its ISO 3166 code, or the code itself where it is none.

    Examples
    --------
    >>> territory("AT", language="de"), territory("??", language="en")
    ('Österreich', '??')
    """
    return str(_locale(locale_name(language)).territories.get(code.upper(), code))


def swiss(text: str, country: str) -> str:
    """Return German text as the country spells it: Switzerland and Liechtenstein write ss for ß.

    Examples
    --------
    >>> swiss("Größe", "CH"), swiss("Größe", "AT")
    ('Grösse', 'Größe')
    """
    return text.replace("ß", "ss") if country.upper() in ("CH", "LI") else text


@dataclass(frozen=True)
class _Pattern:
    """How numbers of one kind are written: signs and units around them, separators within."""

    plus: tuple[str, str]
    minus: tuple[str, str]
    separators: dict[int, str]

    def write(self, value: float, decimals: int, unit: str = "") -> str:
        # Rounded first, so that nothing is told as "-0".
        rounded = round(float(value), decimals) + 0.0
        before, after = self.minus if rounded < 0 else self.plus
        body = f"{abs(rounded):,.{decimals}f}".translate(self.separators)
        return f"{before}{body}{unit}{after}"


@cache
def _locale(name: str) -> Locale:
    return Locale.parse(name)


@cache
def _pattern(kind: str, name: str, currency: str = "") -> _Pattern:
    locale = _locale(name)
    if kind == "currency":
        found = locale.currency_formats["standard"]
    else:
        found = {"decimal": locale.decimal_formats, "percent": locale.percent_formats}[kind][None]
    # Babel shares its patterns between callers.
    pattern = copy.copy(found)
    pattern.frac_prec = (1, 1)
    sample = 11111.115 if kind == "percent" else 1111111.5
    told = {}
    for sign in (1, -1):
        text = str(pattern.apply(sign * sample, locale, currency=currency or None, currency_digits=False))
        parts = re.fullmatch(r"(\D*)(1\D?111\D?111)(\D)5(\D*)", text)
        assert parts is not None
        before = parts[1].replace("-", MINUS)
        # CLDR sets letters of a currency apart from digits; Babel does not.
        told[sign] = (before + NO_BREAK if before[-1:].isalpha() else before, parts[4])
        group, decimal = parts[2][1:2], parts[3]
    separators = {ord(","): "" if group == "1" else group, ord("."): decimal}
    return _Pattern(told[1], told[-1], separators)
