"""What the pipeline file declares as features, held against contract and data before any is computed."""

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import PipelineConfig, Windows
from hva_ml.contracts.records import ContractTables
from hva_ml.contracts.schema import Column, TableContract
from hva_ml.contracts.tables import ATTRIBUTE_COLUMNS, contract_for
from hva_ml.cutoffs import Calendar
from hva_ml.errors import ConfigError, nearest
from hva_ml.features import permitted
from hva_ml.features.firmographic import CATEGORIES
from hva_ml.features.outlook import YEAR_DAYS

WHOLE_PAST = ("recency", "since_first")
"""Measures that have no window."""
ADDED = frozenset({"sum", "mean", "min", "max", "std"})
NUMERIC = frozenset({"number", "integer", "money", "flag"})
_NEVER = ("name", "strategic_weight")


def contract(config: PipelineConfig, table: str) -> TableContract:
    """Return the contract of a table with the user's own columns."""
    return contract_for(table, dict(config.tables[table].columns))  # type: ignore[index]


def static_columns(config: PipelineConfig) -> tuple[str, ...]:
    """Return the stored names of the columns of `accounts` that the user vouches for."""
    table = contract(config, "accounts")
    return tuple(table.column(n).stored for n in config.tables["accounts"].static if n in table.names)


def fit_attributes(config: PipelineConfig) -> tuple[str, ...]:
    """Return what likeness to past winners is judged by: the declared categories of `accounts`."""
    own = config.tables["accounts"].columns
    return (
        *(a for a in config.features.firmographic if a in CATEGORIES),
        *(c for c in config.features.columns if own.get(c) == "category"),
    )


def check(tables: ContractTables, config: PipelineConfig, calendar: Calendar) -> None:
    """Refuse feature declarations that cannot be meant.

    Values of categories are held against the data only where the table reaches past the last cutoff: data
    that end there (a nightly scoring, a leakage probe) may simply not have seen a value yet.

    Raises
    ------
    ConfigError
        For an unknown column or value, a measure without its column, an attribute without a history that is
        not declared static, or anything that may never be a feature.
    """
    permitted.check_declared(config)
    _check_outlook(config)
    _check_accounts(config)
    last = calendar.cutoffs[-1]
    _check_history(tables, config, last)
    _check_deals(tables, config, last)
    for place, windows in enumerate(config.features.windows):
        where = f"[[features.windows]] number {place + 1}, table = {windows.table!r}"
        _check_columns(windows, contract(config, windows.table), where)
        _check_values(tables, windows, where, last)


def _check_outlook(config: PipelineConfig) -> None:
    reach = config.horizon.gap_days + config.horizon.days
    if config.features.outlook and reach > YEAR_DAYS:
        raise ConfigError(
            f"The outlook cannot see a horizon that ends {reach} days after the cutoff.",
            where="[features] outlook",
            why="It is made of the same days a year before, which then are not over yet.",
            fix="Set outlook = false, or shorten [horizon] days to a year at most.",
        )


def _check_accounts(config: PipelineConfig) -> None:
    table = contract(config, "accounts")
    own = config.tables["accounts"].columns
    for name in config.features.columns:
        if name in _NEVER:
            raise ConfigError(
                f"'{name}' is never a feature.",
                where="[features] columns",
                why="A name says nothing about the next company; a strategic weight is a wish, not a fact.",
                fix=f"Remove '{name}'.",
            )
        if name not in own:
            raise ConfigError(
                f"'{name}' is not a declared column of accounts.{nearest(name, own)}",
                where="[features] columns",
                fix="Declare its kind in [tables.accounts.columns]; standard attributes belong to "
                "[features] firmographic.",
            )
    for name in config.tables["accounts"].static:
        if name not in table.names:
            raise ConfigError(
                f"'{name}' is not a column of accounts.{nearest(name, table.names)}",
                where="[tables.accounts] static",
                fix="Name a column of the contract table or of [tables.accounts.columns].",
            )
    if config.features.fit and not fit_attributes(config):
        raise ConfigError(
            "Likeness to past winners needs something to compare.",
            where="[features] fit",
            fix='Declare categories, for example firmographic = ["country", "industry_section"].',
        )


def _check_history(tables: ContractTables, config: PipelineConfig, last: datetime) -> None:
    static = config.tables["accounts"].static
    if "accounts" not in tables.tables or not _reaches(tables, config.target.value_table, last):
        return
    ids = tables.columns("accounts", ["account_id"])["account_id"]
    if not len(ids) or pc.count_distinct(ids).as_py() < len(ids):
        return
    used = [(f"firmographic.{a}", ATTRIBUTE_COLUMNS[a]) for a in config.features.firmographic]
    used += [(f"accounts.{c}", (c,)) for c in config.features.columns]
    for feature, columns in used:
        missing = [c for c in columns if c not in static]
        if missing:
            raise ConfigError(
                f"'{feature}' has no history: accounts holds one version of each company.",
                where=f"accounts.{missing[0]}",
                why="Today's value would stand in for the past one and may tell what happened since.",
                fix=f'If it never changes, vouch for it: static = ["{missing[0]}", …] in [tables.accounts]; '
                "else give accounts one row per version, or leave the feature out.",
            )


