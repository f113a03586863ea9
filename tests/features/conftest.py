"""A small universe in the shape of the contract, and the pipeline file that goes with it."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from hva_ml.config import PipelineConfig, parse
from hva_ml.contracts.records import ContractTables
from hva_ml.contracts.tables import contract_for
from hva_ml.cutoffs import Calendar

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BASE = """
[pipeline]
name = "small"
title = "Small"
currency = "EUR"
timezone = "Europe/Berlin"
[sources.s]
kind = "simulated"
[cutoffs]
first = 2024-03-01
last = 2024-06-01
[horizon]
days = 60
"""
TABLES = """
[tables.accounts]
sql = "accounts.sql"
static = [{static}]
columns = {{ sector = "category", machines = "number", budget = "money", key_account = "flag" }}
[tables.events]
sql = "events.sql"
columns = {{ minutes = "number", pages = "integer" }}
[tables.deal_stages]
sql = "deals.sql"
[tables.invoices]
sql = "invoices.sql"
"""
EXTRA = {
    "accounts": {"sector": "category", "machines": "number", "budget": "money", "key_account": "flag"},
    "events": {"minutes": "number", "pages": "integer"},
}


def make_config(
    features: str = "[features]\nseason = false",
    population: str = 'table = "accounts"',
    target: str = 'table = "invoices"',
    static: str = "",
    horizon: str = "",
) -> PipelineConfig:
    """Parse a whole pipeline file from its parts."""
    text = BASE + horizon + TABLES.format(static=static)
    return parse(f"{text}\n[population]\n{population}\n[target]\n{target}\n{features}\n", "small.toml")


def make_tables(**rows: Iterable[dict[str, object]]) -> ContractTables:
    """Make contract tables; times are microseconds, `known_at` defaults to `event_time`."""
    made = {}
    for name in ("accounts", "events", "deal_stages", "invoices"):
        schema = contract_for(name, EXTRA.get(name)).arrow_schema
        given = [{"known_at": r["event_time"], **r} for r in rows.get(name, ())]
        columns = [
            pa.array([r.get(f.name) for r in given], pa.int64()).cast(f.type)
            if pa.types.is_timestamp(f.type)
            else pa.array([r.get(f.name) for r in given], f.type)
            for f in schema
        ]
        made[name] = pa.table(columns, schema=schema)
    return ContractTables(made)


def micros(text: str) -> int:
    """Microseconds of an ISO date or time in UTC."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


@pytest.fixture(scope="session")
def config() -> Callable[..., PipelineConfig]:
    return make_config


@pytest.fixture(scope="session")
def tables() -> Callable[..., ContractTables]:
    return make_tables


@pytest.fixture(scope="session")
def us() -> Callable[[str], int]:
    return micros


@pytest.fixture(scope="session")
def calendar() -> Calendar:
    days = (date(2024, 3, 1), date(2024, 3, 31), date(2024, 4, 1), date(2024, 6, 1))
    return Calendar(days, 60, 0, "Europe/Berlin")
