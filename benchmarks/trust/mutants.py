"""Sources that changed overnight: the same scores, or told; never other scores without a word.

Each mutant changes the export of one system as such exports do change: columns dropped, renamed or typed
anew, units and time zones, keys, rows halved or doubled, files cut. Companies, deals and invoices come as
CSV, contacts and engagement as Parquet. A night of a mutant must end with the scores of the honest night to
the last bit, or be refused or held with words while the last night's scores stay.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

import hva_ml as hva
from benchmarks.incremental import export
from benchmarks.smaller import PIPELINE
from benchmarks.trust import sizes
from benchmarks.trust.exports import files, rows_of, written
from benchmarks.trust.tally import Tally
from benchmarks.trust.world import LAST, TONIGHT, ended, start, whole
from hva_ml.errors import HvaError
from hva_ml.publication import read

AS_CSV = ("companies", "deals", "invoices")
TYPES = 'types = { postcode = "text", wz_code = "text", founded_year = "integer" }\n'
Change = Callable[[pa.Table], pa.Table]
Night = tuple[int, pa.Table | None, str]


@dataclass(frozen=True)
class Mutant:
    """What happens to one source: to its rows, or to the bytes of its file."""

    source: str
    name: str
    rows: Change | None = None
    content: Callable[[bytes], bytes] | None = None


def drop(column: str) -> Change:
    """Leave a column out."""
    return lambda t: t.drop_columns([column])


def rename(column: str, to: str) -> Change:
    """Give a column another name."""
    return lambda t: t.rename_columns([to if c == column else c for c in t.column_names])


def put(column: str, change: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> Change:
    """Change the values of a column."""
    return lambda t: t.set_column(t.schema.get_field_index(column), column, change(t[column]))


def twice(column: str) -> Change:
    """Have a column a second time, with other values."""
    return lambda t: t.append_column(column, t[column].take(pa.array(np.arange(len(t))[::-1])))


def some(share: float) -> Change:
    """Keep the first rows only."""
    return lambda t: t.slice(0, int(len(t) * share))


def doubled(t: pa.Table) -> pa.Table:
    """Have every row twice."""
    return pa.concat_tables([t, t])


def shuffled(t: pa.Table) -> pa.Table:
    """Change the order of rows."""
    return t.take(pa.array(np.random.default_rng(5).permutation(len(t))))


def reordered(t: pa.Table) -> pa.Table:
    """Change the order of columns."""
    return t.select(t.column_names[::-1])


def more(t: pa.Table) -> pa.Table:
    """Have a column that nobody asked for."""
    return t.append_column("neu", pa.array([f"x{k}" for k in range(len(t))]))


def nulls(values: pa.ChunkedArray) -> pa.Array:
    """Know nothing."""
    return pa.nulls(len(values), values.type)


def constant(values: pa.ChunkedArray) -> pa.Array:
    """Say the same of everybody."""
    known = values.drop_null()[0]
    return pa.array([known.as_py()] * len(values), values.type)


def times(factor: float) -> Callable[[pa.ChunkedArray], pa.Array]:
    """Have another unit."""
    return lambda v: pc.cast(pc.round(pc.multiply(pc.cast(v, pa.float64()), factor)), pa.int64())


def text(pattern: str) -> Callable[[pa.ChunkedArray], pa.Array]:
    """Write times in another form."""
    return lambda v: pa.array([None if x is None else x.strftime(pattern) for x in v.to_pylist()])


def epoch(values: pa.ChunkedArray) -> pa.Array:
    """Write times as seconds since 1970."""
    return pc.cast(
        pc.divide(pc.cast(values.cast(pa.timestamp("us", "UTC")), pa.int64()), 1_000_000), pa.int64()
    )


def moved(days: int) -> Callable[[pa.ChunkedArray], pa.Array]:
    """Have all times so many days away."""
    return lambda v: pc.add(v, pa.scalar(days * 86_400_000_000, pa.duration("us"))).cast(v.type)


def words(change: Callable[[str], str]) -> Callable[[pa.ChunkedArray], pa.Array]:
    """Write words in another form."""
    return lambda v: pa.array([None if x is None else change(str(x)) for x in v.to_pylist()], pa.string())


def mutants() -> list[Mutant]:
    """Return all of them."""
    found = []
    columns = {
        "companies": ("company_id", "valid_from", "country", "employees", "wz_code"),
        "contacts": ("contact_id", "company_id", "created_at"),
        "engagement": ("company_id", "occurred_at", "imported_at", "event_type"),
        "deals": ("deal_id", "company_id", "stage", "entered_at", "amount_cents"),
        "invoices": ("invoice_no", "company_id", "issued_at", "amount_cents", "currency"),
    }
    for source, names in columns.items():
        for name in names:
            found += [
                Mutant(source, f"{name} dropped", drop(name)),
                Mutant(source, f"{name} renamed", rename(name, f"{name}_neu")),
                Mutant(source, f"{name} in capitals", rename(name, name.upper())),
                Mutant(source, f"{name} with a space", rename(name, f" {name}")),
                Mutant(source, f"{name} unknown", put(name, nulls)),
                Mutant(source, f"{name} constant", put(name, constant)),
            ]
        found += [
            Mutant(source, "columns in another order", reordered),
            Mutant(source, "rows in another order", shuffled),
            Mutant(source, "a column more", more), Mutant(source, f"{names[0]} twice", twice(names[0])),
            Mutant(source, "rows doubled", doubled), Mutant(source, "rows halved", some(0.5)),
            Mutant(source, "a tenth of the rows", some(0.1)), Mutant(source, "no rows", some(0.0)),
            Mutant(source, "cut in the middle", content=lambda b: b[: len(b) // 2]),
            Mutant(source, "no bytes", content=lambda _: b""),
            Mutant(source, "a page of HTML", content=lambda _: b"<html><body>Bitte anmelden</body></html>"),
        ]  # fmt: skip
    for source, moment in (("engagement", "occurred_at"), ("invoices", "issued_at"), ("deals", "entered_at")):
        found += [
            Mutant(source, f"{moment} as 31.12.2025 23:59:59", put(moment, text("%d.%m.%Y %H:%M:%S"))),
            Mutant(source, f"{moment} as 12/31/2025", put(moment, text("%m/%d/%Y"))),
            Mutant(source, f"{moment} as seconds since 1970", put(moment, epoch)),
            Mutant(source, f"{moment} without its zone", put(moment, text("%Y-%m-%d %H:%M:%S.%f"))),
            Mutant(source, f"{moment} a year later", put(moment, moved(365))),
            Mutant(source, f"{moment} in 1970", put(moment, moved(-365 * 54))),
        ]
    for source in ("deals", "invoices"):
        found += [
            Mutant(source, "amounts in euro, not cents", put("amount_cents", times(0.01))),
            Mutant(source, "amounts a hundred times as much", put("amount_cents", times(100))),
            Mutant(source, "amounts with a German comma", put("amount_cents", words(lambda x: f"{x},00"))),
            Mutant(source, "currency in small letters", put("currency", words(str.lower))),
            Mutant(source, "another currency", put("currency", words(lambda _: "CHF"))),
            Mutant(source, "separated by tabs", content=lambda b: b.replace(b",", b"\t")),
            Mutant(source, "in UTF-16", content=lambda b: b.decode().encode("utf-16")),
            Mutant(source, "with a mark and Windows line ends",
                   content=lambda b: b"\xef\xbb\xbf" + b.replace(b"\n", b"\r\n")),
        ]  # fmt: skip
    for source in ("companies", "engagement", "invoices"):
        found += [
            Mutant(source, "company_id in small letters", put("company_id", words(str.lower))),
            Mutant(source, "company_id without its zeros",
                   put("company_id", words(lambda x: re.sub(r"^A0*", "A", x)))),
            Mutant(source, "company_id with a space behind", put("company_id", words(lambda x: f"{x} "))),
        ]  # fmt: skip
    return [
        *found,
        Mutant("companies", "countries by their names", put("country", words(lambda x: f"Land {x}"))),
        Mutant("companies", "employees in thousands", put("employees", times(0.001))),
        Mutant("companies", "employees as words", put("employees", words(lambda x: f"ca. {x}"))),
        Mutant("companies", "in Windows-1252", content=lambda b: b.decode().encode("cp1252", "replace")),
        Mutant("engagement", "kinds of engagement in German", put("event_type", words(lambda x: f"Art {x}"))),
        Mutant("deals", "stages in English", put("stage", words(lambda x: f"stage {x}"))),
    ]


def vendor(place: Path, release: Path) -> tuple[hva.Workspace, Path]:
    """Make the workspace of `sizes`, three of its sources as CSV, with the night before."""

    def as_csv(ws: hva.Workspace) -> None:
        sizes.edited(ws)
        file = ws.pipelines / f"{PIPELINE}.toml"
        said = file.read_text(encoding="utf-8")
        for name in AS_CSV:
            old = f'kind = "parquet"\npath = "{ws.raw(PIPELINE)}/{name}.parquet"\n'
            assert said.count(old) == 1
            new = old.replace('"parquet"', '"csv"').replace(".parquet", ".csv")
            said = said.replace(old, new + (TYPES if name == "companies" else ""))
        file.write_text(said, encoding="utf-8")

    return sizes.vendor(place, release, before=as_csv, exported=exported)


def exported(made: Path, ws: hva.Workspace, day: date, since: date | None) -> None:
    """Write what the systems export on a day."""
    export(made, ws, day, since)
    for name in AS_CSV:
        path = ws.raw(PIPELINE) / f"{name}.parquet"
        csv.write_csv(pq.read_table(path), path.with_suffix(".csv"))
        path.unlink()


def mutated(release: Path, place: Path, *, every: int) -> Iterator[Tally]:
    """Make a night of every so-many-th mutant."""
    place.mkdir(parents=True, exist_ok=True)
    base, made = vendor(place, release)
    honest = night(base, made, place, None)
    assert honest[0] == 0, honest[2]
    tally = Tally("a source that changed overnight")
    for mutant in mutants()[::every]:
        _judged(tally, mutant, night(base, made, place, mutant), honest[1])
    yield tally


def night(base: hva.Workspace, made: Path, place: Path, mutant: Mutant | None) -> Night:
    """Make a night of a mutant: its exit code, the scores if they are tonight's, and what it said."""
    ws = sizes.copied(base, place / "ws")
    exported(made, ws, date.fromisoformat(TONIGHT), date.fromisoformat(LAST))
    if mutant:
        _change(ws, mutant)
    out = place / "out"
    code = ended(start(ws.root, out, "nightly", PIPELINE, "--as-of", TONIGHT, "--json"))
    said = out.read_text(encoding="utf-8", errors="replace")
    try:
        seen = whole(ws)
    except (HvaError, AssertionError) as error:
        return code, None, f"torn: {error}"
    return code, read(ws.scores(PIPELINE)) if seen == TONIGHT else None, said


def _change(ws: hva.Workspace, mutant: Mutant) -> None:
    for path in files(ws, mutant.source):
        if mutant.content:
            path.write_bytes(mutant.content(path.read_bytes()))
        else:
            assert mutant.rows is not None
            written(mutant.rows(rows_of(path)), path)


def _judged(
    tally: Tally, mutant: Mutant, found: tuple[int, pa.Table | None, str], honest: pa.Table | None
) -> None:
    code, scores, said = found
    what = f"{mutant.source}, {mutant.name}"
    if "Traceback" in said or said.startswith("torn") or code not in (0, *sizes.REFUSED):
        tally.wrong("not told", f"{what}: exit {code}: {said[-300:]}")
    elif scores is None and code:
        tally.good("refused or held, with words")
    elif scores is not None and honest is not None and scores.equals(honest):
        tally.good("the same scores")
    else:
        tally.wrong("other scores without a word", f"{what}: exit {code}: {_findings(said)}")


def _findings(said: str) -> str:
    try:
        record = json.loads(said[said.index("{") :])
    except ValueError:
        return said[-200:]
    return str({k: record.get(k) for k in ("outcome", "warnings", "audits", "findings")})[:600]
