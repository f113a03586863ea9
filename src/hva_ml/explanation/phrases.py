"""One feature beside its typical value, in words: "12 web visits in 30 days, 3 are typical"."""

import math
import re
from dataclasses import dataclass

from hva_ml.explanation.categories import category
from hva_ml.explanation.formats import money, number, percent
from hva_ml.features.definition import FeatureDefinition

Value = float | str | None

_COUNTED = ("count", "days", "years", "heads")
_UNITS = {
    ("days", "de"): ("Tag", "Tage"),
    ("days", "en"): ("day", "days"),
    ("years", "de"): ("Jahr", "Jahre"),
    ("years", "en"): ("year", "years"),
}
_UNKNOWN = {
    "tenure": ("noch kein Kunde", "not a customer yet"),
    "mean_gap": ("weniger als zwei Käufe", "fewer than two purchases"),
    "return_share": ("nichts berechnet", "nothing invoiced"),
    "win_rate": ("noch nichts entschieden", "nothing decided yet"),
    "last_outcome": ("noch nichts entschieden", "nothing decided yet"),
    "won_amount_mean": ("noch nichts gewonnen", "nothing won yet"),
    "days_in_stage": ("nichts offen", "nothing open"),
    "oldest_open": ("nichts offen", "nothing open"),
}
_NEVER = ("noch nie", "none yet")
_SINCE = ("Tage seit ", "days since ")
_NOUNS_ONLY = re.compile(r"(?:[A-ZÄÖÜ][\w-]*|und|,|\s)+")


@dataclass(frozen=True)
class Reader:
    """Whom we speak to: language, country (how numbers are written there) and the pipeline's currency."""

    language: str
    country: str
    currency: str

    @property
    def german(self) -> bool:
        """Whether to speak German."""
        return self.language == "de"


@dataclass(frozen=True)
class Said:
    """A feature's value and the typical one in words.

    Attributes
    ----------
    text : str
        The whole clause, without the factor.
    value, reference : str
        The two values alone.
    """

    text: str
    value: str
    reference: str


def say(definition: FeatureDefinition, value: Value, reference: Value, reader: Reader) -> Said:
    """Say what an account has and what is typical.

    Parameters
    ----------
    definition : FeatureDefinition
        Gives label, unit, measure and window.
    value, reference : float, str or None
        The account's and the typical value as features have them; None or NaN where unknown.
    reader : Reader
        Language, country and currency.
    """
    label = definition.label_de if reader.german else definition.label_en
    if definition.family == "season" and definition.unit != "ratio":
        # Sine and cosine of the month mean something to the model only.
        return Said("Jahreszeit" if reader.german else "Time of year", "", "")
    here, there = _values(definition, value, reference, reader)
    typical = _typical(definition, reference, there, reader)
    if definition.unit == "score" and isinstance(value, float) and isinstance(reference, float):
        # A score has no unit that would mean anything to a seller.
        high = ("höher als typisch", "higher than typical")
        words = high if value > reference else ("niedriger als typisch", "lower than typical")
        return Said(f"{_capital(label)}: {words[0 if reader.german else 1]}", here, there)
    window = definition.window_days
    within = f" in {window} {_days(window, reader)}" if window else ""
    if unknown(value):
        colon = " " if here in ("unbekannt", "unknown") else f"{within}: "
        return Said(f"{_capital(label)}{colon}{here}, {typical}", here, there)
    if definition.unit == "count" and isinstance(value, float) and value != 1:
        if value == 0 and not reader.german:
            here = "No"
        elif value == 0 and _NOUNS_ONLY.fullmatch(label):
            here = "Keine"
        return Said(f"{here} {label}{within}, {typical}", here, there)
    if definition.unit == "days" and label.startswith(("Tage ", "days ")):
        bare = number(float(value or 0.0), language=reader.language, country=reader.country)
        if bare == "1":
            label = re.sub(r"^Tage", "Tag", re.sub(r"^days", "day", label))
        return Said(f"{bare} {label}, {typical}", here, there)
    return Said(f"{_capital(label)}{within}: {here}, {typical}", here, there)


def unknown(value: Value) -> bool:
    """Return whether a value is missing."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _values(definition: FeatureDefinition, value: Value, reference: Value, reader: Reader) -> tuple[str, str]:
    """Write both values, with as many digits as it takes to tell them apart."""
    here = there = ""
    known = [abs(v) for v in (value, reference) if isinstance(v, float) and not unknown(v)]
    # Cents matter only where both amounts are small; one of them alone would look odd beside the other.
    cents = definition.unit == "money" and 0 < max(known, default=0.0) < 100
    for more in range(4):
        digits = more + (2 if cents else 0)
        here, there = (_value(definition, v, reader, digits) for v in (value, reference))
        if here != there:
            break
    return here, there


def _value(definition: FeatureDefinition, value: Value, reader: Reader, more: int) -> str:
    if value is None or unknown(value):
        never = definition.label_de.startswith(_SINCE) or definition.label_en.startswith(_SINCE)
        words = _UNKNOWN.get(definition.measure, _NEVER if never else ("unbekannt", "unknown"))
        return words[0 if reader.german else 1]
    if isinstance(value, str):
        return category(definition.name, value, language=reader.language)
    unit = definition.unit
    if unit == "flag":
        return ("ja" if value else "nein") if reader.german else ("yes" if value else "no")
    if unit == "money":
        return money(value, reader.currency, decimals=more, language=reader.language, country=reader.country)
    if unit == "share":
        return percent(value, decimals=more, language=reader.language, country=reader.country)
    if unit == "ratio":
        # Ratios are stored as logarithms; they are said as a change.
        change = math.expm1(value)
        sign = "+" if round(change, 2 + more) > 0 else ""
        return f"{sign}{percent(change, decimals=more, language=reader.language, country=reader.country)}"
    digits = more if unit in _COUNTED or float(value).is_integer() else 2 + more
    text = number(value, decimals=digits, language=reader.language, country=reader.country)
    forms = _UNITS.get((unit, reader.language))
    return f"{text} {forms[0] if text == '1' else forms[1]}" if forms else text


def _typical(definition: FeatureDefinition, reference: Value, there: str, reader: Reader) -> str:
    if unknown(reference):
        return f"typischerweise {there}" if reader.german else f"typically {there}"
    if not isinstance(reference, float) or definition.unit == "flag":
        return f"typisch ist {there}" if reader.german else f"typically {there}"
    bare = there.split(" ")[0] if definition.unit in ("days", "years") else there
    if definition.unit == "count" and reference == 0:
        return "typisch sind keine" if reader.german else "none are typical"
    plural = definition.unit in (*_COUNTED, "number") and abs(reference) != 1
    if reader.german:
        several = plural or definition.unit in ("money", "share")
        return f"typisch {'sind' if several else 'ist'} {bare}"
    return f"{bare} {'are' if plural else 'is'} typical"


def _days(count: int, reader: Reader) -> str:
    if reader.german:
        return "Tag" if count == 1 else "Tagen"
    return "day" if count == 1 else "days"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
