"""Declared window features: how much, how often, how recently, and whether more than usual.

All measures obey both clocks and come from the kernel in `windows`; a pipeline file declares them.
"""

import re
from collections.abc import Iterator

import numpy as np

from hva_ml.config import PipelineConfig, Windows
from hva_ml.contracts.schema import Column
from hva_ml.errors import ContractError
from hva_ml.features.declared import NUMERIC, contract
from hva_ml.features.definition import Family, FeatureDefinition, Unit
from hva_ml.features.series import Series, series
from hva_ml.features.universe import Feature, Floats, Rows, Universe
from hva_ml.features.windows import Ints
from hva_ml.features.wording import chosen, measured, thing

BASELINE_DAYS = 365
"""An account's own usual level is judged over this many days, or twice the window if that is longer."""
FIXED_POINT = 1_000_000
"""Numbers that are not whole are summed exactly in millionths."""

_FAMILY: dict[str, Family] = {
    "accounts": "firmographic",
    "contacts": "engagement",
    "events": "engagement",
    "deal_stages": "deal_history",
    "invoices": "deal_history",
}
_UNITS: dict[str, Unit] = {
    "count": "count", "distinct": "count", "active_days": "count", "recency": "days", "trend": "ratio",
    "surge": "ratio", "share": "share",
}  # fmt: skip


def features(universe: Universe, rows: Rows, config: PipelineConfig) -> list[Feature]:
    """Return the features of every ``[[features.windows]]``, in the order of the file.

    One feature per measure, window, value of `by` and column of `of`; recency has no window.
    """
    return [
        feature for windows in config.features.windows for feature in _group(universe, rows, config, windows)
    ]


def _group(universe: Universe, rows: Rows, config: PipelineConfig, windows: Windows) -> Iterator[Feature]:
    base = series(universe, windows.table)
    for column, values in sorted(windows.where.items()):
        base = base.only(base.table.codes(column).among(values)[base.rows])
    by = base.table.codes(windows.by) if windows.by else None
    columns = [contract(config, windows.table).column(name) for name in windows.of]
    for value in windows.values or ("",):
        part = base.only(by.among((value,))[base.rows]) if by else base
        for measure in windows.measures:
            spans: tuple[int | None, ...] = windows.windows_days if measure != "recency" else (None,)
            for measured_column in _columns(measure, columns):
                for days in spans:
                    definition = _definition(config, windows, value, measure, measured_column, days)
                    found = _measure(part, base, rows, measure, measured_column, days or 0)
                    yield Feature(definition, found)


def _columns(measure: str, columns: list[Column]) -> list[Column | None]:
    if measure in ("sum", "mean"):
        return [c for c in columns if c.kind in NUMERIC]
    if measure == "distinct":
        return [c for c in columns if c.kind not in NUMERIC]
    return [None]


def _measure(
    part: Series, base: Series, rows: Rows, measure: str, column: Column | None, days: int
) -> Floats:
    if column is not None and measure in ("sum", "mean"):
        return _added(part, rows, measure, column, days)
    if measure == "count":
        return rows.pick(part.count(days)).astype(np.float64)
    if measure == "active_days":
        return rows.pick(part.days_active(days)).astype(np.float64)
    if measure == "distinct" and column is not None:
        item = part.table.codes(column.stored).codes[part.rows]
        return rows.pick(part.different(days, item)).astype(np.float64)
    if measure == "recency":
        return rows.days_since(part.last(), part.universe.cutoffs)
    if measure == "trend":
        return trend(rows.pick(part.count(days)), rows.pick(part.count(2 * days)))
    if measure == "share":
        return _share(rows.pick(part.count(days)), rows.pick(base.count(days)))
    span = max(BASELINE_DAYS, 2 * days)
    tenure = rows.days_since(base.first(), part.universe.cutoffs)
    return surge(rows.pick(part.count(days)), rows.pick(part.count(span)), tenure, days, span)


