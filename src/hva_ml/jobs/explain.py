"""Explain: one account's published score in words and factors, its page, and its information sheet."""

import hashlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from hva_ml.config import PipelineConfig
from hva_ml.errors import ConfigError, UsageError
from hva_ml.explanation.families import FamilyFactor, families
from hva_ml.explanation.formats import factor, money
from hva_ml.explanation.paragraph import paragraph
from hva_ml.explanation.plots import to_shap
from hva_ml.explanation.proposals import note
from hva_ml.explanation.reader import Reader, spoken_of
from hva_ml.explanation.reasons import Reason, reasons, topic_labels
from hva_ml.explanation.waterfall import waterfall
from hva_ml.jobs.comparison import compared
from hva_ml.jobs.levers import helped, sentences
from hva_ml.jobs.neighbours import Neighbour, neighbours
from hva_ml.jobs.shap_values import feature_names
from hva_ml.jobs.sheet import write_sheet
from hva_ml.jobs.told import Told, encode, told
from hva_ml.reports import account as page
from hva_ml.scoring import segment_words
from hva_ml.workspace import Workspace

Language = Literal["de", "en"]
INNER = ("step", "other")
MOST_ADVICE = 3
WORDS = {
    "en": ("Step", "Factor", "Expected value", "Everything else", "This account"),
    "de": ("Schritt", "Faktor", "Erwarteter Wert", "Alles Übrige", "Dieser Account"),
}


