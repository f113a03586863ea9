"""Factors in words: the few reasons a seller reads, in German or English, for one account.

Everything said here comes from the feature definitions; feature names never reach the reader.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from hva_ml.errors import HvaError
from hva_ml.explanation.formats import day, factor, locale_name, money, number, percent, territory
from hva_ml.explanation.phrases import Reader, Value, say
from hva_ml.features.definition import FeatureDefinition

__all__ = [
    "Reason", "day", "factor", "locale_name", "money", "number", "paragraph", "percent", "reasons",
    "territory", "topic_labels",
]  # fmt: skip

Language = Literal["de", "en"]
THRESHOLD = math.log(1.05)


@dataclass(frozen=True)
class Reason:
    """One reason for a score.

    Attributes
    ----------
    text : str
        The whole sentence, e.g. "12 web visits in 30 days, 3 are typical: ×1.4".
    factor : float
        What the expected value is multiplied by, > 0.
    direction : str
        ``up`` or ``down``.
    features : tuple of str
        Names of the features summed into it, the most telling first; for machines, not for readers.
    topic : str
        Topic of the features.
    value, reference : str
        The account's and the typical value of the most telling feature, in words.
    """

    text: str
    factor: float
    direction: Literal["up", "down"]
    features: tuple[str, ...]
    topic: str
    value: str
    reference: str

    def record(self) -> dict[str, Any]:
        """Return the reason as a JSON-ready record."""
        return {**asdict(self), "features": list(self.features)}


def reasons(
    definitions: Sequence[FeatureDefinition],
    values_row: Sequence[Value],
    reference_row: Sequence[Value],
    contributions_row: npt.NDArray[np.float64],
    *,
    language: Language,
    country: str = "DE",
    currency: str = "EUR",
    limit: int = 3,
    threshold: float = THRESHOLD,
) -> list[Reason]:
    """Return the strongest reasons for and against an account.

    Features of one topic are one reason: their contributions are summed, the most telling of them is named.

    Parameters
    ----------
    definitions : sequence of FeatureDefinition, length n_features
        What the columns mean.
    values_row, reference_row : sequence of float, str or None, length n_features
        The account's and the typical account's features, decoded; None or NaN where unknown.
    contributions_row : numpy.ndarray of float64, shape (n_features,)
        Contributions to ln(expected value).
    language : {"de", "en"}
        Language of the sentences.
    country : str
        ``DE``, ``AT`` or ``CH``: how German numbers are written.
    currency : str
        ISO 4217 code.
    limit : int
        Most reasons for each direction.
    threshold : float
        Least absolute log factor of a reason.

    Returns
    -------
    list of Reason
        Those that raise the score, strongest first, then those that lower it, strongest first.

    Raises
    ------
    HvaError
        If the lengths differ.
    """
    _same_length(len(definitions), len(values_row), len(reference_row), len(contributions_row))
    reader = Reader(language, country, currency)
    locale_name(language, country)
    found: list[Reason] = []
    for topic, members in _topics(definitions, contributions_row):
        effect = float(np.sum(contributions_row[members]))
        if effect == 0.0 or abs(effect) < threshold:
            continue
        told = members[0]
        said = say(definitions[told], _plain(values_row[told]), _plain(reference_row[told]), reader)
        times = math.exp(effect)
        found.append(
            Reason(
                text=f"{said.text}: {factor(times, language=language, country=country)}",
                factor=times,
                direction="up" if effect > 0 else "down",
                features=tuple(definitions[j].name for j in members),
                topic=topic,
                value=said.value,
                reference=said.reference,
            )
        )
    found.sort(key=lambda r: (-abs(math.log(r.factor)), r.topic))
    up, down = ([r for r in found if r.direction == way][:limit] for way in ("up", "down"))
    return up + down


def topic_labels(
    definitions: Sequence[FeatureDefinition],
    contributions_row: npt.NDArray[np.float64],
    *,
    language: Language,
) -> tuple[str, ...]:
    """Return what each feature's topic is called, length n_features: the label of its most telling feature.

    Features of one topic get the same label, so that a waterfall shows them as one step; different topics
    never do.
    """
    labels = [""] * len(definitions)
    taken: set[str] = set()
    for _, members in _topics(definitions, contributions_row):
        definition = definitions[members[0]]
        label = definition.label_de if language == "de" else definition.label_en
        if definition.family == "season" and definition.unit != "ratio":
            label = "Jahreszeit" if language == "de" else "Time of year"
        label = label[:1].upper() + label[1:]
        unique, k = label, 2
        while unique in taken:
            unique, k = f"{label} ({k})", k + 1
        taken.add(unique)
        for j in members:
            labels[j] = unique
    return tuple(labels)


def paragraph(
    found: Sequence[Reason],
    *,
    probability: float,
    value_if_converted: float,
    expected_value: float,
    typical_expected_value: float,
    horizon_days: int,
    language: Language,
    country: str = "DE",
    currency: str = "EUR",
) -> str:
    """Return one short paragraph on an account: likelihood, value, comparison, reasons for and against.

    Parameters
    ----------
    found : sequence of Reason
        From `reasons`, in the same language.
    probability : float
        In [0, 1].
    value_if_converted, expected_value, typical_expected_value : float
        Currency units; the last one that of the reference account.
    horizon_days : int
        Horizon of both.
    """
    likely = percent(probability, language=language, country=country, decimals=1 if probability < 0.1 else 0)
    worth, expected = (
        money(amount, currency, language=language, country=country)
        for amount in (value_if_converted, expected_value)
    )
    against = expected_value / typical_expected_value if typical_expected_value > 0 else 0.0
    times = factor(against, language=language, country=country) if against else ""
    ups = "; ".join(r.text for r in found if r.direction == "up")
    downs = "; ".join(r.text for r in found if r.direction == "down")
    if language == "de":
        days = "Am nächsten Tag" if horizon_days == 1 else f"In den nächsten {horizon_days} Tagen"
        parts = [f"{days} kommt es mit {likely} Wahrscheinlichkeit zum Abschluss."]
        parts.append(f"Der Account bringt dann etwa {worth}, der erwartete Wert ist also {expected}")
        parts[-1] += f" ({times} gegenüber einem typischen Account)." if times else "."
        parts += [f"Dafür spricht: {ups}."] if ups else []
        parts += [f"Dagegen spricht: {downs}."] if downs else []
    else:
        days = "day" if horizon_days == 1 else f"{horizon_days} days"
        parts = [f"The chance that this account converts within the next {days} is {likely}."]
        parts.append(f"It then brings about {worth}, so the expected value is {expected}")
        parts[-1] += f" ({times} against a typical account)." if times else "."
        parts += [f"For it: {ups}."] if ups else []
        parts += [f"Against it: {downs}."] if downs else []
    return " ".join(parts)


def _topics(
    definitions: Sequence[FeatureDefinition], contributions: npt.NDArray[np.float64]
) -> list[tuple[str, list[int]]]:
    """Group the columns by topic, in the order of the definitions; the most telling column first."""
    groups: dict[str, list[int]] = {}
    for j, d in enumerate(definitions):
        groups.setdefault(d.topic or d.name, []).append(j)
    ordered = []
    for topic, members in groups.items():
        sign = 1.0 if float(np.sum(contributions[members])) >= 0 else -1.0
        members.sort(key=lambda j: (-sign * float(contributions[j]), definitions[j].name))
        ordered.append((topic, members))
    return ordered


def _plain(value: Any) -> Value:
    """Return NumPy's and Python's numbers as float, texts as str, missing as None."""
    if value is None or isinstance(value, str):
        return value
    number_ = float(value)
    return None if math.isnan(number_) else number_


def _same_length(*lengths: int) -> None:
    if len(set(lengths)) > 1:
        raise HvaError(
            f"Definitions, values, reference and contributions have lengths {lengths}.",
            where="reasons",
            why="A value told under another feature's name would be a false reason.",
            fix="Give one row of the feature table in the order of its definitions.",
        )
