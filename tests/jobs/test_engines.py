"""A pipeline gives the same on both engines, and a query may have its own words for each."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.config import Audit, Engine
from hva_ml.connectors import sources
from hva_ml.contracts.stored import Stored
from hva_ml.cutoffs import instant
from hva_ml.engines.base import ParquetFiles
from hva_ml.engines.duckdb import DuckDBEngine
from hva_ml.engines.spark import SparkEngine
from hva_ml.engines.spool import Store
from hva_ml.errors import SourceError, UsageError
from hva_ml.features import build
from hva_ml.jobs.features import build_features
from hva_ml.jobs.prepare import calendar, last_instant, prepare
from hva_ml.jobs.training_set import training_set
from hva_ml.publication import arrivals

PIPELINE = "dach_sample"


CLOSING = """currency, CASE stage
        WHEN 'Anfrage' THEN entered_at + INTERVAL '45' DAY
        WHEN 'Qualifiziert' THEN entered_at + INTERVAL '40' DAY
        WHEN 'Verhandlung' THEN entered_at + INTERVAL '20' DAY
    END AS expected_close_at"""


def with_close_dates(ws: hva.Workspace) -> hva.Workspace:
    """Let the sample's deals have expected close dates, which move with the stages."""
    path = ws.pipelines / f"{PIPELINE}.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count("\ndeals = true") == 1
    added = '\ndeals = true\noutlook = true\nstages = ["proposal", "negotiation"]\nclose_dates = true'
    path.write_text(text.replace("\ndeals = true", added), encoding="utf-8")
    query = ws.queries(PIPELINE) / "deal_stages.sql"
    sql = query.read_text(encoding="utf-8")
    assert sql.count("    currency\n") == 1
    query.write_text(sql.replace("    currency\n", f"    {CLOSING}\n"), encoding="utf-8")
    return ws


@pytest.fixture(scope="module")
def ws(
    tmp_path_factory: pytest.TempPathFactory, small_workspace: Callable[[Path], hva.Workspace]
) -> hva.Workspace:
    return with_close_dates(small_workspace(tmp_path_factory.mktemp("engines")))


@pytest.mark.parametrize("name", [PIPELINE, "online_retail", "adventureworks"])
def test_both_engines_give_the_same_contract_tables(
    ws: hva.Workspace, name: str, spark_here: None, request: pytest.FixtureRequest
) -> None:
    if name != PIPELINE:
        request.getfixturevalue("real_data")
    config = ws.config(name)
    mine, theirs = (prepare(ws, config.on(engine)) for engine in ("duckdb", "spark"))
    assert mine.tables.fingerprints == theirs.tables.fingerprints
    assert mine.tables.violations == theirs.tables.violations
    assert mine.quirks == theirs.quirks


@pytest.fixture(scope="module")
def on_disk(
    ws: hva.Workspace,
    tmp_path_factory: pytest.TempPathFactory,
    small_workspace: Callable[[Path], hva.Workspace],
) -> hva.Workspace:
    """The same pipeline, its sources as Parquet files and folders of them."""
    made = with_close_dates(small_workspace(tmp_path_factory.mktemp("on-disk")))
    path = made.pipelines / f"{PIPELINE}.toml"
    text = path.read_text(encoding="utf-8")
    for name, table in sources.tables(sources.relations(ws, ws.config(PIPELINE), Store())).items():
        folder = made.raw(PIPELINE) / name
        folder.mkdir(parents=True)
        half = table.num_rows // 2
        pq.write_table(table.slice(0, half), folder / "a.parquet")
        pq.write_table(table.slice(half), folder / "b.parquet")
        old = f'[sources.{name}]\nkind = "simulated"\ntable = "{name}"'
        assert old in text
        text = text.replace(old, f'[sources.{name}]\nkind = "parquet"\npath = "data/raw/{PIPELINE}/{name}"')
    path.write_text(text, encoding="utf-8")
    return made


@pytest.mark.parametrize("kind", ["duckdb", "spark"])
def test_sources_on_disk_are_the_same_sources(
    ws: hva.Workspace, on_disk: hva.Workspace, kind: str, request: pytest.FixtureRequest
) -> None:
    if kind == "spark":
        request.getfixturevalue("spark_here")
    straight = prepare(ws, ws.config(PIPELINE))
    found = prepare(on_disk, on_disk.config(PIPELINE).on(kind))
    assert all(isinstance(source, ParquetFiles) for source in found.raw.values())
    assert found.tables.fingerprints == straight.tables.fingerprints


def test_sources_on_disk_are_cut_by_the_leakage_probes(on_disk: hva.Workspace) -> None:
    report = hva.check(on_disk, PIPELINE, cutoffs=1)
    assert report.ok
    assert next(p for p in report.probes if p.code == "HVL004").not_applicable == ""


@pytest.mark.parametrize("name", [PIPELINE, "online_retail"])
def test_both_engines_give_the_same_features_for_any_number_of_partitions(
    ws: hva.Workspace, name: str, spark_here: None, request: pytest.FixtureRequest
) -> None:
    if name != PIPELINE:
        request.getfixturevalue("real_data")
    config = ws.config(name)
    prepared = prepare(ws, config)
    when = calendar(config, prepared.tables)
    whole = build.build(prepared.tables, config, when)
    assert whole.table.num_rows > 1000
    if name == PIPELINE:
        for feature in ("slip_count", "overdue_amount", "due_amount", "other_stages.open_count"):
            assert pc.max(whole.table[f"deals.{feature}"]).as_py() > 0, feature
    for kind in ("duckdb", "spark"):
        for count in (1, 2, 7):
            on = replace(config, engine=Engine(kind=kind, memory_gib=1.0, partitions=count))
            found = build_features(ws, on, prepared.tables, when)
            assert found.fingerprint() == whole.fingerprint(), (kind, count)
            assert found.definitions == whole.definitions


