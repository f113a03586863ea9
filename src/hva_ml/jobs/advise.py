"""Advise: what would help an account, among the features that the team can change."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from hva_ml.errors import UsageError
from hva_ml.explanation.counterfactual import Advice
from hva_ml.explanation.formats import day, money
from hva_ml.explanation.proposals import note
from hva_ml.explanation.reader import Reader
from hva_ml.jobs.explain import spoken
from hva_ml.jobs.levers import helped, sentences
from hva_ml.jobs.told import told
from hva_ml.workspace import Workspace

LIMIT = 3


@dataclass(frozen=True)
class Advised:
    """What would help one account.

    Attributes
    ----------
    pipeline, account_id, name, run_id : str
        Whom it is about, and which run; the name is empty where nobody knows it.
    as_of : datetime.date
        Day of the run.
    expected_value : float
        As published, in units of `currency`.
    advice : tuple of Advice
        The proposals in figures, best first; may well be empty.
    sentences : tuple of str
        The same in words; one sentence that says so where there is none.
    title, note : str
        A headline; what stands beside every proposal.
    currency : str
        ISO 4217 code.
    """

    pipeline: str
    account_id: str
    name: str
    run_id: str
    as_of: date
    expected_value: float
    advice: tuple[Advice, ...]
    sentences: tuple[str, ...]
    title: str
    note: str
    currency: str

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record; what is unknown is null."""
        figures = [asdict(a) for a in self.advice]
        for moved in (m for a in figures for m in a["changes"]):
            moved["now"] = None if np.isnan(moved["now"]) else moved["now"]
        return {
            "pipeline": self.pipeline,
            "account_id": self.account_id,
            "name": self.name,
            "run_id": self.run_id,
            "as_of": self.as_of.isoformat(),
            "expected_value": self.expected_value,
            "currency": self.currency,
            "proposals": [{"text": s, **a} for s, a in zip(self.sentences, figures, strict=False)],
            "text": "" if figures else self.sentences[0],
            "note": self.note,
        }


def advise(
    ws: Workspace,
    pipeline: str,
    account: str,
    *,
    language: str = "en",
    country: str = "DE",
    limit: int = LIMIT,
) -> Advised:
    """Say which changes of actionable features go with a higher expected value of one account.

    Only features under ``[explanation.actionable]`` move, within their bounds; the models of the published
    run are asked, and at least five accounts like this one must have about the proposed values.

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
    limit : int
        Most proposals, at least 1.

    Raises
    ------
    ConfigError
        If no feature is marked as actionable, or one that cannot be.
    RefusedError
        If nothing is published yet.
    UsageError
        If the account has no score, or an option is none.
    IntegrityError
        If anything is not as it was published.
    """
    config = ws.config(pipeline)
    tongue = spoken(language, country)
    if limit < 1:
        raise UsageError(f"{limit} proposals are none.", where="--limit", fix="Use --limit 1 or more.")
    found = told(ws, config, account)
    advice = helped(ws, config, found, limit)
    reader = Reader(tongue, country, found.bundle.currency, "now")
    present, when = float(found.row["expected_value"]), found.row["as_of"]
    worth = money(present, reader.currency, **reader.spoken)
    expected = reader.pick(("erwarteter Wert", "expected value"))
    return Advised(
        config.name, account, found.name, found.run.run_id, when, present, advice,
        sentences(found, advice, reader), f"{account} · {day(when, **reader.spoken)} · {expected} {worth}",
        note(reader), reader.currency,
    )  # fmt: skip
