"""Ratios in words: features store them as logarithms, sellers hear "twice as many as usual"."""

import math
from dataclasses import dataclass

from hva_ml.explanation.formats import number, percent
from hva_ml.explanation.grammar import days
from hva_ml.explanation.reader import Reader
from hva_ml.features.definition import FeatureDefinition

# One is added to both counts before their ratio is taken, so what it says is near but not exact.
ABOUT = ("trend", "surge")
_LONGEST = 50.0  # ln; beyond it a ratio is told as if it were this
_EQUAL = 0.005
_BEFORE = {
    "month": ("bis zum selben Tag des Vormonats", "by the same day of the month before"),
    "quarter": ("bis zum selben Tag des Vorquartals", "by the same day of the quarter before"),
    "year": ("bis zum selben Tag des Vorjahrs", "by the same day of the year before"),
}


@dataclass(frozen=True)
class Compared:
    """A ratio and the reference's in words, and the label without what these words already say."""

    label: str
    here: str
    there: str
    same: bool


def compared(
    definition: FeatureDefinition, value: float | str | None, reference: float | str | None, reader: Reader
) -> Compared:
    """Say a ratio and the reference's, with as many digits as it takes to tell them apart.

    Parameters
    ----------
    definition : FeatureDefinition
        Of unit ``ratio``.
    value, reference : float or None
        Natural logarithms of ratios; None where unknown, which gives empty words.
    reader : Reader
        Language and country.
    """
    here = there = bare = ""
    for more in range(3):
        here = _words(definition, value, reader, more, _than(definition, reader))
        there = _words(definition, reference, reader, more, ("", ""))
        bare = _words(definition, value, reader, more, ("", ""))
        if bare != there:
            break
    return Compared(_bare(reader.label(definition)), here, there, bare == there)


def _words(
    definition: FeatureDefinition,
    value: float | str | None,
    reader: Reader,
    more: int,
    tail: tuple[str, str],
) -> str:
    """Return "doppelt so viele wie üblich" or "12 % weniger als üblich"; `tail` is (wie …, als …)."""
    if not isinstance(value, float):
        return ""
    times = math.exp(min(max(value, -_LONGEST), _LONGEST))
    counted = definition.measure in ABOUT
    about = reader.pick(("etwa ", "about ")) if counted else ""
    much = reader.pick(("viele", "many") if counted else ("viel", "much"))
    spoken = reader.spoken
    if abs(times - 1.0) < _EQUAL / 10**more:
        said = (f"so {much}", f"as {much}") if tail[0] else (f"gleich {much}", "the same")
        return f"{about}{reader.pick(said)}{tail[0]}"
    if (fraction := _fraction(times, more)) is not None:
        said = (f"{fraction[0]} so {much}", f"{fraction[1]} as {much}")
        return f"{about}{reader.pick(said)}{tail[0]}"
    if times >= 1.5:
        many = number(times, decimals=more if times >= 9.95 else 1 + more, **spoken)
        said = (f"{many}-mal so {much}", f"{many} times as {much}")
        return f"{about}{reader.pick(said)}{tail[0]}"
    share = percent(abs(times - 1.0), decimals=more, **spoken)
    if times < _EQUAL / 10**more:
        share = reader.pick(("über ", "over ")) + percent(0.99, **spoken)
        about = ""
    direction = ("mehr", "more") if times > 1.0 else ("weniger", "less" if not counted else "fewer")
    return f"{about}{share} {reader.pick(direction)}{tail[1]}"


def _fraction(times: float, more: int) -> tuple[str, str] | None:
    near = 0.05 / 10**more
    if abs(times - 2.0) < near:
        return ("doppelt", "twice")
    return ("halb", "half") if abs(times - 0.5) < near / 4 else None


def _than(definition: FeatureDefinition, reader: Reader) -> tuple[str, str]:
    """Return what a ratio is measured against, after "so viel" and after "mehr"."""
    measure, window = definition.measure, definition.window_days
    if measure == "surge":
        place = reader.pick(("üblich", "usual"))
    elif measure == "trend" and definition.to_date:
        place = reader.pick(_BEFORE[definition.to_date])
    elif measure in ("trend", "market_index") and window:
        unit = days(window, german=reader.german, dative=True)
        one = reader.pick(("am Tag davor", "on the day before"))
        several = reader.pick((f"in den {window} {unit} davor", f"in the {window} {unit} before"))
        place = one if window == 1 else several
    elif measure == "market_yoy":
        place = reader.pick(("ein Jahr zuvor", "a year before"))
    else:
        return ("", "")
    return (f"{reader.pick((' wie', ' as'))} {place}", f"{reader.pick((' als', ' than'))} {place}")


def _bare(label: str) -> str:
    """Return a label without the words that the comparison says again.

    Examples
    --------
    >>> _bare("Telefonate gegenüber dem eigenen Durchschnitt"), _bare("trend in calls")
    ('Telefonate', 'calls')
    """
    for before in ("Trend der ", "Trend: ", "trend in "):
        label = label.removeprefix(before)
    for after in (
        " gegenüber dem eigenen Durchschnitt", " against their own average",
        " gegenüber dem Vorjahr", " against the year before",
    ):  # fmt: skip
        label = label.removesuffix(after)
    return label
