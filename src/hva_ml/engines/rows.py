"""Whether a query looks at each row by itself, read off its syntax tree; where it might not, it is no.

Such a query gives for the rows of two halves what it gives for all of them: nothing is held against other
rows, counted, ordered, joined, made up or read off a clock. Queries put together by UNION ALL are such, too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Node = Mapping[str, Any]

_CLASSES = frozenset(
    {
        "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT",
        "FUNCTION", "OPERATOR", "STAR", "TYPE",
    }
)  # fmt: skip
# Of one row and nothing else; what is not named here is not trusted to be.
_KNOWN = """
+ - * / // % ** ^ || ~~ !~~ ~~* !~~* ~~~ @ & | << >> ~ abs sign round trunc floor ceil ceiling even mod
power pow sqrt cbrt exp ln log log2 log10 greatest least isnan isinf isfinite add subtract multiply
divide lower upper lcase ucase trim ltrim rtrim length len char_length character_length strlen substr
substring left right lpad rpad replace translate reverse repeat concat concat_ws contains starts_with
ends_with prefix suffix position strpos instr split_part string_split str_split regexp_matches
regexp_full_match regexp_replace regexp_extract like_escape not_like_escape ilike_escape not_ilike_escape
strip_accents nfc_normalize ascii chr ord format printf md5 sha1 sha256 hash hex unhex to_base64
from_base64 coalesce ifnull nullif if year month day hour minute second quarter week weekday weekofyear
isodow isoyear yearweek dayofmonth dayofweek dayofyear dayname monthname last_day date_part datepart
date_trunc datetrunc date_diff datediff date_sub datesub time_bucket epoch epoch_ms epoch_us epoch_ns
make_date make_time make_timestamp to_timestamp strptime try_strptime strftime timezone to_years
to_months to_weeks to_days to_hours to_minutes to_seconds to_milliseconds to_microseconds
"""
_FUNCTIONS = frozenset(_KNOWN.split())
# Words without brackets that are no columns: clocks, users, places of rows.
_NO_COLUMNS = frozenset({"localtime", "localtimestamp", "user", "session_user", "rowid", "filename"})
_OTHER = "it reads something other than one relation"
_ASKS_OTHERS = {"WINDOW": "it looks at other rows (a window)", "SUBQUERY": "it asks another query"}


@dataclass(frozen=True)
class Reads:
    """What a query reads.

    Attributes
    ----------
    relations : frozenset of str
        Relations by name, in small letters.
    why_not : str
        Why it does not look at each row by itself; empty if it does.
    """

    relations: frozenset[str]
    why_not: str = ""


class _NotByRowError(Exception):
    """Carries the reason."""


def reads(tree: Node) -> Reads:
    """Return what a query reads and whether it does so row by row.

    Parameters
    ----------
    tree : mapping
        The syntax tree of DuckDB's ``json_serialize_sql``.
    """
    try:
        if tree.get("error") or len(tree["statements"]) != 1:
            return Reads(frozenset(), "it is not one query")
        return Reads(frozenset(_of(tree["statements"][0]["node"], {})))
    except _NotByRowError as reason:
        return Reads(frozenset(), str(reason))
    except (KeyError, TypeError, AttributeError):
        return Reads(frozenset(), "its form is not known")


def _of(node: Node, named: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the relations that a query reads; `named` are those of the queries named by WITH before it."""
    for entry in node["cte_map"]["map"]:
        query = entry["value"]["query_node"]
        named = {**named, entry["key"].lower(): _of(query, named)}
    if node["modifiers"]:
        raise _NotByRowError("it orders, limits, or removes repeated rows")
    if node["type"] == "SET_OPERATION_NODE":
        if node["setop_type"] != "UNION" or not node["setop_all"]:
            raise _NotByRowError("it holds queries against each other other than by UNION ALL")
        halves = node["children"] or [node["left"], node["right"]]
        return frozenset().union(*(_of(half, named) for half in halves))
    if node["type"] != "SELECT_NODE":
        raise _NotByRowError("it is no plain SELECT")
    if node["group_expressions"] or node["group_sets"] or node["having"] or node["qualify"] or node["sample"]:
        raise _NotByRowError("it groups rows")
    if node["aggregate_handling"] != "STANDARD_HANDLING":
        raise _NotByRowError("it groups rows")
    for found in _expressions([node["select_list"], node["where_clause"]]):
        _check(found)
    return _source(node["from_table"], named)


def _source(table: Node, named: Mapping[str, frozenset[str]]) -> frozenset[str]:
    if table["type"] == "SUBQUERY":
        return _of(table["subquery"]["node"], named)
    if table["type"] != "BASE_TABLE":
        raise _NotByRowError(
            "it joins" if table["type"] == "JOIN" else "it reads something other than one relation"
        )
    if table["sample"] or table["at_clause"] or table["schema_name"] or table["catalog_name"]:
        raise _NotByRowError(_OTHER)
    name = table["table_name"].lower()
    return named.get(name, frozenset([name]))


def _expressions(found: Any) -> Iterator[Node]:
    """Yield every part of expressions that has a class, whatever lies between."""
    if isinstance(found, list):
        for part in found:
            yield from _expressions(part)
    elif isinstance(found, dict):
        if "class" in found:
            yield found
        for part in found.values():
            yield from _expressions(part)


def _check(part: Node) -> None:
    kind = part["class"]
    if kind not in _CLASSES:
        raise _NotByRowError(_ASKS_OTHERS.get(kind, f"it uses {kind.lower()}"))
    if kind == "FUNCTION":
        name = part["function_name"].lower()
        if name not in _FUNCTIONS or part["distinct"] or part["filter"] or part["order_bys"]["orders"]:
            raise _NotByRowError(f"it uses {name}, which is not known to look at one row only")
    if kind == "COLUMN_REF":
        name = part["column_names"][-1].lower()
        if name in _NO_COLUMNS or name.startswith(("current_", "file_")):
            raise _NotByRowError(f"it uses {name}, which is no column")