def _added(part: Series, rows: Rows, measure: str, column: Column, days: int) -> Floats:
    if column.kind == "number":
        value = part.table.numbers(column.stored)[part.rows]
        known = np.isfinite(value)
        amounts, scale = np.rint(np.where(known, value, 0.0) * FIXED_POINT), float(FIXED_POINT)
    else:
        whole, there = part.table.integers(column.stored)
        amounts, known = whole[part.rows], there[part.rows]
        scale = 100.0 if column.kind == "money" else 1.0
    if np.abs(amounts.astype(np.float64)).sum() >= 2.0**62:
        raise ContractError(
            f"The numbers in '{column.name}' are too large to be added exactly.",
            where=column.name,
            why="A sum that overflows would be silently wrong.",
            fix="Give the column in a larger unit.",
        )
    total = rows.pick(part.total(days, amounts.astype(np.int64))) / scale
    if measure == "sum":
        return np.asarray(total, dtype=np.float64)
    some = part.only(known)
    count = rows.pick(some.count(days))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def trend(recent: Ints, both: Ints) -> Floats:
    """Return ``ln((recent + 1) / (before + 1))``: this window against the one before it.

    Parameters
    ----------
    recent, both : numpy.ndarray of int64, shape (n_rows,)
        Rows in the window, and in the window of twice its length.

    Examples
    --------
    >>> trend(np.array([3]), np.array([4])).round(3).tolist()
    [0.693]
    """
    return np.log((recent + 1) / (both - recent + 1))


def surge(recent: Ints, span_count: Ints, tenure: Floats, days: int, span: int) -> Floats:
    """Return ``ln((recent + 1) / (usual + 1))``: this window against the account's own usual level.

    Usual is the number of rows before the window, within `span` days of the cutoff, scaled from the days the
    account was there in that time to the length of the window. One is added to both, so that small numbers do
    not cry wolf.

    Parameters
    ----------
    recent, span_count : numpy.ndarray of int64, shape (n_rows,)
        Rows in the window, and within `span` days before the cutoff.
    tenure : numpy.ndarray of float64, shape (n_rows,)
        Days since the account's first visible row of the table, NaN if none.
    days, span : int
        Length of the window and of the whole look back, ``days < span``.

    Returns
    -------
    numpy.ndarray of float64, shape (n_rows,)
        NaN where the account was not there before the window: it has no usual level yet.

    Examples
    --------
    >>> surge(np.array([5]), np.array([5 + 67]), np.array([500.0]), 30, 365).round(3).tolist()
    [-0.154]
    """
    length = np.minimum(tenure, float(span)) - days
    some = length > 0
    usual = (span_count - recent) * float(days) / np.maximum(np.where(some, length, days), float(days))
    return np.where(some, np.log((recent + 1) / (usual + 1)), np.nan)


def _share(part: Ints, whole: Ints) -> Floats:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _definition(
    config: PipelineConfig,
    windows: Windows,
    value: str,
    measure: str,
    column: Column | None,
    days: int | None,
) -> FeatureDefinition:
    parts = [windows.table, *(slug("_or_".join(v)) for _, v in sorted(windows.where.items()))]
    parts += [slug(value)] if value else []
    what = measure
    if column is not None and measure == "distinct":
        what = f"distinct_{column.name}"
    elif column is not None:
        parts.append(column.name)
    topic = ".".join((*parts, what))
    name = f"{topic}_days" if days is None else f"{topic}_{days}d"
    limits = tuple(v for _, values in sorted(windows.where.items()) for v in values)
    things = thing(windows.table, (value,) if value else limits, windows.labels)
    words = measured(
        measure, windows.table, column.name if column else "", things, bool(value or limits), windows.labels
    )
    unit = _UNITS.get(measure) or ("money" if column is not None and column.kind == "money" else "number")
    label = chosen({**windows.labels, **config.features.labels}, (name, topic), *words)
    return FeatureDefinition(
        name, _FAMILY[windows.table], "number", windows.table, measure, unit, *label, days, topic
    )


def slug(value: str) -> str:
    """Return a category value as part of a feature name.

    Examples
    --------
    >>> slug("Messe-Besuch (groß)")
    'messe_besuch_gross'
    """
    plain = value.lower()
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        plain = plain.replace(umlaut, letters)
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or "other"
