"""The page of a challenger beside the champion: who would be worked, who changes tier, who moves and why."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from hva_ml.monitoring.paired import CHALLENGER, CHAMPION, Matured
from hva_ml.reports import contest, pages
from hva_ml.reports.language import Tongue
from hva_ml.reports.model import label

SHOWN = 10


@dataclass(frozen=True)
class Mover:
    """One account by both models, champion first; `reasons` are the strongest of each."""

    account_id: str
    name: str
    value: tuple[float, float]
    tier: tuple[str, str]
    rank: tuple[int, int]
    champion_reasons: tuple[str, ...]
    challenger_reasons: tuple[str, ...]


@dataclass(frozen=True)
class ShadowView:
    """Everything the page shows; pairs are champion, challenger; `quantiles` hold share and both values."""

    title: str
    pipeline: str
    as_of: date
    currency: str
    champion: str
    challenger: str
    accounts: int
    rank_correlation: float | None
    top: int
    overlap: float
    totals: tuple[float, float]
    migration: pa.Table
    quantiles: tuple[tuple[float, float, float], ...]
    up: tuple[Mover, ...]
    down: tuple[Mover, ...]
    matured: Matured | None = None
    simulated: bool = False


def sentences(found: Matured | None) -> tuple[str, ...]:
    """Return in words what became of shadowed nights, and what is not known yet."""
    if found is None:
        return ()
    held = contest.sentences((CHALLENGER,), found.differences)
    return (*_came(found), *(line[:1].upper() + line[1:] for line in held), *_notes(found))


def _came(found: Matured) -> list[str]:
    if not found.nights:
        return []
    n = len(found.nights)
    span = f"{found.nights[0]}" if n == 1 else f"{n} nights from {found.nights[0]} to {found.nights[-1]}"
    told = [f"What came of {span}: {found.conversions:,} conversions in {found.rows:,} rows."]
    return told if found.differences.num_rows else [*told, "Too few of them to tell the models apart."]


def _notes(found: Matured) -> list[str]:
    """Return which nights are not compared, and why."""
    told = []
    if found.next is not None:
        told.append(
            f"{_nights(len(found.waiting))} still under way; the first can be compared on {found.next}, or "
            "when its outcomes have arrived."
        )
    if found.learned:
        told.append(
            f"{_nights(len(found.learned))} from before one of the models had stopped learning, and proves "
            "nothing."
        )
    return told


def _nights(n: int) -> str:
    return "1 shadowed night is" if n == 1 else f"{n} shadowed nights are"


def realised(found: Matured) -> list[tuple[str, float | None, float | None, dict[str, Any]]]:
    """Return what a metric is called, the champion's, the challenger's, and their difference, row by row."""
    value = {(r["model"], r["metric"]): r["value"] for r in found.metrics.to_pylist()}
    return [
        (label(d["metric"]), value[CHAMPION, d["metric"]], value[CHALLENGER, d["metric"]], d)
        for d in found.differences.to_pylist()
    ]


def html(view: ShadowView) -> str:
    """Return the page, in English: its readers decide about a promotion."""
    cells = {(r["tier_champion"], r["tier_challenger"]): r["accounts"] for r in view.migration.to_pylist()}
    known = view.matured
    return pages.render(
        "shadow.html", Tongue("en"), view=view, cells=cells, tiers=("A", "B", "C"),
        told=[*_came(known), *_notes(known)] if known else [], realised=realised(known) if known else [],
    )  # fmt: skip


def write(view: ShadowView, path: Path) -> Path:
    """Write the page, whole or not at all; returns `path`."""
    return pages.write(path, html(view))
