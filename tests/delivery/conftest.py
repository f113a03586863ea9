"""Small published nights with texts that want to be something else, and sinks of every kind."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hva_ml.config import Sink as Settings
from hva_ml.connectors.addresses import address
from hva_ml.delivery import Current, Parcel, Sink
from hva_ml.delivery.duckdb_file import DuckDBSink
from hva_ml.delivery.folder import FolderSink
from hva_ml.delivery.shapes import SCHEMAS
from hva_ml.delivery.sql import database
from hva_ml.delivery.sql.database import DatabaseSink
from hva_ml.engines.duckdb import DuckDBFile
from hva_ml.errors import DeliveryError
from hva_ml.publication import Published, Stale, current, publish, read

TABLES = ("scores", "reasons", "texts", "explanations", "accounts", "lifetime")
PAYLOADS = (
    "=HYPERLINK(\"http://x\")", "+1+1", "-2", "@SUM(A1)", "\t=1", "<script>alert(1)</script>", "&amp;",
    "'; DROP TABLE hva_scores; --", "Robert\"); --", "\\.", "\\N", "NULL", "", " ", "a,b\nc\r\nd",
    "ü€😀\u202e", "%s %(x)s {0}", "$$;", "null", "A" * 300,
)  # fmt: skip


def night(number: int, n: int = 60, texts: bool = True, pieces: int = 3) -> Iterator[dict[str, pa.Table]]:
    """Yield the pieces of a run; all that is told carries the payloads and the number of the night."""
    rng = np.random.default_rng(number)
    ids = [f"{k:03d}{PAYLOADS[k % len(PAYLOADS)]}" for k in range(n)]
    probability, value = rng.uniform(0.001, 0.999, n), np.exp(rng.normal(8, 3, n)) + number
    order = np.argsort(-probability * value)
    a, b = rng.normal(0, 1, n), np.where(rng.random(n) < 0.5, 0.0, rng.normal(0, 1e-9, n))
    factor = rng.uniform(0.3, 3, (n, 2))
    for part in np.array_split(order, pieces):
        rows = part.tolist()
        told = {"feature": "f.a", "topic": "a", "value": None, "reference": "1.5"}
        up = [[{**told, "factor": factor[k, 0], "value": PAYLOADS[k % 20]}] * (k % 3) for k in rows]
        down = [[{**told, "factor": factor[k, 1], "feature": PAYLOADS[k % 20]}] for k in rows]
        rank = {int(k): r + 1 for r, k in enumerate(order)}
        kind = pa.list_(
            pa.struct([(f.name, f.type) for f in SCHEMAS["reasons"] if f.name in told or f.name == "factor"])
        )
        scores = pa.table(
            {
                "account_id": [ids[k] for k in rows],
                "as_of": pa.array([date(2025, 1, number)] * len(rows), pa.date32()),
                "conversion_probability": probability[part],
                # A run published before bounds were known has no such columns.
                "value_if_converted": value[part],
                "value_low": 0.5 * value[part],
                "value_high": 2 * value[part],
                "expected_value": probability[part] * value[part],
                "percentile": rng.uniform(0, 100, len(rows)),
                "rank": [rank[k] for k in rows],
                "tier": ["ABC"[k % 3] for k in rows],
                "tier_reason": ["value"] * len(rows),
                "in_capacity": [rank[k] < 5 for k in rows],
                "strategic_weight": pa.array([None if k % 2 else -0.0 for k in rows], pa.float64()),
                "reasons_positive": pa.array(up, kind),
                "reasons_negative": pa.array(down, kind),
                "unseen_categories": [k % 2 for k in rows],
                "model_version": ["7"] * len(rows),
            }
        )
        log_p, log_v = np.log(probability[part]), np.log(value[part])
        explanations = pa.table(
            {
                "account_id": scores["account_id"],
                "reference": [0] * len(rows),
                "log_base_probability": log_p - a[part] - b[part],
                "log_base_value": log_v,
                "likelihood.f.a": a[part],
                "likelihood.f.b": b[part],
                "value.f.a": np.zeros(len(rows)),
                "value.f.b": np.zeros(len(rows)),
            }
        )
        piece = {"scores": scores, "explanations": explanations, "lifetime": lifetime(ids, rows, number)}
        if texts:
            piece["texts"] = pa.table(
                {
                    "account_id": scores["account_id"],
                    "language": ["de"] * len(rows),
                    "paragraph": [PAYLOADS[(k + 1) % 20] for k in rows],
                    "sentences": pa.array(
                        [[PAYLOADS[k % 20]] * (k % 3) for k in rows], pa.list_(pa.string())
                    ),
                }
            )
        yield piece
    yield {"accounts": pa.table({"account_id": ids, "name": [PAYLOADS[k % 20] or None for k in range(n)]})}


def lifetime(ids: list[str], rows: list[int], number: int) -> pa.Table:
    """Two horizons for every third account: the others have never bought."""
    rng = np.random.default_rng([number, *rows])
    found = []
    for account in (ids[k] for k in rows if k % 3 == 0):
        total = 0.0
        for begin, survival in ((0, 0.9), (90, 0.8)):
            p, worth = rng.uniform(0.001, 0.7), np.exp(rng.normal(8, 3))
            total = total + p * worth
            found.append((account, begin, begin + 90, p, worth, p * worth, total, survival))
    columns = dict(zip(SCHEMAS["lifetime"].names, zip(*found, strict=True), strict=True))
    return pa.table(columns, schema=SCHEMAS["lifetime"])


class Nights:
    """A folder of published nights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "toy"

    def publish(self, number: int, **changes: Any) -> Published:
        identity = {"as_of": f"2025-01-{number:02d}", "model_version": "7", "release": "r", "scoring": "s"}
        pieces = night(number, **changes)
        return publish(self.folder, pieces, {**identity, **changes}, expected_rows=changes.get("n", 60))

    def parcel(self, number: int, stale: Stale | None = None, **changes: Any) -> Parcel:
        run = self.publish(number, **changes)
        found = current(self.folder)
        assert found is not None
        assert found.run_id == run.run_id
        return Parcel(self.folder, Published(**{**vars(found), "stale": stale}), "toy", "EUR")


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path / "scores")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WAITS", (0.0, 0.0))


