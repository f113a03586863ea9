"""Writes the pages of docs/ that follow from the code: data dictionary, pipeline keys, check codes.

Run by `make docs`. tests/docs holds the committed pages to what this file makes.
"""

import dataclasses
import re
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic_core import PydanticUndefined

from hva_ml import config
from hva_ml.contracts.codes import CODES
from hva_ml.contracts.tables import CONTRACT

DOCS = Path(__file__).parent
SECTIONS: dict[str, tuple[str, type | None]] = {
    "pipeline": ("[pipeline]", config.Pipeline),
    "sources": ("[sources.NAME]", config.Source),
    "views": ("[views]", None),
    "tables": ("[tables.TABLE]", config.Table),
    "cutoffs": ("[cutoffs]", config.Cutoffs),
    "horizon": ("[horizon]", config.Horizon),
    "population": ("[population]", config.Population),
    "target": ("[target]", config.Target),
    "features": ("[features]", config.Features),
    "features.windows": ("[[features.windows]]", config.Windows),
    "features.own": ("[[features.own]]", config.OwnFeatures),
    "features.own.columns": ("[features.own.columns.COLUMN]", config.OwnColumn),
    "engine": ("[engine]", config.Engine),
    "models": ("[models]", config.Models),
    "search": ("[search]", config.Search),
    "split": ("[split]", config.Split),
    "checks": ("[checks]", config.Checks),
    "gates": ("[gates]", config.Gates),
    "lifetime": ("[lifetime]", config.Lifetime),
    "scoring": ("[scoring]", config.Scoring),
    "explanation": ("[explanation]", config.Explanation),
    "explanation.actionable": ("[explanation.actionable]", config.Actionable),
    "audit": ("[audit]", config.Audit),
    "sinks": ("[sinks.NAME]", config.Sink),
    "alerts": ("[alerts]", config.Alerts),
    "monitoring": ("[monitoring]", config.Monitoring),
    "simulation": ("[simulation]", config.Simulation),
    "leads": ("[leads]", config.Leads),
    "leads.features": ("[leads.features.NAME]", config.LeadFeature),
}
KINDS = {
    "id": "text key",
    "category": "text, one of a limited number of values",
    "text": "text",
    "integer": "whole number",
    "number": "number",
    "money": "number in currency units; stored as whole minor units",
    "time": "date or time; stored in UTC microseconds",
    "flag": "true or false",
}
MADE = "<!-- Made by docs/make_reference.py from the code. Do not edit; run make docs. -->"


def data_dictionary() -> str:
    """Return the page of the contract tables, from ``hva_ml.contracts.tables``."""
    parts = [
        "# Data dictionary",
        MADE,
        "Everything `hva` computes, it computes from these tables. A query in `pipelines/<name>/` gives each "
        "of them; only `accounts` and the tables that your features and target name are needed (of `leads` "
        "nothing else, see [leads](leads.md)). Columns may "
        "come in any order; an optional column that is missing counts as empty. A row is seen at a cutoff "
        "only if its `event_time` and its `known_at` both lie before it.",
        _table(("Kind", "What the query gives"), [(f"`{k}`", v) for k, v in KINDS.items()]),
    ]
    for contract in CONTRACT.values():
        parts += [
            f"## {contract.name}",
            contract.meaning,
            f"Key: {', '.join(f'`{k}`' for k in contract.key)}.",
            _table(
                ("Column", "Kind", "Unit", "Required", "Meaning"),
                [
                    (f"`{c.name}`", f"`{c.kind}`", c.unit, _required(c.required, c.nullable), c.meaning)
                    for c in contract.columns
                ],
            ),
        ]
    parts.append(
        "Your own columns are declared in the pipeline file under `[tables.TABLE] columns` and stand after "
        "these. A money column `amount` is stored as `amount_cents`."
    )
    return _page(parts)


def pipelines() -> str:
    """Return the page of all keys of a pipeline file, from the dataclasses of ``hva_ml.config``."""
    told = tomllib.loads((DOCS / "keys.toml").read_text("utf-8"))
    _same("sections of keys.toml", set(told), set(SECTIONS))
    parts = [
        "# The pipeline file",
        MADE,
        "One account universe is one file `pipelines/<name>.toml` with its queries in "
        "`pipelines/<name>/*.sql`. `<query>.duckdb.sql` or `<query>.spark.sql` is preferred to `<query>.sql` "
        "on that engine. An unknown key is refused, and the nearest known one is named. Sections without a "
        "required key may be left out. The examples on this page together are a whole file; those of "
        "`[leads]`, the last ones, are one of their own: [a table of leads](leads.md) is a kind of pipeline "
        "that needs neither tables nor cutoffs.",
    ]
    for name, (heading, kind) in SECTIONS.items():
        parts += [
            f"## `{heading}`",
            _prose(kind) if kind else told[name]["text"],
            _table(("Key", "Value", "Default", "Meaning"), _keys(heading, kind, told[name]["keys"])),
            f"```toml\n{told[name]['example'].strip()}\n```",
        ]
    return _page(parts)


