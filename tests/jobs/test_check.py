"""`hva check` catches what knows the future, and lets the shipped pipelines through."""

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

import hva_ml as hva
from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import Calendar
from hva_ml.errors import ContractError, UsageError
from hva_ml.features.definition import FeatureDefinition

PIPELINE = "dach_sample"
ACCOUNTS = "accounts.sql"


@pytest.fixture
def ws(tmp_path: Path, small_workspace: Callable[[Path], hva.Workspace]) -> hva.Workspace:
    return small_workspace(tmp_path)


def plant(ws: hva.Workspace, column: str, query: str) -> None:
    """Add a column to the accounts, computed by the user's own query over raw data, and make it a feature."""
    path = ws.queries(PIPELINE) / ACCOUNTS
    inner = path.read_text(encoding="utf-8").strip().rstrip(";")
    path.write_text(
        f"WITH mine AS (\n{inner}\n), planted AS (\n{query}\n)\n"
        f"SELECT mine.*, planted.{column} FROM mine LEFT JOIN planted USING (account_id)\n",
        encoding="utf-8",
    )
    toml = ws.pipelines / f"{PIPELINE}.toml"
    text = toml.read_text(encoding="utf-8")
    text = text.replace(
        'sql = "accounts.sql"',
        f'sql = "accounts.sql"\ncolumns = {{ {column} = "number" }}\nstatic = ["{column}"]',
    )
    text = text.replace("[features]\n", f'[features]\ncolumns = ["{column}"]\n')
    toml.write_text(text, encoding="utf-8")


def codes(report: object, severity: str) -> set[str]:
    return {v.code for v in report.violations if v.severity == severity}  # type: ignore[attr-defined]


def test_the_shipped_sample_passes_every_probe(ws: hva.Workspace) -> None:
    report = hva.check(ws, PIPELINE)
    assert report.ok
    assert [v for v in report.violations if v.severity != "info"] == []
    outcomes = {p.code: p.outcome for p in report.probes}
    assert list(outcomes) == sorted(outcomes)
    assert outcomes.pop("HVL015") == "not applicable"
    assert outcomes == dict.fromkeys(outcomes, "passed")
    assert len(outcomes) == 11
    assert all(clean > 0 for clean, _ in report.rows.values())


def test_a_query_that_counts_over_the_whole_period_is_caught(ws: hva.Workspace) -> None:
    plant(
        ws,
        "lifetime_invoices",
        "SELECT company_id AS account_id, CAST(count(*) AS DOUBLE) AS lifetime_invoices "
        "FROM invoices GROUP BY 1",
    )
    report = hva.check(ws, PIPELINE, cutoffs=3)
    assert not report.ok
    assert "HVL004" in codes(report, "error")
    caught = next(v for v in report.violations if v.code == "HVL004")
    assert any("lifetime_invoices" in i for i in caught.ids)


def test_a_feature_that_copies_the_outcome_is_caught(ws: hva.Workspace) -> None:
    toml = ws.pipelines / f"{PIPELINE}.toml"
    text = toml.read_text(encoding="utf-8").replace("\nlast = 2025-09-01", "\nlast = 2024-04-01")
    toml.write_text(text.replace("\ntest_cutoffs = 3", "\ntest_cutoffs = 1"), encoding="utf-8")
    plant(
        ws,
        "later_orders",
        "SELECT company_id AS account_id, CAST(count(*) AS DOUBLE) AS later_orders FROM invoices "
        "WHERE issued_at >= TIMESTAMP '2024-01-01' AND issued_at < TIMESTAMP '2024-07-01' GROUP BY 1",
    )
    report = hva.check(ws, PIPELINE, cutoffs=3)
    assert {"HVL004"} <= codes(report, "error")
    assert "HVL010" in {v.code for v in report.violations}


def test_a_current_value_without_history_is_refused_before_training(ws: hva.Workspace) -> None:
    plant(
        ws, "rating", "SELECT company_id AS account_id, CAST(1 AS DOUBLE) AS rating FROM invoices GROUP BY 1"
    )
    toml = ws.pipelines / f"{PIPELINE}.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('static = ["rating"]\n', ""), encoding="utf-8")
    path = ws.queries(PIPELINE) / ACCOUNTS
    text = path.read_text(encoding="utf-8")
    path.write_text(
        f"WITH all_versions AS (\n{text}\n) SELECT DISTINCT ON (account_id) * FROM all_versions "
        "ORDER BY account_id, event_time",
        encoding="utf-8",
    )
    report = hva.check(ws, PIPELINE, leakage=False)
    assert not report.ok
    with pytest.raises(ContractError, match="hva check dach_sample"):
        hva.train(ws, PIPELINE)


def test_the_record_is_for_machines(ws: hva.Workspace) -> None:
    path = ws.queries(PIPELINE) / "contacts.sql"
    path.write_text(f"{path.read_text(encoding='utf-8')} WHERE company_id < 'A000400'", encoding="utf-8")
    path = ws.queries(PIPELINE) / ACCOUNTS
    path.write_text(f"{path.read_text(encoding='utf-8')} WHERE company_id < 'A000300'", encoding="utf-8")
    record = hva.check(ws, PIPELINE, leakage=False).record()
    assert record["rows"]["contacts"]["quarantined"] > 0
    assert {"code", "where", "count", "severity", "what", "fix", "ids"} == set(record["violations"][0])
    assert record["probes"] == []


def test_probes_say_how_much_they_moved(ws: hva.Workspace) -> None:
    report = hva.check(ws, PIPELINE, cutoffs=2)
    probes = {p["code"]: p for p in report.record()["probes"]}
    assert "at each of 2 cutoffs" in probes["HVL001"]["what"]
    moved = re.findall(r"(\w+) ([\d,]+) later \+ ([\d,]+) late-known", probes["HVL002"]["what"])
    assert {name for name, _, _ in moved} == set(report.rows)
    assert all(int(n.replace(",", "")) > 0 for _, later, late in moved for n in (later, late))


def test_features_of_ones_own_are_probed_with_the_others(ws: hva.Workspace) -> None:
    def later(tables: ContractTables, index: pa.Table, calendar: Calendar, config: PipelineConfig):  # type: ignore[no-untyped-def]
        counted = tables.tables["events"]["account_id"].value_counts().to_pylist()
        counts = {r["values"]: r["counts"] for r in counted}
        made = FeatureDefinition("mine.all", "engagement", "number", "events", "count", "count", "x", "x")
        return [made], [[counts.get(a, 0) for a in index["account_id"].to_pylist()]]

    report = hva.check(ws, PIPELINE, cutoffs=1, extra=[later])
    assert {(v.code, v.ids) for v in report.violations if v.severity == "error"} == {
        (code, ("mine.all",)) for code in ("HVL001", "HVL002")
    }


def test_no_cutoff_is_no_proof(ws: hva.Workspace) -> None:
    with pytest.raises(UsageError, match="At least one cutoff"):
        hva.check(ws, PIPELINE, cutoffs=0)


def test_sources_that_cannot_be_cut_are_named(ws: hva.Workspace) -> None:
    toml = ws.pipelines / f"{PIPELINE}.toml"
    text = toml.read_text(encoding="utf-8").replace('\ntime = "imported_at"', "")
    toml.write_text(text, encoding="utf-8")
    report = hva.check(ws, PIPELINE, cutoffs=1)
    uncut = [v for v in report.violations if v.code == "HVL004"]
    assert [(v.severity, v.ids) for v in uncut] == [("info", ("engagement",))]