class Place:
    """A sink of one kind, and how a reader of it sees its tables."""

    def __init__(self, kind: str, root: Path, url: str = "") -> None:
        self.kind, self.root, self.url = kind, root, url

    def sink(self, **changes: Any) -> Sink:
        where = f"[sinks.{self.kind}] of toy"
        if self.kind == "parquet":
            return FolderSink(self.root / "lake", "toy", "EUR")
        if self.kind == "duckdb":
            settings = Settings(**{"kind": "duckdb", "path": "x", "tables": TABLES, **changes})
            return DuckDBSink(self.root / "out" / "scores.duckdb", settings, where)
        kind = "postgres" if self.kind == "postgres" else "sql"
        settings = Settings(**{"kind": kind, "url_env": "X", "tables": TABLES, **changes})
        if self.kind == "postgres":
            from hva_ml.delivery.sql.postgres import PostgresSink

            return PostgresSink(address(self.url, where, DeliveryError, only="postgresql"), settings, where)
        return DatabaseSink(address(self.url, where, DeliveryError), settings, where)

    def rows(self, table: str, prefix: str = "hva_") -> set[tuple[Any, ...]]:
        """Return what a reader sees of a table."""
        if self.kind == "duckdb":
            file = DuckDBFile(self.root / "out" / "scores.duckdb", read_only=True)
            try:
                found = list(file.batches(f"{prefix}{table}", SCHEMAS[table]))
            finally:
                file.close()
            return {tuple(r.values()) for t in found for r in t.to_pylist()}
        import sqlalchemy as sa

        engine = sa.create_engine(address(self.url, "", DeliveryError), poolclass=sa.NullPool)
        with engine.connect() as connection:
            names = ", ".join(SCHEMAS[table].names)
            kinds = [bool if f.type == pa.bool_() else None for f in SCHEMAS[table]]
            days = [pa.types.is_date(f.type) for f in SCHEMAS[table]]
            return {
                tuple(
                    date.fromisoformat(v) if d and isinstance(v, str) else k(v) if k and v is not None else v
                    for v, k, d in zip(row, kinds, days, strict=True)
                )
                for row in connection.execute(sa.text(f"SELECT {names} FROM {prefix}{table}"))
            }


KINDS = ("parquet", "duckdb", "sqlite", "postgres", "postgres by sql")


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return made(request.param, request, tmp_path)


@pytest.fixture(params=[k for k in KINDS if k != "parquet"])
def tables_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place with tables."""
    return made(request.param, request, tmp_path)


def made(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if kind == "sqlite":
        return Place(kind, tmp_path, f"sqlite:///{tmp_path}/out.db")
    if kind.startswith("postgres"):
        url = request.getfixturevalue("postgres").database("sinks")
        driver = "postgresql" if kind == "postgres" else "postgresql+psycopg"
        return Place(kind, tmp_path, url.replace("postgresql", driver, 1))
    return Place(kind, tmp_path)


def expected(parcel: Parcel) -> dict[str, set[tuple[Any, ...]]]:
    """Return in plain Python what the tables must hold, from the published files."""
    folder, run = parcel.folder, parcel.run
    scores, explanations, texts, names = (
        read(folder, t, run.run_id).to_pylist() if t in run.rows else []
        for t in ("scores", "explanations", "texts", "accounts")
    )
    found: dict[str, set[tuple[Any, ...]]] = {t: set() for t in TABLES}
    for row in scores:
        found["scores"].add(tuple(row.get(c) for c in SCHEMAS["scores"].names))
        for direction in ("positive", "negative"):
            for k, r in enumerate(row[f"reasons_{direction}"], 1):
                told = (r["feature"], r["topic"], r["factor"], r["value"], r["reference"])
                found["reasons"].add((row["account_id"], direction, k, *told))
    for row in texts:
        for k, sentence in enumerate([row["paragraph"], *row["sentences"]]):
            found["texts"].add((row["account_id"], row["language"], k, sentence))
    for row in explanations:
        found["explanations"].add(
            (row["account_id"], "(reference)", row["log_base_probability"], row["log_base_value"])
        )
        for feature in ("f.a", "f.b"):
            pair = row[f"likelihood.{feature}"], row[f"value.{feature}"]
            if pair != (0.0, 0.0):
                found["explanations"].add((row["account_id"], feature, *pair))
    found["lifetime"] = {tuple(r.values()) for r in read(folder, "lifetime", run.run_id).to_pylist()}
    found["accounts"] = {(row["account_id"], row["name"]) for row in names}
    return found


@pytest.fixture
def oracle() -> Callable[[Parcel], dict[str, set[tuple[Any, ...]]]]:
    return expected


def shown(sink: Sink) -> Current:
    found = sink.current()
    assert found is not None
    return found
