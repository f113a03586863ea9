"""The information sheet for the person concerned (Art. 15 (1) (h) GDPR): procedure, data, this score.

Plain language on the procedure and principles actually applied, as the CJEU asks for (C-203/22, Dun &
Bradstreet Austria, 27 February 2025): neither a formula nor a generality.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hva_ml.reports import pages
from hva_ml.reports.language import Language, Tongue


@dataclass(frozen=True)
class InformationView:
    """Everything the sheet tells.

    Attributes
    ----------
    account_id, name : str
        Whom the score is about; the name may be empty.
    as_of : datetime.date
        Only what was known before this day counts.
    controller : str
        Who answers questions.
    title : str
        What the account universe is called.
    sources : tuple of (name, place)
        Where the data come from.
    values : tuple of (table, name, value)
        Everything the models were given about the account, in words.
    season : bool
        Whether the time of the year was given to them too.
    longest_window_days : int
        How far the windows look back.
    learned_from : tuple of str
        First and last day (ISO) of the cutoffs the models have learned from; empty where unknown.
    probability, value_if_converted, expected_value, currency, rank, n_accounts, tier
        The published score.
    tier_a, tier_b : float
        Shares of expected value up to which accounts are A and B.
    lifted : bool
        Whether a declared strategic weight has lifted the tier.
    horizon_days, gap_days : int
        The period that is predicted.
    base_expected_value : float
        Of the typical account.
    positive, negative : tuple of str
        Main directions, as sentences.
    changes : tuple of (label, probability, expected value)
        What the models say if these data were as typical.
    model_version, release, run_id : str
        What exactly was applied, and when it was published.
    simulated : bool
        Whether the data are made up.
    leads : bool
        Whether it is a lead.
    """

    account_id: str
    name: str
    as_of: date
    controller: str
    title: str
    sources: tuple[tuple[str, str], ...]
    values: tuple[tuple[str, str, str], ...]
    season: bool
    longest_window_days: int
    learned_from: tuple[str, str]
    probability: float
    value_if_converted: float
    expected_value: float
    currency: str
    rank: int
    n_accounts: int
    tier: str
    tier_a: float
    tier_b: float
    lifted: bool
    horizon_days: int
    gap_days: int
    base_expected_value: float
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    changes: tuple[tuple[str, float, float], ...]
    model_version: str
    release: str
    run_id: str
    simulated: bool = False
    leads: bool = False


def html(view: InformationView, *, language: Language = "de", country: str = "DE") -> str:
    """Return the sheet as a self-contained, printable page."""
    tongue = Tongue(language, country)
    tables = dict.fromkeys(table for table, _, _ in view.values)
    groups = [
        (
            tongue.word(f"info_table_{table}") if f"info_table_{table}" in TABLES else table,
            [(name, value) for where, name, value in view.values if where == table],
        )
        for table in tables
    ]
    learned = [tongue.day(date.fromisoformat(day)) for day in view.learned_from if day]
    return pages.render(
        "information.html", tongue, view=view, title=view.name or view.account_id, groups=groups,
        learned=learned, controller=[line for line in view.controller.splitlines() if line.strip()],
    )  # fmt: skip


def write(view: InformationView, place: Path, *, language: Language = "de", country: str = "DE") -> Path:
    """Write the sheet as ``<place>-information.html``, whole or not at all; return its path."""
    path = place.with_name(place.name + "-information.html")
    return pages.write(path, html(view, language=language, country=country))


TABLES = frozenset(
    f"info_table_{t}" for t in ("accounts", "contacts", "events", "deal_stages", "invoices", "leads")
)