def checks() -> str:
    """Return the page of all check codes, from ``hva_ml.contracts.codes`` and checks.toml."""
    parts = [
        "# Checks",
        MADE,
        "A finding is a row: code, place, number of rows, up to five keys, what was found, what to do. "
        "`hva check` shows them, and every run keeps them. An error stops training and scoring, a warning "
        "does not, and an info is a count to know. Rows that cannot be used are put in quarantine and "
        "counted, never silently dropped.",
        "## The data keep their contract",
    ]
    for code in CODES.values():
        parts += [
            f"### {code.code}: {code.title}",
            f"Severity: {code.severity}. {_markdown(code.paragraph)} What to do: {_markdown(code.fix)}",
        ]
    told = tomllib.loads((DOCS / "checks.toml").read_text("utf-8"))
    for heading, prefix in (
        ("Nothing knows the future", "HVL"),
        ("A model is worth its promotion", "HVA"),
        ("A night holds against the night before", "HVS"),
        ("The nights hold over time", "HVM"),
    ):
        parts.append(f"## {heading}")
        for name in sorted(n for n in told if n.startswith(prefix)):
            parts += [f"### {name}: {told[name]['title']}", told[name]["text"]]
    return _page(parts)


def _keys(heading: str, kind: type | None, meanings: dict[str, str]) -> list[tuple[str, ...]]:
    """Return one line per key; a section without a dataclass has names of the user's own."""
    if kind is None:
        return [(f"`{key}`", "text", "–", meaning) for key, meaning in meanings.items()]
    fields = kind.__pydantic_fields__  # type: ignore[attr-defined]
    _same(f"keys of {heading}", set(meanings), set(fields))
    return [
        (f"`{key}`", _type(field.annotation, field.metadata), _default(field), meanings[key])
        for key, field in fields.items()
    ]


PAGES: dict[str, Callable[[], str]] = {
    "data-dictionary.md": data_dictionary,
    "pipelines.md": pipelines,
    "checks.md": checks,
}


def _markdown(text: str) -> str:
    """Return plain text such that no renderer takes a part of it for markup."""
    return re.sub(r"([<*])", r"\\\1", text)


def _page(parts: list[str]) -> str:
    return "\n\n".join(p.strip() for p in parts if p.strip()) + "\n"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _required(required: bool, nullable: bool) -> str:
    if not required:
        return "no"
    return "yes" if nullable else "yes, in every row"


def _prose(kind: type) -> str:
    """Return a dataclass's docstring without the name of its section, as flowing text."""
    text = " ".join((kind.__doc__ or "").split())
    text = text.split(": ", 1)[1] if text.startswith("``[") else text
    return (text[:1].upper() + text[1:]).replace("``", "`")


def _default(field: Any) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None or value in ("", (), {}):
        return "–"
    if dataclasses.is_dataclass(value):
        return "as below"
    return f"`{_toml(value)}`"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return (
        value.isoformat()
        if isinstance(value, date)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _type(kind: Any, metadata: list[Any] | None = None) -> str:
    """Return what may be written, in words."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _type(args[0], list(args[1:]))
    if origin in (Union, UnionType):
        return "; or ".join(_type(a, metadata) for a in args if a is not NoneType)
    if origin is Literal:
        return "one of " + ", ".join(f"`{_toml(a)}`" for a in args if a != "")
    if origin is tuple:
        if args[-1] is Ellipsis:
            return f"list of: {_type(args[0])}"
        return f"{len(args)} values, each: {_type(args[0])}"
    if origin is dict:
        return f"table, each value: {_type(args[1])}"
    if kind is config.Label:
        return "`{ de = …, en = … }`"
    if dataclasses.is_dataclass(kind):
        return "see below"
    words = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`", date: "date"}[kind]
    return words + _bounds(metadata or [])


def _bounds(metadata: list[Any]) -> str:
    limits: dict[str, Any] = {}
    for part in metadata:
        for piece in getattr(part, "metadata", None) or [part]:
            limits |= {
                s: getattr(piece, s) for s in ("ge", "gt", "le", "lt") if getattr(piece, s, None) is not None
            }
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    return "".join(f", {signs[s]} {limits[s]:,}".replace(",", " ", 0) for s in signs if s in limits)


def _same(what: str, told: set[str], known: set[str]) -> None:
    if told != known:
        raise SystemExit(f"{what}: without a meaning {sorted(known - told)}, unknown {sorted(told - known)}")


def main() -> None:
    """Write all pages."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
