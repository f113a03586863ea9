"""Explain: one account's published score in words and factors, its page, and its information sheet."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from hva_ml.config import PipelineConfig
from hva_ml.errors import ConfigError, UsageError
from hva_ml.explanation.families import families
from hva_ml.explanation.formats import factor, money
from hva_ml.explanation.paragraph import paragraph
from hva_ml.explanation.proposals import note
from hva_ml.explanation.reader import Reader, spoken_of
from hva_ml.explanation.reasons import Reason, reasons, topic_labels
from hva_ml.explanation.waterfall import waterfall
from hva_ml.features.definition import of_leads
from hva_ml.jobs.account_view import INNER, account_view, bounds, page_place
from hva_ml.jobs.comparison import compared
from hva_ml.jobs.customers import lifetime_of
from hva_ml.jobs.explained import Explained
from hva_ml.jobs.levers import helped, sentences
from hva_ml.jobs.neighbours import neighbours
from hva_ml.jobs.sheet import write_sheet
from hva_ml.jobs.told import Told, told
from hva_ml.reports import account as page
from hva_ml.reports.language import Language
from hva_ml.scoring import segment_words
from hva_ml.workspace import Workspace

MOST_ADVICE = 3
WORDS = {
    "en": ("Step", "Factor", "Expected value", "Everything else", "This account"),
    "de": ("Schritt", "Faktor", "Erwarteter Wert", "Alles Übrige", "Dieser Account"),
}


def explain(
    ws: Workspace,
    pipeline: str,
    account: str,
    *,
    language: str = "en",
    country: str = "DE",
    png: bool = False,
    svg: bool = False,
    information_sheet: bool = False,
    against: str = "",
) -> Explained:
    """Explain the published score of one account, and write its page.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline, account : str
        Name of the pipeline; account id as in the scores.
    language : {"en", "de"}
        Language of words.
    country : {"DE", "AT", "CH"}
        How German is spelled and numbers are written.
    png, svg : bool
        Write the waterfall as a picture too.
    against : str
        Whom it is compared with: ``typical``, ``won``, ``threshold``, ``medoid`` (if the release has one) or
        ``earlier`` (itself a quarter ago); by default as published.
    information_sheet : bool
        Write the information sheet for the person concerned too (Art. 15 (1) (h) GDPR).

    Raises
    ------
    RefusedError
        If nothing is published yet.
    UsageError
        If the account has no score, or the language is neither German nor English.
    ConfigError
        If the information sheet is asked for and nobody is named who answers questions.
    IntegrityError
        If anything is not as it was published.
    """
    config = ws.config(pipeline)
    tongue = spoken(language, country)
    words = WORDS[tongue]
    published = told(ws, config, account)
    found = compared(ws, config, published, against)
    row, bundle = found.row, found.bundle
    reader = Reader(tongue, country, bundle.currency, spoken_of(found.home.kind))
    segment = segment_words(bundle, found.home.place, reader) if found.home.place >= 0 else ""
    home = reader.named(found.home.kind, segment, found.home.day)
    why = _reasons(found, reader, config.scoring.reasons)
    labels = topic_labels(bundle.definitions, found.contributions, language=tongue, country=country)
    table, likely, worth = (
        waterfall(labels, effects, base, base=home, other=words[3], total=words[4])
        for effects, base in (
            (found.contributions, found.log_base),
            (found.likelihood, found.log_base_probability),
            (found.value, found.log_base_value),
        )
    )
    between = bounds(row, "value", bundle.value_spread)
    text = paragraph(
        why, probability=row["conversion_probability"], value_if_converted=row["value_if_converted"],
        expected_value=row["expected_value"], typical_expected_value=float(np.exp(found.log_base)),
        horizon_days=bundle.horizon_days, language=tongue, country=country, currency=bundle.currency,
        reference=reader.reference, segment=segment, leads=of_leads(bundle.definitions),
        value_bounds=between and between[:2],
    )  # fmt: skip
    overview = families(bundle.definitions, found.likelihood, found.value)
    like = neighbours(ws, config, bundle, account, published.contributions, found.names, reader)
    place = page_place(ws, config, row)
    view = account_view(found, home, why, overview, like, (table, likely, worth))
    lasting = lifetime_of(ws, config.name, found.run, bundle, account, reader)
    view = replace(view, lifetime=lasting, **_helpful(ws, config, published, reader))
    files = page.write(view, place, language=tongue, country=country, png=png, svg=svg)
    if information_sheet:
        # The sheet speaks of what is typical, whatever the score is compared with elsewhere.
        usual = found if found.home.kind == "typical" else compared(ws, config, published, "typical")
        plain = _reasons(usual, replace(reader, reference="typical"), config.scoring.reasons)
        files += (write_sheet(config, usual, plain, place, language=tongue, country=country),)
    title = f"{account} · {row['as_of']} · {'Stufe' if tongue == 'de' else 'tier'} {row['tier']}"
    return Explained(
        account, title, text, row, why, overview, like, words[:3], _steps(table, reader), table,
        likely, worth, files, tongue, country, found, lasting,
    )  # fmt: skip


def spoken(language: str, country: str = "DE") -> Language:
    """Return the language if there are sentences for it, else raise ``UsageError``."""
    if language not in WORDS or country not in ("DE", "AT", "CH"):
        raise UsageError(
            f"There are no sentences for language '{language[:10]}' in country '{country[:10]}'.",
            where="--lang, --country",
            fix="Use --lang de or en, and --country DE, AT or CH.",
        )
    return "de" if language == "de" else "en"


def _helpful(ws: Workspace, config: PipelineConfig, found: Told, reader: Reader) -> dict[str, Any]:
    """Return what would help, for the page: nothing where nothing is marked, or not for this release."""
    now = replace(reader, reference="now")
    try:
        advice = helped(ws, config, found, MOST_ADVICE)
    except ConfigError:
        return {}
    return {"advice": sentences(found, advice, now), "advice_note": note(now)}


def _steps(table: pa.Table, reader: Reader) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            s["step"],
            factor(s["factor"], **reader.spoken) if s["kind"] in INNER else "",
            money(s["end"], reader.currency, **reader.spoken),
        )
        for s in table.to_pylist()
    )


def _reasons(found: Told, reader: Reader, limit: int) -> tuple[Reason, ...]:
    return tuple(
        reasons(
            found.bundle.definitions, found.values, found.home.values, found.contributions,
            language=spoken(reader.language), country=reader.country, currency=reader.currency,
            reference=reader.reference, limit=limit,
        )
    )  # fmt: skip
