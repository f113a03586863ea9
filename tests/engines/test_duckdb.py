"""The engine runs the user's queries over registered relations and over nothing else."""

import pyarrow as pa
import pytest

from hva_ml.engines.duckdb import DuckDBEngine
from hva_ml.errors import SourceError


@pytest.fixture
def engine() -> DuckDBEngine:
    made = DuckDBEngine()
    made.register("orders", pa.table({"id": ["a", "b"], "amount": [1, 2]}))
    return made


def test_a_query_sees_registered_relations(engine: DuckDBEngine) -> None:
    assert engine.query("SELECT id FROM orders ORDER BY id", "x.sql")["id"].to_pylist() == ["a", "b"]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM oders",
        "SELECT b FROM orders",
        "SELEC",
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY orders TO '/tmp/never.csv'",
        "ATTACH '/tmp/never.db'",
        "INSTALL httpfs",
        "SET threads = 4",
        "SELECT 1 / CAST('x' AS INTEGER)",
        "",
    ],
)
def test_a_bad_query_is_one_error_that_names_its_file(engine: DuckDBEngine, sql: str) -> None:
    with pytest.raises(SourceError) as caught:
        engine.query(sql, "pipelines/my/accounts.sql")
    assert caught.value.where == "pipelines/my/accounts.sql"
    assert caught.value.fix


def test_times_are_utc(engine: DuckDBEngine) -> None:
    table = engine.query("SELECT timezone('Europe/Berlin', TIMESTAMP '2025-07-01 00:00:00') AS t", "x.sql")
    assert table["t"][0].as_py().isoformat() == "2025-06-30T22:00:00+00:00"
