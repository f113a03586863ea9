"""Bits turned in sources, and sources cut short: refused where a ``.sha256`` lies beside, or the same rows.

Without one, a turned bit of a CSV value is a legal other value that nobody can tell.
"""

import hashlib
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from benchmarks.trust.made import tables_of
from benchmarks.trust.tally import Tally
from hva_ml.config import Source
from hva_ml.connectors import csv_files, files
from hva_ml.errors import HvaError

Read = Callable[[Path], pa.Table]


def _csv(path: Path) -> pa.Table:
    return pa.concat_tables(csv_files.pieces(path, Source(kind="csv", path=str(path)), "[sources.x]"))


def _parquet(path: Path) -> pa.Table:
    return pa.concat_tables([files.read_parquet(p, "[sources.x]") for p in files.parquet(path, "x").paths])


def inputs(place: Path, times: int, seed: int = 6) -> Iterator[Tally]:
    """Turn so many bits of a CSV and of a Parquet source and of their hashes, and cut each short."""
    table = tables_of(1, 400)["scores"]
    place.mkdir(parents=True, exist_ok=True)
    pa.csv.write_csv(table, place / "x.csv")
    pq.write_table(table, place / "x.parquet")
    readers: dict[str, Read] = {"x.csv": _csv, "x.parquet": _parquet}
    for name, read in readers.items():
        path, kind = place / name, name.split(".")[1]
        beside = place / f"{name}{files.SUM}"
        beside.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n", encoding="utf-8")
        same, chance = partial(_same, read, path, read(path)), random.Random(seed)
        for victim, case in ((path, f"a {kind} source"), (beside, f"the sha256 of a {kind} source")):
            content = victim.read_bytes()
            turned, cut = Tally(f"one bit of {case}"), Tally(f"{case} cut short")
            for _ in range(times):
                changed, bit = bytearray(content), chance.randrange(8 * len(content))
                changed[bit // 8] ^= 1 << bit % 8
                _judged(turned, victim, bytes(changed), same, f"bit {bit}")
            lengths = range(len(content))
            for n in chance.sample(lengths, min(times, len(lengths))):
                _judged(cut, victim, content[:n], same, f"{n} bytes")
            victim.write_bytes(content)
            yield from (turned, cut)


def _same(read: Read, path: Path, expected: pa.Table) -> bool:
    return bool(read(path).equals(expected))


def _judged(tally: Tally, victim: Path, content: bytes, same: Callable[[], bool], what: str) -> None:
    victim.write_bytes(content)
    try:
        if same():
            tally.good("read as the same rows")
        else:
            tally.wrong("read as other rows", f"{tally.case}: {what}")
    except HvaError:
        tally.good("refused")
    except Exception as error:
        tally.wrong("not told", f"{tally.case}: {what}: {type(error).__name__}")
