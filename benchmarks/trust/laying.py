"""What is done to a workspace before a command meets it: sections, queries, code, cells, bytes put there."""

import re
from collections.abc import Callable

import pyarrow as pa

import hva_ml as hva
from benchmarks.smaller import PIPELINE
from benchmarks.trust.exports import files, rows_of, written

Laid = Callable[[hva.Workspace], None]


def declared(text: str) -> Laid:
    """Put a section at the end of the pipeline file."""

    def lay(ws: hva.Workspace) -> None:
        file = ws.pipelines / f"{PIPELINE}.toml"
        file.write_text(f"{file.read_text(encoding='utf-8')}\n{text}\n", encoding="utf-8")

    return lay


def instead(pattern: str, text: str) -> Laid:
    """Exchange the first match of a pattern in the pipeline file."""

    def lay(ws: hva.Workspace) -> None:
        file = ws.pipelines / f"{PIPELINE}.toml"
        said, n = re.subn(pattern, lambda _: text, file.read_text(encoding="utf-8"), count=1)
        assert n == 1, pattern
        file.write_text(said, encoding="utf-8")

    return lay


def query(table: str, pattern: str, text: str) -> Laid:
    """Exchange the first match of a pattern in a query."""

    def lay(ws: hva.Workspace) -> None:
        file = ws.pipelines / PIPELINE / f"{table}.sql"
        said, n = re.subn(pattern, lambda _: text, file.read_text(encoding="utf-8"), count=1)
        assert n == 1, pattern
        file.write_text(said, encoding="utf-8")

    return lay


def own(body: str) -> Laid:
    """Declare a feature group of the team's own with this body."""

    def lay(ws: hva.Workspace) -> None:
        (ws.pipelines / "features").mkdir(exist_ok=True)
        text = f"import pyarrow as pa\n\n\ndef features(tables, accounts, cutoff):\n    {body}\n"
        (ws.pipelines / "features" / "own.py").write_text(text, encoding="utf-8")
        declared(
            '[[features.own]]\nname = "own"\ntables = ["accounts"]\n'
            '[features.own.columns.x]\nde = "x"\nen = "x"\nunit = "share"'
        )(ws)

    return lay


def sink(kind: str) -> Laid:
    """Declare a sink whose URL stands in HVA_SINK."""
    return declared(f'[sinks.own]\nkind = "{kind}"\nurl_env = "HVA_SINK"')


def source(name: str) -> Laid:
    """Read a source from the database whose URL stands in HVA_SOURCE."""
    return instead(
        rf"\[sources\.{name}\]\nkind = .*\npath = .*\n",
        f'[sources.{name}]\nkind = "sql"\nurl_env = "HVA_SOURCE"\ntable = "{name}"\n',
    )


def cell(name: str, column: str, text: str, *, rows: int = 1, new: bool = False) -> Laid:
    """Write a text into the first rows of a column of a source, or of a column that nobody asked for."""

    def lay(ws: hva.Workspace) -> None:
        for path in files(ws, name):
            table = rows_of(path)
            there = column in table.column_names
            assert there != new, column
            old = table[column].cast(pa.string()).to_pylist() if there else [text] * len(table)
            put = pa.array([text] * min(rows, len(old)) + old[rows:], pa.string())
            if there:
                table = table.set_column(table.schema.get_field_index(column), column, put)
            else:
                table = table.append_column(column, put)
            written(table, path)

    return lay


def renamed(old: str, to: str) -> Laid:
    """Give the account of a key another one, in every source."""

    def lay(ws: hva.Workspace) -> None:
        for name in ("companies", "contacts", "engagement", "deals", "invoices"):
            for path in files(ws, name):
                table = rows_of(path)
                place, keys = table.schema.get_field_index("company_id"), table["company_id"].to_pylist()
                put = pa.array([to if k == old else k for k in keys])
                written(table.set_column(place, "company_id", put), path)

    return lay


def raw(name: str, change: Callable[[bytes], bytes]) -> Laid:
    """Change the bytes of a source's file."""

    def lay(ws: hva.Workspace) -> None:
        for path in files(ws, name):
            path.write_bytes(change(path.read_bytes()))

    return lay


def together(*laid: Laid) -> Laid:
    """Do one after the other."""

    def lay(ws: hva.Workspace) -> None:
        for each in laid:
            each(ws)

    return lay
