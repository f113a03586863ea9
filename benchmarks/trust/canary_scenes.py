"""Where the canaries stand, one scene each, and the commands that meet them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.postgres import programs, running

import hva_ml as hva
from benchmarks.smaller import PIPELINE
from benchmarks.trust.laying import (
    Laid,
    cell,
    declared,
    own,
    query,
    raw,
    renamed,
    sink,
    source,
    together,
)
from benchmarks.trust.world import TONIGHT

CANARY, DIGITS = "kanarie7q3zx", "5559142"
MAIL, PHONE = f"erika.{CANARY}@beispiel.de", f"+49 171 {DIGITS}"
NOWHERE = "127.0.0.1:1"
Words = tuple[str, ...]
NIGHT: Words = ("nightly", PIPELINE, "--as-of", TONIGHT)
LOGGED: Words = (*NIGHT, "--log", "json", "--metrics", "{root}/night.prom")
CHECK: Words = ("check", PIPELINE)
TRAIN: Words = ("train", PIPELINE)
READERS: tuple[Words, ...] = (("overview", PIPELINE), ("changes", PIPELINE), ("monitor", PIPELINE))
WRONG_SHAPE = f"CREATE TABLE hva_scores AS SELECT '{CANARY}' AS note"


@dataclass(frozen=True)
class Scene:
    """Canaries of one kind: how they are laid, and what is run.

    Attributes
    ----------
    name, kind
        What it is called, and in which line of the table it counts.
    commands
        Run one after the other.
    laid
        What is done to the workspace.
    variables
        What is set in the environment.
    server
        SQL for a PostgreSQL server of its own, whose URL `variables` may name as ``{server}``; empty: none.
    quick
        Whether it belongs to the handful.
    asked
        Whether it stands in a column that the pipeline asks for: then the ledger, which holds such columns as
        they came, may hold it.
    """

    name: str
    kind: str
    commands: tuple[Words, ...]
    laid: Laid = lambda _: None
    variables: Mapping[str, str] = field(default_factory=dict)
    server: str = ""
    quick: bool = False
    asked: bool = False

    @contextmanager
    def prepared(self, ws: hva.Workspace) -> Iterator[Mapping[str, str]]:
        """Lay the canaries; yields the environment of the commands."""
        self.laid(ws)
        home = programs() if self.server else None
        if home is None:
            yield self.variables
            return
        with running(home) as server:
            server.sql(f"CREATE ROLE {CANARY} LOGIN SUPERUSER PASSWORD '{CANARY}'")
            server.sql(self.server)
            url = server.url(user=CANARY, password=CANARY)
            yield {k: v.format(server=url) for k, v in self.variables.items()}


def scenes() -> list[Scene]:
    """Return all scenes."""
    return [
        *(_environment()), *(_pipeline()), *(_rows()), *(_unread()),
    ]  # fmt: skip


def _environment() -> Iterator[Scene]:
    kind = "the environment"
    spread = dict.fromkeys(
        ("AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_PASSWORD", "PGPASSWORD", "API_KEY"), CANARY
    )
    yield Scene("secrets that nobody asked for", kind, (NIGHT, CHECK, TRAIN, *READERS), variables=spread)
    yield Scene(
        "secrets that nobody asked for, in the log", kind, (LOGGED,), variables=spread, quick=True,
    )  # fmt: skip
    unreachable = f"postgresql://u{CANARY}:{CANARY}@{NOWHERE}/d{CANARY}"
    urls = {
        "unreachable": unreachable, "no URL": CANARY, "half a URL": f"postgresql://u:{CANARY}@[",
        "a port of letters": f"postgresql://u:p@h:{CANARY}/d",
        "another kind": f"mysql://u:{CANARY}@h/d", "an unknown kind": f"oracle9://u:{CANARY}@h/d",
        "a file nowhere": f"sqlite:////nowhere/{CANARY}/x.db",
        "options": f"postgresql://u:p@{NOWHERE}/d?sslpassword={CANARY}&nonsense={CANARY}",
    }  # fmt: skip
    for name, url in urls.items():
        yield Scene(
            f"URL of a sink: {name}", kind, (LOGGED, ("deliver", PIPELINE)), sink("sql"), {"HVA_SINK": url},
            quick=name == "unreachable",
        )  # fmt: skip
        yield Scene(f"URL of PostgreSQL: {name}", kind, (NIGHT,), sink("postgres"), {"HVA_SINK": url})
        yield Scene(f"URL of a source: {name}", kind, (LOGGED, CHECK), source("deals"), {"HVA_SOURCE": url})
        if name != "options":
            # MLflow tries a database that is down for minutes: one command is enough.
            commands = (("promote", PIPELINE),) if name == "unreachable" else (TRAIN, LOGGED)
            yield Scene(f"URL of MLflow: {name}", kind, commands, variables={"MLFLOW_TRACKING_URI": url})
    web = f"http://u{CANARY}:{CANARY}@{NOWHERE}"
    yield Scene(
        "URL of an MLflow server that is down", kind, (TRAIN, ("compare", PIPELINE), LOGGED),
        variables={"MLFLOW_TRACKING_URI": web, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"},
    )  # fmt: skip
    alerts = declared('[alerts]\nurl_env = "HVA_ALERTS"\non = ["refused", "failed", "undone", "published"]')
    for name, url in (
        ("down", f"jsons://u:{CANARY}@{NOWHERE}/{CANARY}"), ("unknown", f"{CANARY}://{CANARY}"),
        ("no address", CANARY), ("mail", f"mailtos://u:{CANARY}@{NOWHERE}?to={MAIL}"),
    ):  # fmt: skip
        yield Scene(
            f"address of alerts: {name}", kind, (LOGGED,), alerts, {"HVA_ALERTS": url}, quick=name == "down"
        )
    yield from _servers(kind)


def _servers(kind: str) -> Iterator[Scene]:
    url = {"HVA_SINK": "{server}"}
    delivers = (LOGGED, ("deliver", PIPELINE))
    yield Scene("a sink that takes the night", kind, delivers, sink("postgres"), url, server="SELECT 1")
    yield Scene(
        "a sink with a table of other rows", kind, delivers, sink("postgres"), url, server=WRONG_SHAPE
    )
    yield Scene("the same by plain rows", kind, delivers, sink("sql"), url, server=WRONG_SHAPE)
    deals = {"HVA_SOURCE": "{server}"}
    yield Scene(
        "a source without its table", kind, (LOGGED, CHECK), source("deals"), deals, server="SELECT 1"
    )
    rows = (
        f"CREATE TABLE deals AS SELECT '{MAIL}' AS deal_id, '{MAIL}' AS company_id, '{PHONE}' AS amount_cents"
    )
    yield Scene("a source with other columns", kind, (LOGGED, CHECK), source("deals"), deals, server=rows)
    view = f"CREATE VIEW deals AS SELECT CAST('{MAIL}' || now() AS integer) AS deal_id"
    yield Scene("a source that fails at its rows", kind, (LOGGED, CHECK), source("deals"), deals, server=view)


def _pipeline() -> Iterator[Scene]:
    kind, both = "the pipeline", (CHECK, LOGGED)
    url = f"postgresql://u:{CANARY}@{NOWHERE}/d"
    lines = {
        "a URL for a variable, sink": f'[sinks.own]\nkind = "sql"\nurl_env = "{url}"',
        "a URL for a path, sink": f'[sinks.own]\nkind = "parquet"\npath = "{url}"',
        "a key of a sink": f'[sinks.own]\nkind = "parquet"\npath = "data/x"\npassword = "{CANARY}"',
        "a URL for a kind": f'[sinks.own]\nkind = "{url}"\npath = "data/x"',
        "a URL for a variable, alerts": f'[alerts]\nurl_env = "jsons://u:{CANARY}@h"',
        "a token of alerts": f'[alerts]\nurl_env = "HVA_ALERTS"\ntoken = "{CANARY}"',
        "a URL for a variable, source": f'[sources.crm]\nkind = "sql"\nurl_env = "{url}"\ntable = "t"',
        "a URL for a path, source": f'[sources.crm]\nkind = "csv"\npath = "https://u:{CANARY}@h/x.csv"',
        "a URL for a table": f'[sources.crm]\nkind = "sql"\nurl_env = "HVA_X"\ntable = "{url}"',
        "a URL for a data set": f'[sources.crm]\nkind = "dataset"\ndataset = "{url}"',
        "a key of a source": f'[sources.crm]\nkind = "csv"\npath = "x.csv"\npassword = "{CANARY}"',
        "a section that is not known": f'[warehouse]\npassword = "{CANARY}"',
        "a line that is no TOML": f"password = {CANARY}",
        "a text without an end": f'password = "{CANARY}',
        "the same key twice": f'[a]\npassword = "{CANARY}"\npassword = "{CANARY}"',
    }
    for name, text in lines.items():
        yield Scene(name, kind, both, declared(text), quick=name == "a URL for a path, source")
    for name, pattern, text in (
        ("a query cut in the middle", "FROM deals", f"FROM deals WHERE note = '{CANARY}"),
        ("a function that is not there", "deal_id,", f"deal_id, f('{CANARY}'),"),
        ("a database attached", "SELECT", f"ATTACH 'host=x password={CANARY}' AS c (TYPE postgres); SELECT"),
        ("a secret made", "SELECT", f"CREATE SECRET s (TYPE s3, SECRET '{CANARY}'); SELECT"),
        ("a file read", "FROM deals", f"FROM read_csv('https://u:{CANARY}@h/x.csv')"),
        ("a text cast", "currency\n", f"CAST('{CANARY}' AS INTEGER) AS currency\n"),
    ):
        yield Scene(f"query: {name}", kind, both, query("deal_stages", pattern, text), quick="cast" in name)
    for name, body in (
        ("raises", f"raise ValueError('{CANARY}')"),
        ("raises a key", f"raise KeyError(tables['accounts']['name'][0].as_py() + '{CANARY}')"),
        ("returns a text", f"return pa.table({{'account_id': accounts, 'x': ['{CANARY}'] * len(accounts)}})"),
        ("returns other columns", f"return pa.table({{'{CANARY}': accounts}})"),
        ("returns other keys", f"return pa.table({{'account_id': ['{MAIL}'], 'x': [1.0]}})"),
    ):
        yield Scene(f"own features: {name}", kind, both, own(body), quick=name == "raises")


def _rows() -> Iterator[Scene]:
    kind, both = "rows", (CHECK, LOGGED)
    for name in ("companies", "contacts", "engagement", "deals", "invoices"):
        columns = [cell(name, c, t, rows=0, new=True) for c, t in (("email", MAIL), ("mobil", PHONE))]
        yield Scene(
            f"{name}: columns that nobody asked for", kind, (*both, *READERS) if name == "contacts" else both,
            together(*columns), quick=name == "contacts",
        )  # fmt: skip
    every = tuple(
        cell(name, "ansprechpartner", f"Erika {CANARY}", rows=0, new=True)
        for name in ("companies", "contacts", "deals", "invoices")
    )
    yield Scene("columns that nobody asked for, trained on", kind, (TRAIN, NIGHT), together(*every))
    keys = {
        "companies": "company_id", "contacts": "contact_id", "engagement": "company_id",
        "deals": "deal_id", "invoices": "invoice_no",
    }  # fmt: skip
    for name, key in keys.items():
        for rows in (1, 3):
            many = "repeated " if rows > 1 else ""
            yield Scene(
                f"{name}.{key}: {many}e-mail", kind, both, cell(name, key, MAIL, rows=rows), asked=True
            )
    yield Scene(
        "an account whose key is an e-mail",
        kind,
        (*both, *READERS),
        renamed("A000001", MAIL),
        quick=True,
        asked=True,
    )
    for name, column in (
        ("companies", "parent_id"), ("companies", "country"), ("companies", "wz_code"),
        ("companies", "legal_form"), ("companies", "postcode"), ("contacts", "job_function"),
        ("contacts", "seniority"), ("engagement", "event_type"), ("engagement", "contact_id"),
        ("deals", "stage"), ("deals", "currency"), ("invoices", "currency"),
    ):  # fmt: skip
        for what, text in (("e-mail", MAIL), ("number", PHONE)):
            yield Scene(f"{name}.{column}: {what}", kind, both, cell(name, column, text), asked=True)
    yield Scene(
        "engagement.event_type: many e-mails",
        kind,
        both,
        cell("engagement", "event_type", MAIL, rows=400),
        asked=True,
    )


def _unread() -> Iterator[Scene]:
    """Cells that cannot be read for what they should be, and files that cannot be read at all."""
    kind, both = "rows", (CHECK, LOGGED)
    for name, column in (
        ("companies", "employees"), ("companies", "founded_year"), ("companies", "valid_from"),
        ("companies", "annual_revenue_eur"), ("companies", "strategic_weight"), ("contacts", "created_at"),
        ("engagement", "occurred_at"), ("engagement", "event_id"), ("deals", "amount_cents"),
        ("deals", "entered_at"), ("invoices", "amount_cents"), ("invoices", "issued_at"),
    ):  # fmt: skip
        for text in (MAIL, PHONE):
            yield Scene(
                f"{name}.{column}: {text[:5]}…", kind, both, cell(name, column, text), asked=True,
                quick=(name, column, text) == ("deals", "amount_cents", MAIL),
            )  # fmt: skip
    mail = MAIL.encode()
    for what, change in {
        "a row too long": lambda b: b.replace(b"\n", b"," + mail + b",x\n", 3),
        "a row too short": lambda b: b + mail + b"\n",
        "a quote without an end": lambda b: b + b'"' + mail + b",\n",
        "bytes that are no text": lambda b: b + b"\xff\xfe\x81" + mail + b"\x00\n",
        "a header of it": lambda b: mail + b";" + b,
        "nothing else": lambda _: mail,
        "cut in the middle, then it": lambda b: b[: len(b) // 2] + mail,
    }.items():
        for name in ("companies", "deals", "engagement"):
            yield Scene(f"{name}: {what}", kind, both, raw(name, change), asked=True)
