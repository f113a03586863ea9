"""The door to Babel: numbers, money, shares and days as a reader's language and country write them."""

import copy
from datetime import date
from functools import cache
from typing import Any, Literal

from babel import Locale
from babel.dates import format_date

from hva_ml.errors import UsageError

Language = Literal["de", "en"]
LANGUAGES = ("de", "en")
GERMAN = {"DE": "de_DE", "AT": "de_AT", "CH": "de_CH", "LI": "de_LI"}


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
    r"""Return an amount of money; without `decimals`, cents only below 100.

    Examples
    --------
    >>> money(12345.6, "EUR", language="de"), money(-3.5, "CHF", language="en")
    ('12.346\xa0€', '-CHF3.50')
    """
    digits = decimals if decimals is not None else 0 if abs(amount) >= 100 or amount == 0 else 2
    return _apply("currency", amount, digits, language, country, currency)


def number(value: float, *, language: str, country: str = "DE", decimals: int = 0) -> str:
    """Return a number with exactly `decimals` digits after the sign.

    Examples
    --------
    >>> number(1234.5, language="de", decimals=1), number(1234.5, language="en", decimals=1)
    ('1.234,5', '1,234.5')
    """
    return _apply("decimal", value, decimals, language, country)


def percent(share: float, *, language: str, country: str = "DE", decimals: int = 0) -> str:
    r"""Return a share as a percentage.

    Examples
    --------
    >>> percent(0.123, language="de"), percent(0.123, language="en", decimals=1)
    ('12\xa0%', '12.3%')
    """
    return _apply("percent", share, decimals, language, country)


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


def territory(code: str, *, language: str) -> str:
    """Return the name of a country by its ISO 3166 code, or the code itself where it is none.

    Examples
    --------
    >>> territory("AT", language="de"), territory("??", language="en")
    ('Österreich', '??')
    """
    return str(_locale(locale_name(language)).territories.get(code.upper(), code))


@cache
def _locale(name: str) -> Locale:
    return Locale.parse(name)


@cache
def _pattern(kind: str, name: str, decimals: int) -> Any:
    locale = _locale(name)
    if kind == "currency":
        found = locale.currency_formats["standard"]
    else:
        found = {"decimal": locale.decimal_formats, "percent": locale.percent_formats}[kind][None]
    # Babel shares its patterns between callers.
    pattern = copy.copy(found)
    pattern.frac_prec = (decimals, decimals)
    return pattern


def _apply(
    kind: str, value: float, decimals: int, language: str, country: str, currency: str | None = None
) -> str:
    name = locale_name(language, country)
    digits = decimals + 2 if kind == "percent" else decimals
    # Rounded first, so that nothing is told as "-0".
    rounded = round(float(value), digits) + 0.0
    pattern = _pattern(kind, name, decimals)
    return str(pattern.apply(rounded, _locale(name), currency=currency, currency_digits=False))
