"""How a leak gets into a pipeline: edits of its files, as a user would make them by mistake."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hva_ml import Workspace
from hva_ml.connectors import sources
from hva_ml.engines.spool import Store
from hva_ml.features.build import FeatureGroup

PIPELINE = "dach_sample"
Edit = Callable[[Workspace], None]


def untouched(_ws: Workspace) -> None:
    """Change nothing."""


@dataclass(frozen=True)
class Planted:
    """One change of a pipeline: an edit of its files, a feature group in Python, or both."""

    edit: Edit = untouched
    groups: tuple[FeatureGroup, ...] = ()


@dataclass(frozen=True)
class Leaker:
    """A kind of leak.

    Attributes
    ----------
    name, how : str
        Its kind, and how it comes about.
    named : str
        Beginning of the names of the features that it spoils, or ``population``.
    leak, twin : Planted
        The leak, and the honest way to do the same.
    """

    name: str
    how: str
    named: str
    leak: Planted
    twin: Planted


def replaced(file: str, old: str, new: str) -> Edit:
    """Return an edit of one passage of a file of `pipelines/`."""

    def edit(ws: Workspace) -> None:
        path = ws.pipelines / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, (file, old)
        path.write_text(text.replace(old, new), encoding="utf-8")

    return edit


def rewritten(query: str, sql: str) -> Edit:
    """Return an edit that runs further SQL over a source query, which is there under the name `mine`."""

    def edit(ws: Workspace) -> None:
        path = ws.queries(PIPELINE) / f"{query}.sql"
        inner = path.read_text(encoding="utf-8").strip()
        path.write_text(f"WITH mine AS (\n{inner}\n)\n{sql}\n", encoding="utf-8")

    return edit


def all_of(*edits: Edit) -> Edit:
    """Return several edits as one."""

    def edit(ws: Workspace) -> None:
        for one in edits:
            one(ws)

    return edit


def snapshot(filled: str) -> Edit:
    """Return an edit that adds a field of a CRM export without history, filled in for some companies.

    `filled` is ``at close`` (the rating is asked for once a company has bought) or ``at random``.
    """

    def edit(ws: Workspace) -> None:
        raw = sources.tables(sources.relations(ws, ws.config(PIPELINE), Store()))
        companies = sorted(set(raw["companies"]["company_id"].to_pylist()))
        bought = set(raw["invoices"]["company_id"].to_pylist())
        random = np.random.default_rng(1)
        chance = random.random(len(companies)) < len(bought) / len(companies)
        known = [c in bought for c in companies] if filled == "at close" else chance.tolist()
        rating = random.choice(["A", "B"], len(companies)).tolist()
        path = ws.inside("data/raw/crm.parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            pa.table(
                {
                    "company_id": companies,
                    "credit_rating": [r if k else None for r, k in zip(rating, known, strict=True)],
                }
            ),
            path,
        )
        toml = f"{PIPELINE}.toml"
        all_of(
            replaced(
                toml, "[sources.contacts]",
                '[sources.crm]\nkind = "parquet"\npath = "data/raw/crm.parquet"\n\n[sources.contacts]',
            ),
            replaced(
                toml, 'sql = "accounts.sql"',
                'sql = "accounts.sql"\ncolumns = { credit_rating = "category" }\nstatic = ["credit_rating"]',
            ),
            replaced(toml, "[features]\n", '[features]\ncolumns = ["credit_rating"]\n'),
            rewritten(
                "accounts",
                "SELECT mine.*, credit_rating FROM mine LEFT JOIN crm ON crm.company_id = account_id",
            ),
        )(ws)  # fmt: skip

    return edit


def more_events(select: str) -> Edit:
    """Return an edit that adds events: event_id, account_id, event_time, known_at, event_type, contact_id."""
    return rewritten("events", "\n".join(("SELECT * FROM mine UNION ALL", select)))


def employees(which: str) -> Edit:
    """Return an edit that writes the first or last number of employees into every version of a company."""
    sql = (
        "SELECT mine.* REPLACE (WHICH_value(employees) OVER (PARTITION BY account_id ORDER BY event_time, "
        "known_at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS employees) FROM mine"
    )
    return rewritten("accounts", sql.replace("WHICH", which))
