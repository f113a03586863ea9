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
from hva_ml.explanation.formats import Language, factor, locale_name
from hva_ml.explanation.grammar import capital
from hva_ml.explanation.phrases import Value, is_season, say, season
from hva_ml.explanation.reader import Reader
from hva_ml.explanation.selection import THRESHOLD, Topics, select, topics
from hva_ml.features.definition import FeatureDefinition

__all__ = ["THRESHOLD", "Reason", "Value", "plain", "reasons", "topic_labels"]


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
    reference: str = "typical",
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
    reference : str
        What the reference row is, a key of `reader.REFERENCES`.
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
    locale_name(language, country)
    reader = Reader(language, country, currency, reference)
    found = topics(definitions, np.asarray(contributions_row, dtype=np.float64)[None, :])
    chosen = select(found, limit, threshold)
    return [
        _reason(found, int(topic), int(column), float(effect), definitions, values_row, reference_row, reader)
        for topic, column, effect in zip(chosen.topic, chosen.column, chosen.effect, strict=True)
    ]


def _reason(
    found: Topics,
    topic: int,
    column: int,
    effect: float,
    definitions: Sequence[FeatureDefinition],
    values_row: Sequence[Value],
    reference_row: Sequence[Value],
    reader: Reader,
) -> Reason:
    said = say(definitions[column], plain(values_row[column]), plain(reference_row[column]), reader)
    times = math.exp(effect)
    others = [definitions[j].name for j in found.members[topic] if j != column]
    return Reason(
        text=f"{said.text}: {factor(times, language=reader.language, country=reader.country)}",
        factor=times,
        direction="up" if effect > 0 else "down",
        features=(definitions[column].name, *others),
        topic=found.names[topic],
        value=said.value,
        reference=said.reference,
    )


def topic_labels(
    definitions: Sequence[FeatureDefinition],
    contributions_row: npt.NDArray[np.float64],
    *,
    language: Language,
    country: str = "DE",
) -> tuple[str, ...]:
    """Return what each feature's topic is called, length n_features: the label of its most telling feature.

    Features of one topic get the same label, so that a waterfall shows them as one step; different topics
    never do.
    """
    labels = [""] * len(definitions)
    taken: set[str] = set()
    reader = Reader(language, country, "")
    found = topics(definitions, np.asarray(contributions_row, dtype=np.float64)[None, :])
    for j in found.told[0].tolist():
        definition = definitions[j]
        label = season(reader) if is_season(definition) else capital(reader.label(definition))
        unique, k = label, 2
        while unique in taken:
            unique, k = f"{label} ({k})", k + 1
        taken.add(unique)
        for member in next(m for m in found.members if j in m):
            labels[member] = unique
    return tuple(labels)


def plain(value: Any) -> Value:
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
