"""Accounts made of events, so that their features agree with each other as those of real accounts do."""

import math
from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import pytest

from hva_ml.features.definition import FeatureDefinition

WINDOWS = (30, 90, 365)
KINDS = {"call": ("Telefonate", "calls"), "meeting": ("Termine", "meetings")}


def definition(topic: str, unit: str, window: int | None, de: str, en: str) -> FeatureDefinition:
    name = f"{topic}_days" if window is None else f"{topic}_{window}d"
    measure = topic.rpartition(".")[2]
    return FeatureDefinition(
        name, "engagement", "number", "events", measure, unit, de, en, window, topic,
        {"Telefonate": "Telefonat", "Termine": "Termin"}.get(de, ""), {"calls": "call"}.get(en, ""),
    )  # fmt: skip


def definitions() -> list[FeatureDefinition]:
    """Counts and last times of two kinds and of both together, active days, and a size that nobody moves."""
    found = [
        definition(f"events.{kind}.count", "count", w, *words)
        for kind, words in KINDS.items()
        for w in WINDOWS
    ]
    found += [
        definition(f"events.{kind}.recency", "days", None, f"Tage seit der letzten Aktivität ({de})",
                   f"days since the last activity ({en})")
        for kind, (de, en) in KINDS.items()
    ]  # fmt: skip
    found += [definition("events.count", "count", w, "Aktivitäten", "activities") for w in WINDOWS]
    found += [definition("events.active_days", "count", 90, "aktive Tage", "active days")]
    found += [
        definition("events.recency", "days", None, "Tage seit der letzten Aktivität", "days since the last")
    ]
    size = FeatureDefinition(
        "firmographic.employees", "firmographic", "number", "accounts", "attribute", "heads", "Mitarbeiter",
        "employees", None, "firmographic.size",
    )  # fmt: skip
    return [*found, size]


def features(ages: Mapping[str, Sequence[float]], employees: float) -> dict[str, float]:
    """Return the features of an account whose events of each kind are so many days old."""
    of = {"events": [a for kind in KINDS for a in ages[kind]], **{f"events.{k}": ages[k] for k in KINDS}}
    values = {"firmographic.employees": employees}
    for d in definitions():
        if d.family != "engagement":
            continue
        days = of[d.topic.rpartition(".")[0]]
        if d.window_days is None:
            values[d.name] = min(days, default=math.nan)
        elif d.measure == "count":
            values[d.name] = float(sum(a <= d.window_days for a in days))
        else:
            values[d.name] = float(len({int(a) for a in days if a <= d.window_days}))
    return values


@pytest.fixture(scope="session")
def made() -> SimpleNamespace:
    """The makers of this file."""
    return SimpleNamespace(definitions=definitions(), features=features, kinds=tuple(KINDS))
