"""Firmographic features: who a company is, by the master data valid and known at the cutoff.

The company's name and the user's strategic weight are never features.
"""

import re

import numpy as np

from hva_ml.config import PipelineConfig
from hva_ml.features import industry
from hva_ml.features.definition import FeatureDefinition, Unit
from hva_ml.features.universe import Codes, Feature, Floats, Rows
from hva_ml.features.versions import Versions, mapped
from hva_ml.features.wording import chosen

_POSTCODE = re.compile(r"(?:[A-Z]{1,2}\s*-\s*)?(?:(\d)|([A-Z]{1,2}))")
_BANDS = ("micro", "small", "medium", "large")

CATEGORIES = frozenset(
    {"country", "region", "industry_section", "industry_division", "legal_form", "size_class"}
)

_WORDS: dict[str, tuple[Unit, str, str]] = {
    "country": ("category", "Land", "country"),
    "region": ("category", "Region (Postleitzone)", "region (postal zone)"),
    "industry_section": ("category", "Branche", "industry"),
    "industry_division": ("category", "Branche (WZ-Abteilung)", "industry (NACE division)"),
    "legal_form": ("category", "Rechtsform", "legal form"),
    "employees": ("heads", "Mitarbeiterzahl", "number of employees"),
    "size_class": ("category", "Unternehmensgröße", "company size"),
    "annual_revenue": ("money", "Jahresumsatz des Unternehmens", "annual revenue of the company"),
    "revenue_per_employee": ("money", "Umsatz je Mitarbeiter", "revenue per employee"),
    "age_years": ("years", "Alter des Unternehmens", "age of the company"),
    "has_parent": ("flag", "Zugehörigkeit zu einem Konzern", "part of a corporate group"),
    "children": ("count", "Tochtergesellschaften", "subsidiaries"),
}
_TOPICS = {"size_class": "employees", "industry_division": "industry_section", "region": "region"}


def features(versions: Versions, rows: Rows, config: PipelineConfig) -> list[Feature]:
    """Return the declared standard attributes, then the user's own columns (``accounts.<name>``).

    Unknown is null; ``children`` is 0 where no child is known.
    """
    made = []
    for name in config.features.firmographic:
        unit, de, en = _WORDS[name]
        label = chosen(config.features.labels, (f"firmographic.{name}", name), de, en)
        definition = FeatureDefinition(
            f"firmographic.{name}", "firmographic", "category" if name in CATEGORIES else "number",
            "accounts", "attribute", unit, *label, topic=f"firmographic.{_TOPICS.get(name, name)}",
        )  # fmt: skip
        values = (
            category(versions, name, rows).strings() if name in CATEGORIES else number(versions, name, rows)
        )
        made.append(Feature(definition, values))
    return made + [_own(versions, name, rows, config) for name in config.features.columns]


def _own(versions: Versions, name: str, rows: Rows, config: PipelineConfig) -> Feature:
    kind = config.tables["accounts"].columns[name]
    words = name.replace("_", " ")
    label = chosen(config.features.labels, (f"accounts.{name}", name), words, words)
    unit: Unit = {"category": "category", "money": "money", "flag": "flag"}.get(kind, "number")  # type: ignore[assignment]
    definition = FeatureDefinition(
        f"accounts.{name}", "firmographic", "category" if kind == "category" else "number",
        "accounts", "attribute", unit, *label, topic=f"accounts.{name}",
    )  # fmt: skip
    if kind == "category":
        return Feature(definition, versions.category(name, rows).strings())
    if kind == "money":
        return Feature(definition, versions.number(f"{name}_cents", rows) / 100.0)
    return Feature(definition, versions.number(name, rows))


def category(versions: Versions, attribute: str, rows: Rows) -> Codes:
    """Return a categorical standard attribute as of the cutoff of each row.

    ``region`` is the country and the first digit of the postal code (in Germany the Leitzone), or its leading
    letters where it begins with letters. ``size_class`` follows the head-count bands of EU Recommendation
    2003/361/EC: micro below 10, small below 50, medium below 250, else large.
    """
    if attribute == "region":
        return _region(versions.category("country", rows), versions.category("postcode", rows))
    if attribute == "industry_section":
        return mapped(versions.category("industry_code", rows), industry.section)
    if attribute == "industry_division":
        return mapped(versions.category("industry_code", rows), industry.division)
    if attribute == "size_class":
        heads = versions.number("employees", rows)
        band = np.searchsorted([10.0, 50.0, 250.0], heads, side="right")
        return Codes(np.where(heads >= 0, band, -1).astype(np.int64), _BANDS)
    return versions.category(attribute, rows)


def _region(country: Codes, postcode: Codes) -> Codes:
    zone = mapped(postcode, postal_zone)
    width = len(zone.values) + 1
    pair = np.where((country.codes < 0) | (zone.codes < 0), -1, country.codes * width + zone.codes)
    found, inverse = np.unique(pair, return_inverse=True)
    names = tuple("" if p < 0 else f"{country.values[p // width]}-{zone.values[p % width]}" for p in found)
    return Codes(np.where(pair < 0, -1, inverse).astype(np.int64), names)


def postal_zone(postcode: str) -> str | None:
    """Return the first digit of a postal code, or its leading letters; None if it has neither.

    Examples
    --------
    >>> [postal_zone(p) for p in ("80331", "D-01067", "CH - 8005", "SW1A 1AA", "?")]
    ['8', '0', '8', 'SW', None]
    """
    found = _POSTCODE.match(postcode.strip().upper())
    return (found[1] or found[2]) if found else None


def number(versions: Versions, attribute: str, rows: Rows) -> Floats:
    """Return a numeric standard attribute as of the cutoff of each row, NaN where unknown.

    ``age_years`` is the calendar year of the cutoff less the year of foundation; a year of foundation in the
    future counts as unknown. ``has_parent`` is 1 or 0.
    """
    if attribute == "revenue_per_employee":
        heads = versions.number("employees", rows)
        some = np.where(heads > 0, heads, np.nan)
        return versions.number("annual_revenue", rows) / some
    if attribute == "age_years":
        year = np.array([day.year for day in versions.universe.calendar.days], dtype=np.float64)
        age = year[rows.cutoff] - versions.number("founded_year", rows)
        return np.where(age >= 0, age, np.nan)
    if attribute == "has_parent":
        has = (versions.parents(rows) >= 0).astype(np.float64)
        return np.where(versions.known("parent_id", rows), has, np.nan)
    if attribute == "children":
        return _children(versions, rows)
    return versions.number(attribute, rows)


def _children(versions: Versions, rows: Rows) -> Floats:
    n, k = versions.universe.shape
    everywhere = Rows(np.tile(np.arange(n, dtype=np.int64), k), np.repeat(np.arange(k, dtype=np.int64), n))
    parent = versions.parents(everywhere)
    child = (parent >= 0) & (parent != everywhere.account)
    count = np.bincount(parent[child] * k + everywhere.cutoff[child], minlength=n * k).reshape(n, k)
    return rows.pick(count.astype(np.int64)).astype(np.float64)
