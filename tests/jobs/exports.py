"""A company's made-up exports, which change from night to night as real ones do: late, renamed, gone."""

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from hva_ml.cutoffs import Calendar, instant
from hva_ml.features.build import build
from hva_ml.jobs.prepare import Prepared, prepare
from hva_ml.jobs.tonight import prepare_tonight
from hva_ml.workspace import Workspace

PIPELINE = """
[pipeline]
name = "tiny"
title = "Tiny"
currency = "EUR"
timezone = "Europe/Berlin"
[sources.companies]
kind = "parquet"
path = "data/raw/tiny/companies.parquet"
[sources.web]
kind = "parquet"
path = "data/raw/tiny/web"
[sources.mails]
kind = "csv"
path = "data/raw/tiny/mails.csv"
[sources.deals]
kind = "parquet"
path = "data/raw/tiny/deals.parquet"
[sources.bills]
kind = "parquet"
path = "data/raw/tiny/bills"
[views]
clicks = "clicks.sql"
[tables.accounts]
sql = "accounts.sql"
[tables.events]
sql = "events.sql"
columns = { minutes = "number" }
[tables.deal_stages]
sql = "deals.sql"
[tables.invoices]
sql = "invoices.sql"
[cutoffs]
first = 2024-01-01
last = 2024-03-01
data_end = 2024-06-01
[horizon]
days = 30
[population]
table = "accounts"
[target]
table = "invoices"
[features]
deals = true
stages = ["offer"]
close_dates = true
fit = true
firmographic = ["country", "has_parent", "children"]
[[features.windows]]
table = "events"
by = "event_type"
values = ["visit", "mail"]
of = ["contact_id", "minutes"]
windows_days = [7, 90]
to_date = ["quarter"]
measures = ["count", "sum", "std", "distinct", "recency", "since_first", "active_days", "trend", "surge",
  "share", "gap_mean", "streak"]
[[features.windows]]
table = "invoices"
of = ["amount", "invoice_id"]
windows_days = [90]
measures = ["sum", "min", "distinct"]
"""
QUERIES = {
    "clicks.sql": "SELECT * FROM web WHERE kind <> 'bot'",
    "events.sql": """
        SELECT id AS event_id, account AS account_id, seen AS event_time, known AS known_at,
               kind AS event_type, contact AS contact_id, minutes
        FROM clicks
        UNION ALL
        SELECT id, account, try_cast(seen AS TIMESTAMP), try_cast(known AS TIMESTAMP), 'mail', NULL, NULL
        FROM mails
    """,
    "accounts.sql": """
        SELECT account AS account_id, seen AS event_time, known AS known_at, country, parent AS parent_id
        FROM companies
    """,
    "deals.sql": """
        SELECT d.id AS deal_id, d.account AS account_id, d.seen AS event_time, d.kind AS stage,
               d.cents / 100 AS amount, d.currency, d.closing AS expected_close_at
        FROM deals d JOIN (SELECT DISTINCT account FROM companies) c ON c.account = d.account
    """,
    "invoices.sql": """
        SELECT id AS invoice_id, account AS account_id, seen AS event_time, cents / 100 AS amount, currency
        FROM bills WHERE true
    """,
}
TIME = pa.timestamp("us")
TEXT, FLOAT, WHOLE = pa.string(), pa.float64(), pa.int64()
SCHEMAS = {
    "companies": {"account": TEXT, "seen": TIME, "known": TIME, "country": TEXT, "parent": TEXT},
    "web": {"id": TEXT, "account": TEXT, "seen": TIME, "known": TIME, "kind": TEXT, "contact": TEXT,
            "minutes": FLOAT},
    "mails": {"id": TEXT, "account": TEXT, "seen": TEXT, "known": TEXT},
    "deals": {"id": TEXT, "account": TEXT, "seen": TIME, "kind": TEXT, "cents": WHOLE, "currency": TEXT,
              "closing": TEXT},
    "bills": {"id": TEXT, "account": TEXT, "seen": TIME, "cents": WHOLE, "currency": TEXT},
}  # fmt: skip
BEGIN = datetime(2024, 1, 1)  # noqa: DTZ001  (naive, as exports are; local times in Berlin)
ACCOUNTS = ["A0", "A1", "A2", "A3", "A4"]


