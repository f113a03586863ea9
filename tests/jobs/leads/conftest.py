"""A small made-up table of inquiries whose truth is known, and a workspace trained on it."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pytest

import hva_ml as hva

DAYS, SPAN, FIRST = 300, 60, date(2025, 1, 1)
END = FIRST + timedelta(days=DAYS)
CHANNELS = ("fair", "web", "partner", "cold call")
DATED = """
[pipeline]
name = "inquiries"
title = "Inquiries"
currency = "EUR"
[sources.inquiries]
kind = "csv"
path = "data/raw/inquiries.csv"
time = "contacted"
types = { lead_no = "text", contacted = "date", signed = "date", amount = "number", minutes = "number" }
[leads]
source = "inquiries"
id = "lead_no"
name = "company"
created = "contacted"
won_at = "signed"
won_within_days = 60
value = "amount"
data_end = 2025-10-28
after_outcome = ["minutes"]
recent_rate = [30]
refit_every = 30
[leads.features]
channel = { de = "Kanal", en = "channel", track_record = true }
heads = { kind = "number", unit = "heads", de = "Mitarbeitende", en = "employees" }
urgency = { de = "Dringlichkeit", en = "urgency", order = ["low", "medium", "high"] }
[search]
trials = 2
[split]
bootstrap = 20
"""
UNDATED = """
[pipeline]
name = "deals"
title = "Deals"
[sources.deals]
kind = "csv"
path = "data/raw/deals.csv"
types = { heads = "number" }
[sources.new]
kind = "csv"
path = "data/raw/new.csv"
types = { heads = "number" }
[leads]
source = "deals"
open_source = "new"
won = "outcome"
won_values = ["won"]
lost_values = ["lost"]
duplicates = "drop"
folds = 3
repeats = 2
[leads.features]
channel = { de = "Kanal", en = "channel" }
heads = { kind = "number", unit = "heads", de = "Mitarbeitende", en = "employees" }
urgency = { de = "Dringlichkeit", en = "urgency", order = ["low", "medium", "high"] }
[search]
trials = 2
[split]
bootstrap = 20
"""


@dataclass(frozen=True)
class Inquiry:
    """One lead as it really was: day of contact, day of the win or None, and what it was worth."""

    number: str
    contact: int
    channel: str
    heads: int
    urgency: str
    won: int | None
    amount: float

    def line(self) -> str:
        """Return its line of the export, as it stands when the data end."""
        known = self.won is not None and self.won < DAYS
        signed = (FIRST + timedelta(days=self.won or 0)).isoformat() if known else ""
        minutes = 30 if known else 3
        return (
            f"{self.number},Company {self.number},{(FIRST + timedelta(days=self.contact)).isoformat()},"
            f"{signed},{self.amount if known else ''},{minutes},{self.channel},{self.heads},{self.urgency}"
        )


def inquiries(n: int = 1500, seed: int = 5) -> list[Inquiry]:
    """Deal inquiries: fairs, large companies and urgent ones are won more often."""
    rng = np.random.default_rng(seed)
    found = []
    for k in range(n):
        channel, urgency = int(rng.integers(0, 4)), int(rng.integers(0, 3))
        heads = int(np.exp(rng.normal(4, 1)))
        margin = -1.6 + (1.2, 0.2, 0.5, -1.2)[channel] + 0.7 * (urgency - 1) + 0.5 * (np.log(heads) - 4)
        contact = k * DAYS // n
        won = rng.random() < 1 / (1 + np.exp(-margin))
        after = int(min(rng.exponential(15), SPAN - 1))
        found.append(
            Inquiry(
                f"L{k:05d}", contact, CHANNELS[channel], heads, ("low", "medium", "high")[urgency],
                contact + after if won else None, round(float(np.exp(rng.normal(8, 0.5))), 2),
            )
        )  # fmt: skip
    return found


def written(ws: hva.Workspace, leads: list[Inquiry], pipeline: str = DATED) -> None:
    """Put an export and its pipeline file into a workspace."""
    head = "lead_no,company,contacted,signed,amount,minutes,channel,heads,urgency"
    folder = ws.root / "data" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "inquiries.csv").write_text("\n".join([head, *(i.line() for i in leads)]) + "\n", "utf-8")
    (ws.pipelines / "inquiries.toml").write_text(pipeline, "utf-8")


@dataclass(frozen=True)
class Job:
    """What became of a table of inquiries: trained, promoted, scored on the day the data end."""

    ws: hva.Workspace
    truth: dict[str, Inquiry]
    run: object
    scores: object


@pytest.fixture(scope="session")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Train, promote and score once for all tests of a worker."""
    ws, _ = hva.init(tmp_path_factory.mktemp("leads"))
    leads = inquiries()
    written(ws, leads)
    run = hva.train(ws, "inquiries")
    hva.promote(run, force="a test of leads")
    return Job(ws, {i.number: i for i in leads}, run, hva.score(ws, "inquiries", as_of=END))


@pytest.fixture(scope="session")
def undated(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """The same for a few deals without any day, of which every fifth stands there twice."""
    ws, _ = hva.init(tmp_path_factory.mktemp("deals"))
    leads = inquiries(240, seed=8)
    folder = ws.root / "data" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    decided, new = leads[:200], leads[200:]
    lines = [f"{i.channel},{i.heads},{i.urgency},{'won' if i.won is not None else 'lost'}" for i in decided]
    (folder / "deals.csv").write_text(
        "\n".join(["channel,heads,urgency,outcome", *lines, *lines[::5]]), "utf-8"
    )
    opened = [f"{i.channel},{i.heads},{i.urgency}" for i in new]
    (folder / "new.csv").write_text("\n".join(["channel,heads,urgency", *opened]), "utf-8")
    (ws.pipelines / "deals.toml").write_text(UNDATED, "utf-8")
    run = hva.train(ws, "deals")
    hva.promote(run, force="a test of leads")
    return Job(ws, {i.number: i for i in leads}, run, hva.score(ws, "deals", as_of="2025-12-31"))
