"""The page of a challenger beside the champion: who would be worked, who changes tier, who moves and why."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from hva_ml.reports import pages
from hva_ml.reports.language import Tongue

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
    simulated: bool = False


def html(view: ShadowView) -> str:
    """Return the page, in English: its readers decide about a promotion."""
    cells = {(r["tier_champion"], r["tier_challenger"]): r["accounts"] for r in view.migration.to_pylist()}
    return pages.render("shadow.html", Tongue("en"), view=view, cells=cells, tiers=("A", "B", "C"))


def write(view: ShadowView, path: Path) -> Path:
    """Write the page, whole or not at all; returns `path`."""
    return pages.write(path, html(view))