class World:
    """A workspace whose exports change from night to night."""

    def __init__(self, root: Path, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.ws, self.day = Workspace(root), date(2024, 6, 1)
        self.raw = self.ws.raw("tiny")
        (root / "pipelines" / "tiny").mkdir(parents=True)
        (root / "pipelines" / "tiny.toml").write_text(PIPELINE)
        for name, sql in QUERIES.items():
            (root / "pipelines" / "tiny" / name).write_text(sql)
        self.files: dict[str, list[dict[str, object]]] = {}
        for name in ("web/a", "web/b", "bills/a"):
            self.files[name] = [self.row(name.split("/")[0]) for _ in range(5)]
        first = [
            {"account": a, "seen": BEGIN, "known": BEGIN, "country": "DE", "parent": None} for a in ACCOUNTS
        ]
        self.files["companies"] = first + [self.row("companies") for _ in range(3)]
        for name in ("mails", "deals"):
            self.files[name] = [self.row(name) for _ in range(4)]
        for name in self.files:
            self.write(name)

    def pick(self, *values):
        return values[int(self.random.integers(len(values)))]

    def row(self, source: str) -> dict[str, object]:
        at = BEGIN + timedelta(days=int(self.random.integers(-30, 190)), hours=self.pick(0, 2, 12))
        known = at + timedelta(days=self.pick(0, 0, 1, 40))
        account = self.pick(*ACCOUNTS, *ACCOUNTS, " A1", "unknown", None, "e@mail.de")
        found = {
            "id": str(self.random.integers(60)), "account": account, "seen": at, "known": known,
            "country": self.pick("DE", "AT", None), "parent": self.pick(None, *ACCOUNTS[:2]),
            "kind": self.pick("visit", "call", "bot", None), "contact": self.pick(None, "c1", "c2", "c\n3"),
            "minutes": self.pick(None, 0.1, -2.5, float("nan")), "cents": self.pick(0, 100, -50, None),
            "currency": self.pick("EUR", "eur", "EUR", "CHF", None), "closing": None,
        }  # fmt: skip
        if source == "companies":
            found["account"] = self.pick(*ACCOUNTS)
        if source == "deals":
            found["kind"] = self.pick("offer", "talk", "won", "lost")
            found["closing"] = self.pick(
                None, f"{at + timedelta(days=self.pick(-20, 5, 60)):%Y-%m-%d}", "soon"
            )
        if source == "mails":
            found |= {"seen": self.pick(f"{at:%Y-%m-%d %H:%M}", "", "soon"), "known": f"{known:%Y-%m-%d}"}
        return {name: found[name] for name in SCHEMAS[source]}

    def write(self, name: str) -> None:
        source = name.split("/")[0]
        schema = pa.schema(SCHEMAS[source])
        table = pa.Table.from_pylist(self.files[name], schema)
        if source == "mails":
            (self.raw / "mails.csv").parent.mkdir(parents=True, exist_ok=True)
            pa.csv.write_csv(table, self.raw / "mails.csv")
            return
        path = self.raw / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, row_group_size=3)

    def some(self, *sources: str) -> str:
        return self.pick(*(n for n in sorted(self.files) if n.split("/")[0] in (sources or tuple(SCHEMAS))))

    def a_new_file(self) -> None:
        source = self.pick("web", "bills")
        name = f"{source}/n{len(self.files)}-{int(self.random.integers(1000))}"
        self.files[name] = [self.row(source) for _ in range(int(self.random.integers(1, 6)))]
        self.write(name)

    def growth(self) -> None:
        name = self.some()
        self.files[name].append(self.row(name.split("/")[0]))
        self.write(name)

    def a_correction(self) -> None:
        name = self.some("web", "bills", "mails", "deals")
        rows = self.files[name]
        rows[int(self.random.integers(len(rows)))] = self.row(name.split("/")[0])
        self.write(name)

    def a_file_gone(self) -> None:
        name = self.some("web", "bills")
        if sum(n.startswith(name.split("/")[0]) for n in self.files) > 1:
            del self.files[name]
            (self.raw / f"{name}.parquet").unlink()

    def a_row_gone(self) -> None:
        name = self.some("web", "bills", "mails", "deals")
        if len(self.files[name]) > 1:
            del self.files[name][int(self.random.integers(len(self.files[name])))]
            self.write(name)

    def a_copy(self) -> None:
        name = self.some("web", "bills")
        copy = f"{name.split('/')[0]}/copy{len(self.files)}"
        self.files[copy] = list(self.files[name])
        self.write(copy)

    def another_name(self) -> None:
        name = self.some("web", "bills")
        other = f"{name}x"
        self.files[other] = self.files.pop(name)
        (self.raw / f"{name}.parquet").rename(self.raw / f"{other}.parquet")

    def another_query(self) -> None:
        path = self.ws.queries("tiny") / "invoices.sql"
        path.write_text(self.pick(QUERIES["invoices.sql"], QUERIES["invoices.sql"] + " AND cents <> 100"))
        path = self.ws.queries("tiny") / "deals.sql"
        path.write_text(self.pick(QUERIES["deals.sql"], QUERIES["deals.sql"].split(" JOIN ")[0]))

    def damage(self) -> None:
        found = sorted(p for p in self.ws.ledger("tiny").rglob("*") if p.is_file() and p.stat().st_size)
        if found:
            path = self.pick(*found)
            content = bytearray(path.read_bytes())
            content[int(self.random.integers(len(content)))] ^= 1
            path.write_bytes(content)

    def both(self) -> tuple[Prepared, Prepared]:
        """The night read whole, and the night that reads what is new."""
        config = self.ws.config("tiny")
        moment = instant(self.day, "Europe/Berlin")
        return prepare(self.ws, config, until=moment), prepare_tonight(self.ws, config, moment)

    def features(self, prepared: Prepared):
        config = self.ws.config("tiny")
        calendar = Calendar((self.day,), 30, 0, "Europe/Berlin")
        return build(prepared.tables, config, calendar)
