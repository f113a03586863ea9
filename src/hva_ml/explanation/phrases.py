"""One feature beside what it is compared with, in words: "12 web visits in 30 days, 3 are typical"."""

import math
from dataclasses import dataclass

from hva_ml.explanation.categories import category
from hva_ml.explanation.comparisons import ABOUT, compared
from hva_ml.explanation.formats import money_short, number, percent
from hva_ml.explanation.grammar import TO_DATE, capital, days, none_of, of_days, since
from hva_ml.explanation.reader import Reader
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
    "oldest_open_days": ("nichts offen", "nothing open"),
    **dict.fromkeys(
        ("slip_count", "slipped_days", "slipped_days_most", "overdue_count", "overdue_amount", "due_amount"),
        ("kein Abschlusstermin bekannt", "no close date known"),
    ),
    "overdue_days": ("nichts bekanntlich überfällig", "nothing known to be overdue"),
    "surge": ("noch kein üblicher Wert", "no usual level yet"),
    "std": ("weniger als zwei Werte", "fewer than two values"),
    "gap_mean": ("weniger als zwei aktive Tage", "fewer than two active days"),
    "gap_max": ("weniger als zwei aktive Tage", "fewer than two active days"),
    "gap_std": ("weniger als drei aktive Tage", "fewer than three active days"),
}
_NEVER = ("noch nie", "none yet")
_NO_GROUP = ("kein Konzern", "no group")
_OR_NO_GROUP = (" oder kein Konzern", ", or no group")
_ALWAYS_KNOWN = ("count", "sum", "distinct", "active_days", "trend", "streak", "streak_max")
_NOT_KNOWN = ("nicht bekannt", "not known")
_MORE_DIGITS = 4


@dataclass(frozen=True)
class Said:
    """A feature's value and the one it is compared with, in words.

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
        The account's and the reference's value as features have them; None where unknown.
    reader : Reader
        Language, country, currency, and what the reference is.
    """
    if is_season(definition):
        # Sine and cosine of the month mean something to the model only.
        return Said(season(reader), "", "")
    label = reader.label(definition)
    if definition.unit == "score":
        return _score(label, value, reference, reader)
    if definition.unit == "ratio":
        said = compared(definition, value, reference, reader)
        label = said.label
        words = said.here if value is not None else _unknown(definition, reader)
        other = said.there if reference is not None else _unknown(definition, reader)
        same = said.same
    else:
        words, other = _values(definition, value, reference, reader)
        same = words == other
    tail = _beside(definition, other, same, value, reference, reader)
    return Said(f"{_told(definition, label, value, words, reader)}, {tail}", words, other)


def stated(definition: FeatureDefinition, value: Value, reader: Reader) -> tuple[str, str]:
    """Return name and value of one feature alone, as a list of what is known writes them."""
    name = f"{capital(reader.label(definition))}{within(definition, reader)}"
    if definition.unit == "ratio":
        said = compared(definition, value, None, reader)
        return name, said.here if value is not None else _unknown(definition, reader)
    return name, _value(definition, value, reader, 0)


def span(definition: FeatureDefinition, low: float, high: float, reader: Reader) -> str:
    """Return a range of values in words: "3 bis 5 Tage", "€1,000 to €5,000"; equal ends are said once."""
    to = reader.pick(("bis", "to"))
    if low == high:
        return stated(definition, low, reader)[1]
    if definition.unit == "ratio":
        said = compared(definition, low, high, reader)
        return said.here if said.same else f"{said.here} {to} {compared(definition, high, low, reader).here}"
    here, there = _values(definition, low, high, reader)
    if here == there:
        return here
    (first, *unit), (_, *other) = here.split(maxsplit=1), there.split(maxsplit=1)
    return f"{first if unit == other else here} {to} {there}"


def is_season(definition: FeatureDefinition) -> bool:
    """Return whether a feature only says what time of the year it is."""
    return definition.family == "season" and definition.unit != "ratio"


def season(reader: Reader) -> str:
    """Return what the features of the season are called together."""
    return reader.pick(("Jahreszeit", "Time of year"))


def within(definition: FeatureDefinition, reader: Reader) -> str:
    """Return the window of a feature as it stands in a sentence, with a space before it; empty for none."""
    if definition.to_date:
        return f" {reader.pick(TO_DATE[definition.to_date])}"
    window = definition.window_days
    return f" in {window} {days(window, german=reader.german, dative=True)}" if window else ""


