"""The shipped sample comes through the contract without a finding."""

from datetime import UTC, datetime
from pathlib import Path

from hva_ml.config import load
from hva_ml.contracts.checks import enforce
from hva_ml.engines.duckdb import DuckDBEngine
from hva_ml.starter.simulator import simulate

PIPELINES = Path(__file__).parents[2] / "pipelines"


def test_dach_sample_keeps_the_contract() -> None:
    config = load(PIPELINES / "dach_sample.toml")
    size = config.simulation
    made = simulate(accounts=300, seed=size.seed, first=size.first, last=size.last, events_per_account=10)
    engine = DuckDBEngine()
    try:
        for name, source in config.sources.items():
            engine.register(name, made.tables[source.table])
        raw = {
            name: engine.query((PIPELINES / config.name / table.sql).read_text(encoding="utf-8"), table.sql)
            for name, table in config.tables.items()
        }
    finally:
        engine.close()
    held = enforce(raw, config, datetime(2025, 12, 30, 23, tzinfo=UTC))
    assert held.violations == ()
    assert held.quarantine == {}
    assert {n: t.num_rows for n, t in held.tables.items()} == {n: t.num_rows for n, t in raw.items()}
