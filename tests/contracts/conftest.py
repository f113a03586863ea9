"""A tiny universe that keeps the contract, to be broken one thing at a time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from hva_ml.config import PipelineConfig, parse

TEXT = """
[pipeline]
name = "tiny"
title = "Tiny"
currency = "EUR"
timezone = "Europe/Berlin"
[sources.s]
kind = "simulated"
[tables.accounts]
sql = "a.sql"
static = [{static}]
columns = {{ sector = "category", machines = "integer", key_account = "flag" }}
[tables.events]
sql = "e.sql"
event_time = "occurred_at"
known_at = "imported_at"
[tables.deal_stages]
sql = "d.sql"
[tables.invoices]
sql = "i.sql"
[cutoffs]
first = 2024-01-01
last = 2024-06-01
[horizon]
days = 30
[population]
table = "accounts"
[target]
table = "invoices"
[features]
firmographic = [{firmographic}]
"""
START = datetime(2024, 1, 1, 12, tzinfo=UTC)


def made_config(firmographic: str = "", static: str = "") -> PipelineConfig:
    return parse(TEXT.format(firmographic=firmographic, static=static), "tiny.toml")


def made_raw(n: int = 20) -> dict[str, list[dict[str, object]]]:
    """Rows of every table, as a source query would return them; nothing is wrong with them."""
    day = [START + timedelta(days=k) for k in range(n)]
    account = [f"A{k % 10:02d}" for k in range(n)]
    return {
        "accounts": [
            {"account_id": f"A{k:02d}", "event_time": day[0], "known_at": day[0], "name": f"Firma {k} GmbH",
             "employees": float(k), "parent_id": "A00" if k in (1, 2) else None,
             "sector": ("steel", "wood")[k % 2], "machines": k, "key_account": k % 3 == 0}
            for k in range(10)
        ],
        "events": [
            {"event_id": k, "account_id": account[k], "occurred_at": day[k], "imported_at": day[k],
             "event_type": ("call", "web_visit")[k % 2]}
            for k in range(n)
        ],
        "deal_stages": [
            {"deal_id": f"D{k}", "account_id": account[k], "event_time": day[k], "known_at": day[k],
             "stage": ("lead", "won", "lost")[k % 3], "amount": Decimal(k), "currency": "EUR"}
            for k in range(n)
        ],
        "invoices": [
            {"invoice_id": f"R{k:03d}", "account_id": account[k], "event_time": day[k], "known_at": day[k],
             "amount": k + 0.5, "currency": "EUR"}
            for k in range(n)
        ],
    }  # fmt: skip


def arrow(raw: dict[str, list[dict[str, object]]]) -> dict[str, pa.Table]:
    return {name: pa.Table.from_pylist(rows) for name, rows in raw.items()}


@pytest.fixture(scope="session")
def config() -> Callable[..., PipelineConfig]:
    return made_config


@pytest.fixture
def raw() -> dict[str, list[dict[str, object]]]:
    return made_raw()


@pytest.fixture(scope="session")
def fresh() -> Callable[..., dict[str, list[dict[str, object]]]]:
    return made_raw


@pytest.fixture(scope="session")
def to_arrow() -> Callable[..., dict[str, pa.Table]]:
    return arrow
