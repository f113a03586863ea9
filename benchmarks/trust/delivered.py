"""What every sink holds of hostile texts, read back as its users read it."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa

from benchmarks.smaller import PIPELINE
from benchmarks.trust.tally import Tally
from benchmarks.trust.texts import World
from hva_ml.connectors.addresses import address
from hva_ml.engines.duckdb import DuckDBFile
from hva_ml.errors import DeliveryError
from hva_ml.publication import read

TABLES = ("scores", "reasons", "texts", "accounts")
Rows = list[tuple[str, ...]]
READ: dict[str, tuple[str, ...]] = {
    "scores": ("account_id", "tier"), "accounts": ("account_id", "name"),
    "texts": ("account_id", "language", "sentence"),
    "reasons": ("account_id", "direction", "feature", "topic", "value", "reference"),
}  # fmt: skip


def sinks(tally: Tally, world: World) -> None:
    """Hold what each sink has to what was published."""
    folder = world.ws.scores(PIPELINE)
    published = {table: sorted(rows) for table, rows in _published(folder).items()}
    for name, held in (("DuckDB", _of_duckdb(world)), ("folder", _published(_lake(world)))):
        _compared(tally, name, held, published)
    for name, url in world.urls.items():
        engine = sa.create_engine(address(url, name, DeliveryError), poolclass=sa.NullPool)
        with closing(engine.connect()) as connection:
            _compared(tally, name, _of_database(connection), published)
            _nothing_else(tally, name, connection)


def _compared(tally: Tally, name: str, held: Mapping[str, Rows], published: Mapping[str, Rows]) -> None:
    for table, rows in held.items():
        if sorted(rows) == published[table] and rows:
            tally.good("tables of sinks as published")
        else:
            tally.wrong("other texts", f"{table} in {name}: {len(rows)} rows of {len(published[table])}")


def _published(folder: Path) -> dict[str, Rows]:
    """Return in plain Python what every table must hold, from published files."""
    scores, texts = read(folder).to_pylist(), read(folder, "texts").to_pylist()
    names = read(folder, "accounts")
    return {
        "scores": [(r["account_id"], r["tier"]) for r in scores],
        "accounts": [tuple(r[c] for c in READ["accounts"]) for r in names.to_pylist()],
        "texts": [
            (r["account_id"], r["language"], s) for r in texts for s in (r["paragraph"], *r["sentences"])
        ],
        "reasons": [
            (r["account_id"], direction, *(reason[c] or "" for c in READ["reasons"][2:]))
            for r in scores
            for direction in ("positive", "negative")
            for reason in r[f"reasons_{direction}"]
        ],
    }


def _lake(world: World) -> Path:
    return world.ws.root / "data" / "lake" / PIPELINE


def _of_duckdb(world: World) -> dict[str, Rows]:
    with closing(DuckDBFile(world.ws.root / "data" / "out" / "own.duckdb", read_only=True)) as file:
        return {
            table: [
                tuple(r[c] or "" for c in READ[table])
                for part in file.batches(f"hva_{table}", pa.schema([(c, pa.string()) for c in READ[table]]))
                for r in part.to_pylist()
            ]
            for table in TABLES
        }


def _of_database(connection: sa.Connection) -> dict[str, Rows]:
    found = {}
    for table in TABLES:
        shown = sa.table(f"hva_{table}", *(sa.column(c, sa.String) for c in READ[table]))
        found[table] = [tuple(v or "" for v in row) for row in connection.execute(sa.select(shown))]
    return found


def _nothing_else(tally: Tally, name: str, connection: sa.Connection) -> None:
    looked = sa.inspect(connection)
    seen = {*looked.get_table_names(), *looked.get_view_names()}
    ours = {"hva_current", *(f"hva_{t}{end}" for t in TABLES for end in ("", "_runs"))}
    if seen == ours:
        tally.good("sinks with nothing but their tables")
    else:
        tally.wrong("other tables", f"{name}: {sorted(seen ^ ours)[:5]}")