def _told(definition: FeatureDefinition, label: str, value: Value, here: str, reader: Reader) -> str:
    """Return the first half of the clause: what the account has."""
    window = within(definition, reader)
    if value is None:
        colon = " " if here in _NOT_KNOWN else f"{window}: "
        return f"{capital(label)}{colon}{here}"
    if definition.unit == "count":
        if here == "1":
            single = reader.one(definition)
            return f"1 {single}{window}" if single else f"{capital(label)}{window}: 1"
        if here == "0" and (none := none_of(label, german=reader.german)):
            return f"{capital(none)}{window}"
        return f"{here} {label}{window}"
    if definition.unit == "days" and (rest := of_days(label)):
        if here.startswith("0 "):
            return f"{reader.pick(('Weniger als 1 Tag', 'Less than 1 day'))} {rest}"
        return f"{here} {rest}"
    return f"{capital(label)}{window}: {here}"


def _values(definition: FeatureDefinition, value: Value, reference: Value, reader: Reader) -> tuple[str, str]:
    """Write both values, with as many digits as it takes to tell them apart."""
    here = there = ""
    known = [abs(v) for v in (value, reference) if isinstance(v, float)]
    # Cents matter only where both amounts are small; one of them alone would look odd beside the other.
    cents = definition.unit == "money" and 0 < max(known, default=0.0) < 100
    for more in range(_MORE_DIGITS):
        digits = more + (2 if cents else 0)
        here, there = (_value(definition, v, reader, digits) for v in (value, reference))
        if here != there:
            break
    return here, there


def _value(definition: FeatureDefinition, value: Value, reader: Reader, more: int) -> str:
    if value is None:
        return _unknown(definition, reader)
    if isinstance(value, str):
        return category(definition.name, value, language=reader.language, country=reader.country)
    spoken = reader.spoken
    unit = definition.unit
    if unit == "flag":
        return reader.pick(("ja", "yes") if value else ("nein", "no"))
    if unit == "money":
        return money_short(value, reader.currency, decimals=more, **spoken)
    if unit == "share":
        return percent(value, decimals=more, **spoken)
    text = number(value, decimals=_digits(unit, value) + more, **spoken)
    forms = _UNITS.get((unit, reader.language))
    return f"{text} {forms[0] if text == '1' else forms[1]}" if forms else text


def _digits(unit: str, value: float) -> int:
    if value.is_integer() or unit in ("days", "years", "heads"):
        return 0
    if unit == "count":
        return 1
    size = abs(value)
    if size >= 1.0:
        return 0 if size >= 1000 else 1 if size >= 10 else 2
    return min(8, 1 - math.floor(math.log10(size)))


def _unknown(definition: FeatureDefinition, reader: Reader) -> str:
    never = since(definition.label_de) or since(definition.label_en)
    if definition.level == "group" and definition.measure in _ALWAYS_KNOWN:
        return reader.pick(_NO_GROUP)
    words = reader.pick(_UNKNOWN.get(definition.measure, _NEVER if never else _NOT_KNOWN))
    return words + reader.pick(_OR_NO_GROUP) if definition.level == "group" else words


def _beside(
    definition: FeatureDefinition, there: str, same: bool, value: Value, reference: Value, reader: Reader
) -> str:
    """Return the second half of the clause: what the reference has."""
    if reference is None:
        return reader.usually(reader.pick(("ebenso", "so, too")) if value is None else there)
    if same:
        return reader.beside(reader.pick(("dasselbe", "the same")), plural=False)
    if definition.unit == "ratio":
        many = definition.measure in ABOUT and there != reader.pick(("", "about the same"))
        return reader.beside(there, plural=many or (reader.german and "%" in there))
    if not isinstance(reference, float) or definition.unit == "flag":
        return reader.usually(there) if not reader.german else reader.beside(there, plural=False)
    if definition.unit == "count" and there == "0":
        return reader.beside(reader.pick(("keine", "none")), plural=True)
    bare = there.split(" ")[0] if definition.unit in ("days", "years") else there
    counted = definition.unit in (*_COUNTED, "number") or (
        reader.german and definition.unit in ("money", "share")
    )
    return reader.beside(bare, plural=counted and _amount(bare) != "1")


def _amount(text: str) -> str:
    """Return the digits of an amount without its unit: "1" of "1 %"."""
    return "".join(c for c in text if c.isdigit() or c in ",.’").strip(".,")


def _score(label: str, value: Value, reference: Value, reader: Reader) -> Said:
    # A score has no unit that would mean anything to a seller.
    name = capital(label)
    if not isinstance(value, float) or not isinstance(reference, float):
        here, there = (reader.pick(("bekannt", "known") if v is not None else _NOT_KNOWN)
                       for v in (value, reference))  # fmt: skip
        tail = reader.usually(there) if value is not None or reference is not None else ""
        return Said(f"{name}: {here}{', ' if tail else ''}{tail}", here, there)
    words = ("höher", "higher") if value > reference else ("niedriger", "lower")
    if value == reference:
        words = ("ebenso hoch", "equal")
    return Said(f"{name}: {reader.than(reader.pick(words), equal=value == reference)}", "", "")