@pytest.mark.parametrize("kind", ["duckdb", "spark"])
def test_what_does_not_fit_into_memory_is_the_same(
    ws: hva.Workspace, kind: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Everything goes to disk, and comes back in many parts."""
    if kind == "spark":
        request.getfixturevalue("spark_here")
    config = ws.config(PIPELINE)
    straight = prepare(ws, config)
    data = training_set(ws, config, straight)
    monkeypatch.setattr("hva_ml.jobs.prepare.store", lambda ws, _: Store(ws.scratch, 1.0, share=0.0))
    monkeypatch.setattr("hva_ml.jobs.features.SHARE_PART", straight.tables.nbytes / 2**30 / 4 / 4.5)
    found = prepare(ws, config.on(kind))
    assert isinstance(found.tables.tables, Stored)
    assert not any(isinstance(rows.source, pa.Table) for rows in found.tables.tables.spooled.values())
    assert found.tables.fingerprints == straight.tables.fingerprints
    assert found.tables.violations == straight.tables.violations
    counted: list[int] = []
    monkeypatch.setattr(DuckDBEngine, "partitions", noting(DuckDBEngine.partitions, counted))
    assert training_set(ws, config.on("duckdb"), found).fingerprint() == data.fingerprint()
    assert set(counted) == {5}
    if kind == "spark":
        assert training_set(ws, config.on(kind), found).fingerprint() == data.fingerprint()
    moment = instant(date(2025, 6, 1), config.pipeline.timezone)
    cut = [tables.upto(moment) for tables in (found.tables, straight.tables)]
    assert arrivals(cut[0], moment, Audit()) == arrivals(cut[1], moment, Audit())
    assert last_instant(config, found.tables) == last_instant(config, straight.tables)


def noting(partitions: Any, counted: list[int]) -> Any:
    def noted(engine: Any, relations: Any, places: Any, count: int, work: Any) -> Any:
        counted.append(count)
        return partitions(engine, relations, places, count, work)

    return noted


def test_a_night_on_spark_is_the_night_on_duckdb(main_job: Any, spark_here: None) -> None:
    """The run id hashes features, accounts and model: with the same one there is nothing to publish."""
    again = hva.score(main_job.ws, PIPELINE, as_of=main_job.scores.as_of, engine="spark")
    assert again.run_id == main_job.scores.run_id
    assert not again.published
    assert not main_job.ws.scratch.exists() or not list(main_job.ws.scratch.rglob("*.parquet"))


def test_scores_on_spark_are_the_published_ones(main_job: Any, spark_here: None, tmp_path: Path) -> None:
    SparkEngine(memory_gib=1.0, scratch=main_job.ws.scratch).close()
    from pyspark.sql import SparkSession

    features = str(main_job.scores.path / "features.parquet")
    scorer = hva.scorer(main_job.ws, PIPELINE)
    frame = SparkSession.builder.getOrCreate().read.parquet(features).repartition(7)
    found = scorer.spark(frame).toArrow().sort_by("account_id")
    published = main_job.scores.table.sort_by("account_id")
    for name in ("account_id", "conversion_probability", "value_if_converted", "expected_value"):
        assert found[name].combine_chunks().equals(published[name].combine_chunks()), name


def test_an_engine_is_chosen_by_name(ws: hva.Workspace) -> None:
    config = ws.config(PIPELINE)
    assert config.on("spark").engine.kind == "spark"
    assert config.on(None) is config
    assert config.on("spark").fingerprint() == config.fingerprint()
    with pytest.raises(UsageError, match="Did you mean 'spark'"):
        config.on("sparc")


def test_a_query_in_the_engines_own_words_is_preferred(ws: hva.Workspace) -> None:
    folder = ws.queries(PIPELINE)
    (folder / "quirks.duckdb.sql").write_text(
        "SELECT 'mine' AS quirk, 1 AS rows, '' AS what", encoding="utf-8"
    )
    (folder / "quirks.spark.sql").write_text("no SQL at all", encoding="utf-8")
    try:
        assert prepare(ws, ws.config(PIPELINE)).quirks == [{"quirk": "mine", "rows": 1, "what": ""}]
        (folder / "quirks.duckdb.sql").write_text("SELEC", encoding="utf-8")
        with pytest.raises(SourceError) as caught:
            prepare(ws, ws.config(PIPELINE))
        assert caught.value.where == "pipelines/dach_sample/quirks.duckdb.sql"
    finally:
        (folder / "quirks.duckdb.sql").unlink()
        (folder / "quirks.spark.sql").unlink()


def test_nothing_is_left_in_the_workspace(ws: hva.Workspace) -> None:
    before = sorted(ws.scratch.glob("*"))
    prepare(ws, ws.config(PIPELINE))
    assert sorted(ws.scratch.glob("*")) == before


def test_the_command_line_names_the_nearest_engine(ws: hva.Workspace) -> None:
    done = CliRunner().invoke(app, ["check", PIPELINE, "--engine", "duckbd", "--root", str(ws.root)])
    assert done.exit_code == 2
    assert "Did you mean 'duckdb'" in done.output
