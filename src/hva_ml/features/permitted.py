"""Refuses features that may never be one: personal characteristics, and the conduct of single employees."""

from collections.abc import Iterable, Iterator

from hva_ml.config import PipelineConfig
from hva_ml.contracts.protected import protected
from hva_ml.errors import ConfigError
from hva_ml.features.definition import FeatureDefinition


def check_declared(config: PipelineConfig) -> None:
    """Hold every column that the pipeline file makes features of, and every label, to what is permitted.

    Raises
    ------
    ConfigError
        Naming the column, why it may be none, and what to do.
    """
    for where, text, of_people in _declared(config):
        _refuse(text, where, of_people=of_people)


def check_made(definitions: Iterable[FeatureDefinition]) -> None:
    """Hold finished definitions to the same: features written in Python come in no pipeline file.

    Raises
    ------
    ConfigError
        As `check_declared`.
    """
    for definition in definitions:
        people = definition.table == "contacts"
        for text in (definition.name.replace(".", " "), definition.label_de, definition.label_en):
            _refuse(text, f"feature '{definition.name}'", of_people=people)


def _refuse(text: str, where: str, *, of_people: bool) -> None:
    found = protected(text, of_people=of_people)
    if found is not None:
        raise ConfigError(
            f"'{text[:60]}' may not be a feature: it speaks of '{found.word}'.",
            where=where,
            why=found.why,
            fix="Remove it. If it means something else, name the column or label by what it is.",
        )


def _declared(config: PipelineConfig) -> Iterator[tuple[str, str, bool]]:
    for name in config.features.columns:
        yield "[features] columns", name, False
    for place, label in config.features.labels.items():
        for text in (label.de, label.en):
            yield f"[features.labels] {place}", text, False
    for k, windows in enumerate(config.features.windows):
        where = f"[[features.windows]] number {k + 1}, table = {windows.table!r}"
        people = windows.table == "contacts"
        for name in (windows.by, *windows.of, *windows.where):
            yield where, name, people
        for label in windows.labels.values():
            yield where, label.de, people
            yield where, label.en, people
