"""The words a pipeline file may use, and the bounds of its names and numbers."""

import re
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, ConfigDict, Field

from hva_ml.errors import nearest

FROZEN = ConfigDict(extra="forbid")
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,62}")

Family = Literal["firmographic", "engagement", "deal_history", "fit", "season"]
Unit = Literal[
    "count", "days", "years", "money", "ratio", "share", "heads", "score", "flag", "category", "number"
]
TableName = Literal["accounts", "contacts", "events", "deal_stages", "invoices", "leads"]
Measure = Literal[
    "count", "sum", "mean", "min", "max", "std", "distinct", "recency", "since_first", "active_days",
    "trend", "surge", "share", "gap_mean", "gap_max", "gap_std", "streak", "streak_max",
]  # fmt: skip
Level = Literal["account", "group"]
EngineKind = Literal["duckdb", "spark"]
Attribute = Literal[
    "country", "region", "industry_section", "industry_division", "legal_form", "employees",
    "size_class", "annual_revenue", "revenue_per_employee", "age_years", "has_parent", "children",
]  # fmt: skip


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("a name is lower case letters, digits and _, beginning with a letter")
    return value


def _timezone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"not an IANA time zone.{nearest(value, available_timezones())}")
    return value


def _variable(value: str) -> str:
    if value and not _VARIABLE.fullmatch(value):
        raise ValueError("this is the name of an environment variable, such as HVA_SALES_DB, never a URL")
    return value


Name = Annotated[str, AfterValidator(_name)]
Variable = Annotated[str, AfterValidator(_variable)]
Timezone = Annotated[str, AfterValidator(_timezone)]
Days = Annotated[int, Field(ge=1, le=3660)]
Share = Annotated[float, Field(gt=0, lt=1)]
