"""A change of an account in words: "Web visits in 30 days: 7 (2 before): ×1.4"."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hva_ml.explanation.formats import factor
from hva_ml.explanation.phrases import Value, say, within
from hva_ml.explanation.reader import Reader
from hva_ml.explanation.reasons import THRESHOLD, plain
from hva_ml.features.definition import FeatureDefinition


@dataclass(frozen=True)
class Cause:
    """One cause of a change.

    Attributes
    ----------
    text : str
        The sentence, with the factor.
    factor : float
        What it multiplied the expected value by.
    features : tuple of str
        The most telling first; none where the model is the cause.
    """

    text: str
    factor: float
    features: tuple[str, ...] = ()


def causes(
    definitions: Sequence[FeatureDefinition],
    before: Mapping[str, Value],
    after: Mapping[str, Value],
    effects: Mapping[str, float],
    model: float,
    reader: Reader,
    *,
    limit: int = 3,
    threshold: float = THRESHOLD,
) -> list[Cause]:
    """Return what changed a score most: features of one topic are one cause, and the model is one.

    Parameters
    ----------
    definitions : sequence of FeatureDefinition
        What the features mean.
    before, after : mapping of str to float, str or None
        The account's own features.
    effects : mapping of str to float
        Each feature's part of the change of ln(expected value).
    model : float
        The model's part.
    reader : Reader
        Whom we speak to.
    limit : int
        Most causes.
    threshold : float
        Least absolute log factor.
    """
    groups: dict[str, list[FeatureDefinition]] = {}
    for d in sorted(definitions, key=lambda d: d.name):
        if effects.get(d.name, 0.0) != 0.0:
            groups.setdefault(d.topic or d.name, []).append(d)
    found = []
    for members in groups.values():
        effect = math.fsum(effects[d.name] for d in members)
        if abs(effect) < threshold:
            continue
        sign = math.copysign(1.0, effect)
        members = sorted(members, key=lambda d: (-sign * effects[d.name], d.name))
        told = members[0]
        text = _sentence(told, plain(before.get(told.name)), plain(after.get(told.name)), reader)
        found.append(_cause(text, effect, reader, tuple(d.name for d in members)))
    if abs(model) >= threshold:
        text = "Neues Modell, gleiche Angaben" if reader.german else "New model, same facts"
        found.append(_cause(text, model, reader, ()))
    found.sort(key=lambda c: (-abs(math.log(c.factor)), c.text))
    return found[:limit]


def _cause(text: str, effect: float, reader: Reader, features: tuple[str, ...]) -> Cause:
    times = math.exp(effect)
    return Cause(
        f"{text}: {factor(times, language=reader.language, country=reader.country)}", times, features
    )


def _sentence(d: FeatureDefinition, before: Value, after: Value, reader: Reader) -> str:
    said = say(d, after, before, reader)
    label = title(d, reader)
    if not said.value:
        return said.text
    if said.value == said.reference or (before is None and after is None):
        return f"{label}: {said.value}"
    past = f"zuvor {said.reference}" if reader.german else f"{said.reference} before"
    return f"{label}: {said.value} ({past})"


def title(d: FeatureDefinition, reader: Reader) -> str:
    """Return what a feature is called, with its window: "Web visits in 30 days"."""
    label = d.label_de if reader.german else d.label_en
    label += within(d, reader)
    return label[:1].upper() + label[1:]