def _reaches(tables: ContractTables, name: str, last: datetime) -> bool:
    if name not in tables.tables:
        return False
    limit = pa.scalar(last, pa.timestamp("us", "UTC"))
    pieces = tables.pieces(name, ["event_time"])
    return any(pc.any(pc.greater_equal(piece["event_time"], limit)).as_py() for piece in pieces)


def _check_columns(windows: Windows, table: TableContract, where: str) -> None:
    windowed = [m for m in windows.measures if m not in WHOLE_PAST]
    if windowed and not windows.windows_days and not windows.to_date:
        raise ConfigError(
            f"The measure '{windowed[0]}' needs a window.",
            where=f"{where}: windows_days",
            fix='For example windows_days = [30, 90], or to_date = ["quarter"].',
        )
    if windows.by:
        _category(windows.by, table, f"{where}: by")
        if not windows.values:
            raise ConfigError(
                f"by = '{windows.by}' needs the values that become features.",
                where=f"{where}: values",
                why="Values read off the data would change with the day on which one looks.",
                fix='For example values = ["web_visit", "call"].',
            )
    elif windows.values or "share" in windows.measures:
        raise ConfigError(
            "`values` and the measure 'share' need a category column.",
            where=f"{where}: by",
            fix='For example by = "event_type".',
        )
    for name in windows.where:
        _category(name, table, f"{where}: where")
    measures = set(windows.measures)
    kinds = {name: _column(name, table, f"{where}: of").kind for name in windows.of}
    added = [n for n, k in kinds.items() if k in NUMERIC]
    for measure in windows.measures:
        found = set(kinds) - set(added) if measure == "distinct" else added
        if measure in (*ADDED, "distinct") and not found:
            want = "an id or category" if measure == "distinct" else "a number or money"
            raise ConfigError(
                f"The measure '{measure}' needs {want} column.",
                where=f"{where}: of",
                fix=f'For example of = ["{"contact_id" if measure == "distinct" else "amount"}"].',
            )
    for name, kind in kinds.items():
        if kind in ("time", "text") or not measures & (ADDED if kind in NUMERIC else {"distinct"}):
            raise ConfigError(
                f"The column '{name}' ({kind}) is measured by none of the measures named.",
                where=f"{where}: of",
                fix="Add sum, mean, min, max or std for numbers and money, distinct for ids and categories; "
                "or remove it.",
            )


def _column(name: str, table: TableContract, where: str) -> Column:
    if name not in table.names:
        raise ConfigError(
            f"'{name}' is not a column of {table.name}.{nearest(name, table.names)}",
            where=where,
            fix=f"Use one of: {', '.join(table.names)}; or declare it in [tables.{table.name}.columns].",
        )
    return table.column(name)


def _category(name: str, table: TableContract, where: str) -> None:
    kind = _column(name, table, where).kind
    if kind != "category":
        categories = ", ".join(c.name for c in table.columns if c.kind == "category")
        raise ConfigError(
            f"'{name}' is of kind {kind}, not a category.",
            where=where,
            fix=f"Use one of: {categories}.",
        )


def _check_values(tables: ContractTables, windows: Windows, where: str, last: datetime) -> None:
    if not _reaches(tables, windows.table, last):
        return
    wanted = dict(windows.where)
    if windows.by:
        wanted[windows.by] = (*wanted.get(windows.by, ()), *windows.values)
    for column, values in wanted.items():
        _check_occur(tables, windows.table, column, values, where)


def _check_occur(
    tables: ContractTables,
    table: str,
    column: str,
    values: tuple[str, ...],
    where: str,
    besides: tuple[str, ...] = (),
) -> None:
    pieces = tables.pieces(table, [column])
    seen = {v for piece in pieces for v in piece[column].unique().to_pylist() if v is not None}
    seen -= set(besides)
    for value in values:
        if value not in seen:
            shown = ", ".join(sorted(seen)[:8])
            raise ConfigError(
                f"'{value}' never occurs in {table}.{column}.{nearest(value, seen)}",
                where=where,
                why="A feature that is always zero is most often a mistyped one.",
                fix=f"Use one of: {shown}{' …' if len(seen) > 8 else ''}." if seen else "Leave it out.",
            )


def _check_deals(tables: ContractTables, config: PipelineConfig, last: datetime) -> None:
    wanted = config.features
    if not (wanted.stages or wanted.close_dates) or not _reaches(tables, "deal_stages", last):
        return
    if wanted.stages:
        _check_occur(tables, "deal_stages", "stage", wanted.stages, "[features] stages", ("won", "lost"))
    if not wanted.close_dates:
        return
    dates = tables.pieces("deal_stages", ["expected_close_at"])
    if not any(piece["expected_close_at"].null_count < piece.num_rows for piece in dates):
        raise ConfigError(
            "No deal has an expected close date.",
            where="deal_stages.expected_close_at",
            why="[features] close_dates holds open deals against it.",
            fix="Let the query of deal_stages return it as it was when each row came to be, never today's; "
            "or set close_dates = false.",
        )
