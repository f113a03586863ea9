"""What the codes of standard categories are called: countries, regions, industries, sizes."""

from hva_ml.errors import bounded
from hva_ml.explanation.formats import swiss, territory
from hva_ml.explanation.grammar import cleaned
from hva_ml.features.industry import SECTIONS

_LONGEST = 60
_SIZES = {
    "micro": ("unter 10 Mitarbeiter", "fewer than 10 employees"),
    "small": ("10–49 Mitarbeiter", "10–49 employees"),
    "medium": ("50–249 Mitarbeiter", "50–249 employees"),
    "large": ("ab 250 Mitarbeiter", "250 employees or more"),
}
_OUTCOMES = {"won": ("gewonnen", "won"), "lost": ("verloren", "lost")}


def category(feature: str, value: str, *, language: str, country: str = "DE") -> str:
    """Return the word for a category's value; values of the user's own columns stay as they are.

    Standard words are spelled as in `country`; what comes from the data keeps its spelling.

    Examples
    --------
    >>> category("firmographic.industry_section", "F", language="de")
    'Baugewerbe'
    >>> category("firmographic.region", "DE-8", language="en")
    'Germany, postal zone 8'
    """
    word = _standard(feature, value, language)
    return cleaned(bounded(value if word is None else swiss(word, country), _LONGEST))


def _standard(feature: str, value: str, language: str) -> str | None:
    german = language == "de"
    attribute = feature.removeprefix("firmographic.") if feature.startswith("firmographic.") else ""
    if feature == "deals.last_outcome" and value in _OUTCOMES:
        return _OUTCOMES[value][0 if german else 1]
    if attribute == "country":
        return territory(value, language=language)
    if attribute == "region" and "-" in value:
        country, zone = value.split("-", 1)
        return f"{territory(country, language=language)}, {'PLZ-Zone' if german else 'postal zone'} {zone}"
    if attribute == "size_class" and value in _SIZES:
        return _SIZES[value][0 if german else 1]
    if attribute == "industry_section":
        return next(((s.de if german else s.en) for s in SECTIONS if s.letter == value), None)
    if attribute == "industry_division" and value.isdecimal():
        title = next(
            ((s.de if german else s.en) for s in SECTIONS if s.first <= int(value) <= s.last), ""
        )  # fmt: skip
        return f"{'WZ' if german else 'NACE'} {value} ({title})" if title else None
    return None
