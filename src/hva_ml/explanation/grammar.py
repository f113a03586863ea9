"""The little German and English grammar that sentences need: none, one, many, days, capitals, spelling."""

import re
from functools import cache

TO_DATE: dict[str, tuple[str, str]] = {
    "month": ("im laufenden Monat", "in the month to date"),
    "quarter": ("im laufenden Quartal", "in the quarter to date"),
    "year": ("im laufenden Jahr", "in the year to date"),
}
"""Windows from the beginning of a period, as they stand in a sentence."""

_WORD = re.compile(r"[^\W\d_][\w’'.-]*|[^\w\s]|\d+|\s+")
_JOINS = ("und", "oder", ",")
# Words that end like an adjective and are none.
_NO_ADJECTIVE = frozenset(
    ("die", "eine", "keine", "ohne", "je", "seine", "ihre", "alle", "beide", "diese", "nahe", "ende", "mitte")
)


def capital(text: str) -> str:
    """Return `text` with its first letter in upper case.

    Examples
    --------
    >>> capital("geöffnete E-Mails"), capital("ßpätzle")
    ('Geöffnete E-Mails', 'ßpätzle')
    """
    first = text[:1].upper()
    return first + text[1:] if len(first) == 1 else text


@cache
def none_of(plural: str, *, german: bool) -> str | None:
    """Return "no …" of a plural: after "keine", German adjectives take -en.

    Returns
    -------
    str or None
        None where the German words are no plural noun with adjectives before it, so that it cannot be told
        how they would be inflected.

    Examples
    --------
    >>> none_of("geöffnete E-Mails", german=True), none_of("web visits", german=False)
    ('keine geöffneten E-Mails', 'no web visits')
    >>> none_of("aktive Ansprechpartner (geöffnete E-Mails)", german=True)
    'keine aktiven Ansprechpartner (geöffnete E-Mails)'
    >>> none_of("whitepaper download", german=True) is None
    True
    """
    if not german:
        return f"no {plural}"
    head, bracket, rest = plural.partition(" (")
    told: list[str] = []
    waiting = True  # for the noun of this part of the phrase
    for word in _WORD.findall(head):
        if word in _JOINS:
            if waiting:
                return None
            waiting = True
        elif waiting and word[0].isalpha():
            if word[0].isupper():
                waiting = False
            elif not word.endswith("e") or word in _NO_ADJECTIVE:
                return None
            else:
                word += "n"
        told.append(word)
    return None if waiting else f"keine {''.join(told)}{bracket}{rest}"


def days(count: int, *, german: bool, dative: bool = False) -> str:
    """Return "day" or "days" as it stands after `count`.

    Examples
    --------
    >>> days(1, german=True), days(2, german=True), days(2, german=True, dative=True)
    ('Tag', 'Tage', 'Tagen')
    """
    if german:
        return "Tag" if count == 1 else "Tagen" if dative else "Tage"
    return "day" if count == 1 else "days"


def since(label: str) -> str:
    """Return what follows in "Tage seit …" and "days since …", empty for any other words.

    Examples
    --------
    >>> since("Tage seit dem letzten Kauf"), since("days since the last call"), since("Umsatz")
    ('seit dem letzten Kauf', 'since the last call', '')
    """
    found = re.match(r"(?:Tage|days) ((?:seit|since) .+)", label)
    return found[1] if found else ""


def of_days(label: str) -> str:
    """Return what follows the unit in "Tage in der Phase" or "days in the stage", empty for other words.

    Examples
    --------
    >>> of_days("Tage in der aktuellen Verkaufsphase"), of_days("Dauer")
    ('in der aktuellen Verkaufsphase', '')
    """
    found = re.match(r"(?:Tage|days) (.+)", label)
    return found[1] if found else ""


def cleaned(text: str) -> str:
    r"""Return words from data on one line: no control characters, no space twice.

    Examples
    --------
    >>> cleaned("Groß-\n  handel\x00")
    'Groß- handel'
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
