"""Declared window features: how much, how often, how recently, and whether more than usual.

All measures obey both clocks; a pipeline file declares them, `measures` computes them.
"""

import re
from collections.abc import Iterator

from hva_ml.config import PipelineConfig, Windows
from hva_ml.contracts.schema import Column
from hva_ml.features.declared import ADDED, NUMERIC, WHOLE_PAST, contract
from hva_ml.features.definition import GROUP, Family, FeatureDefinition, Unit
from hva_ml.features.lookback import ALL, Window
from hva_ml.features.measures import Measures
from hva_ml.features.series import series
from hva_ml.features.teams import Teams, spread
from hva_ml.features.universe import Feature, Rows, Universe
from hva_ml.features.versions import Versions
from hva_ml.features.wording import chosen, measured, thing

_FAMILY: dict[str, Family] = {
    "accounts": "firmographic",
    "contacts": "engagement",
    "events": "engagement",
    "deal_stages": "deal_history",
    "invoices": "deal_history",
}
_UNITS: dict[str, Unit] = {
    "count": "count", "distinct": "count", "active_days": "count", "recency": "days", "since_first": "days",
    "trend": "ratio", "surge": "ratio", "share": "share", "gap_mean": "days", "gap_max": "days",
    "gap_std": "days", "streak": "count", "streak_max": "count",
}  # fmt: skip


def features(universe: Universe, rows: Rows, config: PipelineConfig, versions: Versions) -> list[Feature]:
    """Return the features of every ``[[features.windows]]``, in the order of the file.

    One feature per measure, window, value of `by` and column of `of`; recency and since_first have no window.
    Of the level ``group`` they are unknown where the account belongs to no group.
    """
    teams = Teams(versions)
    return [
        feature
        for windows in config.features.windows
        for feature in _features(universe, rows, config, windows, teams)
    ]


def _features(
    universe: Universe, rows: Rows, config: PipelineConfig, group: Windows, teams: Teams
) -> Iterator[Feature]:
    seen = series(universe, group.table)
    for name, values in sorted(group.where.items()):
        seen = seen.among(name, values)
    if group.by:
        seen = seen.by(group.by, group.values)
    windows = [Window(days) for days in group.windows_days]
    windows += [Window(to_date=period) for period in group.to_date]
    places, grouped = rows, None
    if group.level == "group":
        seen = teams.series(seen)
        places, grouped = teams.rows(rows)
    made = Measures(seen, places, windows, group.measures)
    columns = [contract(config, group.table).column(name) for name in group.of]
    for category, value in enumerate(group.values or ("",)):
        for measure in group.measures:
            for column in _columns(measure, columns):
                for window in windows if measure not in WHOLE_PAST else [ALL]:
                    definition = _definition(config, group, value, measure, column, window)
                    found = made.value(measure, category, window, column)
                    if grouped is not None:
                        found = spread(found, grouped, len(rows.account))
                    yield Feature(definition, found)


def _columns(measure: str, columns: list[Column]) -> list[Column | None]:
    if measure in ADDED:
        return [c for c in columns if c.kind in NUMERIC]
    if measure == "distinct":
        return [c for c in columns if c.kind not in NUMERIC]
    return [None]


def _definition(
    config: PipelineConfig,
    windows: Windows,
    value: str,
    measure: str,
    column: Column | None,
    window: Window,
) -> FeatureDefinition:
    parts = [windows.table, *(slug("_or_".join(v)) for _, v in sorted(windows.where.items()))]
    parts += [slug(value)] if value else []
    what = measure
    if column is not None and measure == "distinct":
        what = f"distinct_{column.name}"
    elif column is not None:
        parts.append(column.name)
    of_group = windows.level == "group"
    topic = ".".join((*parts, what))
    topic = f"{GROUP}{topic}" if of_group else topic
    name = f"{topic}_{'days' if window == ALL else window.suffix}"
    limits = tuple(v for _, values in sorted(windows.where.items()) for v in values)
    things = thing(windows.table, (value,) if value else limits, windows.labels)
    words = measured(
        measure, windows.table, column.name if column else "", things, bool(value or limits), windows.labels,
        of_group=of_group,
    )  # fmt: skip
    unit = _UNITS.get(measure) or ("money" if column is not None and column.kind == "money" else "number")
    label = chosen({**windows.labels, **config.features.labels}, (name, topic), *words)
    days = None if window.to_date or window == ALL else window.days
    return FeatureDefinition(
        name, _FAMILY[windows.table], "number", windows.table, measure, unit, *label, days, topic,
        to_date=window.to_date or "", level=windows.level,
    )  # fmt: skip


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
