"""The shipped pipeline file: accepted, and its queries give what the contract asks for."""

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from hva_ml import config
from hva_ml.contracts.tables import CONTRACT
from hva_ml.engines.duckdb import DuckDBEngine
from hva_ml.starter import files
from hva_ml.starter.simulator import SCHEMAS, Simulated, simulate


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("workspace")
    files.copy_into(root)
    return root / "pipelines"


@pytest.fixture(scope="module")
def declared(place: Path) -> config.PipelineConfig:
    return config.load(place / "dach_sample.toml")


@pytest.fixture(scope="module")
def mapped(place: Path, declared: config.PipelineConfig, standard: Simulated) -> dict[str, pa.Table]:
    engine = DuckDBEngine()
    for name, source in declared.sources.items():
        engine.register(name, standard.tables[source.table])
    names = [*((n, t.sql) for n, t in declared.tables.items()), ("quirks", "quirks.sql")]
    found = {n: engine.query((place / "dach_sample" / f).read_text(encoding="utf-8"), f) for n, f in names}
    engine.close()
    return found


def test_the_file_declares_what_it_simulates(declared: config.PipelineConfig, standard: Simulated) -> None:
    assert set(declared.tables) == set(CONTRACT) - {"leads"}
    assert {s.table for s in declared.sources.values()} == set(SCHEMAS)
    assert all(s.time in SCHEMAS[s.table].names for s in declared.sources.values())
    size = declared.simulation
    assert declared.cutoffs.data_end == size.last
    made = simulate(
        accounts=size.accounts,
        seed=size.seed,
        first=size.first,
        last=size.last,
        events_per_account=size.events_per_account,
    )
    assert made.tables["invoices"].equals(standard.tables["invoices"])


def test_every_event_type_has_a_feature_and_words(
    declared: config.PipelineConfig, standard: Simulated
) -> None:
    windows = next(w for w in declared.features.windows if w.by == "event_type")
    types = set(pc.unique(standard.tables["engagement"]["event_type"]).to_pylist())
    assert set(windows.values) == set(windows.labels) == types


def test_queries_give_the_columns_of_the_contract(mapped: dict[str, pa.Table], standard: Simulated) -> None:
    for name, contract in CONTRACT.items():
        if name == "leads":
            continue
        # Nobody simulates when deals are expected to close.
        given = [c for c in contract.columns if c.name != "expected_close_at"]
        assert set(mapped[name].column_names) == {c.name for c in given}, name
        for column in given:
            if not column.nullable:
                assert mapped[name][column.name].null_count == 0, (name, column.name)
            if column.kind == "time":
                assert mapped[name].schema.field(column.name).type == pa.timestamp("us", "UTC")
    rows = {"accounts": "companies", "events": "engagement", "deal_stages": "deals"}
    for name, table in mapped.items():
        if name != "quirks":
            assert table.num_rows == standard.tables[rows.get(name, name)].num_rows


def test_queries_translate_words_and_cents(mapped: dict[str, pa.Table], standard: Simulated) -> None:
    assert set(pc.unique(mapped["accounts"]["country"]).to_pylist()) == {"DE", "AT", "CH"}
    assert set(pc.unique(mapped["deal_stages"]["stage"]).to_pylist()) == {
        "lead", "qualified", "proposal", "negotiation", "won", "lost",
    }  # fmt: skip
    cents = pc.sum(standard.tables["invoices"]["amount_cents"]).as_py()
    assert Decimal(str(pc.sum(mapped["invoices"]["amount"]).as_py())) * 100 == pytest.approx(cents, rel=1e-9)
    assert any(p == "01067" for p in mapped["accounts"]["postcode"].to_pylist())


def test_quirks_are_counted(mapped: dict[str, pa.Table], standard: Simulated) -> None:
    counted = {r["quirk"]: r["rows"] for r in mapped["quirks"].to_pylist()}
    notes = pc.sum(pc.less(standard.tables["invoices"]["amount_cents"], 0)).as_py()
    assert counted["credit_notes"] == notes > 0
    assert mapped["quirks"].column_names == ["quirk", "rows", "what"]
    assert min(counted.values()) > 0
