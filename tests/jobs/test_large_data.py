"""Lifetime values and the outlook from tables on disk and parts of accounts are those made in memory."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import hva_ml as hva
from hva_ml.contracts.stored import Stored
from hva_ml.engines.duckdb import DuckDBEngine
from hva_ml.engines.spool import Store
from hva_ml.jobs.train import Run

PIPELINE = "dach_sample"
NIGHTS = ("2025-11-30", "2025-12-31")
FILES = ("features", "scores", "lifetime")


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory, small_workspace: Callable[[Path], hva.Workspace]) -> Run:
    """A training that holds everything in memory, in one part; promoted, no night yet."""
    ws = small_workspace(tmp_path_factory.mktemp("held"))
    file = ws.pipelines / f"{PIPELINE}.toml"
    text = file.read_text(encoding="utf-8")
    assert text.count("\nseason = true") == 1
    text = text.replace("\nseason = true", "\nseason = true\noutlook = true")
    file.write_text(text + "\n[lifetime]\ndays = [90, 180]\ndiscount_per_year = 0.1\n", encoding="utf-8")
    run = hva.train(ws, PIPELINE)
    hva.promote(run, force="a test of lifetime values and outlook")
    return run


@pytest.fixture(scope="module")
def nights(held: Run, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    return scored(copied(held, tmp_path_factory.mktemp("nights")))


def copied(held: Run, folder: Path) -> hva.Workspace:
    shutil.copytree(held.workspace.root, folder / "ws")
    return hva.Workspace.find(folder / "ws")


def scored(ws: hva.Workspace, engine: str | None = None) -> list[dict[str, object]]:
    """Score one night after the other, and say what came out."""
    found = []
    for day in NIGHTS:
        made = hva.score(ws, PIPELINE, as_of=day, engine=engine)
        assert made.published
        files: dict[str, object] = {n: (made.path / f"{n}.parquet").read_bytes() for n in FILES}
        reused = sum(r.reused for r in made.reuse)
        found.append({"run_id": made.run_id, "reused": reused, **files})
    return found


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let features be made in five parts; how many there were, each time."""
    counted: list[int] = []
    partitions = DuckDBEngine.partitions

    def noted(engine, relations, places, count, work):  # type: ignore[no-untyped-def]
        counted.append(count)
        return partitions(engine, relations, places, count, work)

    monkeypatch.setattr(DuckDBEngine, "partitions", noted)
    monkeypatch.setattr("hva_ml.jobs.features.SHARE_PART", 1e-12)
    monkeypatch.setattr("hva_ml.jobs.features.MOST_PARTS", 5)
    return counted


@pytest.fixture
def read_whole(in_parts: list[int], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Let all rows go to disk as well; the tables that are then read whole."""
    found: set[str] = set()
    whole = Stored.__getitem__

    def noted(tables: Stored, name: str):  # type: ignore[no-untyped-def]
        found.add(name)
        return whole(tables, name)

    def on_disk(ws: hva.Workspace, _: object) -> Store:
        return Store(ws.scratch, 1.0, share=0.0)

    monkeypatch.setattr(Stored, "__getitem__", noted)
    monkeypatch.setattr("hva_ml.jobs.prepare.store", on_disk)
    monkeypatch.setattr("hva_ml.jobs.tonight.store", on_disk)
    monkeypatch.setattr("hva_ml.jobs.tonight.SHARE_LEDGER", 0.0)
    return found


@pytest.fixture(params=["duckdb", "spark"])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "spark":
        request.getfixturevalue("spark_here")
    return str(request.param)


def test_the_release_is_the_same(
    held: Run, engine: str, in_parts: list[int], read_whole: set[str], tmp_path: Path
) -> None:
    """The release hashes both models, the outlook, the lifetime windows and how they did."""
    run = hva.train(copied(held, tmp_path), PIPELINE, engine=engine)
    assert run.release == held.release
    assert set(in_parts) == ({5} if engine == "duckdb" else set())
    assert read_whole <= {"accounts"}


def test_every_night_is_the_same(
    held: Run, nights: list[dict[str, object]], engine: str, in_parts: list[int], read_whole: set[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    assert scored(copied(held, tmp_path), engine) == [n | {"reused": 0} for n in nights]
    assert set(in_parts) == ({5} if engine == "duckdb" else set())
    assert read_whole == {"accounts"}


def test_nights_that_read_what_is_new_are_the_same_in_parts(
    held: Run, nights: list[dict[str, object]], in_parts: list[int], tmp_path: Path
) -> None:
    assert scored(copied(held, tmp_path)) == nights
    assert nights[0]["reused"] == 0 != nights[1]["reused"]
    assert set(in_parts) == {5}