@dataclass(frozen=True)
class Explained:
    """One account explained.

    Attributes
    ----------
    account_id, title, text : str
        Whom it is about, a headline, and a paragraph in the language asked for.
    row : dict
        The published score.
    reasons : tuple of Reason
        For and against, strongest first.
    families : tuple of FamilyFactor
        The overview: they multiply to the score over the typical account's.
    neighbours : tuple of Neighbour
        Similar accounts that bought, nearest first.
    columns, steps : tuple
        The arithmetic from the typical account to this one: step, factor, expected value reached.
    table : pyarrow.Table
        The same in numbers: step, kind, factor, start, end, change.
    likelihood, value : pyarrow.Table
        The same for probability and for value if converted alone.
    files : tuple of pathlib.Path
        The page, and what else was asked for.
    language, country : str
        How words and numbers are written.
    told : Told
        What the published run says of the account, and whom it is compared with.
    """

    account_id: str
    title: str
    text: str
    row: dict[str, Any]
    reasons: tuple[Reason, ...]
    families: tuple[FamilyFactor, ...]
    neighbours: tuple[Neighbour, ...]
    columns: tuple[str, ...]
    steps: tuple[tuple[str, ...], ...]
    table: pa.Table
    likelihood: pa.Table
    value: pa.Table
    files: tuple[Path, ...]
    language: Language
    country: str
    told: Told = field(repr=False)

    def to_shap(self, part: str = "expected_value") -> Any:
        """Return the contributions as a ``shap.Explanation``, for shap's own plots; see `hva.shap_values`.

        Parameters
        ----------
        part : {"expected_value", "likelihood", "value"}
            Of which score; values are natural logarithms of factors.

        Raises
        ------
        UsageError
            If shap is not installed, or there is no such part.
        """
        told = self.told
        ways = {
            "expected_value": (told.contributions, told.log_base),
            "likelihood": (told.likelihood, told.log_base_probability),
            "value": (told.value, told.log_base_value),
        }
        effects, base = ways.get(part, ways["expected_value"])
        names = feature_names(told.bundle, self.language, self.country)
        X = encode(told.bundle, told.values)
        return to_shap(effects[None, :], np.array([base]), X, [told.values], names, part)[0]

    @property
    def plain(self) -> str:
        """Headline, paragraph and reasons as plain text, one reason a line."""
        return "\n".join((self.title, "", self.text, "", *(f"- {r.text}" for r in self.reasons)))

    def record(self) -> dict[str, object]:
        """Return it as a JSON-ready record."""
        return {
            "account_id": self.account_id,
            "text": self.text,
            "score": {k: v for k, v in self.row.items() if not k.startswith("reasons_")},
            "reasons": [r.record() for r in self.reasons],
            "families": [asdict(f) for f in self.families],
            "neighbours": [asdict(n) for n in self.neighbours],
            "steps": self.table.to_pylist(),
            "likelihood_steps": self.likelihood.to_pylist(),
            "value_steps": self.value.to_pylist(),
            "files": [str(p) for p in self.files],
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
    text = paragraph(
        why, probability=row["conversion_probability"], value_if_converted=row["value_if_converted"],
        expected_value=row["expected_value"], typical_expected_value=float(np.exp(found.log_base)),
        horizon_days=bundle.horizon_days, language=tongue, country=country, currency=bundle.currency,
        reference=reader.reference, segment=segment,
    )  # fmt: skip
    overview = families(bundle.definitions, found.likelihood, found.value)
    like = neighbours(ws, config, bundle, account, published.contributions, found.names, reader)
    place = _place(ws, config, row)
    view = replace(_view(found, home, why, overview, like, table), parts=(_part(likely), _part(worth)))
    view = replace(view, **_helpful(ws, config, published, reader))
    files = page.write(view, place, language=tongue, country=country, png=png, svg=svg)
    if information_sheet:
        # The sheet speaks of what is typical, whatever the score is compared with elsewhere.
        usual = found if found.home.kind == "typical" else compared(ws, config, published, "typical")
        plain = _reasons(usual, replace(reader, reference="typical"), config.scoring.reasons)
        files += (write_sheet(config, usual, plain, place, language=tongue, country=country),)
    title = f"{account} · {row['as_of']} · {'Stufe' if tongue == 'de' else 'tier'} {row['tier']}"
    return Explained(
        account, title, text, row, why, overview, like, words[:3], _steps(table, reader), table,
        likely, worth, files, tongue, country, found,
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


def _part(table: pa.Table) -> tuple[tuple[str, float, float], ...]:
    """Return the steps of one part: what it is called, its factor, what is reached."""
    return tuple((s["step"], s["factor"], s["end"]) for s in table.to_pylist() if s["kind"] != "total")


def _view(
    found: Told,
    home: str,
    why: tuple[Reason, ...],
    overview: tuple[FamilyFactor, ...],
    like: tuple[Neighbour, ...],
    table: pa.Table,
) -> page.AccountView:
    row, bundle = found.row, found.bundle
    return page.AccountView(
        account_id=row["account_id"],
        name=found.name,
        as_of=row["as_of"],
        currency=bundle.currency,
        probability=row["conversion_probability"],
        value_if_converted=row["value_if_converted"],
        expected_value=row["expected_value"],
        percentile=row["percentile"],
        rank=row["rank"],
        n_accounts=found.n_accounts,
        tier=row["tier"],
        in_capacity=row["in_capacity"],
        strategic_weight=row["strategic_weight"],
        model_version=row["model_version"],
        home=home,
        kind=found.home.kind,
        base_expected_value=float(np.exp(found.log_base)),
        steps=tuple((s["step"], s["factor"], s["change"]) for s in table.to_pylist() if s["kind"] in INNER),
        positive_reasons=tuple((r.text, r.factor) for r in why if r.direction == "up"),
        negative_reasons=tuple((r.text, r.factor) for r in why if r.direction == "down"),
        horizon_days=bundle.horizon_days,
        simulated=bool(bundle.metadata.get("simulated")),
        families=tuple((f.family, f.likelihood, f.value, f.total) for f in overview),
        neighbours=tuple((n.name or n.account_id, n.as_of, n.value, n.shared) for n in like),
    )


def _place(ws: Workspace, config: PipelineConfig, row: dict[str, Any]) -> Path:
    """Name the page by a hash: an account id is data, and data never become a path."""
    name = hashlib.sha256(row["account_id"].encode()).hexdigest()[:16]
    return ws.reports(config.name) / f"{row['as_of']:%Y-%m-%d}" / f"account-{name}"
