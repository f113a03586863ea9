"""What the suspicion rules say about leaks that are real: fields for which public data sets are known."""

import csv
import gzip
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import hva_ml as hva
from benchmarks.leakers import all_of, replaced
from hva_ml.contracts.probes import Probed
from hva_ml.cutoffs import Calendar
from hva_ml.evaluation.suspicion import suspicious, together
from hva_ml.evaluation.suspicion.power import strongest
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.jobs.prepare import prepare
from hva_ml.jobs.training_set import training_set

Row = dict[str, Any]
Bools = npt.NDArray[np.bool_]
Column = Sequence[float | None] | Sequence[str | None]

RULES = ("HVL010", "HVL011", "HVL012", "HVL013", "HVL015")
BANK_NUMBERS = (
    "age", "duration", "campaign", "pdays", "previous", "emp.var.rate", "cons.price.idx", "cons.conf.idx",
    "euribor3m", "nr.employed",
)  # fmt: skip
OLIST_FIELDS = (
    "business_segment", "lead_type", "lead_behaviour_profile", "has_company", "has_gtin", "average_stock",
    "business_type", "declared_product_catalog_size", "declared_monthly_revenue",
)  # fmt: skip
ADVENTUREWORKS_FIELDS = {
    "LastOrderYear": 'any_value(CAST(r."LastOrderYear" AS DOUBLE))',
    "FirstOrderYear": 'any_value(CAST(r."FirstOrderYear" AS DOUBLE))',
    "OrderFrequency": 'any_value(r."OrderFrequency")',
}


def bank_marketing(folder: Path) -> list[Row]:
    """Ask about the calls of Bank Marketing with and without `duration`, which is known only afterwards."""
    with gzip.open(next((folder / "bank_marketing").glob("*.csv.gz")), "rt", encoding="utf-8") as file:
        calls = list(csv.DictReader(file, delimiter=";"))
    actual = np.array([c["y"] == "yes" for c in calls])
    columns: dict[str, Column] = {}
    for name in calls[0]:
        if name in BANK_NUMBERS:
            columns[name] = [None if name == "pdays" and c[name] == "999" else float(c[name]) for c in calls]
        elif name != "y":
            columns[name] = [None if c[name] == "unknown" else c[name] for c in calls]
    honest = {n: v for n, v in columns.items() if n != "duration"}
    return [
        _plain("Bank Marketing", ("duration",), columns, actual),
        _plain("Bank Marketing without it", (), honest, actual),
    ]


def olist(folder: Path) -> list[Row]:
    """Ask about Olist's leads, joined with fields that are written down only when a deal is closed."""
    leads = sorted(
        _csv(folder / "olist_funnel" / "olist_marketing_qualified_leads_dataset.csv"),
        key=lambda lead: (lead["first_contact_date"], lead["mql_id"]),
    )
    closed = {d["mql_id"]: d for d in _csv(folder / "olist_funnel" / "olist_closed_deals_dataset.csv")}
    actual = np.array([lead["mql_id"] in closed for lead in leads])
    honest: dict[str, Column] = {
        n: [lead[n] or None for lead in leads] for n in ("origin", "landing_page_id")
    }
    joined: dict[str, Column] = {
        n: [closed.get(lead["mql_id"], {}).get(n) or None for lead in leads] for n in OLIST_FIELDS
    }
    return [
        _plain("Olist", OLIST_FIELDS, {**honest, **joined}, actual),
        _plain("Olist without them", (), honest, actual),
    ]


def adventureworks() -> list[Row]:
    """Check the shipped pipeline with and without the columns of DimReseller that describe all years."""
    rows = []
    for fields in (ADVENTUREWORKS_FIELDS, {}):
        with tempfile.TemporaryDirectory(prefix="hva-leaks-") as name:
            ws, _ = hva.init(name)
            _add(ws, fields)
            report = hva.check(ws, "adventureworks")
            config = ws.config("adventureworks")
            data = training_set(ws, config, prepare(ws, config))
        case = "AdventureWorks" if fields else "AdventureWorks without them"
        leaks = tuple(f"accounts.{f.lower()}" for f in fields)
        rows.append(_row(case, leaks, data.features, data.targets.converted == 1, report.probes))
    return rows


