"""Secrets and personal data as canaries, laid where the night meets them; then everything is searched.

A canary stands in the environment, in the pipeline file and its queries, and in rows: in columns nobody asked
for, as keys, as categories, as cells that cannot be read. Commands end well or in one of their errors; no
canary may then stand in what they said or in any file they wrote, packed files unpacked.
"""

import gzip
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

import hva_ml as hva
from benchmarks.smaller import PIPELINE
from benchmarks.trust import sizes
from benchmarks.trust.canary_scenes import CANARY, DIGITS, Scene, scenes
from benchmarks.trust.mutants import exported, vendor
from benchmarks.trust.tally import Tally
from benchmarks.trust.world import LAST, TONIGHT, ended, start

OURS = ("data/raw", "pipelines")
"""Folders of the workspace where the canaries themselves lie."""
LEDGER = "data/ledger"


def canaries(release: Path, place: Path, *, every: bool) -> Iterator[Tally]:
    """Run every scene, or a handful; full ones train as well."""
    place.mkdir(parents=True, exist_ok=True)
    base, made = vendor(place, release)
    # It compares texts of CSV files with numbers, and would end every check.
    (base.pipelines / PIPELINE / "quirks.sql").unlink()
    tallies = {kind: Tally(f"canaries in {kind}") for kind in ("the environment", "the pipeline", "rows")}
    for scene in [s for s in scenes() if every or s.quick]:
        ws = sizes.copied(base, place / "ws")
        exported(made, ws, date.fromisoformat(TONIGHT), date.fromisoformat(LAST))
        with scene.prepared(ws) as variables:
            for words in scene.commands:
                _judged(tallies[scene.kind], scene, words, ws, *_run(ws, place / "out", words, variables))
    yield from tallies.values()


def _judged(
    tally: Tally, scene: Scene, words: tuple[str, ...], ws: hva.Workspace, code: int, said: str
) -> None:
    what = f"{scene.name}: hva {' '.join(words)}, exit {code}"
    loose = [
        *_seen(said.encode(), "what it said"),
        *searched(ws.root, (*OURS, LEDGER) if scene.asked else OURS),
    ]
    if loose:
        tally.wrong("told", f"{what}: {'; '.join(loose)[:400]}")
    elif "Traceback" in said:
        tally.wrong("a traceback", f"{what}: {said[-300:]}")
    else:
        tally.good("done, nothing told" if code == 0 else "ended in words, nothing told")


def _run(
    ws: hva.Workspace, out: Path, words: tuple[str, ...], variables: Mapping[str, str]
) -> tuple[int, str]:
    code = ended(start(ws.root, out, *(w.format(root=ws.root) for w in words), variables=variables))
    return code, out.read_text(encoding="utf-8", errors="replace")


def searched(root: Path, aside: tuple[str, ...] = OURS) -> list[str]:
    """Return in which files below a workspace a canary stands, those that held it from the start aside."""
    found = []
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_file() and not name.startswith(aside):
            for content in contents(path):
                found += _seen(content, name)
    return found


def contents(path: Path) -> Iterator[bytes]:
    """Yield what a file says: unpacked where it is packed, and its own bytes."""
    yield path.read_bytes()
    if path.suffix == ".parquet":
        yield _text(pq.read_table(path))
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            for (table,) in connection.execute("SELECT view_name FROM duckdb_views()").fetchall():
                yield str(table).encode()
            for schema, table in connection.execute(
                "SELECT schema_name, table_name FROM duckdb_tables()"
            ).fetchall():
                yield _text(connection.table(f'"{schema}"."{table}"').to_arrow_table())
    elif path.suffix == ".gz":
        yield gzip.decompress(path.read_bytes())
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            for member in packed.namelist():
                yield packed.read(member)


def _text(table: pa.Table) -> bytes:
    lines = [str(table.schema)]
    for column in table.columns:
        if not pa.types.is_floating(column.type):
            lines += map(str, column.to_pylist())
    return "\n".join(lines).encode()


def _seen(content: bytes, where: str) -> list[str]:
    low = content.lower()
    return [f"{sign} in {where}" for sign in (CANARY, DIGITS) if sign.encode() in low]
