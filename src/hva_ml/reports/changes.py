"""The page of what changed between two runs: movers with causes, tier changes, surges, new and vanished."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hva_ml.reports import pages
from hva_ml.reports.language import Language, Tongue

SHOWN = 25


@dataclass(frozen=True)
class Mover:
    """One account's change.

    Attributes
    ----------
    account_id, name : str
        Whom it is about.
    before, after : float
        Expected value, currency units.
    tier_before, tier_after : str
        Tiers.
    rank_before, rank_after : int
        Ranks.
    account_factor, model_factor : float
        ``before × account_factor × model_factor == after``.
    causes : tuple of str
        What the change came from, strongest first.
    text : str
        All of it as one sentence.
    """

    account_id: str
    name: str
    before: float
    after: float
    tier_before: str
    tier_after: str
    rank_before: int
    rank_after: int
    account_factor: float
    model_factor: float
    causes: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Alert:
    """One account far above its own usual activity; `text` says it, the numbers are for machines."""

    account_id: str
    name: str
    text: str
    count: float
    usual: float
    p_value: float


@dataclass(frozen=True)
class ChangesView:
    """Everything the page shows; `new` and `vanished` hold id, name and expected value."""

    title: str
    before: date
    after: date
    currency: str
    run_before: str
    run_after: str
    version_before: str
    version_after: str
    n_accounts: int
    new: tuple[tuple[str, str, float], ...]
    vanished: tuple[tuple[str, str, float], ...]
    total_before: float
    total_after: float
    up: tuple[Mover, ...]
    down: tuple[Mover, ...]
    moved: tuple[Mover, ...]
    alerts: tuple[Alert, ...]
    simulated: bool = False


def html(view: ChangesView, *, language: Language = "en", country: str = "DE") -> str:
    """Return the page in a language; `country` says how German numbers are written."""
    tongue = Tongue(language, country)
    return pages.render("changes.html", tongue, view=view, shown=SHOWN)


def write(view: ChangesView, path: Path, *, language: Language = "en", country: str = "DE") -> Path:
    """Write the page in one step, and return its path."""
    return pages.write(path, html(view, language=language, country=country))