def _plain(case: str, leaks: Sequence[str], columns: Mapping[str, Column], actual: Bools) -> Row:
    """Ask about plain columns in the order of time, a row an account; the last fifth is judged."""
    calendar = Calendar((date(2024, 1, 1),), 90, 0, "UTC")
    arrays = [pa.array(values) for values in columns.values()]
    made = tuple(
        FeatureDefinition(
            name, "firmographic", "number" if pa.types.is_floating(array.type) else "category", "accounts",
            "attribute", "number", name, name,
        )
        for name, array in zip(columns, arrays, strict=True)
    )  # fmt: skip
    ids = pa.array([f"{k:06d}" for k in range(len(actual))])
    moments = pa.array([calendar.cutoffs[0]] * len(actual), pa.timestamp("us", "UTC"))
    table = pa.table([ids, moments, ids, *arrays], names=["account_id", "cutoff", "group_id", *columns])
    features = FeatureSet(table, made)
    train = np.arange(len(actual)) < 0.8 * len(actual)
    # Such rows have no cutoff, so nothing can be said of dates after it.
    asked = [p for p in suspicious(features, actual.astype(np.int8), calendar) if p.code != "HVL015"]
    return _row(case, leaks, features, actual, (*asked, together(features, actual, train, ~train, 7)))


def _row(
    case: str, leaks: Sequence[str], features: FeatureSet, actual: Bools, probes: Iterable[Probed]
) -> Row:
    alone = [(n, power) for n, power in strongest(features, actual, len(features.names)) if n in leaks]
    named: dict[str, list[str]] = {}
    hint = ""
    for probe in probes:
        if probe.code in RULES:
            named[probe.code] = [name for v in probe.alarms for name in v.ids]
        elif probe.code == "HVL014":
            later, same = re.findall(r"(\d\.\d{3}) on", probe.what)
            hint = f"{later} later, {same} same time"
            hint += f": hint, {_short(probe.violations[0].ids[0])} first" if probe.violations else ": no hint"
    return {
        "case": case,
        "leaks": ", ".join(f"{_short(n)} {power:.2f}" for n, power in alone[:3])
        + (f" … {len(alone)} fields" if len(alone) > 3 else ""),
        "named": _codes(named, lambda name: name in leaks),
        "others named": _codes(named, lambda name: name not in leaks),
        "all together, AUC": hint,
    }


def _codes(named: Mapping[str, Sequence[str]], wanted: Any) -> str:
    told = []
    for code, names in sorted(named.items()):
        kept = [_short(n) for n in names if wanted(n)]
        if kept:
            told.append(f"{code} {', '.join(kept)}" if len(kept) <= 3 else f"{code} {len(kept)} fields")
    return "; ".join(told) or "nothing"


def _short(name: str) -> str:
    return name.removeprefix("accounts.")


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _add(ws: hva.Workspace, fields: Mapping[str, str]) -> None:
    """Add columns of DimReseller to the shipped pipeline, vouched for as static, and make them features."""
    if not fields:
        return
    toml, query = "adventureworks.toml", "adventureworks/accounts.sql"
    kinds = ", ".join(f'{f.lower()} = "{"number" if "Year" in f else "category"}"' for f in fields)
    quoted = ", ".join(f'"{f.lower()}"' for f in fields)
    selected = ", ".join(f"{sql} AS {f.lower()}" for f, sql in fields.items())
    business = 'any_value(r."BusinessType") AS business_type'
    all_of(
        replaced(toml, '{ business_type = "category" }', f'{{ business_type = "category", {kinds} }}'),
        replaced(toml, '"founded_year", "business_type"]', f'"founded_year", "business_type", {quoted}]'),
        replaced(toml, 'columns = ["business_type"]', f'columns = ["business_type", {quoted}]'),
        replaced(query, business, f"{business}, {selected}"),
    )(ws)
