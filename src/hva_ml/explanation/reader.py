"""Whom we speak to, and how we name what an account is compared with."""

from dataclasses import dataclass
from datetime import date
from typing import TypedDict

from hva_ml.explanation.formats import day as written_day
from hva_ml.explanation.formats import swiss
from hva_ml.explanation.grammar import cleaned
from hva_ml.features.definition import FeatureDefinition

# What an account may be compared with: German and English for "…, <there> 3" and "… than <there>".
REFERENCES: dict[str, tuple[str, str]] = {
    "typical": ("typisch", "typical"),
    "threshold": ("an der Grenze von A zu B", "at the threshold from A to B"),
    "won": ("bei gewonnenen Accounts", "for won accounts"),
    "earlier": ("zuvor", "before"),
    "now": ("derzeit", "now"),
}


# What an account of each kind is called: German, English.
NAMES: dict[str, tuple[str, str]] = {
    "typical": ("Typischer Account", "Typical account"),
    "medoid": ("Typischer Account", "Typical account"),
    "threshold": ("Account an der Grenze von A zu B", "Account at the threshold from A to B"),
    "won": ("Durchschnittlicher gewonnener Account", "Average won account"),
    "earlier": ("Dieser Account am {day}", "This account on {day}"),
}


def spoken_of(kind: str) -> str:
    """Return the key of `REFERENCES` for a kind of reference account: a medoid is a typical account too."""
    return "typical" if kind == "medoid" else kind


class Spoken(TypedDict):
    """What every way of writing asks for."""

    language: str
    country: str


@dataclass(frozen=True)
class Reader:
    """Language, country (how numbers are written and words spelled there), currency, and the reference.

    Attributes
    ----------
    language : str
        ``de`` or ``en``.
    country : str
        ``DE``, ``AT`` or ``CH``.
    currency : str
        ISO 4217 code.
    reference : str
        A key of `REFERENCES`: what the second value of a sentence belongs to.
    leads : bool
        Whether it is about leads, whose horizon begins with their first contact.
    """

    language: str
    country: str
    currency: str
    reference: str = "typical"
    leads: bool = False

    @property
    def german(self) -> bool:
        """Whether to speak German."""
        return self.language == "de"

    @property
    def spoken(self) -> Spoken:
        """Language and country as the functions of `formats` take them."""
        return {"language": self.language, "country": self.country}

    def pick(self, words: tuple[str, str]) -> str:
        """Return the German or the English one of a pair, as the country spells it."""
        return swiss(words[0], self.country) if self.german else words[1]

    def named(self, kind: str, segment: str = "", day: date | None = None) -> str:
        """Return what a reference account is called: "Typischer Account (Handel)", "Average won account"."""
        written = written_day(day, **self.spoken) if day else ""
        name = self.pick(NAMES[kind]).format(day=written)
        return f"{name} ({cleaned(segment)})" if segment else name

    def label(self, definition: FeatureDefinition) -> str:
        """Return a feature's label, in the plural where it counts."""
        return self.pick((definition.label_de, definition.label_en))

    def one(self, definition: FeatureDefinition) -> str:
        """Return a feature's label for exactly one, empty where nobody knows it."""
        return self.pick((definition.one_de, definition.one_en))

    def beside(self, there: str, *, plural: bool) -> str:
        """Return what the reference has: "typisch sind 3", "3 are typical", "zuvor 3", "now 3"."""
        place = self.pick(REFERENCES[self.reference])
        if self.reference != "typical":
            return f"{place} {there}" if self.german or self.reference == "now" else f"{there} {place}"
        if self.german:
            return f"{place} {'sind' if plural else 'ist'} {there}"
        return f"{there} {'are' if plural else 'is'} {place}"

    def usually(self, there: str) -> str:
        """Return what the reference is like: "typischerweise nicht bekannt", "typically Construction"."""
        if self.reference != "typical":
            return self.beside(there, plural=False)
        return f"{'typischerweise' if self.german else 'typically'} {there}"

    def than(self, words: str, *, equal: bool = False) -> str:
        """Return a comparison: "höher als typisch", "equal to what is typical", "lower than before"."""
        place = self.pick(REFERENCES[self.reference])
        if self.german:
            return f"{words} {'wie' if equal else 'als'} {place}"
        if equal:
            return f"{words} to {'what is ' if self.reference == 'typical' else 'that '}{place}"
        return f"{words} than {place}"
