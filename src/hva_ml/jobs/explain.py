"""Explain: one account's published score in words and factors, and its page."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml import publication
from hva_ml.config import PipelineConfig
from hva_ml.errors import RefusedError, UsageError, nearest
from hva_ml.explanation.formats import factor, money
from hva_ml.explanation.paragraph import paragraph
from hva_ml.explanation.reasons import Reason, reasons, topic_labels
from hva_ml.explanation.waterfall import waterfall
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.releases import read_release
from hva_ml.reports import account as page
from hva_ml.workspace import Workspace

Language = Literal["de", "en"]
INNER = ("step", "other")
WORDS = {
    "en": ("Step", "Factor", "Expected value", "Typical account", "Everything else", "This account"),
    "de": ("Schritt", "Faktor", "Erwarteter Wert", "Typischer Account", "Alles Übrige", "Dieser Account"),
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
    columns, steps : tuple
        The arithmetic from the typical account to this one: step, factor, expected value reached.
    table : pyarrow.Table
        The same in numbers: step, kind, factor, start, end, change.
    files : tuple of pathlib.Path
        The page, and the picture if asked for.
    """

    account_id: str
    title: str
    text: str
    row: dict[str, Any]
    reasons: tuple[Reason, ...]
    columns: tuple[str, ...]
    steps: tuple[tuple[str, ...], ...]
    table: pa.Table
    files: tuple[Path, ...]

    def record(self) -> dict[str, object]:
        """Return it as a JSON-ready record."""
        return {
            "account_id": self.account_id,
            "text": self.text,
            "score": {k: v for k, v in self.row.items() if not k.startswith("reasons_")},
            "reasons": [r.record() for r in self.reasons],
            "steps": self.table.to_pylist(),
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
        How German numbers are written.
    png : bool
        Write the waterfall as PNG too.

    Raises
    ------
    RefusedError
        If nothing is published yet.
    UsageError
        If the account has no score, or the language is neither German nor English.
    """
    config = ws.config(pipeline)
    tongue = spoken(language, country)
    words = WORDS[tongue]
    told = _published(ws, config, account)
    row, bundle = told.row, told.bundle
    found = reasons(
        bundle.definitions, told.values, bundle.typical, told.contributions,
        language=tongue, country=country, currency=bundle.currency, limit=config.scoring.reasons,
    )  # fmt: skip
    labels = topic_labels(bundle.definitions, told.contributions, language=tongue, country=country)
    table = waterfall(
        labels, told.contributions, told.log_base, base=words[3], other=words[4], total=words[5]
    )
    text = paragraph(
        found, probability=row["conversion_probability"], value_if_converted=row["value_if_converted"],
        expected_value=row["expected_value"], typical_expected_value=float(np.exp(told.log_base)),
        horizon_days=bundle.horizon_days, language=tongue, country=country, currency=bundle.currency,
    )  # fmt: skip
    steps = tuple(
        (
            s["step"],
            factor(s["factor"], language=tongue, country=country) if s["kind"] in INNER else "",
            money(s["end"], bundle.currency, language=tongue, country=country),
        )
        for s in table.to_pylist()
    )
    files = page.write(
        _view(told, found, table), _place(ws, config, row), language=tongue, country=country, png=png
    )
    title = f"{account} · {row['as_of']} · {'Stufe' if tongue == 'de' else 'tier'} {row['tier']}"
    return Explained(account, title, text, row, tuple(found), words[:3], steps, table, tuple(files))


def spoken(language: str, country: str = "DE") -> Language:
    """Return the language if there are sentences for it, else raise ``UsageError``."""
    if language not in WORDS or country not in ("DE", "AT", "CH"):
        raise UsageError(
            f"There are no sentences for language '{language[:10]}' in country '{country[:10]}'.",
            where="--lang, --country",
            fix="Use --lang de or en, and --country DE, AT or CH.",
        )
    return "de" if language == "de" else "en"


@dataclass(frozen=True)
class _Told:
    """What the published run says of one account."""

    row: dict[str, Any]
    n_accounts: int
    name: str
    values: list[Any]
    contributions: np.ndarray[Any, np.dtype[np.float64]]
    log_base: float
    bundle: Bundle


def _published(ws: Workspace, config: PipelineConfig, account: str) -> _Told:
    folder = ws.scores(config.name)
    if publication.current(folder) is None:
        raise RefusedError(
            "There are no published scores to explain.", where=str(folder),
            fix=f"hva score {config.name} --as-of DAY",
        )  # fmt: skip
    row, n_accounts = _row(publication.read(folder, "scores"), account, config.name)
    bundle = read_release(ws, config.name, row["model_version"])
    contributions, log_base = _contributions(publication.read(folder, "explanations"), account, bundle)
    values = _one(publication.read(folder, "features"), account)
    name = _one(publication.read(folder, "accounts"), account)["name"] or ""
    told = [values[d.name] for d in bundle.definitions]
    return _Told(row, n_accounts, name, told, contributions, log_base, bundle)


def _view(told: _Told, found: list[Reason], table: pa.Table) -> page.AccountView:
    row, bundle = told.row, told.bundle
    return page.AccountView(
        account_id=row["account_id"],
        name=told.name,
        as_of=row["as_of"],
        currency=bundle.currency,
        probability=row["conversion_probability"],
        value_if_converted=row["value_if_converted"],
        expected_value=row["expected_value"],
        percentile=row["percentile"],
        rank=row["rank"],
        n_accounts=told.n_accounts,
        tier=row["tier"],
        in_capacity=row["in_capacity"],
        strategic_weight=row["strategic_weight"],
        model_version=row["model_version"],
        base_expected_value=float(np.exp(told.log_base)),
        steps=tuple((s["step"], s["factor"], s["change"]) for s in table.to_pylist() if s["kind"] in INNER),
        positive_reasons=tuple((r.text, r.factor) for r in found if r.direction == "up"),
        negative_reasons=tuple((r.text, r.factor) for r in found if r.direction == "down"),
        horizon_days=bundle.horizon_days,
        simulated=bool(bundle.metadata.get("simulated")),
    )


def _row(scores: pa.Table, account: str, pipeline: str) -> tuple[dict[str, Any], int]:
    found = scores.filter(pc.equal(scores["account_id"], account))
    if found.num_rows == 0:
        raise UsageError(
            f"The account '{account[:60]}' has no published score."
            f"{nearest(account, scores['account_id'].to_pylist())}",
            where=f"scores of {pipeline}, {scores.num_rows} accounts",
            why="It was not in the population on that day, or the id is written otherwise.",
            fix=f"Take an account_id from the scores; [population] of {pipeline} says who is one.",
        )
    return found.to_pylist()[0], scores.num_rows


def _one(table: pa.Table, account: str) -> dict[str, Any]:
    return dict(table.filter(pc.equal(table["account_id"], account)).to_pylist()[0])


def _contributions(
    explanations: pa.Table, account: str, bundle: Bundle
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], float]:
    row = _one(explanations, account)
    names = bundle.encoder.names
    total = np.array([row[f"likelihood.{n}"] + row[f"value.{n}"] for n in names], dtype=np.float64)
    return total, row["log_base_probability"] + row["log_base_value"]


def _place(ws: Workspace, config: PipelineConfig, row: dict[str, Any]) -> Path:
    """Name the page by a hash: an account id is data, and data never become a path."""
    name = hashlib.sha256(row["account_id"].encode()).hexdigest()[:16]
    return ws.reports(config.name) / f"{row['as_of']:%Y-%m-%d}" / f"account-{name}"
